/* One item as it was read: bytes, flags, cas token.
 * May include: <shoal/types.h>. Values come from operations.h. */
#ifndef SHOAL_VALUE_H
#define SHOAL_VALUE_H

#include <shoal/types.h>

SHOAL_BEGIN_DECLS

/**
 * The item's bytes. They are not ended by a NUL byte.
 *
 * @param value may be NULL: then NULL.
 * @return borrowed until the value is freed; not NULL for an empty value.
 * Thread safety: any thread, as a value never changes. Blocks: never. Since 0.1.
 */
SHOAL_API const void *shoal_value_data(const shoal_value *value);

/** How many bytes it has. NULL-safe (0); any thread; never blocks. Since 0.1. */
SHOAL_API size_t shoal_value_size(const shoal_value *value);
/** The 32 flag bits stored beside it, whose meaning is the codec's. NULL-safe (0); any thread; never blocks. Since 0.1.
 */
SHOAL_API uint32_t shoal_value_flags(const shoal_value *value);
/** Its cas token, to be given to shoal_store with SHOAL_CAS. NULL-safe (0); any thread; never blocks. Since 0.1. */
SHOAL_API uint64_t shoal_value_cas(const shoal_value *value);

/** What a number of seconds is where the server did not tell it. */
#define SHOAL_UNKNOWN INT64_MIN

/**
 * How much longer the item lives, of a value that shoal_gets read.
 *
 * @param value may be NULL: then SHOAL_UNKNOWN.
 * @return seconds; -1: for ever; SHOAL_UNKNOWN: not read by shoal_gets, or by protocol=libmemcached.
 * Thread safety: any thread. Blocks: never. Since 0.1. Source: flag t of memcached's mg.
 */
SHOAL_API int64_t shoal_value_ttl_s(const shoal_value *value);

/**
 * How long ago the item was stored or read before this read; memcached counts reads within a minute as one.
 *
 * @param value may be NULL: then SHOAL_UNKNOWN.
 * @return seconds; SHOAL_UNKNOWN as in shoal_value_ttl_s.
 * Thread safety: any thread. Blocks: never. Since 0.1. Source: flag l of memcached's mg.
 */
SHOAL_API int64_t shoal_value_idle_s(const shoal_value *value);

/**
 * Whether anybody read the item since it was stored, before this read.
 *
 * @param value may be NULL: then -1.
 * @return 1, 0, or -1: not known, as in shoal_value_ttl_s.
 * Thread safety: any thread. Blocks: never. Since 0.1. Source: flag h of memcached's mg.
 */
SHOAL_API int shoal_value_was_read(const shoal_value *value);

/**
 * Gives a value back. Small ones go to a free list: reading and freeing them calls no allocator.
 *
 * @param value may be NULL.
 * Thread safety: any thread; once. Blocks: never. Since 0.1.
 */
SHOAL_API void shoal_value_free(shoal_value *value);

SHOAL_END_DECLS

#endif
