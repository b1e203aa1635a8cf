/* Clients: made, shared, closed, freed.
 * May include: base/, logic/, net/. */
#include "api/client.h"

#include "base/clock.h"
#include "net/background.h"
#include "net/fork.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static void free_client(shoal_client *client) {
    shoal__fleet_release(client->fleet);
    free(client->prefix);
    free(client);
}

static void read_timing(shoal_client *client, const shoal_config *resolved) {
    int64_t most_ms;
    int64_t least_ms = shoal__config_span(resolved, SHOAL__OPTION_retry_backoff_ms, &most_ms);
    int64_t attempt_ms = shoal__config_integer(resolved, SHOAL__OPTION_attempt_timeout_ms);
    client->timeout_ns = shoal__config_integer(resolved, SHOAL__OPTION_operation_timeout_ms) * SHOAL__NS_PER_MS;
    client->attempt_timeout_ns = attempt_ms > 0 ? attempt_ms * SHOAL__NS_PER_MS : client->timeout_ns / 2;
    client->retry = (struct shoal__retry_options){
        .attempts = (unsigned)shoal__config_integer(resolved, SHOAL__OPTION_retry_attempts),
        .backoff_min_ns = least_ms * SHOAL__NS_PER_MS,
        .backoff_max_ns = most_ms * SHOAL__NS_PER_MS,
    };
}

static void read_failure_policy(shoal_client *client, const shoal_config *resolved) {
    const char *policy = shoal__config_text(resolved, SHOAL__OPTION_on_node_failure);
    client->misses_on_failure = strcmp(policy, "miss") == 0;
    client->fails_over = strcmp(policy, "failover") == 0;
    client->fails_over_atomic = shoal__config_boolean(resolved, SHOAL__OPTION_failover_atomic);
    client->standin_ttl_s = shoal__config_integer(resolved, SHOAL__OPTION_standin_ttl_s);
}

static shoal_client *make_client(const shoal_config *resolved, struct shoal__fleet *fleet) {
    shoal_client *client = calloc(1, sizeof(*client));
    if (client == NULL || (client->prefix = strdup(shoal__config_text(resolved, SHOAL__OPTION_key_prefix))) == NULL) {
        free(client);
        return NULL;
    }
    atomic_init(&client->references, 1);
    client->fleet = fleet;
    read_timing(client, resolved);
    read_failure_policy(client, resolved);
    client->value_max = (size_t)shoal__config_integer(resolved, SHOAL__OPTION_max_value_bytes);
    client->fetch_beta = shoal__config_number(resolved, SHOAL__OPTION_fetch_beta);
    client->fetch_wait_ns = shoal__config_integer(resolved, SHOAL__OPTION_fetch_wait_ms) * SHOAL__NS_PER_MS;
    client->fetch_claim_s = shoal__config_integer(resolved, SHOAL__OPTION_fetch_claim_s);
    client->key_rule = (struct shoal__key_rule){
        .prefix = client->prefix,
        .prefix_len = strlen(client->prefix),
        .allows_binary = shoal__config_boolean(resolved, SHOAL__OPTION_binary_keys),
        .hash_long = strcmp(shoal__config_text(resolved, SHOAL__OPTION_long_keys), "hash") == 0,
        .routes_prefix = shoal__fleet_distribution(fleet)->hashes_prefix,
    };
    return client;
}

static shoal_status new_client(const shoal_config *resolved, shoal_client **client, struct shoal__fault *fault) {
    struct shoal__fleet *fleet = NULL;
    shoal_status status = shoal__fleet_join(resolved, &fleet, fault);
    if (status != SHOAL_OK)
        return status;
    *client = make_client(resolved, fleet);
    if (*client != NULL)
        return SHOAL_OK;
    shoal__fleet_leave(fleet);
    shoal__fleet_release(fleet);
    return shoal__fault_set(fault, SHOAL_E_NO_MEMORY, "out of memory for a client");
}

/* What is common to both ways of making a client. */
static shoal_status make_by(shoal_status (*make)(const shoal_config *, shoal_client **, struct shoal__fault *),
                            const shoal_config *config, shoal_client **client, shoal_error **error) {
    struct shoal__fault fault = {0};
    shoal_config *resolved = NULL;
    shoal__error_begin(error);
    if (client != NULL)
        *client = NULL;
    if (config == NULL || client == NULL)
        return shoal__error_fail(error, SHOAL_E_INVALID,
                                 "a client needs a config and a place to put it: neither may be NULL");
    shoal_status status = shoal__config_resolve(config, &resolved, &fault);
    if (status == SHOAL_OK)
        status = make(resolved, client, &fault);
    shoal_config_free(resolved);
    return status == SHOAL_OK ? SHOAL_OK : shoal__error_report(error, &fault, NULL, 0);
}

shoal_status shoal_client_new(const shoal_config *config, shoal_client **client, shoal_error **error) {
    return make_by(new_client, config, client, error);
}

/* --- The process's own clients --- */

struct kept_client {
    char *identity;
    shoal_client *client;
    struct kept_client *next;
};

struct keeper {
    struct shoal__process_part part; /* first */
    pthread_mutex_t lock;
    struct kept_client *clients;
};

static struct shoal__process_slot keeper_slot;

static struct shoal__process_part *create_keeper(void *context, struct shoal__process_part *inherited) {
    (void)context;
    (void)inherited;
    struct keeper *keeper = calloc(1, sizeof(*keeper));
    if (keeper == NULL)
        return NULL;
    pthread_mutex_init(&keeper->lock, NULL);
    return &keeper->part;
}

static void destroy_keeper(struct shoal__process_part *part) {
    free(part);
}

/* With the lock held. The place of this identity, made where it is missing; NULL where memory ran out. */
static struct kept_client *find_place(struct keeper *keeper, char *identity) {
    for (struct kept_client *kept = keeper->clients; kept != NULL; kept = kept->next)
        if (strcmp(kept->identity, identity) == 0) {
            free(identity);
            return kept;
        }
    struct kept_client *fresh = calloc(1, sizeof(*fresh));
    if (fresh == NULL) {
        free(identity);
        return NULL;
    }
    fresh->identity = identity;
    fresh->next = keeper->clients;
    keeper->clients = fresh;
    return fresh;
}

/* With the lock held. */
static shoal_status fill_place(struct kept_client *kept, const shoal_config *resolved, struct shoal__fault *fault) {
    if (kept->client != NULL && !atomic_load(&kept->client->closed))
        return SHOAL_OK;
    shoal_client *fresh = NULL;
    shoal_status status = new_client(resolved, &fresh, fault);
    if (status != SHOAL_OK)
        return status;
    fresh->shared = true;
    shoal__client_release(kept->client);
    kept->client = fresh;
    return SHOAL_OK;
}

static shoal_status shared_client(const shoal_config *resolved, shoal_client **client, struct shoal__fault *fault) {
    static const struct shoal__process_part_type type = {create_keeper, destroy_keeper};
    struct keeper *keeper = (struct keeper *)shoal__process_part_get(&keeper_slot, &type, NULL);
    char *identity = keeper ? shoal__config_identity(resolved, true) : NULL;
    if (identity == NULL)
        return shoal__fault_set(fault, SHOAL_E_NO_MEMORY, "out of memory for a shared client");
    pthread_mutex_lock(&keeper->lock);
    struct kept_client *kept = find_place(keeper, identity);
    shoal_status status = SHOAL_E_NO_MEMORY;
    if (kept == NULL)
        shoal__fault_set(fault, SHOAL_E_NO_MEMORY, "out of memory for a shared client");
    else if ((status = fill_place(kept, resolved, fault)) == SHOAL_OK)
        *client = shoal__client_acquire(kept->client);
    pthread_mutex_unlock(&keeper->lock);
    return status;
}

shoal_status shoal_client_shared(const shoal_config *config, shoal_client **client, shoal_error **error) {
    return make_by(shared_client, config, client, error);
}

/* --- Ending --- */

shoal_client *shoal__client_acquire(shoal_client *client) {
    atomic_fetch_add_explicit(&client->references, 1, memory_order_relaxed);
    return client;
}

void shoal__client_release(shoal_client *client) {
    if (client != NULL && atomic_fetch_sub_explicit(&client->references, 1, memory_order_acq_rel) == 1)
        free_client(client);
}

void shoal_client_close(shoal_client *client) {
    if (client != NULL && !atomic_exchange(&client->closed, true))
        shoal__fleet_leave(client->fleet);
}

void shoal_client_free(shoal_client *client) {
    if (client == NULL)
        return;
    if (!client->shared)
        shoal_client_close(client);
    shoal__client_release(client);
}

void shoal_quiesce(void) {
    shoal__background_quiesce();
}

/* --- Entering a call --- */

shoal_status shoal__client_check(const shoal_client *client, struct shoal__fault *fault) {
    if (client == NULL)
        return shoal__fault_set(fault, SHOAL_E_INVALID, "the client is NULL: make one with shoal_client_new");
    if (atomic_load_explicit(&client->closed, memory_order_relaxed))
        return shoal__fault_set(fault, SHOAL_E_CLOSED, "the client was closed: make a new one");
    return SHOAL_OK;
}

shoal_status shoal__client_enter(shoal_client *client, struct shoal__scene *scene, struct shoal__fault *fault) {
    shoal_status status = shoal__client_check(client, fault);
    if (status != SHOAL_OK)
        return status;
    scene->deadline_ns = shoal__now_ns() + client->timeout_ns;
    return shoal__fleet_view(client->fleet, scene->deadline_ns, &scene->view, fault);
}

size_t shoal__key_node(const struct shoal__key *key, const struct shoal__view *view) {
    return shoal__topology_route(view->topology, key->bytes + key->routed_from, key->size - key->routed_from);
}

shoal_status shoal__client_route(shoal_client *client, const char *key, size_t key_len, struct shoal__path *path,
                                 struct shoal__fault *fault) {
    shoal_status status = shoal__client_check(client, fault);
    if (status == SHOAL_OK)
        status = shoal__key_make(&client->key_rule, key, key_len, path->room, &path->key, fault);
    if (status == SHOAL_OK)
        status = shoal__client_enter(client, &path->scene, fault);
    if (status == SHOAL_OK)
        path->node = shoal__key_node(&path->key, path->scene.view);
    return status;
}

int64_t shoal__fair_share(int64_t deadline_ns, int64_t now_ns, size_t parts) {
    if (deadline_ns <= now_ns || parts <= 1)
        return deadline_ns;
    return now_ns + (deadline_ns - now_ns) / (int64_t)parts;
}
