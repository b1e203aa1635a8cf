/* The serialisers: PHP's own and JSON by PHP's C, igbinary and msgpack by their functions, where they are installed.
 * May include: support.h, PHP's headers. Called by codecs.c. */
#include "support.h"

#include <ext/json/php_json.h>
#include <ext/standard/php_var.h>
#include <zend_exceptions.h>
#include <zend_smart_str.h>

/* Slashes and letters stay readable, and 1.0 stays a float. */
#define JSON_WRITING (PHP_JSON_UNESCAPED_SLASHES | PHP_JSON_UNESCAPED_UNICODE | PHP_JSON_PRESERVE_ZERO_FRACTION)

static const struct serializer {
    const char *name;
    int kind;
    bool makes_arrays;
    const char *extension; /* whose functions do it; NULL: PHP's own C */
    const char *encode;
    const char *decode;
} serializers[] = {
    {"php", SHOAL_KIND_PHP, false, NULL, NULL, NULL},
    {"json", SHOAL_KIND_JSON, false, NULL, NULL, NULL},
    {"json_array", SHOAL_KIND_JSON, true, NULL, NULL, NULL},
    {"igbinary", SHOAL_KIND_IGBINARY, false, "igbinary", "igbinary_serialize", "igbinary_unserialize"},
    {"msgpack", SHOAL_KIND_MSGPACK, false, "msgpack", "msgpack_pack", "msgpack_unpack"},
};

#define SERIALIZERS (sizeof(serializers) / sizeof(serializers[0]))

int shoal_php_serializer(const char *name, bool *makes_arrays) {
    for (size_t i = 0; name != NULL && i < SERIALIZERS; i++)
        if (strcmp(serializers[i].name, name) == 0) {
            *makes_arrays = serializers[i].makes_arrays;
            return serializers[i].kind;
        }
    return 0;
}

static const struct serializer *of_kind(int kind) {
    for (size_t i = 0; i < SERIALIZERS; i++)
        if (serializers[i].kind == kind)
            return &serializers[i];
    return NULL;
}

/* What cannot be read is damage, or another client's; an exception of the value's own class goes along. */
static bool refuse(int kind) {
    zend_string *message = zend_strpprintf(0,
                                           "a stored value of the kind %s cannot be read: it is damaged, or another "
                                           "client wrote it",
                                           shoal_kind_name(kind));
    shoal_php_throw_new(SHOAL_E_BAD_VALUE, ZSTR_VAL(message));
    zend_string_release(message);
    return false;
}

/* --- By PHP's own C --- */

static bool write_php(zval *value, zend_string **data) {
    php_serialize_data_t seen;
    smart_str text = {0};
    PHP_VAR_SERIALIZE_INIT(seen);
    php_var_serialize(&text, value, &seen);
    PHP_VAR_SERIALIZE_DESTROY(seen);
    *data = smart_str_extract(&text);
    if (EG(exception) == NULL)
        return true;
    zend_string_release(*data);
    return false;
}

static bool read_php(const char *data, size_t size, zval *into) {
    php_unserialize_data_t seen;
    const unsigned char *at = (const unsigned char *)data;
    const unsigned char *end = at + size;
    PHP_VAR_UNSERIALIZE_INIT(seen);
    zval *slot = var_tmp_var(&seen);
    bool fine = php_var_unserialize(slot, &at, end, &seen) && at == end;
    if (fine)
        ZVAL_COPY_DEREF(into, slot);
    else
        ZVAL_NULL(into);
    PHP_VAR_UNSERIALIZE_DESTROY(seen); /* wakes objects up */
    if (fine && EG(exception) == NULL)
        return true;
    zval_ptr_dtor(into);
    ZVAL_NULL(into);
    return refuse(SHOAL_KIND_PHP);
}

static bool write_json(zval *value, zend_string **data) {
    smart_str text = {0};
    zend_result status = php_json_encode_ex(&text, value, JSON_WRITING, PHP_JSON_PARSER_DEFAULT_DEPTH);
    *data = smart_str_extract(&text);
    /* Infinity is written as 0, with an error beside it. */
    if (status == SUCCESS && JSON_G(error_code) == PHP_JSON_ERROR_NONE && EG(exception) == NULL)
        return true;
    zend_string_release(*data);
    if (EG(exception) == NULL)
        zend_value_error("this value of the type %s cannot be told in JSON (error %d of json_last_error)",
                         zend_zval_type_name(value), (int)JSON_G(error_code));
    return false;
}

static bool read_json(const char *data, size_t size, bool makes_arrays, zval *into) {
    zend_long options = PHP_JSON_THROW_ON_ERROR | (makes_arrays ? PHP_JSON_OBJECT_AS_ARRAY : 0);
    zend_string *ended = zend_string_init(data, size, false); /* the parser wants a NUL behind it */
    ZVAL_NULL(into);
    php_json_decode_ex(into, ZSTR_VAL(ended), size, options, PHP_JSON_PARSER_DEFAULT_DEPTH);
    zend_string_release(ended);
    if (EG(exception) == NULL)
        return true;
    zval_ptr_dtor(into);
    ZVAL_NULL(into);
    return refuse(SHOAL_KIND_JSON);
}

/* --- By another extension's function --- */

static bool call(const struct serializer *serializer, const char *name, zval *argument, zval *result) {
    zend_function *function = zend_hash_str_find_ptr(CG(function_table), name, strlen(name));
    ZVAL_NULL(result);
    if (function == NULL) {
        zend_string *message = zend_strpprintf(0, "the serializer %s takes PHP's extension %s, which is not loaded",
                                               serializer->name, serializer->extension);
        shoal_php_throw_new(SHOAL_E_UNSUPPORTED, ZSTR_VAL(message));
        zend_string_release(message);
        return false;
    }
    zend_call_known_function(function, NULL, NULL, result, 1, argument, NULL);
    if (EG(exception) == NULL)
        return true;
    zval_ptr_dtor(result);
    ZVAL_NULL(result);
    return false;
}

static bool write_by(const struct serializer *serializer, zval *value, zend_string **data) {
    zval result;
    if (!call(serializer, serializer->encode, value, &result))
        return false;
    if (Z_TYPE(result) != IS_STRING) {
        zval_ptr_dtor(&result);
        zend_value_error("%s cannot tell a value of the type %s", serializer->name, zend_zval_type_name(value));
        return false;
    }
    *data = Z_STR(result);
    return true;
}

/* Their functions give null or false for what they cannot read, as they do for null and false themselves. */
static bool is_itself(const struct serializer *serializer, const zval *data, zval *read) {
    zend_string *again = NULL;
    if (Z_TYPE_P(read) != IS_NULL && Z_TYPE_P(read) != IS_FALSE)
        return true;
    if (!write_by(serializer, read, &again))
        return false;
    bool same = zend_string_equals(again, Z_STR_P(data));
    zend_string_release(again);
    return same;
}

static bool read_by(const struct serializer *serializer, const char *data, size_t size, zval *into) {
    zval bytes;
    ZVAL_STRINGL(&bytes, data, size);
    bool called = call(serializer, serializer->decode, &bytes, into);
    bool fine = called && is_itself(serializer, &bytes, into);
    zval_ptr_dtor(&bytes);
    if (fine)
        return true;
    zval_ptr_dtor(into);
    ZVAL_NULL(into);
    return EG(exception) != NULL && !called ? false : refuse(serializer->kind);
}

/* --- What codecs.c calls --- */

bool shoal_php_serialize(int kind, zval *value, zend_string **data) {
    const struct serializer *serializer = of_kind(kind);
    if (kind == SHOAL_KIND_PHP)
        return write_php(value, data);
    if (kind == SHOAL_KIND_JSON)
        return write_json(value, data);
    return write_by(serializer, value, data);
}

bool shoal_php_unserialize(int kind, const char *data, size_t size, bool makes_arrays, zval *into) {
    const struct serializer *serializer = of_kind(kind);
    if (kind == SHOAL_KIND_PHP)
        return read_php(data, size, into);
    if (kind == SHOAL_KIND_JSON)
        return read_json(data, size, makes_arrays, into);
    return serializer == NULL ? refuse(kind) : read_by(serializer, data, size, into);
}
