/* What the nodes say of themselves: memcached's `stats`.
 * May include: <shoal/client.h>. */
#ifndef SHOAL_STATS_H
#define SHOAL_STATS_H

#include <shoal/client.h>

SHOAL_BEGIN_DECLS

/**
 * Asks every node of the fleet.
 *
 * @param group NULL for the general counters, else what memcached's `stats` takes: "settings", "items", "slabs", ...
 * @param stats out, the caller's: shoal_stats_free.
 * @return 0 where the nodes were asked: shoal_stats_node_status tells which of them answered; or an error.
 * Thread safety: any thread. Blocks: `operation_timeout_ms` at most. Since 0.1. Source: memcached's doc/protocol.txt.
 */
SHOAL_API shoal_status shoal_stats_read(shoal_client *client, const char *group, shoal_stats **stats,
                                        shoal_error **error);

/** How many nodes were asked. NULL-safe (0); any thread; never blocks. Since 0.1. */
SHOAL_API size_t shoal_stats_node_count(const shoal_stats *stats);
/** A node's name; "" beyond the end; borrowed until the stats are freed. Any thread; never blocks. Since 0.1. */
SHOAL_API const char *shoal_stats_node_name(const shoal_stats *stats, size_t node);
/** 0 where the node answered, else what went wrong. Any thread; never blocks. Since 0.1. */
SHOAL_API shoal_status shoal_stats_node_status(const shoal_stats *stats, size_t node);
/** How many counters the node gave. Any thread; never blocks. Since 0.1. */
SHOAL_API size_t shoal_stats_count(const shoal_stats *stats, size_t node);
/** A counter's name; "" beyond the end; borrowed until the stats are freed. Any thread; never blocks. Since 0.1. */
SHOAL_API const char *shoal_stats_name(const shoal_stats *stats, size_t node, size_t index);
/** A counter's value as text; "" beyond the end; borrowed until the stats are freed. Any thread; never blocks. Since
 * 0.1. */
SHOAL_API const char *shoal_stats_value(const shoal_stats *stats, size_t node, size_t index);
/** Frees stats. NULL-safe; any thread; never blocks. Since 0.1. */
SHOAL_API void shoal_stats_free(shoal_stats *stats);

SHOAL_END_DECLS

#endif
