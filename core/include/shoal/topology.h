/* The fleet as it is known now, and which node a key belongs to.
 * May include: <shoal/client.h>. */
#ifndef SHOAL_TOPOLOGY_H
#define SHOAL_TOPOLOGY_H

#include <shoal/client.h>

SHOAL_BEGIN_DECLS

/**
 * The list of nodes in use now: a snapshot that never changes; a later call may give another.
 *
 * @param topology out, the caller's: shoal_topology_free.
 * @return 0, SHOAL_E_DISCOVERY, SHOAL_E_TIMEOUT, SHOAL_E_CLOSED, SHOAL_E_INVALID, SHOAL_E_NO_MEMORY, SHOAL_E_SYSTEM.
 * Thread safety: any thread. Blocks: `operation_timeout_ms` at most, and only where no list is known yet. Since 0.1.
 */
SHOAL_API shoal_status shoal_client_topology(shoal_client *client, shoal_topology **topology, shoal_error **error);

/** The configuration version that the endpoint gave; 0 for a fixed list. NULL-safe (0); any thread; never blocks. Since
 * 0.1. */
SHOAL_API uint64_t shoal_topology_version(const shoal_topology *topology);
/** How many nodes. NULL-safe (0); any thread; never blocks. Since 0.1. */
SHOAL_API size_t shoal_topology_node_count(const shoal_topology *topology);
/** A node, in the order of the list; borrowed until the topology is freed; NULL beyond the end. Any thread; never
 * blocks. Since 0.1. */
SHOAL_API const shoal_node *shoal_topology_node_at(const shoal_topology *topology, size_t index);
/** Gives a topology back. NULL-safe; any thread; never blocks. Since 0.1. */
SHOAL_API void shoal_topology_free(shoal_topology *topology);

/**
 * The node that a key belongs to now; no traffic to it.
 *
 * @param node out, the caller's: shoal_node_free.
 * @return as shoal_client_topology, and SHOAL_E_BAD_KEY.
 * Thread safety: any thread. Blocks: as shoal_client_topology. Since 0.1.
 */
SHOAL_API shoal_status shoal_route(shoal_client *client, const char *key, size_t key_len, shoal_node **node,
                                   shoal_error **error);

/** `host:port` (an IPv6 literal in brackets), or the path of a Unix socket. NULL-safe (""); borrowed as the node; any
 * thread; never blocks. Since 0.1. */
SHOAL_API const char *shoal_node_name(const shoal_node *node);
/** The host name. NULL-safe (""); borrowed as the node; any thread; never blocks. Since 0.1. */
SHOAL_API const char *shoal_node_host(const shoal_node *node);
/** The address that discovery gave; "" where it gave none. NULL-safe (""); borrowed as the node; any thread; never
 * blocks. Since 0.1. */
SHOAL_API const char *shoal_node_address(const shoal_node *node);
/** The port; 0 for a Unix socket. NULL-safe (0); any thread; never blocks. Since 0.1. */
SHOAL_API uint16_t shoal_node_port(const shoal_node *node);
/** Its weight on the ring. NULL-safe (0); any thread; never blocks. Since 0.1. */
SHOAL_API uint32_t shoal_node_weight(const shoal_node *node);
/** Gives back a node of shoal_route. NULL-safe; any thread; never blocks. Since 0.1. */
SHOAL_API void shoal_node_free(shoal_node *node);

SHOAL_END_DECLS

#endif
