/* Clients: made of a configuration, light, shared by threads, safe across fork.
 * May include: <shoal/config.h>. What a client can do stands in operations.h, batch.h, topology.h, stats.h, event.h. */
#ifndef SHOAL_CLIENT_H
#define SHOAL_CLIENT_H

#include <shoal/config.h>

SHOAL_BEGIN_DECLS

/**
 * Makes a client. It never touches the network: the first call awaits discovery within its own deadline. Clients
 * of one process with the same endpoint and connection options share one fleet: one discovery, one set of lanes.
 *
 * One client serves any number of threads, and after a fork parent and child alike.
 *
 * @param config copied; `endpoint` must be set in it.
 * @param client out, the caller's: shoal_client_free.
 * @return 0, SHOAL_E_BAD_OPTION, SHOAL_E_BAD_ENDPOINT, SHOAL_E_UNSUPPORTED, SHOAL_E_INVALID, SHOAL_E_NO_MEMORY.
 * Thread safety: any thread. Blocks: never. Since 0.1.
 */
SHOAL_API shoal_status shoal_client_new(const shoal_config *config, shoal_client **client, shoal_error **error);

/**
 * The process's own client of this configuration: made at the first call, kept until the process ends, so that it
 * outlives a request (PHP). A closed one is replaced at the next call.
 *
 * @param config copied at the first call.
 * @param client out; shoal_client_free gives the caller's reference back, and leaving that out leaks nothing but a
 * count.
 * @return as shoal_client_new.
 * Thread safety: any thread. Blocks: never. Since 0.1.
 */
SHOAL_API shoal_status shoal_client_shared(const shoal_config *config, shoal_client **client, shoal_error **error);

/**
 * Closes a client: calls in flight finish, later ones get SHOAL_E_CLOSED. Idempotent. The last client of a fleet
 * closes its idle connections and ends its discovery.
 *
 * @param client may be NULL.
 * Thread safety: any thread. Blocks: 10 ms at most, where the background thread has to end. Since 0.1.
 */
SHOAL_API void shoal_client_close(shoal_client *client);

/**
 * Closes a client and gives its memory back once its batches are freed too. No call may be running on it.
 *
 * @param client may be NULL.
 * Thread safety: any thread; once for each shoal_client_new or shoal_client_shared. Blocks: as shoal_client_close.
 * Since 0.1.
 */
SHOAL_API void shoal_client_free(shoal_client *client);

/**
 * Joins the background thread of this process; the next call on any client starts it again. For hosts that must be
 * single-threaded for a moment (Python warns of a fork beside a second thread).
 *
 * Thread safety: any thread. Blocks: 10 ms at most. Since 0.1.
 */
SHOAL_API void shoal_quiesce(void);

SHOAL_END_DECLS

#endif
