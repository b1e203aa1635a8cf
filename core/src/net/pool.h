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

/* The prober's part, on the background thread: begins a probe that is due, goes on with one under way. */
enum shoal__pool_news shoal__pool_advance_probe(struct shoal__pool *pool, int64_t now_ns);
void shoal__pool_watch_probe(struct shoal__pool *pool, struct shoal__watch *watch, int64_t now_ns);
void shoal__pool_interrupt_probe(struct shoal__pool *pool, int64_t now_ns);

/* Closes idle lanes now and leased ones as they come back: nobody will ask for one soon. */
void shoal__pool_retire(struct shoal__pool *pool);

#endif
