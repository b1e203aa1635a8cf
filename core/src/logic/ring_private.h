/* What the files of ring share: a ring with its points, and the distributions that have a file of their own.
 * May include: base/, ring. Included by ring*.c alone. */
#ifndef SHOAL_LOGIC_RING_PRIVATE_H
#define SHOAL_LOGIC_RING_PRIVATE_H

#include "logic/ring.h"

struct shoal__ring_point {
    uint32_t position;
    uint32_t node;
};

struct shoal__ring {
    const struct shoal__distribution *distribution;
    shoal__hash_function hash;
    size_t node_count;
    struct shoal__ring_point *points; /* by position, then by node; NULL where the distribution has none */
    size_t point_count;
    char *names; /* of rendezvous: what stands before the key, a string a node, one after the other; else NULL */
};

/* Room for points; false where memory ran out. */
bool shoal__ring_reserve(struct shoal__ring *ring, size_t point_count);

/* Adds a point within the room reserved. shoal__ring_sort must follow the last one. */
void shoal__ring_add_point(struct shoal__ring *ring, uint32_t position, size_t node);

void shoal__ring_sort(struct shoal__ring *ring);

/* How many points lie before a position, which may be one beyond the last: the index of the first that does not. */
size_t shoal__ring_points_before(const struct shoal__ring *ring, uint64_t position);

/* `host:port` without brackets around an IPv6 literal, or the path of a Unix socket: the spelling of dalli and
 * pymemcache. Returns its length. */
#define SHOAL__RING_NAME_SIZE 300
size_t shoal__ring_node_name(const struct shoal__ring_node *node, char name[SHOAL__RING_NAME_SIZE]);

bool shoal__ketama_weighted_build(struct shoal__ring *ring, const struct shoal__ring_node *nodes, size_t count);
bool shoal__ketama_build(struct shoal__ring *ring, const struct shoal__ring_node *nodes, size_t count);
size_t shoal__ketama_route(const struct shoal__ring *ring, const char *key, size_t key_len);

bool shoal__dalli_build(struct shoal__ring *ring, const struct shoal__ring_node *nodes, size_t count);
size_t shoal__dalli_route(const struct shoal__ring *ring, const char *key, size_t key_len);

bool shoal__rendezvous_build(struct shoal__ring *ring, const struct shoal__ring_node *nodes, size_t count);
size_t shoal__rendezvous_route(const struct shoal__ring *ring, const char *key, size_t key_len);

#endif
