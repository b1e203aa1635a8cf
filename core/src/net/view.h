/* A topology with the pools of its nodes: what one call works on from beginning to end, whatever is discovered
 * meanwhile. Immutable, counted by reference.
 * May include: logic/, pool. Published by fleet. */
#ifndef SHOAL_NET_VIEW_H
#define SHOAL_NET_VIEW_H

#include "logic/topology.h"
#include "net/pool.h"

struct shoal__view {
    shoal_topology *topology;
    struct shoal__pool **pools; /* one a node, in the topology's order */
    uint64_t *figures;          /* of their names, for choosing stand-ins */
    _Atomic unsigned references;
};

/* Nodes that were in `before` (may be NULL) at the same address keep their pool, and so their connections. The
 * topology's reference is kept by the view. NULL where memory ran out: the topology is the caller's still. */
struct shoal__view *shoal__view_new(shoal_topology *topology, const struct shoal__view *before,
                                    const struct shoal__pool_options *options);
struct shoal__view *shoal__view_acquire(struct shoal__view *view);
void shoal__view_release(struct shoal__view *view);

/* Retires the pools that are not in `after` (NULL: all of them). */
void shoal__view_retire(const struct shoal__view *view, const struct shoal__view *after);

#endif
