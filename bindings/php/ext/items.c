/* Single items: read and decoded, encoded and stored, computed by one at a time.
 * May include: support.h, PHP's headers. Called by the wrapper that SWIG makes. */
#include "support.h"

static void release_value(void *value) {
    shoal_value_free(value);
}

static bool decode(const shoal_value *value, zval *codec, zval *into) {
    return shoal_php_decode(codec, shoal_value_data(value), shoal_value_size(value), shoal_value_flags(value), into);
}

/* Decodes what was found, if anything was, and frees it. Whether there was a value, and nothing is pending. */
static bool take_value(shoal_value *value, shoal_error *error, zval *codec, zval *into) {
    if (error != NULL) {
        shoal_php_fail(error);
        return false;
    }
    if (value == NULL)
        return false;
    shoal_php_hold(value, release_value);
    bool fine = decode(value, codec, into);
    shoal_php_release(value, release_value);
    return fine;
}

static void give(shoal_value *value, shoal_error *error, zval *codec, zval *fallback, zval *return_value) {
    if (!take_value(value, error, codec, return_value) && EG(exception) == NULL)
        ZVAL_COPY(return_value, fallback);
}

void shoal_php_get(shoal_client *client, const char *key, size_t key_len, zval *codec, zval *fallback,
                   zval *return_value) {
    shoal_value *value = NULL;
    shoal_error *error = NULL;
    shoal_get(client, key, key_len, &value, &error);
    give(value, error, codec, fallback, return_value);
}

void shoal_php_get_and_touch(shoal_client *client, const char *key, size_t key_len, int64_t ttl_s, zval *codec,
                             zval *fallback, zval *return_value) {
    shoal_value *value = NULL;
    shoal_error *error = NULL;
    shoal_get_and_touch(client, key, key_len, ttl_s, &value, &error);
    give(value, error, codec, fallback, return_value);
}

void shoal_php_gets(shoal_client *client, const char *key, size_t key_len, zval *codec, zval *return_value) {
    shoal_value *value = NULL;
    shoal_error *error = NULL;
    zval found;
    zval token;
    shoal_get(client, key, key_len, &value, &error);
    uint64_t cas = shoal_value_cas(value);
    if (!take_value(value, error, codec, &found))
        return;
    shoal_php_from_unsigned(&token, cas);
    array_init_size(return_value, 2);
    add_next_index_zval(return_value, &found);
    add_next_index_zval(return_value, &token);
}

/* The client is looked up behind the codec, which may run a script that closes it. */
void shoal_php_store(zval *client, int mode, zval *key, zval *value, int64_t ttl_s, uint64_t cas, zval *codec,
                     zval *return_value) {
    const char *bytes = NULL;
    size_t size = 0;
    zend_string *data = NULL;
    uint32_t flags = 0;
    shoal_error *error = NULL;
    if (!shoal_php_key(key, &bytes, &size) || !shoal_php_encode(codec, value, &data, &flags))
        return;
    shoal_client *open = shoal_php_handle(client, &shoal_php_client_class);
    shoal_status status = SHOAL_OK;
    if (open != NULL)
        status = shoal_store(open, mode, bytes, size, ZSTR_VAL(data), ZSTR_LEN(data), flags, ttl_s, cas, NULL, &error);
    zend_string_release(data);
    if (error != NULL)
        shoal_php_fail(error);
    else
        ZVAL_BOOL(return_value, status == SHOAL_OK);
}

/* An old value that is to be computed anew comes as its bytes: where they cannot be decoded any more, a new value takes
 * their place. */
void shoal_php_fetch_begin(shoal_client *client, const char *key, size_t key_len, int64_t ttl_s, int64_t stale_ttl_s,
                           zval *codec, zval *return_value) {
    shoal_value *value = NULL;
    shoal_lease *lease = NULL;
    shoal_error *error = NULL;
    zval found;
    zval handle;
    zval bytes;
    ZVAL_NULL(&found);
    ZVAL_NULL(&bytes);
    shoal_status status = shoal_fetch_begin(client, key, key_len, ttl_s, stale_ttl_s, &value, &lease, &error);
    if (error != NULL) {
        shoal_php_fail(error);
        return;
    }
    shoal_php_hold(value, release_value);
    shoal_php_own(&handle, &shoal_php_lease_class, lease);
    bool fine = value == NULL || decode(value, status == SHOAL_COMPUTE ? &bytes : codec, &found);
    shoal_php_release(value, release_value);
    if (!fine)
        return;
    array_init_size(return_value, 3);
    add_next_index_long(return_value, status);
    add_next_index_zval(return_value, &found);
    add_next_index_zval(return_value, &handle);
}

/* A lease cannot be closed, whatever scripts the codec runs; the argument keeps it. */
void shoal_php_lease_store(zval *lease, zval *value, zval *codec) {
    zend_string *data = NULL;
    uint32_t flags = 0;
    shoal_error *error = NULL;
    shoal_lease *held = shoal_php_handle(lease, &shoal_php_lease_class);
    if (held == NULL || !shoal_php_encode(codec, value, &data, &flags))
        return;
    shoal_lease_store(held, ZSTR_VAL(data), ZSTR_LEN(data), flags, &error);
    zend_string_release(data);
    if (error != NULL)
        shoal_php_fail(error);
}
