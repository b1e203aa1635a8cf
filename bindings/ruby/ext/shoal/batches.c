/* get_many, set_many and delete_many: one batch each, made from Ruby's objects and turned back into them.
 * May include: support.h. Called by the wrapper that SWIG makes. */
#include "support.h"

/* What a batch holds and borrows. It lies in an object, so that the strings are marked, and thereby pinned, and so that
 * nothing is lost even where a codec leaves in its own way (a fiber that is never resumed). */
struct run {
    shoal_batch *batch;
    shoal_error *error;
    VALUE items;    /* keys, or [key, value, flags]: an array of our own, which no other thread can change */
    VALUE *strings; /* frozen, a key an item, and of set_many a value behind it */
    long string_count;
    long count;
};

static void mark(void *data) {
    const struct run *run = data;
    rb_gc_mark(run->items);
    if (run->strings != NULL)
        rb_gc_mark_locations(run->strings, run->strings + run->string_count);
}

static void give_back(struct run *run) {
    shoal_batch_free(run->batch);
    shoal_error_free(run->error);
    xfree(run->strings);
    *run = (struct run){.items = Qnil};
}

static void free_run(void *data) {
    give_back(data);
    xfree(data);
}

static const rb_data_type_t run_type = {.wrap_struct_name = "shoal_batch",
                                        .function = {.dmark = mark, .dfree = free_run},
                                        .flags = RUBY_TYPED_FREE_IMMEDIATELY};

/* What a function for many keys was given, and its part that the others share. */
struct job {
    shoal_client *client;
    VALUE items;
    VALUE codec;
    int64_t ttl_s;
    struct run *run;
};

static VALUE finish(VALUE data) {
    give_back(((struct job *)shoal_ruby_pointer(data))->run);
    return Qnil;
}

/* Whatever happens in the work, the batch is freed at its end. */
static VALUE run_job(VALUE (*work)(VALUE), struct job *job) {
    VALUE result = Qnil;
    VALUE holder = TypedData_Make_Struct(rb_cObject, struct run, &run_type, job->run);
    result = rb_ensure(work, (VALUE)job, finish, (VALUE)job);
    RB_GC_GUARD(holder);
    rb_thread_check_ints();
    return result;
}

static void check(const struct run *run, shoal_status status) {
    if (status < 0)
        rb_exc_raise(shoal_ruby_exception(run->error, Qnil));
}

static void begin(const struct job *job, long strings_per_item) {
    struct run *run = job->run;
    Check_Type(job->items, T_ARRAY);
    run->items = rb_ary_dup(job->items);
    run->count = RARRAY_LEN(run->items);
    run->strings = ZALLOC_N(VALUE, run->count * strings_per_item + 1);
    run->string_count = run->count * strings_per_item;
    check(run, shoal_batch_new(job->client, &run->batch, &run->error));
}

/* Nothing is sent for a batch of nothing. */
static void execute(struct run *run) {
    if (run->count > 0)
        check(run, unlocked_shoal_batch_run(run->batch, &run->error));
}

/* --- Reading --- */

static void add_reads(struct run *run) {
    for (long i = 0; i < run->count; i++) {
        VALUE key = run->strings[i] = shoal_ruby_key(RARRAY_AREF(run->items, i));
        check(run, shoal_batch_get(run->batch, RSTRING_PTR(key), (size_t)RSTRING_LEN(key), &run->error));
    }
}

/* As a hash would do it with a string that is not frozen; but the frozen one is there already. */
static VALUE key_of_hit(const struct run *run, long index) {
    VALUE key = RARRAY_AREF(run->items, index);
    return SYMBOL_P(key) ? key : run->strings[index];
}

static void take_hit(const struct run *run, long index, VALUE codec, VALUE hits) {
    const void *data = NULL;
    size_t size = 0;
    uint32_t flags = 0;
    VALUE value = Qnil;
    if (shoal_batch_value(run->batch, (size_t)index, &data, &size, &flags, NULL) != SHOAL_OK)
        return;
    value = shoal_ruby_binary(data, size);
    if (!NIL_P(codec))
        value = rb_funcall(codec, rb_intern("decode"), 2, value, UINT2NUM(flags));
    if (run->batch != NULL) /* a continuation may come back here when all is over */
        rb_hash_aset(hits, key_of_hit(run, index), value);
}

/* All hits are taken before the first failure is told, so that the exception can carry them. */
static VALUE get_many(VALUE data) {
    const struct job *job = shoal_ruby_pointer(data);
    struct run *run = job->run;
    const shoal_error *failure = NULL;
    VALUE hits = rb_hash_new();
    begin(job, 1);
    add_reads(run);
    execute(run);
    for (long i = 0; i < run->count; i++) {
        if (failure == NULL)
            failure = shoal_batch_error(run->batch, (size_t)i);
        take_hit(run, i, job->codec, hits);
    }
    if (failure != NULL && run->batch != NULL)
        rb_exc_raise(shoal_ruby_exception(failure, hits));
    return hits;
}

VALUE shoal_ruby_get_many(shoal_client *client, VALUE keys, VALUE codec) {
    struct job job = {.client = client, .items = keys, .codec = codec};
    return run_job(get_many, &job);
}

/* --- Writing --- */

static void add_store(struct run *run, long index, int64_t ttl_s) {
    VALUE item = RARRAY_AREF(run->items, index);
    VALUE key = Qnil;
    VALUE value = Qnil;
    uint32_t flags = 0;
    if (!RB_TYPE_P(item, T_ARRAY) || RARRAY_LEN(item) != 3)
        rb_raise(rb_eTypeError, "an item is [key, value, flags]");
    key = run->strings[2 * index] = shoal_ruby_key(RARRAY_AREF(item, 0));
    value = run->strings[2 * index + 1] = shoal_ruby_bytes(RARRAY_AREF(item, 1));
    flags = (uint32_t)shoal_ruby_unsigned(RARRAY_AREF(item, 2), UINT32_MAX);
    check(run, shoal_batch_store(run->batch, SHOAL_SET, RSTRING_PTR(key), (size_t)RSTRING_LEN(key), RSTRING_PTR(value),
                                 (size_t)RSTRING_LEN(value), flags, ttl_s, 0, &run->error));
}

static VALUE set_many(VALUE data) {
    const struct job *job = shoal_ruby_pointer(data);
    struct run *run = job->run;
    VALUE failed = rb_ary_new();
    begin(job, 2);
    for (long i = 0; i < run->count; i++)
        add_store(run, i, job->ttl_s);
    execute(run);
    for (long i = 0; i < run->count; i++)
        if (shoal_batch_status(run->batch, (size_t)i) < 0)
            rb_ary_push(failed, rb_ary_entry(RARRAY_AREF(run->items, i), 0));
    return failed;
}

VALUE shoal_ruby_set_many(shoal_client *client, VALUE items, int64_t ttl_s) {
    struct job job = {.client = client, .items = items, .ttl_s = ttl_s};
    return run_job(set_many, &job);
}

static VALUE delete_many(VALUE data) {
    const struct job *job = shoal_ruby_pointer(data);
    struct run *run = job->run;
    VALUE failed = rb_ary_new();
    begin(job, 1);
    for (long i = 0; i < run->count; i++) {
        VALUE key = run->strings[i] = shoal_ruby_key(RARRAY_AREF(run->items, i));
        check(run, shoal_batch_delete(run->batch, RSTRING_PTR(key), (size_t)RSTRING_LEN(key), &run->error));
    }
    execute(run);
    for (long i = 0; i < run->count; i++)
        if (shoal_batch_status(run->batch, (size_t)i) < 0)
            rb_ary_push(failed, RARRAY_AREF(run->items, i));
    return failed;
}

VALUE shoal_ruby_delete_many(shoal_client *client, VALUE keys) {
    struct job job = {.client = client, .items = keys};
    return run_job(delete_many, &job);
}
