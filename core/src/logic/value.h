/* Values and their free list.
 * May include: base/. Made by the transports and the codecs, read by callers. */
#ifndef SHOAL_LOGIC_VALUE_H
#define SHOAL_LOGIC_VALUE_H

#include <shoal/value.h>

/* A value with room for `size` bytes, not yet filled. NULL where memory ran out. Safe from any thread and after fork.
 */
shoal_value *shoal__value_new(size_t size, uint32_t flags, uint64_t cas);

/* Room for the small values of a batch, given back all at once. A zeroed one is empty; one thread at a time. */
struct shoal__value_arena {
    struct shoal__value_chunk *chunk;
    size_t used;
};

/* A value in the arena where it is small, else (and with a NULL arena) one of its own: shoal_value_free takes either.
 */
shoal_value *shoal__value_new_in(struct shoal__value_arena *arena, size_t size, uint32_t flags, uint64_t cas);

/* Ends all values in it, and keeps a little room for the next; then, or instead, gives all of it back. */
void shoal__value_arena_reset(struct shoal__value_arena *arena);
void shoal__value_arena_clear(struct shoal__value_arena *arena);

/* Where the bytes are to be written. */
void *shoal__value_bytes(shoal_value *value);

/* What the server told of the item beside its value: SHOAL_UNKNOWN, and -1, where it did not. A new value knows none.
 */
void shoal__value_describe(shoal_value *value, int64_t ttl_s, int64_t idle_s, int was_read);

/* Changes how many bytes a value has. Those that were there stay, as far as they fit; the value may move. NULL where
 * memory ran out: the value is then as it was. */
shoal_value *shoal__value_resize(shoal_value *value, size_t size);

#endif
