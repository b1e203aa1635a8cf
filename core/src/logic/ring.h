/* Which node a key belongs to. Pure: names and weights in, an index out.
 * May include: base/. Built by topology. Each distribution is one row of the table in ring.c. */
#ifndef SHOAL_LOGIC_RING_H
#define SHOAL_LOGIC_RING_H

#include "base/hash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct shoal__ring;

/* A node as the ring spells it: the host bare (no brackets around an IPv6 literal), 255 bytes of it at most; the weight
 * 1 or more. */
struct shoal__ring_node {
    const char *host;
    uint16_t port;
    uint32_t weight;
};

/* A way to share keys out: what the option `distribution` names. */
struct shoal__distribution {
    const char *name;
    const char *own_hash; /* the function that its incumbent client hashes keys with */
    bool hashes_prefix;   /* whether key_prefix is part of what is hashed there */
    bool (*build)(struct shoal__ring *ring, const struct shoal__ring_node *nodes, size_t count);
    size_t (*route)(const struct shoal__ring *ring, const char *key, size_t key_len);
};

/* NULL for a name that is not built in. */
const struct shoal__distribution *shoal__distribution_find(const char *name);

/* hash: NULL for the distribution's own. NULL where memory ran out, libcrypto refused, or count is 0. */
struct shoal__ring *shoal__ring_new(const struct shoal__distribution *distribution, shoal__hash_function hash,
                                    const struct shoal__ring_node *nodes, size_t count);

/* The index of the node, in the order given to shoal__ring_new. A key has SHOAL__KEY_MAX bytes at most. */
size_t shoal__ring_route(const struct shoal__ring *ring, const char *key, size_t key_len);

void shoal__ring_free(struct shoal__ring *ring);

#endif
