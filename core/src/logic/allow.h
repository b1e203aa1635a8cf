/* allow_nodes: which nodes a discovered list may name. Pure.
 * May include: base/, node_list. Checked by config, applied by net/discovery. */
#ifndef SHOAL_LOGIC_ALLOW_H
#define SHOAL_LOGIC_ALLOW_H

#include "base/error.h"
#include "logic/node_list.h"

/* Patterns, separated by commas: a host name ("a.example"), everything below a domain ("*.example"), an address or a
 * network ("10.0.0.0/8", "fd00::/8"). SHOAL_E_BAD_OPTION names the pattern that cannot be read. */
shoal_status shoal__allow_check(const char *patterns, struct shoal__fault *fault);

enum shoal__allowance {
    SHOAL__ALLOW_REFUSED,
    SHOAL__ALLOW_AT_ADDRESS, /* its address is in a network that is allowed, or nothing is restricted */
    SHOAL__ALLOW_BY_NAME,    /* its name alone is allowed: whoever planted the list could put any address beside it */
};

/* Whether a node may be used, and at the address that the list gives. A node without one is judged by its host, which
 * may be an address. */
enum shoal__allowance shoal__allow_judge(const char *patterns, const struct shoal__node_spec *node);

#endif
