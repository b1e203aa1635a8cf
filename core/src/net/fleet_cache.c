/* A fleet's use of topology_cache: what other processes of this host were told is taken for a poll of our own, and
 * while one of them asks, we do not. May include: base/, logic/, topology_cache, fleet_half. Runs on the background
 * thread, and once before anybody else knows the half. */
#include "base/clock.h"
#include "net/fleet_half.h"

#include <stdlib.h>

/* Complains once, until the file is fine again. */
static void complain(struct shoal__fleet_half *half, const struct shoal__fault *fault) {
    if (!half->cache_told)
        shoal__fleet_warn(half, fault->text);
    half->cache_told = true;
}

void shoal__fleet_cache_init(struct shoal__fleet_half *half) {
    const shoal_config *config = half->fleet->config;
    char *identity = shoal__config_public_identity(config);
    if (identity != NULL)
        shoal__topology_cache_init(&half->cache, shoal__config_text(config, SHOAL__OPTION_topology_cache), identity);
    else
        shoal__topology_cache_init(&half->cache, "off", "");
    free(identity);
}

/* Whether a list from that moment tells more than what is known here. Where nothing is, any does. */
static bool tells_something(struct shoal__fleet_half *half, int64_t asked_ns) {
    if (atomic_load(&half->view) == NULL)
        return true;
    pthread_mutex_lock(&half->lock);
    bool is_newer = asked_ns != SHOAL__NEVER && asked_ns > half->refresh.wanted_ns;
    pthread_mutex_unlock(&half->lock);
    return is_newer;
}

static void take(struct shoal__fleet_half *half, struct shoal__cluster *cluster, int64_t asked_ns, int64_t now_ns) {
    struct shoal__view *view = atomic_load(&half->view);
    bool same = view != NULL && shoal__topology_matches(view->topology, &cluster->nodes);
    pthread_mutex_lock(&half->lock);
    half->postponed_since_ns = 0; /* whoever asked has been told */
    enum shoal__refresh_verdict verdict =
        shoal__refresh_told(&half->refresh, cluster->version, same, asked_ns, now_ns, &half->random);
    pthread_mutex_unlock(&half->lock);
    if (verdict == SHOAL__REFRESH_APPLY)
        shoal__fleet_apply(half, cluster->version, &cluster->nodes);
}

bool shoal__fleet_cache_take(struct shoal__fleet_half *half, int64_t now_ns) {
    struct shoal__cluster cluster = {0};
    struct shoal__fault fault;
    int64_t asked_ns = SHOAL__NEVER;
    if (half->cache.path == NULL)
        return false;
    shoal_status status = shoal__topology_cache_read(&half->cache, now_ns, &cluster, &asked_ns, &fault);
    if (status == SHOAL_OK)
        status = shoal__fleet_allow(half, &cluster.nodes, &fault);
    if (status < 0)
        complain(half, &fault);
    else
        half->cache_told = false;
    bool taken = status == SHOAL_OK && tells_something(half, asked_ns);
    if (taken)
        take(half, &cluster, asked_ns, now_ns);
    shoal__cluster_clear(&cluster);
    return taken;
}

bool shoal__fleet_cache_may_ask(struct shoal__fleet_half *half, int64_t now_ns) {
    if (half->cache.path == NULL || shoal__topology_cache_begin_asking(&half->cache)) {
        half->postponed_since_ns = 0;
        return true;
    }
    /* Whoever asks is stopped, or its clock is: longer than a poll may take, nobody is waited for. */
    int64_t timeout_ns =
        shoal__config_integer(half->fleet->config, SHOAL__OPTION_discovery_timeout_ms) * SHOAL__NS_PER_MS;
    if (half->postponed_since_ns == 0)
        half->postponed_since_ns = now_ns;
    if (now_ns - half->postponed_since_ns > 2 * timeout_ns)
        return true;
    pthread_mutex_lock(&half->lock);
    shoal__refresh_postpone(&half->refresh, now_ns, &half->random);
    pthread_mutex_unlock(&half->lock);
    return false;
}

void shoal__fleet_cache_keep(struct shoal__fleet_half *half, uint64_t version, const struct shoal__node_list *list) {
    struct shoal__fault fault;
    if (half->cache.path == NULL)
        return;
    pthread_mutex_lock(&half->lock);
    int64_t asked_ns = half->refresh.polled_ns;
    pthread_mutex_unlock(&half->lock);
    if (shoal__topology_cache_write(&half->cache, version, list, asked_ns, &fault) != SHOAL_OK)
        complain(half, &fault);
}

void shoal__fleet_cache_asked(struct shoal__fleet_half *half) {
    shoal__topology_cache_end_asking(&half->cache);
}
