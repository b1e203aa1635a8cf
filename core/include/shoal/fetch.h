/* Read-through with one computer at a time: of all callers of a fleet, in whatever process and language, one computes a
 * value that has run out; the others get the old one, or wait. core/doc/FETCH.md has the pictures.
 * May include: <shoal/operations.h>. */
#ifndef SHOAL_FETCH_H
#define SHOAL_FETCH_H

#include <shoal/operations.h>

SHOAL_BEGIN_DECLS

/**
 * Reads a key's value, or says who is to compute it.
 *
 * @param ttl_s how long a value that is stored by the lease counts as fresh; 0 for ever.
 * @param stale_ttl_s how long after that it may still be served while somebody computes the next one; 0 or more.
 * @param value out, the caller's (shoal_value_free): the fresh value with 0, the old one with SHOAL_STALE, and with
 *        SHOAL_COMPUTE the old one where there is one. NULL where there is none.
 * @param lease out, the caller's (shoal_lease_free): with SHOAL_COMPUTE alone.
 * @return 0: fresh. SHOAL_STALE: somebody else is computing. SHOAL_COMPUTE: compute it, then shoal_lease_store; also
 *         where nobody could be found out to compute it within `fetch_wait_ms`. Errors as shoal_get.
 * Thread safety: any thread. Blocks: while somebody else computes and there is no old value, `fetch_wait_ms`; beside
 * that a few calls of `operation_timeout_ms` at most. Since 0.1. Source: the leases of "Scaling Memcache at Facebook",
 * with a claim beside the item in place of a token in it; early recomputation (`fetch_beta`) after Vattani et al.
 */
SHOAL_API shoal_status shoal_fetch_begin(shoal_client *client, const char *key, size_t key_len, int64_t ttl_s,
                                         int64_t stale_ttl_s, shoal_value **value, shoal_lease **lease,
                                         shoal_error **error);

/**
 * Stores what was computed, and ends the claim. Once for each lease.
 *
 * @param flags the codec's, as with shoal_store.
 * @return 0; SHOAL_E_INVALID for NULL or a lease that stored already; errors as shoal_set: then the value in hand is
 *         right all the same, and the next caller computes it anew.
 * Thread safety: a lease belongs to one thread at a time. Blocks: as two calls of shoal_set. Since 0.1.
 */
SHOAL_API shoal_status shoal_lease_store(shoal_lease *lease, const void *value, size_t value_len, uint32_t flags,
                                         shoal_error **error);

/**
 * Gives a lease's claim back, so that somebody else computes at once: the computation failed. A value may still be
 * stored by it. Does nothing where there is no claim, or no more, nor in a child that inherited the lease by a fork.
 *
 * @param lease may be NULL.
 * Thread safety: as shoal_lease_store. Blocks: `operation_timeout_ms` at most. Since 0.1.
 */
SHOAL_API void shoal_lease_abandon(shoal_lease *lease);

/**
 * Frees a lease; one that stored nothing is abandoned first.
 *
 * @param lease may be NULL.
 * Thread safety: as shoal_lease_store. Blocks: `operation_timeout_ms` where it stored nothing and was not abandoned.
 * Since 0.1.
 */
SHOAL_API void shoal_lease_free(shoal_lease *lease);

SHOAL_END_DECLS

#endif
