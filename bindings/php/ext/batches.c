/* get_many, set_many and delete_many: one batch each, made from PHP's arrays and turned back into them.
 * May include: support.h, PHP's headers. Called by the wrapper that SWIG makes. */
#include "support.h"

/* Keys and values are referenced here until the batch is freed: no script can change them meanwhile. What PHP allocates
 * needs no holding: where PHP jumps out, it takes that back itself. */
struct run {
    zend_string **keys;
    zend_string **values; /* of set_many */
    size_t count;
    shoal_batch *batch;
    shoal_error *error;
};

static void release_batch(void *batch) {
    shoal_batch_free(batch);
}

/* An int among the keys is a string of digits that PHP made one of. */
static bool take_key(const zval *value, zend_string **key) {
    ZVAL_DEREF(value);
    if (Z_TYPE_P(value) == IS_STRING)
        *key = zend_string_copy(Z_STR_P(value));
    else if (Z_TYPE_P(value) == IS_LONG)
        *key = zend_long_to_str(Z_LVAL_P(value));
    else
        zend_type_error("a key is a string, not %s", zend_zval_type_name(value));
    return EG(exception) == NULL;
}

static bool prepare(struct run *run, const zval *array) {
    *run = (struct run){.batch = NULL};
    if (Z_TYPE_P(array) != IS_ARRAY) {
        zend_type_error("an array is expected, not %s", zend_zval_type_name(array));
        return false;
    }
    run->keys = safe_emalloc(zend_hash_num_elements(Z_ARRVAL_P(array)), sizeof(zend_string *), sizeof(zend_string *));
    return true;
}

static bool take_keys(struct run *run, zval *keys) {
    zval *each = NULL;
    if (!prepare(run, keys))
        return false;
    ZEND_HASH_FOREACH_VAL(Z_ARRVAL_P(keys), each) {
        if (!take_key(each, &run->keys[run->count]))
            return false;
        run->count++;
    }
    ZEND_HASH_FOREACH_END();
    return true;
}

/* The batch is held from here on. */
static bool begin(struct run *run, const zval *handle) {
    shoal_client *client = shoal_php_handle(handle, &shoal_php_client_class);
    if (client == NULL)
        return false;
    if (shoal_batch_new(client, &run->batch, &run->error) < 0) {
        shoal_php_fail(run->error);
        return false;
    }
    shoal_php_hold(run->batch, release_batch);
    return true;
}

/* What was thrown, if anything was, stays pending. */
static void end(struct run *run) {
    if (run->batch != NULL)
        shoal_php_release(run->batch, release_batch);
    for (size_t i = 0; i < run->count; i++) {
        zend_string_release(run->keys[i]);
        if (run->values != NULL)
            zend_string_release(run->values[i]);
    }
    if (run->values != NULL)
        efree(run->values);
    if (run->keys != NULL)
        efree(run->keys);
}

static bool added(struct run *run, shoal_status status) {
    if (status >= 0)
        return true;
    shoal_php_fail(run->error);
    run->error = NULL;
    return false;
}

/* Nothing is sent for a batch of nothing. */
static bool execute(struct run *run) {
    return run->count == 0 || added(run, shoal_batch_run(run->batch, &run->error));
}

/* --- Reading --- */

static bool add_reads(struct run *run) {
    for (size_t i = 0; i < run->count; i++)
        if (!added(run, shoal_batch_get(run->batch, ZSTR_VAL(run->keys[i]), ZSTR_LEN(run->keys[i]), &run->error)))
            return false;
    return true;
}

/* All hits are taken before the first failure is told, so that the exception can carry them. */
static bool take_hits(const struct run *run, zval *codec, zval *hits, size_t *failed) {
    *failed = run->count;
    for (size_t i = 0; i < run->count; i++) {
        const void *data = NULL;
        size_t size = 0;
        uint32_t flags = 0;
        zval value;
        shoal_status status = shoal_batch_value(run->batch, i, &data, &size, &flags, NULL);
        if (status < 0 && *failed == run->count)
            *failed = i;
        if (status != SHOAL_OK)
            continue;
        if (!shoal_php_decode(codec, data, size, flags, &value))
            return false;
        zend_symtable_update(Z_ARRVAL_P(hits), run->keys[i], &value);
    }
    return true;
}

/* The error stays the batch's, which is held. */
void shoal_php_get_many(zval *client, zval *keys, zval *codec, zval *return_value) {
    struct run run;
    size_t failed = 0;
    if (take_keys(&run, keys) && begin(&run, client) && add_reads(&run) && execute(&run)) {
        array_init_size(return_value, (uint32_t)run.count);
        if (take_hits(&run, codec, return_value, &failed) && failed < run.count)
            shoal_php_throw(shoal_batch_error(run.batch, failed), return_value);
    }
    end(&run);
}

/* --- Writing --- */

/* Everything is encoded before the batch is made: that may run scripts. */
static bool take_items(struct run *run, zval *values, zval *codec, uint32_t **flags) {
    zend_ulong number = 0;
    zend_string *name = NULL;
    zval *each = NULL;
    if (!prepare(run, values))
        return false;
    run->values =
        safe_emalloc(zend_hash_num_elements(Z_ARRVAL_P(values)), sizeof(zend_string *), sizeof(zend_string *));
    *flags = safe_emalloc(zend_hash_num_elements(Z_ARRVAL_P(values)), sizeof(**flags), sizeof(**flags));
    ZEND_HASH_FOREACH_KEY_VAL(Z_ARRVAL_P(values), number, name, each) {
        if (!shoal_php_encode(codec, each, &run->values[run->count], &(*flags)[run->count]))
            return false;
        run->keys[run->count] = name != NULL ? zend_string_copy(name) : zend_long_to_str((zend_long)number);
        run->count++;
    }
    ZEND_HASH_FOREACH_END();
    return true;
}

static bool add_stores(struct run *run, const uint32_t *flags, int64_t ttl_s) {
    for (size_t i = 0; i < run->count; i++)
        if (!added(run, shoal_batch_store(run->batch, SHOAL_SET, ZSTR_VAL(run->keys[i]), ZSTR_LEN(run->keys[i]),
                                          ZSTR_VAL(run->values[i]), ZSTR_LEN(run->values[i]), flags[i], ttl_s, 0,
                                          &run->error)))
            return false;
    return true;
}

static bool add_deletions(struct run *run) {
    for (size_t i = 0; i < run->count; i++)
        if (!added(run, shoal_batch_delete(run->batch, ZSTR_VAL(run->keys[i]), ZSTR_LEN(run->keys[i]), &run->error)))
            return false;
    return true;
}

/* The keys, as strings, whose items ended with an error. */
static void give_failures(const struct run *run, zval *return_value) {
    array_init(return_value);
    for (size_t i = 0; i < run->count; i++)
        if (shoal_batch_status(run->batch, i) < 0)
            add_next_index_str(return_value, zend_string_copy(run->keys[i]));
}

void shoal_php_set_many(zval *client, zval *values, int64_t ttl_s, zval *codec, zval *return_value) {
    struct run run;
    uint32_t *flags = NULL;
    if (take_items(&run, values, codec, &flags) && begin(&run, client) && add_stores(&run, flags, ttl_s) &&
        execute(&run))
        give_failures(&run, return_value);
    end(&run);
    if (flags != NULL)
        efree(flags);
}

void shoal_php_delete_many(zval *client, zval *keys, zval *return_value) {
    struct run run;
    if (take_keys(&run, keys) && begin(&run, client) && add_deletions(&run) && execute(&run))
        give_failures(&run, return_value);
    end(&run);
}
