/* Views.
 * May include: logic/, pool. */
#include "net/view.h"

#include "base/clock.h"
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

/* --- What was --- */

static bool is_remembered(const struct shoal__view *view, size_t past, int64_t now_ns) {
    return now_ns < view->past_until_ns[past];
}

/* A node that left a moment ago; NULL for any other. */
static struct shoal__pool *find_departed(const struct shoal__view *before, const shoal_node *node, int64_t now_ns) {
    for (size_t i = 0; before != NULL && i < before->past_count; i++) {
        struct shoal__pool *pool = is_remembered(before, i, now_ns) ? find_pool(before->past[i], node, 0) : NULL;
        if (pool != NULL)
            return pool;
    }
    return NULL;
}

static struct shoal__view *make_view(shoal_topology *topology) {
    size_t count = shoal_topology_node_count(topology);
    struct shoal__view *view = calloc(1, sizeof(*view));
    if (view == NULL)
        return NULL;
    atomic_init(&view->references, 1);
    view->pools = calloc(count, sizeof(struct shoal__pool *));
    view->figures = calloc(count, sizeof(*view->figures));
    view->topology = topology;
    return view;
}

/* All but the topology, which is the caller's. */
static void unmake_view(struct shoal__view *view) {
    for (size_t i = 0; view->pools != NULL && i < node_count(view); i++)
        shoal__pool_release(view->pools[i]);
    for (size_t i = 0; i < view->past_count; i++)
        shoal__view_release(view->past[i]);
    free(view->pools);
    free(view->figures);
    free(view);
}

static struct shoal__view *copy_without_past(const struct shoal__view *view) {
    struct shoal__view *copy = make_view(view->topology);
    if (copy == NULL || copy->pools == NULL || copy->figures == NULL) {
        if (copy != NULL)
            unmake_view(copy);
        return NULL;
    }
    shoal__topology_acquire(view->topology);
    for (size_t i = 0; i < node_count(view); i++)
        copy->pools[i] = shoal__pool_acquire(view->pools[i]);
    return copy;
}

static void remember(struct shoal__view *view, struct shoal__view *past, int64_t until_ns) {
    view->past[view->past_count] = past;
    view->past_until_ns[view->past_count++] = until_ns;
}

/* Where memory runs out the past is forgotten. */
static void remember_all(struct shoal__view *view, const struct shoal__view *before, int64_t now_ns) {
    struct shoal__view *copy = copy_without_past(before);
    if (copy == NULL)
        return;
    remember(view, copy, now_ns + SHOAL__PAST_S * SHOAL__NS_PER_S);
    for (size_t i = 0; i < before->past_count && view->past_count < SHOAL__PAST_MAX; i++)
        if (is_remembered(before, i, now_ns))
            remember(view, shoal__view_acquire(before->past[i]), before->past_until_ns[i]);
}

size_t shoal__view_departed(const struct shoal__view *view, const char *key, size_t key_len, int64_t now_ns,
                            struct shoal__pool *departed[SHOAL__PAST_MAX]) {
    size_t count = 0;
    for (size_t i = 0; i < view->past_count; i++) {
        if (!is_remembered(view, i, now_ns))
            continue;
        const struct shoal__view *past = view->past[i];
        struct shoal__pool *pool = past->pools[shoal__topology_route(past->topology, key, key_len)];
        if (shoal__pool_has_departed(pool))
            departed[count++] = pool;
    }
    return count;
}

/* --- What is --- */

static struct shoal__pool *take_pool(const shoal_node *node, const struct shoal__view *before, size_t place,
                                     const struct shoal__pool_options *options, int64_t now_ns) {
    struct shoal__pool *kept = find_pool(before, node, place);
    struct shoal__pool *returned = kept ? NULL : find_departed(before, node, now_ns);
    if (returned != NULL)
        shoal__pool_return_to_use(returned);
    if (kept != NULL || returned != NULL)
        return shoal__pool_acquire(kept ? kept : returned);
    return shoal__pool_new(node, options);
}

struct shoal__view *shoal__view_new(shoal_topology *topology, const struct shoal__view *before,
                                    const struct shoal__pool_options *options, int64_t now_ns) {
    struct shoal__view *view = make_view(topology);
    bool complete = view != NULL && view->pools != NULL && view->figures != NULL;
    for (size_t i = 0; complete && i < node_count(view); i++) {
        const shoal_node *node = shoal_topology_node_at(topology, i);
        view->pools[i] = take_pool(node, before, i, options, now_ns);
        view->figures[i] = shoal__standin_figure(shoal_node_name(node), strlen(shoal_node_name(node)));
        complete = view->pools[i] != NULL;
    }
    if (!complete) {
        if (view != NULL)
            unmake_view(view);
        return NULL;
    }
    if (before != NULL)
        remember_all(view, before, now_ns);
    return view;
}

struct shoal__view *shoal__view_acquire(struct shoal__view *view) {
    atomic_fetch_add_explicit(&view->references, 1, memory_order_relaxed);
    return view;
}

void shoal__view_release(struct shoal__view *view) {
    if (view == NULL || atomic_fetch_sub_explicit(&view->references, 1, memory_order_acq_rel) != 1)
        return;
    shoal_topology *topology = view->topology;
    unmake_view(view);
    shoal_topology_free(topology);
}

/* --- Retiring --- */

static bool holds_pool(const struct shoal__view *view, const struct shoal__pool *pool, size_t place) {
    size_t count = view ? node_count(view) : 0;
    for (size_t i = 0; i < count; i++)
        if (view->pools[(place + i) % count] == pool)
            return true;
    return false;
}

static bool remembers_pool(const struct shoal__view *view, const struct shoal__pool *pool) {
    for (size_t i = 0; view != NULL && i < view->past_count; i++)
        if (holds_pool(view->past[i], pool, 0))
            return true;
    return false;
}

static void retire_pools(const struct shoal__view *view, const struct shoal__view *after) {
    for (size_t i = 0; i < node_count(view); i++)
        if (!holds_pool(after, view->pools[i], i))
            shoal__pool_retire(view->pools[i], remembers_pool(after, view->pools[i]));
}

void shoal__view_retire(const struct shoal__view *view, const struct shoal__view *after) {
    if (view == NULL)
        return;
    retire_pools(view, after);
    for (size_t i = 0; i < view->past_count; i++)
        retire_pools(view->past[i], after);
}
