/* Many operations as one: grouped by node, sent to all, collected under one deadline, a status an item.
 * May include: <shoal/operations.h>. */
#ifndef SHOAL_BATCH_H
#define SHOAL_BATCH_H

#include <shoal/operations.h>

SHOAL_BEGIN_DECLS

/* Items are numbered in the order in which they were added, from 0. Keys and values are borrowed until
 * shoal_batch_run returns. Items of one node run in the order added; those of different nodes side by side.
 * A bad key or a value too large among good ones costs only itself: adding it succeeds, its status tells.
 * Where a connection breaks, what is safe to repeat is tried once more on another; appends, prepends, adds, replaces
 * and cas never are: where they were sent, their error says that the outcome is unknown. Thread safety of everything
 * here: a batch belongs to one thread at a time; its client may serve others meanwhile.
 */

/**
 * Makes an empty batch.
 *
 * @param client kept alive by the batch.
 * @param batch out, the caller's: shoal_batch_free.
 * @return 0, SHOAL_E_INVALID, SHOAL_E_NO_MEMORY. Blocks: never. Since 0.1.
 */
SHOAL_API shoal_status shoal_batch_new(shoal_client *client, shoal_batch **batch, shoal_error **error);

/** Adds a read. @return 0, SHOAL_E_INVALID, SHOAL_E_NO_MEMORY. Blocks: never. Since 0.1. */
SHOAL_API shoal_status shoal_batch_get(shoal_batch *batch, const char *key, size_t key_len, shoal_error **error);

/** Adds a store; parameters as in shoal_store. @return 0, SHOAL_E_INVALID, SHOAL_E_NO_MEMORY. Blocks: never. Since 0.1.
 */
SHOAL_API shoal_status shoal_batch_store(shoal_batch *batch, int mode, const char *key, size_t key_len,
                                         const void *value, size_t value_len, uint32_t flags, int64_t ttl_s,
                                         uint64_t cas, shoal_error **error);

/** Adds a deletion. @return 0, SHOAL_E_INVALID, SHOAL_E_NO_MEMORY. Blocks: never. Since 0.1. */
SHOAL_API shoal_status shoal_batch_delete(shoal_batch *batch, const char *key, size_t key_len, shoal_error **error);

/** Adds a touch; ttl_s as in shoal_touch. @return 0, SHOAL_E_INVALID, SHOAL_E_NO_MEMORY. Blocks: never. Since 0.1. */
SHOAL_API shoal_status shoal_batch_touch(shoal_batch *batch, const char *key, size_t key_len, int64_t ttl_s,
                                         shoal_error **error);

/**
 * Runs everything that was added. A batch runs once; shoal_batch_clear makes it ready for the next.
 *
 * @return 0: every item was decided (done, or an outcome such as SHOAL_NOT_FOUND); SHOAL_PARTIAL: some items have an
 *         error status; an error: nothing was sent (the client is closed, no node is known, the batch ran before).
 * Blocks: `operation_timeout_ms` at most for all items together: give it a generous one for batches of many thousands
 * of writes. Since 0.1.
 */
SHOAL_API shoal_status shoal_batch_run(shoal_batch *batch, shoal_error **error);

/** How many items were added. NULL-safe (0). Blocks: never. Since 0.1. */
SHOAL_API size_t shoal_batch_count(const shoal_batch *batch);

/** An item's status; SHOAL_E_INVALID before the run and beyond the end. Blocks: never. Since 0.1. */
SHOAL_API shoal_status shoal_batch_status(const shoal_batch *batch, size_t index);

/**
 * What an item's read found.
 *
 * @param data,size,flags,cas out, each may be NULL; data is borrowed until the batch is cleared, run again or freed.
 * @return the item's status: the outputs are set only where it is 0 and the item a read. Blocks: never. Since 0.1.
 */
SHOAL_API shoal_status shoal_batch_value(const shoal_batch *batch, size_t index, const void **data, size_t *size,
                                         uint32_t *flags, uint64_t *cas);

/**
 * Why an item failed. Items of one node that failed together share one error.
 *
 * @return borrowed until the batch is cleared or freed; NULL where the item did not fail. Blocks: never. Since 0.1.
 */
SHOAL_API const shoal_error *shoal_batch_error(const shoal_batch *batch, size_t index);

/** Forgets all items and their results. NULL-safe. Blocks: never. Since 0.1. */
SHOAL_API void shoal_batch_clear(shoal_batch *batch);

/** Frees a batch and what it read. NULL-safe. Blocks: never. Since 0.1. */
SHOAL_API void shoal_batch_free(shoal_batch *batch);

SHOAL_END_DECLS

#endif
