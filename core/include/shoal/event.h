/* What happened in the background: a bounded queue that each client's owner drains when it likes.
 * May include: <shoal/client.h>. Nothing is ever called back or printed. */
#ifndef SHOAL_EVENT_H
#define SHOAL_EVENT_H

#include <shoal/client.h>

SHOAL_BEGIN_DECLS

#define SHOAL_EVENT_TOPOLOGY_CHANGED 1    /**< another list of nodes is in use */
#define SHOAL_EVENT_DISCOVERY_FAILED 2    /**< a poll failed; the list in use stays */
#define SHOAL_EVENT_DISCOVERY_RECOVERED 3 /**< polls work again */
#define SHOAL_EVENT_NODE_FAILED 4         /**< a node refused, timed out or answered nonsense */
#define SHOAL_EVENT_NODE_RECOVERED 6      /**< a node that was out of use answered a probe: it is used again */
#define SHOAL_EVENT_WARNING 5             /**< something works, and yet should be looked at */

/**
 * Takes the oldest event that this client has not seen. The fleet keeps the last 256; what a client is too slow for
 * is counted by shoal_event_dropped.
 *
 * @param event out, the caller's: shoal_event_free.
 * @return 0, SHOAL_NOT_FOUND where none waits, SHOAL_E_INVALID, SHOAL_E_NO_MEMORY.
 * Thread safety: any thread. Blocks: never. Since 0.1.
 */
SHOAL_API shoal_status shoal_client_next_event(shoal_client *client, shoal_event **event, shoal_error **error);

/** SHOAL_EVENT_...; later releases may add kinds. NULL-safe (0); any thread; never blocks. Since 0.1. */
SHOAL_API int shoal_event_kind(const shoal_event *event);
/** One sentence for a log. NULL-safe (""); borrowed until the event is freed; any thread; never blocks. Since 0.1. */
SHOAL_API const char *shoal_event_message(const shoal_event *event);
/** The node or discovery endpoint it is about; "" where none. NULL-safe (""); borrowed until the event is freed; any
 * thread; never blocks. Since 0.1. */
SHOAL_API const char *shoal_event_node(const shoal_event *event);
/** The topology version at that moment. NULL-safe (0); any thread; never blocks. Since 0.1. */
SHOAL_API uint64_t shoal_event_version(const shoal_event *event);
/** How many events before this one were lost to this client. NULL-safe (0); any thread; never blocks. Since 0.1. */
SHOAL_API uint64_t shoal_event_dropped(const shoal_event *event);
/** Frees an event. NULL-safe; any thread; never blocks. Since 0.1. */
SHOAL_API void shoal_event_free(shoal_event *event);

SHOAL_END_DECLS

#endif
