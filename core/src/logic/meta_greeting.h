/* Who is there: what a new connection is asked, and what the answers say of the server. Pure.
 * May include: base/, logic/. Called by net/transport_meta. */
#ifndef SHOAL_LOGIC_META_GREETING_H
#define SHOAL_LOGIC_META_GREETING_H

#include "logic/meta_parse.h"

/* Servers of before 1.6.10 know mn, but another meta protocol: so their version is asked too. */
#define SHOAL__GREETING "version\r\nmn\r\nstats settings\r\n"

enum shoal__greeted {
    SHOAL__GREETED_PARTLY, /* read on */
    SHOAL__GREETED_META,
    SHOAL__GREETED_OTHER,   /* it refuses, or is of before meta: it may speak the classic protocol */
    SHOAL__GREETED_STRANGE, /* no memcached answers so: neither protocol can be spoken with it */
    SHOAL__GREETED_FULL,    /* it is at its connection limit (-c), and closes */
    SHOAL__GREETED_LOCKED,  /* it wants user and password first (-Y) */
    SHOAL__GREETED_TLS,     /* what it says is an alert of TLS */
};

/* Zeroed, it is about to begin. */
struct shoal__greeting {
    unsigned answers;     /* complete ones */
    bool misses_unmarked; /* a miss comes without its opaque number: before 1.6.18 */
    size_t item_max;      /* the largest item the server stores; 0 where it does not tell */
};

/* Takes the whole lines that are there; *taken: how many bytes they had. */
enum shoal__greeted shoal__greeting_take(struct shoal__greeting *greeting, const char *bytes, size_t size,
                                         size_t *taken);

#endif
