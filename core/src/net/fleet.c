/* Fleets: who shares one, what each process has of it, and how a call comes by its view.
 * May include: base/, logic/, view, fork, background, fleet_half. */
#include "net/fleet.h"

#include "base/clock.h"
#include "base/condition.h"
#include "logic/login.h"
#include "net/fleet_half.h"

#include <shoal/event.h>

#include <stdlib.h>
#include <string.h>

#define LANES_PER_NODE_MAX 256

/* --- The registry: the fleets of this process that clients may join --- */

struct registry {
    struct shoal__process_part part; /* first */
    pthread_mutex_t lock;
    struct shoal__fleet *fleets; /* open ones; not counted as references */
};

static struct shoal__process_slot registry_slot;

static struct shoal__process_part *create_registry(void *context, struct shoal__process_part *inherited) {
    (void)context;
    (void)inherited;
    struct registry *registry = calloc(1, sizeof(*registry));
    if (registry == NULL)
        return NULL;
    pthread_mutex_init(&registry->lock, NULL);
    return &registry->part;
}

static void destroy_registry(struct shoal__process_part *part) {
    free(part);
}

static struct registry *get_registry(void) {
    static const struct shoal__process_part_type type = {create_registry, destroy_registry};
    return (struct registry *)shoal__process_part_get(&registry_slot, &type, NULL);
}

/* --- A fleet's own things --- */

static void free_fleet(struct shoal__fleet *fleet) {
    struct shoal__fleet_half *half = (struct shoal__fleet_half *)shoal__process_part_peek(&fleet->half);
    shoal__process_part_keep_inherited(&fleet->half);
    if (half != NULL) {
        shoal__background_remove(&half->task); /* a call that overlapped the last close may have listed it */
        shoal__background_remove(&half->prober);
        shoal__fleet_discovery_clear(half);
    }
    shoal__tls_files_free(fleet->tls_files);
    free(fleet->login);
    shoal_config_free(fleet->config);
    free(fleet->identity);
    free(fleet);
}

/* TLS and logging in are beyond libmemcached, so that auto has no choice; config_resolve has refused other choices. */
static const struct shoal__transport *choose_transport(const shoal_config *config) {
    bool needs_meta =
        shoal__config_boolean(config, SHOAL__OPTION_tls) || shoal__config_text(config, SHOAL__OPTION_user)[0] != '\0';
    return shoal__transport_find(needs_meta ? "meta" : shoal__config_text(config, SHOAL__OPTION_protocol));
}

static void read_options(struct shoal__fleet *fleet) {
    const shoal_config *config = fleet->config;
    const char *hash = shoal__config_text(config, SHOAL__OPTION_hash);
    int64_t lanes = shoal__config_integer(config, SHOAL__OPTION_lanes_per_node);
    int64_t probe_max_ms;
    int64_t probe_min_ms = shoal__config_span(config, SHOAL__OPTION_probe_interval_ms, &probe_max_ms);
    fleet->placement = (struct shoal__placement){
        .distribution = shoal__distribution_find(shoal__config_text(config, SHOAL__OPTION_distribution)),
        .hash = shoal__hash_find(hash), /* NULL for "default" */
        .by_address = strcmp(shoal__config_text(config, SHOAL__OPTION_ring_identity), "ip") == 0,
    };
    fleet->pool_options = (struct shoal__pool_options){
        .transport = choose_transport(config),
        .lane =
            {
                .connect_timeout_ns =
                    shoal__config_integer(config, SHOAL__OPTION_connect_timeout_ms) * SHOAL__NS_PER_MS,
                .stream = {.keepalive = shoal__config_boolean(config, SHOAL__OPTION_tcp_keepalive),
                           .login = fleet->login},
                .value_max = (size_t)shoal__config_integer(config, SHOAL__OPTION_max_value_bytes),
            },
        .family = shoal__family_find(shoal__config_text(config, SHOAL__OPTION_address_family)),
        .lanes_max = lanes > 0 ? (size_t)lanes : LANES_PER_NODE_MAX,
        .idle_check_ns = shoal__config_integer(config, SHOAL__OPTION_lane_idle_s) * SHOAL__NS_PER_S,
        .breaker =
            {
                .failure_threshold = (unsigned)shoal__config_integer(config, SHOAL__OPTION_failure_threshold),
                .probe_min_ns = probe_min_ms * SHOAL__NS_PER_MS,
                .probe_max_ns = probe_max_ms * SHOAL__NS_PER_MS,
            },
        .tombstones_max = (size_t)shoal__config_integer(config, SHOAL__OPTION_tombstones_max),
    };
    fleet->max_down_share = shoal__config_number(config, SHOAL__OPTION_max_down_share);
}

static shoal_status read_tls(struct shoal__fleet *fleet, struct shoal__fault *fault) {
    const shoal_config *config = fleet->config;
    struct shoal__tls_options options = {
        .ca_file = shoal__config_text(config, SHOAL__OPTION_tls_ca_file),
        .cert_file = shoal__config_text(config, SHOAL__OPTION_tls_cert_file),
        .key_file = shoal__config_text(config, SHOAL__OPTION_tls_key_file),
        .server_name = shoal__config_text(config, SHOAL__OPTION_tls_server_name),
        .verify = shoal__config_boolean(config, SHOAL__OPTION_tls_verify),
    };
    if (!shoal__config_boolean(config, SHOAL__OPTION_tls))
        return SHOAL_OK;
    return shoal__tls_files_read(&options, &fleet->tls_files, fault);
}

static shoal_status make_login(struct shoal__fleet *fleet, struct shoal__fault *fault) {
    const char *user = shoal__config_text(fleet->config, SHOAL__OPTION_user);
    const char *password = shoal__config_text(fleet->config, SHOAL__OPTION_password);
    if (user[0] == '\0' || (fleet->login = shoal__login_command(user, password)) != NULL)
        return SHOAL_OK;
    return shoal__fault_set(fault, SHOAL_E_NO_MEMORY, "out of memory for a fleet");
}

/* Takes the configuration and the identity over. NULL: the fault says why. */
static struct shoal__fleet *make_fleet(shoal_config *config, char *identity, struct shoal__fault *fault) {
    struct shoal__fleet *fleet = calloc(1, sizeof(*fleet));
    if (fleet == NULL) {
        shoal_config_free(config);
        free(identity);
        shoal__fault_set(fault, SHOAL_E_NO_MEMORY, "out of memory for a fleet");
        return NULL;
    }
    atomic_init(&fleet->references, 1);
    atomic_init(&fleet->open_clients, 1);
    fleet->config = config;
    fleet->identity = identity;
    if (read_tls(fleet, fault) != SHOAL_OK || make_login(fleet, fault) != SHOAL_OK) {
        free_fleet(fleet);
        return NULL;
    }
    read_options(fleet);
    return fleet;
}

/* With the registry's lock held. */
static struct shoal__fleet *find_open(struct registry *registry, const char *identity) {
    for (struct shoal__fleet *fleet = registry->fleets; fleet != NULL; fleet = fleet->next)
        if (strcmp(fleet->identity, identity) == 0) {
            atomic_fetch_add(&fleet->references, 1);
            atomic_fetch_add(&fleet->open_clients, 1);
            return fleet;
        }
    return NULL;
}

/* Takes the configuration and the identity over. NULL: the fault says why. */
static struct shoal__fleet *join(struct registry *registry, shoal_config *config, char *identity,
                                 struct shoal__fault *fault) {
    pthread_mutex_lock(&registry->lock);
    struct shoal__fleet *fleet = find_open(registry, identity);
    if (fleet != NULL) {
        shoal_config_free(config);
        free(identity);
    } else if ((fleet = make_fleet(config, identity, fault)) != NULL) {
        fleet->next = registry->fleets;
        registry->fleets = fleet;
    }
    pthread_mutex_unlock(&registry->lock);
    return fleet;
}

shoal_status shoal__fleet_join(const shoal_config *resolved, struct shoal__fleet **fleet, struct shoal__fault *fault) {
    struct registry *registry = get_registry();
    shoal_config *config = shoal__config_copy(resolved);
    char *identity = config ? shoal__config_identity(config, false) : NULL;
    if (registry == NULL || identity == NULL) {
        shoal_config_free(config);
        free(identity);
        return shoal__fault_set(fault, SHOAL_E_NO_MEMORY, "out of memory for a fleet");
    }
    *fleet = join(registry, config, identity, fault);
    return *fleet != NULL ? SHOAL_OK : fault->status;
}

static void unlist(struct registry *registry, struct shoal__fleet *fleet) {
    for (struct shoal__fleet **link = &registry->fleets; *link != NULL; link = &(*link)->next)
        if (*link == fleet) {
            *link = fleet->next;
            return;
        }
}

static void end_half(struct shoal__fleet_half *half) {
    shoal__background_remove(&half->task);
    shoal__background_remove(&half->prober);
    shoal__view_retire(atomic_load(&half->view), NULL);
}

void shoal__fleet_leave(struct shoal__fleet *fleet) {
    struct registry *registry = get_registry();
    if (registry == NULL)
        return;
    pthread_mutex_lock(&registry->lock);
    bool last = atomic_fetch_sub(&fleet->open_clients, 1) == 1;
    if (last)
        unlist(registry, fleet);
    pthread_mutex_unlock(&registry->lock);
    if (!last)
        return;
    atomic_store(&fleet->ended, true); /* before the half is looked for: a first call may be making it now */
    struct shoal__fleet_half *half = (struct shoal__fleet_half *)shoal__process_part_peek(&fleet->half);
    if (half != NULL)
        end_half(half);
}

void shoal__fleet_release(struct shoal__fleet *fleet) {
    if (fleet != NULL && atomic_fetch_sub(&fleet->references, 1) == 1)
        free_fleet(fleet);
}

const struct shoal__distribution *shoal__fleet_distribution(const struct shoal__fleet *fleet) {
    return fleet->placement.distribution;
}

/* --- This process's half --- */

bool shoal__fleet_discovers(const struct shoal__fleet *fleet) {
    return shoal__config_endpoint(fleet->config)->kind == SHOAL__ENDPOINT_DISCOVER;
}

/* A child goes on with its parent's topology, on connections of its own; a new process with what the others of its host
 * have left in topology_cache. */
static bool adopt_topology(struct shoal__fleet_half *half, struct shoal__fleet_half *parent) {
    struct shoal__view *view = parent ? atomic_load(&parent->view) : NULL;
    if (view == NULL) {
        shoal__fleet_cache_take(half, shoal__now_ns());
        return true;
    }
    shoal_topology *topology = shoal__topology_acquire(view->topology);
    struct shoal__view *fresh = shoal__view_new(topology, NULL, &half->pool_options, shoal__now_ns());
    if (fresh == NULL)
        shoal_topology_free(topology);
    atomic_store(&half->view, fresh);
    shoal__refresh_adopt(&half->refresh, shoal_topology_version(view->topology), shoal__now_ns(), &half->random);
    return fresh != NULL;
}

/* This process's own context: a child must not take the locks in its parent's. */
static bool make_tls(struct shoal__fleet_half *half) {
    if (half->fleet->tls_files == NULL)
        return true;
    half->pool_options.tls = shoal__tls_context_new(half->fleet->tls_files);
    if (!shoal__config_boolean(half->fleet->config, SHOAL__OPTION_tls_verify))
        shoal__fleet_warn(half,
                          "tls_verify=false: nobody checks who the servers are, so that anyone on the way can read "
                          "and change everything");
    return half->pool_options.tls != NULL;
}

static void destroy_half(struct shoal__process_part *part) {
    shoal__fleet_discovery_clear((struct shoal__fleet_half *)part);
}

static struct shoal__process_part *create_half(void *context, struct shoal__process_part *inherited) {
    struct shoal__fleet *fleet = context;
    struct shoal__fleet_half *half = calloc(1, sizeof(*half));
    if (half == NULL)
        return NULL;
    half->fleet = fleet;
    half->pool_options = fleet->pool_options;
    pthread_mutex_init(&half->lock, NULL);
    shoal__condition_init(&half->changed);
    shoal__fleet_discovery_init(half, shoal__now_ns());
    shoal__fleet_prober_init(half);
    half->retry_random = shoal__random_seeded();
    shoal__retry_budget_init(&half->retry_budget, shoal__config_number(fleet->config, SHOAL__OPTION_retry_budget),
                             shoal__now_ns());
    const struct shoal__endpoint *endpoint = shoal__config_endpoint(fleet->config);
    bool complete = make_tls(half);
    if (complete)
        complete = shoal__fleet_discovers(fleet) ? adopt_topology(half, (struct shoal__fleet_half *)inherited)
                                                 : shoal__fleet_apply(half, 0, &endpoint->nodes) == SHOAL_OK;
    if (complete)
        return &half->part;
    destroy_half(&half->part);
    return NULL;
}

struct shoal__fleet_half *shoal__fleet_half(struct shoal__fleet *fleet) {
    static const struct shoal__process_part_type type = {create_half, destroy_half};
    struct shoal__fleet_half *half = (struct shoal__fleet_half *)shoal__process_part_get(&fleet->half, &type, fleet);
    if (half != NULL && atomic_load(&fleet->ended))
        end_half(half); /* made by a call that was under way when the last client was closed */
    return half;
}

/* --- Views for calls --- */

/* The thread may be missing (a fork, shoal_quiesce): a fleet that discovers needs it always, another one from its first
 * probe on. Where it cannot be started, only those fail who have no list to work with. */
static shoal_status ensure_background(struct shoal__fleet_half *half, struct shoal__fault *fault) {
    bool probes = atomic_load(&half->prober.listed);
    bool needs_thread = probes || shoal__fleet_discovers(half->fleet);
    bool is_listed = atomic_load(&half->task.listed) || !shoal__fleet_discovers(half->fleet);
    if (!needs_thread || (is_listed && shoal__background_is_running()))
        return SHOAL_OK;
    int failure = shoal__background_ensure(shoal__fleet_discovers(half->fleet) ? &half->task : &half->prober);
    if (failure == 0 || atomic_load(&half->view) != NULL)
        return SHOAL_OK;
    return shoal__fault_set_os(fault, SHOAL_E_SYSTEM, failure,
                               "discovery needs a background thread, which cannot be started (see ulimit -n and -u)");
}

static shoal_status tell_lateness(struct shoal__fleet_half *half, struct shoal__fault *fault) {
    const struct shoal__node_spec *host = &shoal__config_endpoint(half->fleet->config)->nodes.nodes[0];
    return shoal__fault_set(fault, SHOAL_E_TIMEOUT,
                            "no list of nodes yet: discovery at %s was not finished within the call's time",
                            shoal__host_show(host).text);
}

/* With the half's lock held: until there is a view, or a reason why there is none. */
static shoal_status await_view(struct shoal__fleet_half *half, int64_t deadline_ns, struct shoal__fault *fault) {
    while (atomic_load(&half->view) == NULL) {
        if (half->refused) {
            *fault = half->refusal;
            return fault->status;
        }
        if (atomic_load(&half->task.removed))
            return shoal__fault_set(fault, SHOAL_E_CLOSED, "the client was closed while it waited for discovery");
        /* Asked with the lock held: who ends the thread takes it afterwards to wake whoever waits. */
        if (shoal__background_is_running() && !shoal__condition_wait(&half->changed, &half->lock, deadline_ns))
            return atomic_load(&half->view) ? SHOAL_OK : tell_lateness(half, fault);
        pthread_mutex_unlock(&half->lock);
        shoal_status status = ensure_background(half, fault);
        pthread_mutex_lock(&half->lock);
        if (status != SHOAL_OK)
            return status;
    }
    return SHOAL_OK;
}

shoal_status shoal__fleet_view(struct shoal__fleet *fleet, int64_t deadline_ns, struct shoal__view **view,
                               struct shoal__fault *fault) {
    struct shoal__fleet_half *half = shoal__fleet_half(fleet);
    if (half == NULL)
        return shoal__fault_set(fault, SHOAL_E_NO_MEMORY, "out of memory for a fleet");
    atomic_fetch_add_explicit(&half->calls, 1, memory_order_relaxed);
    shoal_status status = ensure_background(half, fault);
    if (status != SHOAL_OK)
        return status;
    pthread_mutex_lock(&half->lock);
    if (atomic_load(&half->view) == NULL)
        status = await_view(half, deadline_ns, fault);
    if (status == SHOAL_OK)
        *view = shoal__view_acquire(atomic_load(&half->view));
    pthread_mutex_unlock(&half->lock);
    return status;
}

/* --- Retries and news --- */

bool shoal__fleet_grant_retry(struct shoal__fleet *fleet, unsigned retry, const struct shoal__retry_options *options,
                              int64_t *pause_ns) {
    struct shoal__fleet_half *half = shoal__fleet_half(fleet);
    if (half == NULL)
        return false;
    pthread_mutex_lock(&half->lock);
    bool granted = shoal__retry_budget_spend(&half->retry_budget, atomic_load(&half->calls), shoal__now_ns());
    *pause_ns = shoal__retry_pause_ns(options, retry, &half->retry_random);
    pthread_mutex_unlock(&half->lock);
    return granted;
}

bool shoal__fleet_next_event(struct shoal__fleet *fleet, struct shoal__event_reader *reader,
                             struct shoal__log_entry *entry, uint64_t *dropped) {
    struct shoal__fleet_half *half = shoal__fleet_half(fleet);
    if (half == NULL)
        return false;
    pthread_mutex_lock(&half->lock);
    if (reader->generation != half->part.generation) /* a forked child's log begins anew */
        *reader = (struct shoal__event_reader){.generation = half->part.generation};
    const struct shoal__log_entry *next = shoal__log_next(&half->log, &reader->seen, dropped);
    if (next != NULL) {
        *entry = *next;
        entry->node = strdup(next->node);
        entry->message = strdup(next->message);
    }
    pthread_mutex_unlock(&half->lock);
    return next != NULL;
}
