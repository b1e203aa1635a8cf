/* The inside of a pool, shared by pool.c (lanes) and pool_health.c (breaker, probes, tombstones).
 * May include: base/, logic/, pool, probe, replay. */
#ifndef SHOAL_NET_POOL_PRIVATE_H
#define SHOAL_NET_POOL_PRIVATE_H

#include "logic/tombstones.h"
#include "net/pool.h"
#include "net/replay.h"

#include <pthread.h>
#include <stdatomic.h>

struct waiter;

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
    atomic_bool departed;             /* retired, and may return */
    struct shoal__address_list found; /* where the host's name led to; emptied where that stopped working */

    atomic_bool failing; /* the last call on the node failed */
    struct shoal__breaker breaker;
    struct shoal__random random;
    char cause[sizeof(((struct shoal__fault *)0)->text)]; /* why the breaker opened */
    _Atomic int64_t usual_ns;                             /* what an answer takes as a rule; 0: not known */
    atomic_uint slow_streak;

    struct shoal__tombstones tombstones; /* to be replayed */
    struct shoal__tombstones replaying;
    atomic_bool has_tombstones;    /* in either */
    unsigned rounds;               /* replays begun */
    int64_t replay_due_ns;         /* after one that failed */
    struct shoal__pool **standins; /* by the number that tombstones call them; referenced */
    size_t standin_count;

    /* Of the background thread alone. */
    unsigned probe_turn;          /* the address that the next probe takes, where the name has several */
    struct shoal__probe *probe;   /* under way */
    struct shoal__replay *replay; /* under way */
};

/* With the lock held: nobody waits for a node that is out of use. */
void shoal__pool_refuse_waiters(struct shoal__pool *pool);

void shoal__pool_init_health(struct shoal__pool *pool);
void shoal__pool_clear_health(struct shoal__pool *pool);

#endif
