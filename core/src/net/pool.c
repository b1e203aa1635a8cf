/* A node's lanes. A lane's life:
 *
 *   [opening] --> leased <--> idle
 *       |           |          |  found closed by the server, or the pool is retired
 *       v           v          v
 *   (failed)     broken --> closed
 *
 * May include: base/, logic/, transport, dns, fork. */
#include "net/pool.h"

#include "base/clock.h"
#include "base/condition.h"
#include "net/fork.h"

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
    struct waiter *next;
};

/* A lane with what the pool knows of it. */
struct pooled_lane {
    struct shoal__lane lane; /* first: the two are cast into one another */
    struct shoal__descriptor *descriptor;
};

struct shoal__pool {
    atomic_uint references;
    char *name;
    char *host;
    char *address;
    uint16_t port;
    struct shoal__pool_options options;
    pthread_mutex_t lock;
    struct shoal__lane *idle; /* the one used last comes first: it is the warmest */
    size_t lane_count;        /* idle, leased and being opened */
    struct waiter *first_waiter;
    struct waiter *last_waiter;
    int64_t suspect_before_ns; /* lanes idle since before this moment are looked at */
    bool retired;
    atomic_bool failing;              /* the last call on the node failed */
    struct shoal__address_list found; /* where the host's name led to; emptied where that stopped working */
};

struct shoal__pool *shoal__pool_new(const shoal_node *node, const struct shoal__pool_options *options) {
    struct shoal__pool *pool = calloc(1, sizeof(*pool));
    if (pool == NULL)
        return NULL;
    atomic_init(&pool->references, 1);
    pthread_mutex_init(&pool->lock, NULL);
    pool->options = *options;
    pool->port = shoal_node_port(node);
    pool->name = strdup(shoal_node_name(node));
    pool->host = strdup(shoal_node_host(node));
    pool->address = strdup(shoal_node_address(node));
    if (pool->name && pool->host && pool->address)
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
    shoal_status status = SHOAL_E_NODE_DOWN;
    for (size_t i = 0; i < list->count; i++) {
        status = open_at(pool, &list->addresses[i], deadline_ns, lane, fault);
        if (status == SHOAL_OK || shoal__now_ns() >= deadline_ns)
            break;
    }
    return status;
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

/* With the lock held. False where nobody waits. */
static bool hand_on(struct shoal__pool *pool, struct shoal__lane *lane) {
    struct waiter *waiter = pool->first_waiter;
    if (waiter == NULL)
        return false;
    pool->first_waiter = waiter->next;
    if (pool->first_waiter == NULL)
        pool->last_waiter = NULL;
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
    while (waiter->lane == NULL && !waiter->may_open && in_time)
        in_time = shoal__condition_wait(&waiter->handed, &pool->lock, deadline_ns);
    bool handed = waiter->lane != NULL || waiter->may_open;
    if (!handed)
        leave_queue(pool, waiter);
    pthread_cond_destroy(&waiter->handed);
    return handed;
}

/* --- Leasing --- */

/* A server that went away has left an end-of-file to be seen; anything else to be read was not asked for. */
static bool is_quiet(const struct shoal__lane *lane) {
    char byte;
    return recv(lane->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && (errno == EAGAIN || errno == EINTR);
}

static bool is_usable(const struct shoal__pool *pool, const struct shoal__lane *lane, int64_t suspect_before_ns,
                      int64_t now_ns) {
    bool is_suspect = lane->returned_ns <= suspect_before_ns;
    if (lane->fd < 0) /* it cannot be looked at */
        return !is_suspect;
    return !(is_suspect || now_ns - lane->returned_ns > pool->options.idle_check_ns) || is_quiet(lane);
}

/* An idle lane, or NULL with *may_open told; dead ones are put aside to be closed without the lock. */
static struct shoal__lane *take_idle(struct shoal__pool *pool, bool *may_open, struct shoal__lane **dead) {
    int64_t now_ns = shoal__now_ns();
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

shoal_status shoal__pool_lease(struct shoal__pool *pool, int64_t deadline_ns, struct shoal__lane **lane,
                               struct shoal__fault *fault) {
    struct shoal__lane *dead = NULL;
    struct waiter waiter = {0};
    bool may_open = false;
    bool handed = true;
    pthread_mutex_lock(&pool->lock);
    *lane = take_idle(pool, &may_open, &dead);
    if (may_open) {
        pool->lane_count++;
    } else if (*lane == NULL) {
        handed = wait_in_queue(pool, &waiter, deadline_ns);
        *lane = waiter.lane;
    }
    pthread_mutex_unlock(&pool->lock);
    close_lanes(dead);
    if (*lane != NULL)
        return SHOAL_OK;
    if (!handed) {
        shoal__fault_set(fault, SHOAL_E_TIMEOUT,
                         "all %zu connections were in use for the call's whole time: raise lanes_per_node",
                         pool->options.lanes_max);
        fault->is_local = true;
        return SHOAL_E_TIMEOUT;
    }
    shoal_status status = open_lane(pool, deadline_ns, lane, fault);
    if (status != SHOAL_OK)
        give_up_opening(pool);
    return status;
}

void shoal__pool_return(struct shoal__pool *pool, struct shoal__lane *lane) {
    int64_t now_ns = shoal__now_ns();
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

bool shoal__pool_note(struct shoal__pool *pool, bool failed) {
    if (atomic_load_explicit(&pool->failing, memory_order_relaxed) == failed)
        return false;
    return atomic_exchange(&pool->failing, failed) != failed && failed;
}

void shoal__pool_retire(struct shoal__pool *pool) {
    pthread_mutex_lock(&pool->lock);
    struct shoal__lane *idle = pool->idle;
    pool->idle = NULL;
    for (struct shoal__lane *lane = idle; lane != NULL; lane = lane->next)
        pool->lane_count--;
    pool->retired = true;
    pthread_mutex_unlock(&pool->lock);
    close_lanes(idle);
}
