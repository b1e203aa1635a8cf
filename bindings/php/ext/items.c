/* Single items: read and decoded, encoded and stored.
 * May include: support.h, PHP's headers. Called by the wrapper that SWIG makes. */
#include "support.h"

static void release_value(void *value) {
    shoal_value_free(value);
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
    bool fine =
        shoal_php_decode(codec, shoal_value_data(value), shoal_value_size(value), shoal_value_flags(value), into);
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
