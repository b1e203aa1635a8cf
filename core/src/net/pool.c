/* A node's lanes. A lane's life:
 *
 *   [opening] --> leased <--> idle
 *       |           |          |  found closed by the server, or the pool is retired
 *       v           v          v
 *   (failed)     broken --> closed
 *
 * May include: base/, logic/, transport, dns, fork, pool_private. */
#include "net/pool.h"

#include "base/clock.h"
#include "base/condition.h"
#include "net/fork.h"
#include "net/pool_private.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* A caller that waits in a full pool. It is handed a lane, or the right to open one. */
struct waiter {
    pthread_cond_t handed;
    struct shoal__lane *lane;
    bool may_open;
    bool refused; /* the node went out of use meanwhile */
    struct waiter *next;
};

/* A lane with what the pool knows of it. */
struct pooled_lane {
    struct shoal__lane lane; /* first: the two are cast into one another */
    struct shoal__descriptor *descriptor;
};

struct shoal__pool *shoal__pool_new(const shoal_node *node, const struct shoal__pool_options *options) {
    struct shoal__pool *pool = calloc(1, sizeof(*pool));
    if (pool == NULL)
        return NULL;
    atomic_init(&pool->references, 1);
    pthread_mutex_init(&pool->lock, NULL);
    pool->options = *options;
    shoal__pool_init_health(pool);
    pool->port = shoal_node_port(node);
    pool->name = strdup(shoal_node_name(node));
    pool->host = strdup(shoal_node_host(node));
    pool->address = strdup(shoal_node_address(node));
    bool done = pool->name && pool->host && pool->address;
    if (done && options->tls != NULL) {
        pool->options.lane.stream.peer = shoal__tls_peer_new(options->tls, pool->host);
        done = pool->options.lane.stream.peer != NULL;
    }
    if (done)
        return pool;
    shoal__pool_release(pool);
    return NULL;
}

struct shoal__pool *shoal__pool_acquire(struct shoal__pool *pool) {
    atomic_fetch_add_explicit(&pool->references, 1, memory_order_relaxed);
    return pool;
}

static void close_lane(struct shoal__lane *lane) {
    struct pooled_lane *pooled = (struct pooled_lane *)lane;
    shoal__descriptor_release(pooled->descriptor);
    lane->transport->close(lane);
    free(pooled);
}

static void close_lanes(struct shoal__lane *lane) {
    while (lane != NULL) {
        struct shoal__lane *next = lane->next;
        close_lane(lane);
        lane = next;
    }
}

void shoal__pool_release(struct shoal__pool *pool) {
    if (pool == NULL || atomic_fetch_sub_explicit(&pool->references, 1, memory_order_acq_rel) != 1)
        return;
    close_lanes(pool->idle);
    shoal__pool_clear_health(pool);
    shoal__tls_peer_free(pool->options.lane.stream.peer);
    pthread_mutex_destroy(&pool->lock);
    shoal__address_list_clear(&pool->found);
    free(pool->name);
    free(pool->host);
    free(pool->address);
    free(pool);
}

const char *shoal__pool_name(const struct shoal__pool *pool) {
    return pool->name;
}

bool shoal__pool_serves(const struct shoal__pool *pool, const shoal_node *node) {
    return pool->port == shoal_node_port(node) && strcmp(pool->host, shoal_node_host(node)) == 0 &&
           strcmp(pool->address, shoal_node_address(node)) == 0;
}

/* --- Opening --- */

static shoal_status open_at(struct shoal__pool *pool, const struct shoal__address *address, int64_t deadline_ns,
                            struct shoal__lane **lane, struct shoal__fault *fault) {
    struct pooled_lane *pooled = calloc(1, sizeof(*pooled));
    if (pooled == NULL)
        return shoal__fault_set(fault, SHOAL_E_NO_MEMORY, "out of memory for a connection");
    pooled->lane.transport = pool->options.transport;
    shoal_status status =
        pool->options.transport->open(&pooled->lane, address, &pool->options.lane, deadline_ns, fault);
    if (status != SHOAL_OK) {
        free(pooled);
        return status;
    }
    pooled->descriptor = shoal__descriptor_adopt(pooled->lane.fd);
    *lane = &pooled->lane;
    return SHOAL_OK;
}

static bool copy_found(struct shoal__pool *pool, struct shoal__address_list *list) {
    *list = (struct shoal__address_list){0};
    pthread_mutex_lock(&pool->lock);
    size_t size = pool->found.count * sizeof(*list->addresses);
    if (size > 0 && (list->addresses = malloc(size)) != NULL) {
        memcpy(list->addresses, pool->found.addresses, size);
        list->count = pool->found.count;
    }
    pthread_mutex_unlock(&pool->lock);
    return list->count > 0;
}

static void replace_found(struct shoal__pool *pool, struct shoal__address_list *list) {
    pthread_mutex_lock(&pool->lock);
    struct shoal__address_list before = pool->found;
    pool->found = *list;
    pthread_mutex_unlock(&pool->lock);
    shoal__address_list_clear(&before);
}

static shoal_status open_any(struct shoal__pool *pool, const struct shoal__address_list *list, int64_t deadline_ns,
                             struct shoal__lane **lane, struct shoal__fault *fault) {
    for (size_t i = 0; i < list->count; i++) {
        struct shoal__fault reason = {0};
        if (open_at(pool, &list->addresses[i], deadline_ns, lane, &reason) == SHOAL_OK)
            return SHOAL_OK;
        /* What a server said is not hidden by another address where there is none. */
        if (i == 0 || fault->os_error != 0 || reason.os_error == 0)
            *fault = reason;
        if (shoal__now_ns() >= deadline_ns)
            break;
    }
    return fault->status;
}

/* By the host's name: where it led to last time, else asked anew. What does not connect is not kept. */
static shoal_status open_by_name(struct shoal__pool *pool, int64_t deadline_ns, struct shoal__lane **lane,
                                 struct shoal__fault *fault) {
    struct shoal__address_list list;
    shoal_status status = SHOAL_OK;
    if (!copy_found(pool, &list))
        status = shoal__dns_resolve(pool->host, pool->port, pool->options.family, deadline_ns, &list, fault);
    if (status != SHOAL_OK)
        return status;
    status = open_any(pool, &list, deadline_ns, lane, fault);
    if (status != SHOAL_OK)
        shoal__address_list_clear(&list);
    replace_found(pool, &list);
    return status;
}

/* The address that discovery gave comes first; the name is asked only where there is none or it fails (discovery.md).
 */
static shoal_status open_lane(struct shoal__pool *pool, int64_t deadline_ns, struct shoal__lane **lane,
                              struct shoal__fault *fault) {
    struct shoal__address address;
    if (pool->address[0] == '\0' || !shoal__address_parse(pool->address, pool->port, &address))
        return open_by_name(pool, deadline_ns, lane, fault);
    shoal_status status = open_at(pool, &address, deadline_ns, lane, fault);
    bool name_may_help = !shoal__address_parse(pool->host, pool->port, &address);
    struct shoal__fault ignored;
    if (status == SHOAL_OK || !name_may_help || shoal__now_ns() >= deadline_ns ||
        open_by_name(pool, deadline_ns, lane, &ignored) != SHOAL_OK)
        return status;
    return SHOAL_OK;
}

/* --- Waiting in a full pool --- */

/* With the lock held. NULL where nobody waits. */
static struct waiter *take_first_waiter(struct shoal__pool *pool) {
    struct waiter *waiter = pool->first_waiter;
    if (waiter == NULL)
        return NULL;
    pool->first_waiter = waiter->next;
    if (pool->first_waiter == NULL)
        pool->last_waiter = NULL;
    return waiter;
}

void shoal__pool_refuse_waiters(struct shoal__pool *pool) {
    for (struct waiter *waiter; (waiter = take_first_waiter(pool)) != NULL;) {
        waiter->refused = true;
        pthread_cond_signal(&waiter->handed);
    }
}

/* With the lock held. False where nobody waits. */
static bool hand_on(struct shoal__pool *pool, struct shoal__lane *lane) {
    struct waiter *waiter = take_first_waiter(pool);
    if (waiter == NULL)
        return false;
    waiter->lane = lane;
    waiter->may_open = lane == NULL;
    pthread_cond_signal(&waiter->handed);
    return true;
}

static void leave_queue(struct shoal__pool *pool, struct waiter *waiter) {
    struct waiter *before = NULL;
    for (struct waiter *at = pool->first_waiter; at != waiter; at = at->next)
        before = at;
    if (before != NULL)
        before->next = waiter->next;
    else
        pool->first_waiter = waiter->next;
    if (pool->last_waiter == waiter)
        pool->last_waiter = before;
}

/* With the lock held. True where a lane or the right to open one was handed over. */
static bool wait_in_queue(struct shoal__pool *pool, struct waiter *waiter, int64_t deadline_ns) {
    shoal__condition_init(&waiter->handed);
    if (pool->last_waiter != NULL)
        pool->last_waiter->next = waiter;
    else
        pool->first_waiter = waiter;
    pool->last_waiter = waiter;
    bool in_time = true;
    while (waiter->lane == NULL && !waiter->may_open && !waiter->refused && in_time)
        in_time = shoal__condition_wait(&waiter->handed, &pool->lock, deadline_ns);
    bool handed = waiter->lane != NULL || waiter->may_open;
    if (!handed && !waiter->refused)
        leave_queue(pool, waiter);
    pthread_cond_destroy(&waiter->handed);
    return handed;
}

/* --- Leasing --- */

static bool is_usable(const struct shoal__pool *pool, struct shoal__lane *lane, int64_t suspect_before_ns,
                      int64_t now_ns) {
    bool is_suspect = lane->returned_ns <= suspect_before_ns;
    if (lane->fd < 0) /* it cannot be looked at */
        return !is_suspect;
    return !(is_suspect || now_ns - lane->returned_ns > pool->options.idle_check_ns) || lane->transport->is_quiet(lane);
}

/* An idle lane, or NULL with *may_open told; dead ones are put aside to be closed without the lock. */
static struct shoal__lane *take_idle(struct shoal__pool *pool, bool *may_open, struct shoal__lane **dead) {
    int64_t now_ns = shoal__now_coarse_ns();
    struct shoal__lane *lane;
    while ((lane = pool->idle) != NULL) {
        pool->idle = lane->next;
        if (is_usable(pool, lane, pool->suspect_before_ns, now_ns))
            return lane;
        lane->next = *dead;
        *dead = lane;
        pool->lane_count--;
    }
    *may_open = pool->lane_count < pool->options.lanes_max;
    return NULL;
}

static void give_up_opening(struct shoal__pool *pool) {
    pthread_mutex_lock(&pool->lock);
    if (!hand_on(pool, NULL))
        pool->lane_count--;
    pthread_mutex_unlock(&pool->lock);
}

/* With the lock held. It was said once, by the call that found out, that the node is at fault. */
static shoal_status tell_out_of_use(const struct shoal__pool *pool, struct shoal__fault *fault) {
    shoal__fault_set(fault, SHOAL_E_NODE_DOWN, "out of use until it answers a probe (%.*s)", 200, pool->cause);
    fault->is_local = true;
    return SHOAL_E_NODE_DOWN;
}

static shoal_status tell_queue_full(const struct shoal__pool *pool, struct shoal__fault *fault) {
    shoal__fault_set(fault, SHOAL_E_TIMEOUT,
                     "all %zu connections were in use for the call's whole time: raise lanes_per_node",
                     pool->options.lanes_max);
    fault->is_local = true;
    return SHOAL_E_TIMEOUT;
}

/* With the lock held. SHOAL_OK: a lane, or the right to open one where it is NULL. */
static shoal_status take_or_wait(struct shoal__pool *pool, int64_t deadline_ns, struct shoal__lane **lane,
                                 struct shoal__lane **dead, struct shoal__fault *fault) {
    struct waiter waiter = {0};
    bool may_open = false;
    if (!shoal__breaker_allows(&pool->breaker))
        return tell_out_of_use(pool, fault);
    *lane = take_idle(pool, &may_open, dead);
    if (may_open)
        pool->lane_count++;
    if (may_open || *lane != NULL)
        return SHOAL_OK;
    if (!wait_in_queue(pool, &waiter, deadline_ns))
        return waiter.refused ? tell_out_of_use(pool, fault) : tell_queue_full(pool, fault);
    *lane = waiter.lane;
    return SHOAL_OK;
}

shoal_status shoal__pool_lease(struct shoal__pool *pool, int64_t deadline_ns, struct shoal__lane **lane,
                               struct shoal__fault *fault) {
    struct shoal__lane *dead = NULL;
    *lane = NULL;
    pthread_mutex_lock(&pool->lock);
    shoal_status status = take_or_wait(pool, deadline_ns, lane, &dead, fault);
    pthread_mutex_unlock(&pool->lock);
    close_lanes(dead);
    if (status != SHOAL_OK || *lane != NULL)
        return status;
    status = open_lane(pool, deadline_ns, lane, fault);
    if (status != SHOAL_OK) {
        fault->is_hard = shoal__fault_blames_node(fault);
        give_up_opening(pool);
    }
    return status;
}

void shoal__pool_return(struct shoal__pool *pool, struct shoal__lane *lane) {
    int64_t now_ns = shoal__now_coarse_ns();
    bool close_it;
    pthread_mutex_lock(&pool->lock);
    if (lane->broken)
        pool->suspect_before_ns = now_ns;
    close_it = lane->broken || pool->retired;
    if (close_it) {
        if (!hand_on(pool, NULL))
            pool->lane_count--;
    } else if (!hand_on(pool, lane)) {
        lane->returned_ns = now_ns;
        lane->next = pool->idle;
        pool->idle = lane;
    }
    pthread_mutex_unlock(&pool->lock);
    if (close_it)
        close_lane(lane);
}

/* --- Ending --- */

void shoal__pool_retire(struct shoal__pool *pool, bool may_return) {
    pthread_mutex_lock(&pool->lock);
    struct shoal__lane *idle = pool->idle;
    pool->idle = NULL;
    for (struct shoal__lane *lane = idle; lane != NULL; lane = lane->next)
        pool->lane_count--;
    pool->retired = true;
    atomic_store(&pool->departed, may_return);
    pthread_mutex_unlock(&pool->lock);
    if (!may_return)
        shoal__pool_clear_health(pool);
    close_lanes(idle);
}

bool shoal__pool_has_departed(struct shoal__pool *pool) {
    return atomic_load_explicit(&pool->departed, memory_order_relaxed);
}

void shoal__pool_return_to_use(struct shoal__pool *pool) {
    pthread_mutex_lock(&pool->lock);
    pool->retired = false;
    atomic_store(&pool->departed, false);
    bool has_missed_writes = pool->tombstones.count > 0;
    pthread_mutex_unlock(&pool->lock);
    if (has_missed_writes)
        shoal__pool_eject(pool, "back on the list, and not yet rid of what it held");
}
