/* The core's codecs on Ruby's strings: flags, and compression where it saves anything.
 * May include: support.h. Called by the wrapper that SWIG makes. */
#include "support.h"

#include <stdbool.h>

/* From here on others may run meanwhile: compressing takes some 30 ms a megabyte. */
#define LARGE_BYTES ((size_t)16 * 1024)

/* One call of the core's, either way: what it takes, and what it gives. */
struct conversion {
    const shoal_codec *codec;
    VALUE string;
    const void *data;
    size_t size;
    int compress;
    size_t min_bytes;
    int kind;
    uint32_t flags;
    const void *out;
    size_t out_size;
    shoal_value *owner;
    shoal_error *error;
};

/* What came out, as a string: the caller's own where it is all of it. */
static VALUE result_of(const struct conversion *job) {
    if (job->out == job->data && job->out_size == job->size)
        return job->string;
    return shoal_ruby_binary(job->out, job->out_size);
}

static VALUE free_owner(VALUE data) {
    shoal_value_free(((struct conversion *)shoal_ruby_pointer(data))->owner);
    return Qnil;
}

/* Runs one conversion, and makes the result of what came out; what it allocated is freed however that ends. */
static VALUE convert(struct conversion *job, VALUE string, bool alone, void (*run)(void *), VALUE (*result)(VALUE)) {
    VALUE held = shoal_ruby_bytes(string);
    VALUE made = Qnil;
    job->string = string;
    job->data = RSTRING_PTR(held);
    job->size = (size_t)RSTRING_LEN(held);
    if (alone || job->size < LARGE_BYTES)
        run(job);
    else
        shoal_ruby_unlock(run, job);
    if (job->error == NULL)
        made = rb_ensure(result, (VALUE)job, free_owner, (VALUE)job);
    RB_GC_GUARD(held);
    shoal_ruby_settle(job->error);
    return made;
}

static void encode(void *data) {
    struct conversion *job = data;
    shoal_codec_encode(job->codec, job->kind, job->data, job->size, job->compress, job->min_bytes, 0, &job->out,
                       &job->out_size, &job->flags, &job->owner, &job->error);
}

static VALUE encoded(VALUE data) {
    const struct conversion *job = shoal_ruby_pointer(data);
    return rb_assoc_new(result_of(job), UINT2NUM(job->flags));
}

VALUE shoal_ruby_encode(const shoal_codec *codec, int kind, VALUE data, int compress, size_t min_bytes) {
    struct conversion job = {.codec = codec, .kind = kind, .compress = compress, .min_bytes = min_bytes};
    return convert(&job, data, compress == SHOAL_COMPRESS_NONE, encode, encoded);
}

static void decode(void *data) {
    struct conversion *job = data;
    uint32_t user_flags = 0;
    shoal_codec_decode(job->codec, job->flags, job->data, job->size, 0, &job->kind, &job->out, &job->out_size,
                       &user_flags, &job->owner, &job->error);
}

static VALUE decoded(VALUE data) {
    const struct conversion *job = shoal_ruby_pointer(data);
    return rb_assoc_new(INT2NUM(job->kind), result_of(job));
}

VALUE shoal_ruby_decode(const shoal_codec *codec, unsigned flags, VALUE data) {
    struct conversion job = {.codec = codec, .flags = flags};
    return convert(&job, data, false, decode, decoded);
}
