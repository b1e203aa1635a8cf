/* Options: one table behind the setters, the checks, the documentation and the fleet's identity. Pure.
 * May include: base/, endpoint, allow. Called by L2 and L3. */
#ifndef SHOAL_LOGIC_CONFIG_H
#define SHOAL_LOGIC_CONFIG_H

#include "base/error.h"
#include "logic/endpoint.h"

#include <shoal/config.h>

enum shoal__option_id {
#define SHOAL__OPTION(scope, type, name, ...) SHOAL__OPTION_##name,
#include "logic/config_table.def"
#undef SHOAL__OPTION
    SHOAL__OPTION_COUNT
};

/* The configuration a client works with: a copy in which the options of the endpoint's `?` part fill what was not set
 * explicitly, and elasticaches:// or a name of ElastiCache Serverless sets tls. SHOAL_E_BAD_ENDPOINT where no endpoint
 * is set, SHOAL_E_BAD_OPTION where the `?` part says one thing twice with different values, or options contradict one
 * another. */
shoal_status shoal__config_resolve(const shoal_config *config, shoal_config **resolved, struct shoal__fault *fault);

/* NULL where memory ran out. */
shoal_config *shoal__config_copy(const shoal_config *config);

/* Values by type; asking for another type than the table's is a programming error (asserted). */
int64_t shoal__config_integer(const shoal_config *config, enum shoal__option_id option);
double shoal__config_number(const shoal_config *config, enum shoal__option_id option);
int64_t shoal__config_span(const shoal_config *config, enum shoal__option_id option, int64_t *high); /* its lower end */
bool shoal__config_boolean(const shoal_config *config, enum shoal__option_id option);
const char *shoal__config_text(const shoal_config *config, enum shoal__option_id option); /* choices too */
const struct shoal__endpoint *shoal__config_endpoint(const shoal_config *config);         /* NULL where none is set */

/* discovery_fallback as the endpoint's kind completes it. */
enum shoal__fallback { SHOAL__FALLBACK_STRICT, SHOAL__FALLBACK_SINGLE, SHOAL__FALLBACK_STATIC };
enum shoal__fallback shoal__config_fallback(const shoal_config *config, const struct shoal__node_list **nodes);

/* What a fleet's identity is to others, who may be able to read it: without secrets. The caller's; NULL where memory
 * ran out. */
char *shoal__config_public_identity(const shoal_config *config);

/* A string that two configurations share exactly when their clients may share a fleet (whole=false: options of scope
 * `fleet`), or may be one client (whole=true: all options). The caller's; NULL where memory ran out. */
char *shoal__config_identity(const shoal_config *config, bool whole);

#endif
