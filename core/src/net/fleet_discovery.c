/* A fleet's discovery: when refresh says so a poll begins, and what it answers is believed or not.
 * May include: base/, logic/, view, background, discovery, fleet_half. Runs on the background thread. */
#include "base/clock.h"
#include "logic/allow.h"
#include "net/fleet_half.h"

#include <shoal/event.h>

#include <stdlib.h>

static struct shoal__fleet_half *half_of(struct shoal__task *task) {
    return (struct shoal__fleet_half *)((char *)task - offsetof(struct shoal__fleet_half, task));
}

static const struct shoal__node_spec *endpoint_host(const struct shoal__fleet_half *half) {
    return &shoal__config_endpoint(half->fleet->config)->nodes.nodes[0];
}

/* --- Putting a list to use --- */

static size_t count_added(const struct shoal__view *after, const struct shoal__view *before) {
    size_t added = shoal_topology_node_count(after->topology);
    for (size_t i = 0; i < shoal_topology_node_count(after->topology); i++)
        for (size_t j = 0; before != NULL && j < shoal_topology_node_count(before->topology); j++)
            added -= after->pools[i] == before->pools[j];
    return added;
}

/* With the lock held. */
static void tell_change(struct shoal__fleet_half *half, const struct shoal__view *after,
                        const struct shoal__view *before) {
    size_t count = shoal_topology_node_count(after->topology);
    size_t count_before = before ? shoal_topology_node_count(before->topology) : 0;
    size_t added = count_added(after, before);
    uint64_t version = shoal_topology_version(after->topology);
    shoal__log_add(&half->log, SHOAL_EVENT_TOPOLOGY_CHANGED, version, endpoint_host(half)->host,
                   "version %llu: %zu %s, %zu added, %zu removed", (unsigned long long)version, count,
                   count == 1 ? "node" : "nodes", added, count_before + added - count);
}

shoal_status shoal__fleet_apply(struct shoal__fleet_half *half, uint64_t version, const struct shoal__node_list *list) {
    shoal_topology *topology = shoal__topology_new(version, list, &half->fleet->placement);
    struct shoal__view *before = atomic_load(&half->view);
    struct shoal__view *after =
        topology ? shoal__view_new(topology, before, &half->pool_options, shoal__now_ns()) : NULL;
    if (after == NULL) {
        shoal_topology_free(topology);
        return SHOAL_E_NO_MEMORY;
    }
    pthread_mutex_lock(&half->lock);
    tell_change(half, after, before);
    atomic_store(&half->view, after);
    half->refused = false;
    pthread_cond_broadcast(&half->changed);
    pthread_mutex_unlock(&half->lock);
    shoal__view_retire(before, after);
    shoal__view_release(before);
    return SHOAL_OK;
}

/* --- What a poll that brought no usable list means --- */

/* With the lock held. Calls that wait for a first list are told why there is none. */
static void refuse_waiting(struct shoal__fleet_half *half, const struct shoal__fault *reason) {
    if (atomic_load(&half->view) != NULL)
        return;
    half->refusal = *reason;
    half->refused = true;
    pthread_cond_broadcast(&half->changed);
}

static void poll_failed(struct shoal__fleet_half *half, const struct shoal__fault *reason, int64_t now_ns) {
    pthread_mutex_lock(&half->lock);
    shoal__refresh_failed(&half->refresh, now_ns, &half->random);
    refuse_waiting(half, reason);
    if (!half->failing)
        shoal__log_add(&half->log, SHOAL_EVENT_DISCOVERY_FAILED, half->refresh.version, endpoint_host(half)->host, "%s",
                       reason->text);
    half->failing = true;
    pthread_mutex_unlock(&half->lock);
}

static void poll_worked(struct shoal__fleet_half *half) {
    if (!half->failing)
        return;
    half->failing = false;
    pthread_mutex_lock(&half->lock);
    shoal__log_add(&half->log, SHOAL_EVENT_DISCOVERY_RECOVERED, half->refresh.version, endpoint_host(half)->host,
                   "discovery works again");
    pthread_mutex_unlock(&half->lock);
}

void shoal__fleet_warn(struct shoal__fleet_half *half, const char *text) {
    pthread_mutex_lock(&half->lock);
    shoal__log_add(&half->log, SHOAL_EVENT_WARNING, half->refresh.version, endpoint_host(half)->host, "%s", text);
    pthread_mutex_unlock(&half->lock);
}

/* Nothing is wrong with the endpoint, and it has no list. What is in use stays in use. */
static void take_unlisted(struct shoal__fleet_half *half, const char *why, int64_t now_ns) {
    if (atomic_load(&half->view) == NULL) {
        struct shoal__fault reason;
        shoal__fault_set(&reason, SHOAL_E_DISCOVERY, "discovery at %s: %s", shoal__host_show(endpoint_host(half)).text,
                         why);
        poll_failed(half, &reason, now_ns);
        return;
    }
    poll_worked(half);
    pthread_mutex_lock(&half->lock);
    shoal__refresh_unlisted(&half->refresh, now_ns, &half->random);
    pthread_mutex_unlock(&half->lock);
}

/* The endpoint is a plain memcached: what discovery_fallback says, unless a list was known once (discovery.md). */
static void take_unknown(struct shoal__fleet_half *half, int64_t now_ns) {
    const struct shoal__node_list *nodes = NULL;
    enum shoal__fallback fallback = shoal__config_fallback(half->fleet->config, &nodes);
    if (fallback == SHOAL__FALLBACK_SINGLE)
        nodes = &shoal__config_endpoint(half->fleet->config)->nodes;
    bool usable = fallback != SHOAL__FALLBACK_STRICT && atomic_load(&half->view) == NULL;
    if (usable && shoal__fleet_apply(half, 0, nodes) == SHOAL_OK)
        shoal__fleet_warn(
            half, fallback == SHOAL__FALLBACK_SINGLE
                      ? "the endpoint knows no discovery: it is used as the only node (discovery_fallback=single)"
                      : "the endpoint knows no discovery: the list of discovery_fallback is used");
    take_unlisted(half,
                  "it knows neither `config get cluster` nor the legacy key; for a plain memcached, or "
                  "ElastiCache Serverless by another name than its own, set discovery_fallback=single",
                  now_ns);
}

/* --- What a list means --- */

/* A node that only its name allows is reached by its name, whatever address the list puts beside it. */
shoal_status shoal__fleet_allow(const struct shoal__fleet_half *half, struct shoal__node_list *list,
                                struct shoal__fault *fault) {
    const char *patterns = shoal__config_text(half->fleet->config, SHOAL__OPTION_allow_nodes);
    for (size_t i = 0; i < list->count; i++) {
        enum shoal__allowance allowance = shoal__allow_judge(patterns, &list->nodes[i]);
        if (allowance == SHOAL__ALLOW_REFUSED)
            return shoal__fault_set(fault, SHOAL_E_DISCOVERY,
                                    "discovery at %s: the list names %s, which allow_nodes does not allow",
                                    shoal__host_show(endpoint_host(half)).text, shoal__host_show(&list->nodes[i]).text);
        if (allowance == SHOAL__ALLOW_BY_NAME)
            list->nodes[i].address[0] = '\0';
    }
    return SHOAL_OK;
}

/* Whether the endpoint's name leads elsewhere than when a list was last taken: then the cluster may be a new one. Of
 * several endpoints, another one that answers is no move. */
static bool has_moved(const struct shoal__fleet_half *half, const struct shoal__discovery_result *result) {
    return half->endpoint_addresses.count > 0 && result->host_index == half->endpoint_index &&
           !shoal__address_list_contains(&half->endpoint_addresses, &result->answered_by);
}

static void warn_of_oddities(struct shoal__fleet_half *half, const struct shoal__discovery_result *result) {
    if (result->by_legacy_key && !half->legacy_told) {
        half->legacy_told = true;
        shoal__fleet_warn(half,
                          "the list came from the key AmazonElastiCache:cluster, which anyone who may write can set: "
                          "restrict it with allow_nodes");
    }
    if (result->length_differs)
        shoal__fleet_warn(half, "the discovery reply declared a length that it did not have; its END was trusted");
}

static void use_list(struct shoal__fleet_half *half, struct shoal__discovery_result *result, int64_t now_ns) {
    struct shoal__view *view = atomic_load(&half->view);
    bool same = view != NULL && shoal__topology_matches(view->topology, &result->cluster.nodes);
    bool moved = has_moved(half, result);
    pthread_mutex_lock(&half->lock);
    enum shoal__refresh_verdict verdict =
        shoal__refresh_answered(&half->refresh, result->cluster.version, same, moved, now_ns, &half->random);
    pthread_mutex_unlock(&half->lock);
    if (verdict == SHOAL__REFRESH_STALE)
        return;
    shoal__address_list_clear(&half->endpoint_addresses);
    half->endpoint_addresses = result->endpoint_found;
    half->endpoint_index = result->host_index;
    result->endpoint_found = (struct shoal__address_list){0};
    shoal__fleet_cache_keep(half, result->cluster.version, &result->cluster.nodes);
    if (verdict == SHOAL__REFRESH_APPLY)
        shoal__fleet_apply(half, result->cluster.version, &result->cluster.nodes);
}

static void take_list(struct shoal__fleet_half *half, struct shoal__discovery_result *result, int64_t now_ns) {
    struct shoal__fault reason;
    if (shoal__fleet_allow(half, &result->cluster.nodes, &reason) != SHOAL_OK) {
        poll_failed(half, &reason, now_ns);
        return;
    }
    poll_worked(half);
    warn_of_oddities(half, result);
    use_list(half, result, now_ns);
}

static void take_result(struct shoal__fleet_half *half, struct shoal__discovery_result *result, int64_t now_ns) {
    switch (result->answer) {
    case SHOAL__DISCOVERY_LIST:
        take_list(half, result, now_ns);
        break;
    case SHOAL__DISCOVERY_UNLISTED:
        take_unlisted(half, "it has no configuration set", now_ns);
        break;
    case SHOAL__DISCOVERY_UNKNOWN:
        take_unknown(half, now_ns);
        break;
    default:
        poll_failed(half, &result->fault, now_ns);
    }
}

/* --- The task --- */

/* Whether the endpoint is to be asked now, by us. */
static bool begins(struct shoal__fleet_half *half, int64_t now_ns) {
    pthread_mutex_lock(&half->lock);
    bool is_due = shoal__refresh_is_due(&half->refresh, now_ns);
    pthread_mutex_unlock(&half->lock);
    if (!is_due || shoal__fleet_cache_take(half, now_ns) || !shoal__fleet_cache_may_ask(half, now_ns))
        return false;
    pthread_mutex_lock(&half->lock);
    bool begun = shoal__refresh_begin(&half->refresh, now_ns);
    pthread_mutex_unlock(&half->lock);
    return begun;
}

static void begin_poll(struct shoal__fleet_half *half, int64_t now_ns) {
    const shoal_config *config = half->fleet->config;
    int64_t timeout_ns = shoal__config_integer(config, SHOAL__OPTION_discovery_timeout_ms) * SHOAL__NS_PER_MS;
    struct shoal__discovery_options options = {
        .endpoint = shoal__config_endpoint(config),
        .family = half->pool_options.family,
        .tls = half->pool_options.tls,
        .login = half->fleet->login,
    };
    half->poll = shoal__discovery_new(&options, now_ns + timeout_ns);
    if (half->poll == NULL) {
        struct shoal__fault reason;
        shoal__fault_set(&reason, SHOAL_E_NO_MEMORY, "out of memory for discovery");
        poll_failed(half, &reason, now_ns);
        shoal__fleet_cache_asked(half);
    }
}

static void end_poll(struct shoal__fleet_half *half) {
    shoal__discovery_free(half->poll);
    half->poll = NULL;
    shoal__fleet_cache_asked(half);
}

static void advance(struct shoal__task *task, int64_t now_ns) {
    struct shoal__fleet_half *half = half_of(task);
    if (half->poll == NULL && begins(half, now_ns))
        begin_poll(half, now_ns);
    if (half->poll == NULL || !shoal__discovery_advance(half->poll, now_ns))
        return;
    take_result(half, shoal__discovery_result(half->poll), now_ns);
    end_poll(half);
}

static void watch(struct shoal__task *task, struct shoal__watch *watched, int64_t now_ns) {
    struct shoal__fleet_half *half = half_of(task);
    if (half->poll != NULL) {
        shoal__discovery_watch(half->poll, watched, now_ns);
        return;
    }
    pthread_mutex_lock(&half->lock);
    shoal__watch_until(watched, half->refresh.due_ns);
    pthread_mutex_unlock(&half->lock);
}

static void interrupt(struct shoal__task *task, int64_t now_ns) {
    struct shoal__fleet_half *half = half_of(task);
    bool polling = half->poll != NULL;
    end_poll(half);
    pthread_mutex_lock(&half->lock);
    if (polling)
        shoal__refresh_interrupted(&half->refresh, now_ns);
    pthread_cond_broadcast(&half->changed); /* who waits for a list sees to it that the thread runs again */
    pthread_mutex_unlock(&half->lock);
}

void shoal__fleet_discovery_init(struct shoal__fleet_half *half, int64_t now_ns) {
    const shoal_config *config = half->fleet->config;
    struct shoal__refresh_options options = {
        .interval_ns = shoal__config_integer(config, SHOAL__OPTION_discovery_interval_ms) * SHOAL__NS_PER_MS,
        .jitter = shoal__config_number(config, SHOAL__OPTION_discovery_jitter),
    };
    shoal__refresh_init(&half->refresh, &options, now_ns);
    shoal__fleet_cache_init(half);
    half->random = shoal__random_seeded();
    half->task = (struct shoal__task){.advance = advance, .watch = watch, .interrupt = interrupt};
}

void shoal__fleet_discovery_clear(struct shoal__fleet_half *half) {
    end_poll(half);
    shoal__address_list_clear(&half->endpoint_addresses);
    shoal__view_release(atomic_load(&half->view));
    shoal__tls_context_free(half->pool_options.tls);
    shoal__log_clear(&half->log);
    pthread_cond_destroy(&half->changed);
    pthread_mutex_destroy(&half->lock);
    free(half);
}
