/* What the wrapper that SWIG makes calls: conversions, handles, exceptions, whole batches, codecs.
 * May include: unlocked.h, <shoal/shoal.h>, ruby.h. Every function here is called with Ruby's lock held, and may jump
 * with an exception: whoever calls one holds nothing but Ruby's objects, or has rb_ensure give it back. */
#ifndef SHOAL_RUBY_SUPPORT_H
#define SHOAL_RUBY_SUPPORT_H

#include "unlocked.h"

#include <ruby.h>

#include <shoal/shoal.h>

/* What rb_ensure hands to a function, which is a pointer of ours. */
static inline void *shoal_ruby_pointer(VALUE data) {
    return (void *)data; /* NOLINT(performance-no-int-to-ptr): Ruby's C API has it so */
}

/* --- From Ruby --- */

/* A key's bytes as a frozen string, of a String or a Symbol. */
VALUE shoal_ruby_key(VALUE object);

/* A value's bytes as a frozen string, of a String. */
VALUE shoal_ruby_bytes(VALUE object);

/* A frozen string for StringValueCStr, or nil. */
VALUE shoal_ruby_text(VALUE object);

/* An Integer within the range; any other object is a TypeError, any other number a RangeError. */
int64_t shoal_ruby_signed(VALUE number, int64_t least, int64_t most);
uint64_t shoal_ruby_unsigned(VALUE number, uint64_t most);

/* --- To Ruby --- */

/* A binary string. */
VALUE shoal_ruby_binary(const void *data, size_t size);

/* C's text as a string in UTF-8; what is none is escaped. */
VALUE shoal_ruby_string(const char *text);

/* [bytes, flags, cas], or nil for NULL. The value is freed. */
VALUE shoal_ruby_value(shoal_value *value);

/* --- Handles --- */

/* An object that holds a pointer of this type, and frees it if the type does. */
VALUE shoal_ruby_handle(const rb_data_type_t *type, const void *pointer);

/* The same for what belongs to its parent, which it keeps alive. */
VALUE shoal_ruby_borrowed(const rb_data_type_t *type, const void *pointer, VALUE parent);

/* --- Exceptions --- */

/* Takes what makes exceptions: factory.call(status, message, node, errno, attempts, retriable, outcome_unknown,
 * partial). Returns nil. */
VALUE shoal_ruby_use_errors(VALUE factory);

/* What the factory makes of an error; partial may be nil. */
VALUE shoal_ruby_exception(const shoal_error *error, VALUE partial);

/* The end of every call: frees the error and raises it, or lets pending interrupts (a timeout, Thread#kill, a signal)
 * have their way where there is none. */
void shoal_ruby_settle(shoal_error *error);

/* --- Batches: each runs once, with the lock given up while it does. --- */

/* The hits among the keys, as a hash under the caller's own keys: codec.decode(bytes, flags), or bytes where the codec
 * is nil. Where a key failed, the exception carries the hits as partial. */
VALUE shoal_ruby_get_many(shoal_client *client, VALUE keys, VALUE codec);

/* Stores items, each [key, value, flags]. Returns an array of the keys that were not stored. */
VALUE shoal_ruby_set_many(shoal_client *client, VALUE items, int64_t ttl_s);

/* Returns an array of the keys that could not be deleted; a missing one is not among them. */
VALUE shoal_ruby_delete_many(shoal_client *client, VALUE keys);

/* --- Codecs --- */

/* [what to store, flags]: the string itself where nothing had to be compressed. */
VALUE shoal_ruby_encode(const shoal_codec *codec, int kind, VALUE data, int compress, size_t min_bytes);

/* [kind, bytes]: the string itself where nothing had to be decompressed. */
VALUE shoal_ruby_decode(const shoal_codec *codec, unsigned flags, VALUE data);

#endif
