/* The endpoint string: where to discover, or a fixed list. Pure.
 * May include: base/, node_list. Called by config. */
#ifndef SHOAL_LOGIC_ENDPOINT_H
#define SHOAL_LOGIC_ENDPOINT_H

#include "base/error.h"
#include "logic/node_list.h"

#define SHOAL__DEFAULT_PORT 11211

enum shoal__endpoint_kind {
    SHOAL__ENDPOINT_DISCOVER, /* ask one of the nodes listed for the real list */
    SHOAL__ENDPOINT_STATIC,   /* the nodes listed are the fleet */
    SHOAL__ENDPOINT_DNS,      /* dns://name:port */
    SHOAL__ENDPOINT_SRV,      /* srv://_service._proto.name */
};

enum shoal__service {
    SHOAL__SERVICE_ANY, /* bare host:port: may turn out to be a plain memcached */
    SHOAL__SERVICE_ELASTICACHE,
    SHOAL__SERVICE_MEMORYSTORE,
    SHOAL__SERVICE_SERVERLESS, /* known by its names, whatever the scheme: TLS, and no list */
};

struct shoal__endpoint_option {
    char *name;
    char *value;
};

struct shoal__endpoint {
    enum shoal__endpoint_kind kind;
    enum shoal__service service;
    bool tls; /* elasticaches://, or a name of ElastiCache Serverless */
    struct shoal__node_list nodes;
    struct shoal__endpoint_option *options; /* of the `?` part, percent-decoded, in order, names unchecked */
    size_t option_count;
};

/* Reads an endpoint string. Nothing is looked up. On failure the endpoint is left zeroed, and the fault
 * (SHOAL_E_BAD_ENDPOINT or SHOAL_E_NO_MEMORY) says which part is wrong and how it should look; what follows a `?` is
 * never quoted in it, as it may hold a password. */
shoal_status shoal__endpoint_parse(const char *text, struct shoal__endpoint *endpoint, struct shoal__fault *fault);

/* The list alone, for options that hold one: `host[:port[:weight]],...`, paths included. `what` names the option in the
 * fault. On failure the list is left zeroed. */
shoal_status shoal__endpoint_parse_list(const char *what, const char *text, struct shoal__node_list *nodes,
                                        struct shoal__fault *fault);

bool shoal__endpoint_copy(struct shoal__endpoint *copy, const struct shoal__endpoint *endpoint);

/* A zeroed endpoint is fine. */
void shoal__endpoint_clear(struct shoal__endpoint *endpoint);

#endif
