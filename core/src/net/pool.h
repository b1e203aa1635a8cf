/* The lanes of one node: leased by one caller at a time, opened as needed, bounded, handed on in order of arrival.
 * May include: base/, logic/, transport, dns, fork. Owned by views, used by api/. */
#ifndef SHOAL_NET_POOL_H
#define SHOAL_NET_POOL_H

#include "logic/breaker.h"
#include "net/dns.h"
#include "net/transport.h"

#include <shoal/topology.h>

struct shoal__pool;

struct shoal__pool_options {
    const struct shoal__transport *transport;
    struct shoal__lane_options lane; /* without a peer: each pool has its own */
    struct shoal__tls_context *tls;  /* NULL: none */
    enum shoal__family family;
    size_t lanes_max;
    int64_t idle_check_ns; /* a lane idle for longer is looked at before it is used */
    struct shoal__breaker_options breaker;
    size_t tombstones_max;
};

/* One reference is the caller's. NULL where memory ran out. The node's strings are copied; tls and the lanes' login are
 * borrowed. */
struct shoal__pool *shoal__pool_new(const shoal_node *node, const struct shoal__pool_options *options);
struct shoal__pool *shoal__pool_acquire(struct shoal__pool *pool);
void shoal__pool_release(struct shoal__pool *pool);

const char *shoal__pool_name(const struct shoal__pool *pool); /* host:port */

/* Whether the pool's connections lead where this node is. */
bool shoal__pool_serves(const struct shoal__pool *pool, const shoal_node *node);

/* A lane for the caller alone; waits for one where the pool is full. The fault is filled where it fails. */
shoal_status shoal__pool_lease(struct shoal__pool *pool, int64_t deadline_ns, struct shoal__lane **lane,
                               struct shoal__fault *fault);

/* Ends a lease. A broken lane is closed, and the idle ones are looked at before they are used again. */
void shoal__pool_return(struct shoal__pool *pool, struct shoal__lane *lane);

/* --- Health (pool_health.c) --- */

/* Whether leases are given: the breaker is closed. */
bool shoal__pool_is_in_use(struct shoal__pool *pool);

/* What a call or a probe changed. */
enum shoal__pool_news {
    SHOAL__POOL_NO_NEWS,
    SHOAL__POOL_FAILING,   /* the first failure after a success */
    SHOAL__POOL_OUT,       /* the breaker opened: leases fail from now on, and a probe will be due */
    SHOAL__POOL_RECOVERED, /* a probe was answered: the node is used again */
};

/* Notes how a call on the node went: NULL where it got an answer. */
enum shoal__pool_news shoal__pool_note(struct shoal__pool *pool, const struct shoal__fault *failure);

/* What an answer of the node takes as a rule, and one more that took so long; 0: not known. */
int64_t shoal__pool_usual_ns(struct shoal__pool *pool);
void shoal__pool_learn(struct shoal__pool *pool, int64_t took_ns);

/* Counts answers that were far too slow, in a row: how many with this one; is_slow false begins anew. */
unsigned shoal__pool_count_slow(struct shoal__pool *pool, bool is_slow);

/* Takes the node out of use as it is too slow. */
enum shoal__pool_news shoal__pool_eject(struct shoal__pool *pool, const char *cause);

/* --- Tombstones: keys that are deleted on the node, and on who stood in for it, before it is believed again --- */

/* Keeps one; standin may be NULL. *rounds (may be NULL) says how many replays had begun. False where there was no room.
 */
bool shoal__pool_bury(struct shoal__pool *pool, const char *key, size_t key_len, bool key_is_binary,
                      struct shoal__pool *standin, unsigned *rounds);

/* How many replays have begun. A write on a stand-in that was under way when one did needs another tombstone. */
unsigned shoal__pool_replay_rounds(struct shoal__pool *pool);

/* Whether there are any; and whether the node may still hold an old item with this key. */
bool shoal__pool_has_tombstones(struct shoal__pool *pool);
bool shoal__pool_has_buried(struct shoal__pool *pool, const char *key, size_t key_len);

/* How many could not be kept, ever. */
uint64_t shoal__pool_lost_tombstones(struct shoal__pool *pool);

/* A probe of the node, with errands, which are taken over; NULL where it cannot begin. */
struct shoal__errands;
struct shoal__probe *shoal__pool_probe(struct shoal__pool *pool, struct shoal__errands *errands);

/* The prober's part, on the background thread: begins what is due, goes on with what is under way. */
enum shoal__pool_news shoal__pool_advance_health(struct shoal__pool *pool, int64_t now_ns);
void shoal__pool_watch_health(struct shoal__pool *pool, struct shoal__watch *watch, int64_t now_ns);
void shoal__pool_interrupt_health(struct shoal__pool *pool, int64_t now_ns);

/* --- Ending --- */

/* Closes idle lanes now and leased ones as they come back: nobody will ask for one soon. A node that may return gets
 * tombstones on; of one that will not they are dropped. On the background thread, or when that does not know the pool.
 */
void shoal__pool_retire(struct shoal__pool *pool, bool may_return);

/* Whether the node left the list and may return. */
bool shoal__pool_has_departed(struct shoal__pool *pool);

/* It did: what it missed is deleted before it is used. */
void shoal__pool_return_to_use(struct shoal__pool *pool);

#endif
