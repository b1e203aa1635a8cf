/* Ruby's lock given up around the core's calls: a call's arguments travel in a struct to where the lock is not held.
 * May include: unlocked.h, ruby/thread.h. Called by the wrapper that SWIG makes, and by batches.c and codecs.c. */
#include "unlocked.h"

#include <ruby.h>
#include <ruby/thread.h>

#include <stdbool.h>

/* --- The lock --- */

struct turn {
    void (*run)(void *);
    void *data;
    bool done;
};

static void *take_turn(void *data) {
    struct turn *turn = data;
    turn->run(turn->data);
    turn->done = true;
    return NULL;
}

/* Where an interrupt is pending, Ruby does not even begin: then the interrupt comes first. One that comes later waits
 * for the call's end, which its deadline bounds: a call that was cut short would have lost its connection's place. */
void shoal_ruby_unlock(void (*run)(void *), void *data) {
    struct turn turn = {.run = run, .data = data};
    for (;;) {
        rb_thread_call_without_gvl2(take_turn, &turn, NULL, NULL);
        if (turn.done)
            return;
        rb_thread_check_ints();
    }
}

/* --- The calls --- */

struct call {
    shoal_client *client;
    shoal_lease *lease;
    const char *key;
    size_t key_len;
    const void *bytes;
    size_t bytes_len;
    int mode;
    uint32_t flags;
    int64_t ttl_s;
    int64_t stale_ttl_s;
    uint64_t cas;
    int64_t delta;
    const uint64_t *initial;
    const char *group;
    shoal_batch *batch;
    /* Outputs. */
    shoal_value **found;
    uint64_t *number;
    shoal_topology **topology;
    shoal_node **node;
    shoal_stats **stats;
    shoal_lease **granted;
    shoal_error **error;
    shoal_status status;
};

static void run_close(void *data) {
    struct call *call = data;
    shoal_client_close(call->client);
}

void unlocked_shoal_client_close(shoal_client *client) {
    struct call call = {.client = client};
    shoal_ruby_unlock(run_close, &call);
}

static void run_quiesce(void *data) {
    (void)data;
    shoal_quiesce();
}

void unlocked_shoal_quiesce(void) {
    shoal_ruby_unlock(run_quiesce, NULL);
}

static void run_get(void *data) {
    struct call *call = data;
    call->status = shoal_get(call->client, call->key, call->key_len, call->found, call->error);
}

shoal_status unlocked_shoal_get(shoal_client *client, const char *key, size_t key_len, shoal_value **value,
                                shoal_error **error) {
    struct call call = {.client = client, .key = key, .key_len = key_len, .found = value, .error = error};
    shoal_ruby_unlock(run_get, &call);
    return call.status;
}

static void run_get_and_touch(void *data) {
    struct call *call = data;
    call->status = shoal_get_and_touch(call->client, call->key, call->key_len, call->ttl_s, call->found, call->error);
}

shoal_status unlocked_shoal_get_and_touch(shoal_client *client, const char *key, size_t key_len, int64_t ttl_s,
                                          shoal_value **value, shoal_error **error) {
    struct call call = {
        .client = client, .key = key, .key_len = key_len, .ttl_s = ttl_s, .found = value, .error = error};
    shoal_ruby_unlock(run_get_and_touch, &call);
    return call.status;
}

static void run_store(void *data) {
    struct call *call = data;
    call->status = shoal_store(call->client, call->mode, call->key, call->key_len, call->bytes, call->bytes_len,
                               call->flags, call->ttl_s, call->cas, call->number, call->error);
}

shoal_status unlocked_shoal_store(shoal_client *client, int mode, const char *key, size_t key_len, const void *value,
                                  size_t value_len, uint32_t flags, int64_t ttl_s, uint64_t cas, uint64_t *new_cas,
                                  shoal_error **error) {
    struct call call = {.client = client, .mode = mode, .key = key, .key_len = key_len};
    call.bytes = value;
    call.bytes_len = value_len;
    call.flags = flags;
    call.ttl_s = ttl_s;
    call.cas = cas;
    call.number = new_cas;
    call.error = error;
    shoal_ruby_unlock(run_store, &call);
    return call.status;
}

static void run_delete(void *data) {
    struct call *call = data;
    call->status = shoal_delete(call->client, call->key, call->key_len, call->error);
}

shoal_status unlocked_shoal_delete(shoal_client *client, const char *key, size_t key_len, shoal_error **error) {
    struct call call = {.client = client, .key = key, .key_len = key_len, .error = error};
    shoal_ruby_unlock(run_delete, &call);
    return call.status;
}

static void run_touch(void *data) {
    struct call *call = data;
    call->status = shoal_touch(call->client, call->key, call->key_len, call->ttl_s, call->error);
}

shoal_status unlocked_shoal_touch(shoal_client *client, const char *key, size_t key_len, int64_t ttl_s,
                                  shoal_error **error) {
    struct call call = {.client = client, .key = key, .key_len = key_len, .ttl_s = ttl_s, .error = error};
    shoal_ruby_unlock(run_touch, &call);
    return call.status;
}

static void run_increment(void *data) {
    struct call *call = data;
    call->status = shoal_increment(call->client, call->key, call->key_len, call->delta, call->initial, call->ttl_s,
                                   call->number, call->error);
}

shoal_status unlocked_shoal_increment(shoal_client *client, const char *key, size_t key_len, int64_t delta,
                                      const uint64_t *initial, int64_t ttl_s, uint64_t *value, shoal_error **error) {
    struct call call = {.client = client, .key = key, .key_len = key_len, .delta = delta};
    call.initial = initial;
    call.ttl_s = ttl_s;
    call.number = value;
    call.error = error;
    shoal_ruby_unlock(run_increment, &call);
    return call.status;
}

static void run_flush_all(void *data) {
    struct call *call = data;
    call->status = shoal_flush_all(call->client, call->error);
}

shoal_status unlocked_shoal_flush_all(shoal_client *client, shoal_error **error) {
    struct call call = {.client = client, .error = error};
    shoal_ruby_unlock(run_flush_all, &call);
    return call.status;
}

static void run_client_topology(void *data) {
    struct call *call = data;
    call->status = shoal_client_topology(call->client, call->topology, call->error);
}

shoal_status unlocked_shoal_client_topology(shoal_client *client, shoal_topology **topology, shoal_error **error) {
    struct call call = {.client = client, .topology = topology, .error = error};
    shoal_ruby_unlock(run_client_topology, &call);
    return call.status;
}

static void run_route(void *data) {
    struct call *call = data;
    call->status = shoal_route(call->client, call->key, call->key_len, call->node, call->error);
}

shoal_status unlocked_shoal_route(shoal_client *client, const char *key, size_t key_len, shoal_node **node,
                                  shoal_error **error) {
    struct call call = {.client = client, .key = key, .key_len = key_len, .node = node, .error = error};
    shoal_ruby_unlock(run_route, &call);
    return call.status;
}

static void run_stats_read(void *data) {
    struct call *call = data;
    call->status = shoal_stats_read(call->client, call->group, call->stats, call->error);
}

shoal_status unlocked_shoal_stats_read(shoal_client *client, const char *group, shoal_stats **stats,
                                       shoal_error **error) {
    struct call call = {.client = client, .group = group, .stats = stats, .error = error};
    shoal_ruby_unlock(run_stats_read, &call);
    return call.status;
}

static void run_batch(void *data) {
    struct call *call = data;
    call->status = shoal_batch_run(call->batch, call->error);
}

shoal_status unlocked_shoal_batch_run(shoal_batch *batch, shoal_error **error) {
    struct call call = {.batch = batch, .error = error};
    shoal_ruby_unlock(run_batch, &call);
    return call.status;
}

/* --- Leases --- */

static void run_fetch_begin(void *data) {
    struct call *call = data;
    call->status = shoal_fetch_begin(call->client, call->key, call->key_len, call->ttl_s, call->stale_ttl_s,
                                     call->found, call->granted, call->error);
}

shoal_status unlocked_shoal_fetch_begin(shoal_client *client, const char *key, size_t key_len, int64_t ttl_s,
                                        int64_t stale_ttl_s, shoal_value **value, shoal_lease **lease,
                                        shoal_error **error) {
    struct call call = {.client = client, .key = key, .key_len = key_len, .ttl_s = ttl_s};
    call.stale_ttl_s = stale_ttl_s;
    call.found = value;
    call.granted = lease;
    call.error = error;
    shoal_ruby_unlock(run_fetch_begin, &call);
    return call.status;
}

static void run_lease_store(void *data) {
    struct call *call = data;
    call->status = shoal_lease_store(call->lease, call->bytes, call->bytes_len, call->flags, call->error);
}

shoal_status unlocked_shoal_lease_store(shoal_lease *lease, const void *value, size_t value_len, uint32_t flags,
                                        shoal_error **error) {
    struct call call = {.lease = lease, .bytes = value, .bytes_len = value_len, .flags = flags, .error = error};
    shoal_ruby_unlock(run_lease_store, &call);
    return call.status;
}

static void *run_lease_abandon(void *lease) {
    shoal_lease_abandon(lease);
    return NULL;
}

/* One interrupt has often been here already, as it is what ended the computation. Where another is pending, Ruby does
 * not give its lock up: then the claim goes back with the lock held. */
void unlocked_shoal_lease_abandon(shoal_lease *lease) {
    rb_thread_call_without_gvl2(run_lease_abandon, lease, NULL, NULL);
    shoal_lease_abandon(lease); /* does nothing where that was done */
}
