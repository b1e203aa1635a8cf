/* A topology with the pools of its nodes: what one call works on from beginning to end, whatever is discovered
 * meanwhile. Immutable, counted by reference.
 * May include: logic/, pool. Published by fleet. */
#ifndef SHOAL_NET_VIEW_H
#define SHOAL_NET_VIEW_H

#include "logic/topology.h"
#include "net/pool.h"

/* So many earlier lists are remembered, each for so long: a node that comes back meanwhile must not be read as it was.
 */
#define SHOAL__PAST_MAX 4
#define SHOAL__PAST_S 60

struct shoal__view {
    shoal_topology *topology;
    struct shoal__pool **pools; /* one a node, in the topology's order */
    uint64_t *figures;          /* of their names, for choosing stand-ins */
    _Atomic unsigned references;
    struct shoal__view *past[SHOAL__PAST_MAX]; /* views without a past, the latest first; they hold nodes that left */
    int64_t past_until_ns[SHOAL__PAST_MAX];
    size_t past_count;
};

/* Nodes that were in `before` (may be NULL) at the same address keep their pool, and so their connections; those that
 * left a moment ago, and come back, their pool with its tombstones. The topology's reference is kept by the view. NULL
 * where memory ran out: the topology is the caller's still. */
struct shoal__view *shoal__view_new(shoal_topology *topology, const struct shoal__view *before,
                                    const struct shoal__pool_options *options, int64_t now_ns);
struct shoal__view *shoal__view_acquire(struct shoal__view *view);
void shoal__view_release(struct shoal__view *view);

/* Retires the pools that are not in `after` (NULL: all of them); what `after` still remembers may come back. */
void shoal__view_retire(const struct shoal__view *view, const struct shoal__view *after);

/* The nodes that a key belonged to on the lists of the last minute and that are on none now: how many. */
size_t shoal__view_departed(const struct shoal__view *view, const char *key, size_t key_len, int64_t now_ns,
                            struct shoal__pool *departed[SHOAL__PAST_MAX]);

#endif
