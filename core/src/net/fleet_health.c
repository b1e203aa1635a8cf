/* What calls find out about a fleet's nodes: failures, slowness, writes that a node missed.
 * May include: base/, logic/, view, background, fleet_half. */
#include "base/clock.h"
#include "logic/pace.h"
#include "net/fleet_half.h"

#include <shoal/event.h>

#include <stdio.h>
#include <stdlib.h>

/* --- Failures --- */

static void tell_failure(struct shoal__fleet_half *half, const struct shoal__pool *pool, const char *why) {
    shoal__log_add(&half->log, SHOAL_EVENT_NODE_FAILED, half->refresh.version, shoal__pool_name(pool), "%s: %s",
                   shoal__pool_name(pool), why);
}

void shoal__fleet_note(struct shoal__fleet *fleet, struct shoal__pool *pool, const struct shoal__fault *failure) {
    if (failure != NULL && !shoal__fault_blames_node(failure))
        return;
    enum shoal__pool_news news = shoal__pool_note(pool, failure);
    struct shoal__fleet_half *half = failure ? shoal__fleet_half(fleet) : NULL;
    if (half == NULL)
        return;
    pthread_mutex_lock(&half->lock);
    shoal__refresh_hasten(&half->refresh, shoal__now_ns());
    if (news != SHOAL__POOL_NO_NEWS)
        tell_failure(half, pool, failure->text);
    pthread_mutex_unlock(&half->lock);
    if (news == SHOAL__POOL_OUT)
        shoal__background_ensure(&half->prober);
    else if (shoal__fleet_discovers(fleet))
        shoal__background_wake();
}

/* --- Slowness --- */

static size_t count_out(const struct shoal__view *view, size_t count) {
    size_t out = 0;
    for (size_t i = 0; i < count; i++)
        out += !shoal__pool_is_in_use(view->pools[i]);
    return out;
}

/* Above which time an answer is far too slow: INT64_MAX where nothing is known of the peers. */
static int64_t find_limit_ns(const struct shoal__view *view, size_t node, size_t count, int64_t patience_ns) {
    int64_t *usual_ns = calloc(count, sizeof(*usual_ns));
    size_t peers = 0;
    for (size_t i = 0; usual_ns != NULL && i < count; i++)
        if (i != node)
            usual_ns[peers++] = shoal__pool_usual_ns(view->pools[i]);
    int64_t limit_ns = usual_ns ? shoal__pace_limit_ns(patience_ns, usual_ns, peers) : INT64_MAX;
    free(usual_ns);
    return limit_ns;
}

static void eject(struct shoal__fleet *fleet, struct shoal__pool *pool, int64_t took_ns) {
    char why[120];
    struct shoal__fleet_half *half = shoal__fleet_half(fleet);
    snprintf(why, sizeof(why), "far slower than the other nodes: %d answers in a row, the last after %lld ms",
             SHOAL__PACE_STREAK, (long long)(took_ns / SHOAL__NS_PER_MS));
    if (half == NULL || shoal__pool_eject(pool, why) != SHOAL__POOL_OUT)
        return;
    pthread_mutex_lock(&half->lock);
    tell_failure(half, pool, why);
    pthread_mutex_unlock(&half->lock);
    shoal__background_ensure(&half->prober);
}

void shoal__fleet_note_pace(struct shoal__fleet *fleet, const struct shoal__view *view, size_t node, int64_t took_ns,
                            int64_t attempt_timeout_ns) {
    struct shoal__pool *pool = view->pools[node];
    size_t count = shoal_topology_node_count(view->topology);
    int64_t patience_ns = shoal__pace_patience_ns(attempt_timeout_ns);
    shoal__pool_learn(pool, took_ns);
    bool is_slow = took_ns >= patience_ns && took_ns >= find_limit_ns(view, node, count, patience_ns);
    if (shoal__pool_count_slow(pool, is_slow) >= SHOAL__PACE_STREAK &&
        shoal__pace_may_eject(count_out(view, count), count, fleet->max_down_share))
        eject(fleet, pool, took_ns);
}

/* --- Writes that a node missed --- */

static void tell_loss(struct shoal__fleet_half *half, const struct shoal__pool *owner) {
    pthread_mutex_lock(&half->lock);
    shoal__log_add(&half->log, SHOAL_EVENT_WARNING, half->refresh.version, shoal__pool_name(owner),
                   "%s: more keys were written elsewhere than tombstones_max or memory allows to remember: when it "
                   "returns, some may be read as they were",
                   shoal__pool_name(owner));
    pthread_mutex_unlock(&half->lock);
}

void shoal__fleet_bury(struct shoal__fleet *fleet, struct shoal__pool *owner, const struct shoal__command *command,
                       struct shoal__pool *standin, unsigned *rounds) {
    struct shoal__fleet_half *half = shoal__fleet_half(fleet);
    if (half == NULL)
        return;
    bool kept = shoal__pool_bury(owner, command->key, command->key_len, command->key_is_binary, standin, rounds);
    if (!kept && shoal__pool_lost_tombstones(owner) == 1)
        tell_loss(half, owner);
    if (!atomic_load(&half->prober.listed))
        shoal__background_ensure(&half->prober);
    if (shoal__pool_is_in_use(owner) && !shoal__pool_has_departed(owner)) /* it is replayed at once */
        shoal__background_wake();
}
