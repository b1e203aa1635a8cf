/* A fleet's prober: nodes that are out of use are asked, off the path of any call, until they answer.
 * May include: base/, logic/, view, background, fleet_half. Runs on the background thread. */
#include "net/fleet_half.h"

#include <shoal/event.h>

static struct shoal__fleet_half *half_of(struct shoal__task *task) {
    return (struct shoal__fleet_half *)((char *)task - offsetof(struct shoal__fleet_half, prober));
}

/* Only this thread puts another view in the place of the one in use, so it stays while we look at it. */
static const struct shoal__view *view_of(struct shoal__fleet_half *half, size_t *count) {
    const struct shoal__view *view = atomic_load(&half->view);
    *count = view ? shoal_topology_node_count(view->topology) : 0;
    return view;
}

static void tell_recovery(struct shoal__fleet_half *half, const struct shoal__pool *pool) {
    pthread_mutex_lock(&half->lock);
    shoal__log_add(&half->log, SHOAL_EVENT_NODE_RECOVERED, half->refresh.version, shoal__pool_name(pool),
                   "%s: answers again and is used again", shoal__pool_name(pool));
    pthread_mutex_unlock(&half->lock);
}

static void advance(struct shoal__task *task, int64_t now_ns) {
    struct shoal__fleet_half *half = half_of(task);
    size_t count;
    const struct shoal__view *view = view_of(half, &count);
    for (size_t i = 0; i < count; i++)
        if (shoal__pool_advance_health(view->pools[i], now_ns) == SHOAL__POOL_RECOVERED)
            tell_recovery(half, view->pools[i]);
}

static void watch(struct shoal__task *task, struct shoal__watch *watched, int64_t now_ns) {
    size_t count;
    const struct shoal__view *view = view_of(half_of(task), &count);
    for (size_t i = 0; i < count; i++)
        shoal__pool_watch_health(view->pools[i], watched, now_ns);
}

static void interrupt(struct shoal__task *task, int64_t now_ns) {
    size_t count;
    const struct shoal__view *view = view_of(half_of(task), &count);
    for (size_t i = 0; i < count; i++)
        shoal__pool_interrupt_health(view->pools[i], now_ns);
}

void shoal__fleet_prober_init(struct shoal__fleet_half *half) {
    half->prober = (struct shoal__task){.advance = advance, .watch = watch, .interrupt = interrupt};
}
