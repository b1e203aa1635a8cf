/* Views.
 * May include: logic/, pool. */
#include "net/view.h"

#include "logic/standin.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static size_t node_count(const struct shoal__view *view) {
    return shoal_topology_node_count(view->topology);
}

/* A list mostly keeps its order, so the same place is looked at first. */
static struct shoal__pool *find_pool(const struct shoal__view *view, const shoal_node *node, size_t place) {
    size_t count = view ? node_count(view) : 0;
    for (size_t i = 0; i < count; i++) {
        struct shoal__pool *pool = view->pools[(place + i) % count];
        if (shoal__pool_serves(pool, node))
            return pool;
    }
    return NULL;
}

struct shoal__view *shoal__view_new(shoal_topology *topology, const struct shoal__view *before,
                                    const struct shoal__pool_options *options) {
    size_t count = shoal_topology_node_count(topology);
    struct shoal__view *view = calloc(1, sizeof(*view));
    struct shoal__pool **pools = calloc(count, sizeof(struct shoal__pool *));
    uint64_t *figures = calloc(count, sizeof(*figures));
    bool complete = view != NULL && pools != NULL && figures != NULL;
    for (size_t i = 0; complete && i < count; i++) {
        const shoal_node *node = shoal_topology_node_at(topology, i);
        struct shoal__pool *kept = find_pool(before, node, i);
        pools[i] = kept ? shoal__pool_acquire(kept) : shoal__pool_new(node, options);
        complete = pools[i] != NULL;
        figures[i] = shoal__standin_figure(shoal_node_name(node), strlen(shoal_node_name(node)));
    }
    if (!complete) {
        for (size_t i = 0; pools != NULL && i < count; i++)
            shoal__pool_release(pools[i]);
        free(figures);
        free(pools);
        free(view);
        return NULL;
    }
    view->topology = topology;
    view->pools = pools;
    view->figures = figures;
    atomic_init(&view->references, 1);
    return view;
}

struct shoal__view *shoal__view_acquire(struct shoal__view *view) {
    atomic_fetch_add_explicit(&view->references, 1, memory_order_relaxed);
    return view;
}

void shoal__view_release(struct shoal__view *view) {
    if (view == NULL || atomic_fetch_sub_explicit(&view->references, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < node_count(view); i++)
        shoal__pool_release(view->pools[i]);
    free(view->pools);
    free(view->figures);
    shoal_topology_free(view->topology);
    free(view);
}

static bool holds_pool(const struct shoal__view *view, const struct shoal__pool *pool, size_t place) {
    size_t count = view ? node_count(view) : 0;
    for (size_t i = 0; i < count; i++)
        if (view->pools[(place + i) % count] == pool)
            return true;
    return false;
}

void shoal__view_retire(const struct shoal__view *view, const struct shoal__view *after) {
    for (size_t i = 0; view != NULL && i < node_count(view); i++)
        if (!holds_pool(after, view->pools[i], i))
            shoal__pool_retire(view->pools[i]);
}
