/* Single operations: one key, one round trip, one deadline.
 * May include: <shoal/client.h>, <shoal/value.h>. Many keys at once: batch.h. */
#ifndef SHOAL_OPERATIONS_H
#define SHOAL_OPERATIONS_H

#include <shoal/client.h>
#include <shoal/value.h>

SHOAL_BEGIN_DECLS

/* True of every operation here:
 *
 * Keys are 1 to 250 bytes together with `key_prefix`, none of them 0x00-0x20 or 0x7f: else SHOAL_E_BAD_KEY. With
 * binary_keys=true any byte may stand in a key of up to 186 bytes, on nodes that speak the meta protocol: else
 * SHOAL_E_UNSUPPORTED. Values are at most `max_value_bytes`: else SHOAL_E_TOO_LARGE, in reads too.
 * Times to live are seconds: 0 for ever, negative expired at once; over 30 days the wall clock of this host counts.
 * Blocks: `operation_timeout_ms` at most, with discovery, name resolution, connecting and the command all in it. With
 * protocol=libmemcached a server that sends one item in trickles can hold a call for longer.
 * Thread safety: any number of threads on one client; after fork, parent and child.
 * Errors: SHOAL_E_BAD_KEY, SHOAL_E_TIMEOUT, SHOAL_E_NODE_DOWN, SHOAL_E_DISCOVERY, SHOAL_E_PROTOCOL, SHOAL_E_SERVER,
 * SHOAL_E_CLOSED, SHOAL_E_INVALID, SHOAL_E_NO_MEMORY, SHOAL_E_SYSTEM; each function names what it adds.
 * Source: memcached's doc/protocol.txt.
 */

/** How shoal_store and shoal_batch_store store. */
#define SHOAL_SET 0     /**< whatever was there */
#define SHOAL_ADD 1     /**< only where nothing was: else SHOAL_NOT_STORED */
#define SHOAL_REPLACE 2 /**< only where something was: else SHOAL_NOT_STORED */
#define SHOAL_APPEND 3  /**< behind what was there, whose flags and lifetime stay: else SHOAL_NOT_STORED */
#define SHOAL_PREPEND 4 /**< before what was there, whose flags and lifetime stay: else SHOAL_NOT_STORED */
#define SHOAL_CAS 5     /**< only where the item is still that of the cas token: else SHOAL_EXISTS or SHOAL_NOT_FOUND */

/**
 * Reads an item, with its flags and its cas token.
 *
 * @param value out, the caller's: shoal_value_free.
 * @return 0, SHOAL_NOT_FOUND, or an error. Since 0.1.
 */
SHOAL_API shoal_status shoal_get(shoal_client *client, const char *key, size_t key_len, shoal_value **value,
                                 shoal_error **error);

/**
 * Reads an item as shoal_get does, with what the server knows of it besides: shoal_value_ttl_s, shoal_value_idle_s,
 * shoal_value_was_read. With protocol=libmemcached these say that it is not known.
 *
 * @param value out, the caller's: shoal_value_free.
 * @return 0, SHOAL_NOT_FOUND, or an error. Since 0.1. Source: memcached's mg, flags t, l and h.
 */
SHOAL_API shoal_status shoal_gets(shoal_client *client, const char *key, size_t key_len, shoal_value **value,
                                  shoal_error **error);

/**
 * Stores an item with flags 0: the short form of shoal_store.
 *
 * @param value may be NULL where value_len is 0.
 * @return 0, SHOAL_E_TOO_LARGE (the server then holds no item under this key), or an error. Since 0.1.
 */
SHOAL_API shoal_status shoal_set(shoal_client *client, const char *key, size_t key_len, const void *value,
                                 size_t value_len, int64_t ttl_s, shoal_error **error);

/**
 * Stores an item in one of six ways.
 *
 * @param mode SHOAL_SET, SHOAL_ADD, SHOAL_REPLACE, SHOAL_APPEND, SHOAL_PREPEND or SHOAL_CAS.
 * @param value may be NULL where value_len is 0.
 * @param flags 32 bits that come back with the value; append and prepend leave them as they were.
 * @param cas the token of SHOAL_CAS, from shoal_value_cas; 0 otherwise.
 * @param new_cas out, may be NULL: the stored item's token; 0 where another writer came between (with
 *        protocol=libmemcached it takes a second round trip).
 * @return 0, SHOAL_NOT_STORED, SHOAL_EXISTS, SHOAL_NOT_FOUND, SHOAL_E_TOO_LARGE, or an error. Where the server has no
 *         memory for the item (SHOAL_E_SERVER), what was there may be gone. Since 0.1.
 */
SHOAL_API shoal_status shoal_store(shoal_client *client, int mode, const char *key, size_t key_len, const void *value,
                                   size_t value_len, uint32_t flags, int64_t ttl_s, uint64_t cas, uint64_t *new_cas,
                                   shoal_error **error);

/**
 * Deletes an item.
 *
 * @return 0, SHOAL_NOT_FOUND, or an error. Since 0.1.
 */
SHOAL_API shoal_status shoal_delete(shoal_client *client, const char *key, size_t key_len, shoal_error **error);

/**
 * Gives an item a new time to live.
 *
 * @return 0, SHOAL_NOT_FOUND, or an error. Since 0.1.
 */
SHOAL_API shoal_status shoal_touch(shoal_client *client, const char *key, size_t key_len, int64_t ttl_s,
                                   shoal_error **error);

/**
 * Reads an item and gives it a new time to live. With protocol=libmemcached it takes two round trips.
 *
 * @param value out, the caller's: shoal_value_free.
 * @return 0, SHOAL_NOT_FOUND, or an error. Since 0.1.
 */
SHOAL_API shoal_status shoal_get_and_touch(shoal_client *client, const char *key, size_t key_len, int64_t ttl_s,
                                           shoal_value **value, shoal_error **error);

/**
 * Adds to a counter: an item that is a decimal number of 64 bits without sign. Past 2^64 - 1 it wraps; below 0 it
 * stays at 0. It is never repeated on its own: where the reply was lost, the error says that the outcome is unknown.
 *
 * @param delta how much; negative subtracts.
 * @param initial may be NULL. Where the key is missing, the counter starts with this number (delta is not added) and
 * ttl_s.
 * @param ttl_s counts only where the counter is made; an existing one keeps its own.
 * @param value out, may be NULL: the new number.
 * @return 0, SHOAL_NOT_FOUND (no item and no initial), SHOAL_E_NOT_A_NUMBER, or an error. Since 0.1.
 */
SHOAL_API shoal_status shoal_increment(shoal_client *client, const char *key, size_t key_len, int64_t delta,
                                       const uint64_t *initial, int64_t ttl_s, uint64_t *value, shoal_error **error);

/**
 * Empties every node of the fleet, other clients' items too. memcached from about 1.6.22 on may keep some items that
 * were stored in the very second of the call: it looks for those in its lists, which are not strictly by time.
 *
 * @return 0, or the error of the first node that failed: the others were emptied all the same. Since 0.1.
 */
SHOAL_API shoal_status shoal_flush_all(shoal_client *client, shoal_error **error);

SHOAL_END_DECLS

#endif
