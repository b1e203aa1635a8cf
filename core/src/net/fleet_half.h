/* The inside of a fleet, shared by fleet.c (joining, views, events), fleet_health.c (what calls found out),
 * fleet_discovery.c, fleet_cache.c and fleet_prober.c (the background's parts). May include: base/, logic/, view, fork,
 * background, discovery, topology_cache. */
#ifndef SHOAL_NET_FLEET_HALF_H
#define SHOAL_NET_FLEET_HALF_H

#include "logic/refresh.h"
#include "net/background.h"
#include "net/discovery.h"
#include "net/fleet.h"
#include "net/fork.h"
#include "net/topology_cache.h"

#include <pthread.h>

/* What is the same in every process, and never changes. */
struct shoal__fleet {
    atomic_uint references;
    atomic_uint open_clients;
    atomic_bool ended; /* the last of them was closed */
    shoal_config *config;
    char *identity;
    struct shoal__placement placement;
    struct shoal__pool_options pool_options; /* without a TLS context: each process has its own */
    struct shoal__tls_files *tls_files;      /* NULL: no TLS */
    char *login;                             /* NULL: none */
    double max_down_share;
    struct shoal__process_slot half;
    struct shoal__fleet *next; /* in the registry */
};

/* What belongs to one process. */
struct shoal__fleet_half {
    struct shoal__process_part part; /* first */
    struct shoal__fleet *fleet;
    struct shoal__pool_options pool_options;
    struct shoal__task task;
    pthread_mutex_t lock; /* of view (writing), refusal, refresh, log */
    pthread_cond_t changed;
    _Atomic(struct shoal__view *) view; /* atomic, as a forked child reads it without the lock */
    bool refused;                       /* no view, and the last poll brought none: `refusal` says why */
    struct shoal__fault refusal;
    struct shoal__refresh refresh;
    struct shoal__log log;
    struct shoal__retry_budget retry_budget; /* under `lock`, as its random numbers */
    struct shoal__random retry_random;
    _Atomic uint64_t calls; /* ever: what the budget grows with */
    struct shoal__task prober;

    /* Of the background thread alone. */
    struct shoal__random random;
    struct shoal__discovery *poll;                 /* under way */
    struct shoal__address_list endpoint_addresses; /* where the endpoint led to when a list was last taken */
    size_t endpoint_index;                         /* which of several endpoints that was */
    bool failing;                                  /* the last poll failed, and that was told */
    bool legacy_told;
    struct shoal__topology_cache cache;
    bool cache_told;            /* what is wrong with its file */
    int64_t postponed_since_ns; /* since when another process asks; 0: none does */
};

/* This process's half, made where it is missing; NULL where memory ran out. */
struct shoal__fleet_half *shoal__fleet_half(struct shoal__fleet *fleet);

bool shoal__fleet_discovers(const struct shoal__fleet *fleet);

/* Makes the half's task a discovery. */
void shoal__fleet_discovery_init(struct shoal__fleet_half *half, int64_t now_ns);

/* Makes the half's second task a prober of the nodes that are out of use. */
void shoal__fleet_prober_init(struct shoal__fleet_half *half);

/* Puts a new list to use; on the background thread, or before anybody else knows the half. `before` may be NULL. */
shoal_status shoal__fleet_apply(struct shoal__fleet_half *half, uint64_t version, const struct shoal__node_list *list);

/* Applies allow_nodes to a list, and has nodes that only their name allows reached by it. SHOAL_E_DISCOVERY names the
 * first node that is not allowed. */
shoal_status shoal__fleet_allow(const struct shoal__fleet_half *half, struct shoal__node_list *list,
                                struct shoal__fault *fault);

/* Tells a warning as an event. */
void shoal__fleet_warn(struct shoal__fleet_half *half, const char *text);

/* --- topology_cache; all do nothing where it is off --- */

void shoal__fleet_cache_init(struct shoal__fleet_half *half);

/* Takes the list of the file to use where it tells something new, and waits for the next poll. */
bool shoal__fleet_cache_take(struct shoal__fleet_half *half, int64_t now_ns);

/* Whether the endpoint may be asked now; where another process is about to, the poll is put off. */
bool shoal__fleet_cache_may_ask(struct shoal__fleet_half *half, int64_t now_ns);

/* Keeps what the endpoint said at the last poll, if it was believed. */
void shoal__fleet_cache_keep(struct shoal__fleet_half *half, uint64_t version, const struct shoal__node_list *list);

/* The poll is over, or was broken off. */
void shoal__fleet_cache_asked(struct shoal__fleet_half *half);

void shoal__fleet_discovery_clear(struct shoal__fleet_half *half);

#endif
