/* Codecs: PHP's values as bytes and flags, and back. The layout and the compression are the core's.
 * May include: support.h, PHP's headers. Called by items.c and batches.c, and by the wrapper that SWIG makes. */
#include "support.h"

#include <ext/standard/html.h>
#include <zend_exceptions.h>
#include <zend_smart_str.h>
#include <zend_strtod.h>

#include <errno.h>
#include <math.h>

/* A layout of the core, and what this client's settings make of it. */
struct packer {
    const shoal_codec *layout;
    int serializer; /* a kind: what is told by none of the others */
    int compress;
    size_t min_bytes;
    bool makes_arrays; /* of JSON's objects */
    bool has_text;
    bool has_integers;
    bool has_doubles;
    bool has_bools;
};

static void release_value(void *value) {
    shoal_value_free(value);
}

/* --- Writing --- */

static bool is_utf8(const zend_string *text) {
    const unsigned char *bytes = (const unsigned char *)ZSTR_VAL(text);
    for (size_t at = 0; at < ZSTR_LEN(text);) {
        zend_result status = SUCCESS;
        if (bytes[at] < 0x80)
            at++;
        else
            php_next_utf8_char(bytes, ZSTR_LEN(text), &at, &status);
        if (status != SUCCESS)
            return false;
    }
    return true;
}

static zend_string *double_text(double number) {
    smart_str text = {0};
    if (isnan(number))
        return zend_string_init(ZEND_STRL("NaN"), false);
    if (isinf(number))
        return number > 0 ? zend_string_init(ZEND_STRL("Infinity"), false)
                          : zend_string_init(ZEND_STRL("-Infinity"), false);
    smart_str_append_double(&text, number, -1, false);
    return smart_str_extract(&text);
}

/* The kind of a value, and its bytes as that kind has them. */
static bool plain_bytes(const struct packer *packer, zval *value, int *kind, zend_string **bytes) {
    zend_uchar type = Z_TYPE_P(value);
    *kind = packer->serializer;
    if (type == IS_STRING) {
        *kind = packer->has_text && is_utf8(Z_STR_P(value)) ? SHOAL_KIND_TEXT : SHOAL_KIND_BYTES;
        *bytes = zend_string_copy(Z_STR_P(value));
    } else if (type == IS_LONG && packer->has_integers) {
        *kind = SHOAL_KIND_INTEGER;
        *bytes = zend_long_to_str(Z_LVAL_P(value));
    } else if (type == IS_DOUBLE && packer->has_doubles) {
        *kind = SHOAL_KIND_DOUBLE;
        *bytes = double_text(Z_DVAL_P(value));
    } else if ((type == IS_TRUE || type == IS_FALSE) && packer->has_bools) {
        *kind = SHOAL_KIND_BOOL;
        *bytes = ZSTR_CHAR(type == IS_TRUE ? '1' : '0');
    } else if (type == IS_RESOURCE) {
        zend_type_error("a resource cannot be stored");
        return false;
    } else {
        return shoal_php_serialize(packer->serializer, value, bytes);
    }
    return true;
}

/* Replaces plain bytes by what is to be stored: mostly themselves. */
static bool pack(const struct packer *packer, int kind, zend_string **bytes, uint32_t *flags) {
    const void *stored = NULL;
    size_t size = 0;
    shoal_value *owner = NULL;
    shoal_error *error = NULL;
    if (shoal_codec_encode(packer->layout, kind, ZSTR_VAL(*bytes), ZSTR_LEN(*bytes), packer->compress,
                           packer->min_bytes, 0, &stored, &size, flags, &owner, &error) < 0) {
        zend_string_release(*bytes);
        shoal_php_fail(error);
        return false;
    }
    if (stored == ZSTR_VAL(*bytes) && size == ZSTR_LEN(*bytes))
        return true;
    shoal_php_hold(owner, release_value);
    zend_string *packed = zend_string_init(stored, size, false);
    shoal_php_release(owner, release_value);
    zend_string_release(*bytes);
    *bytes = packed;
    return true;
}

/* --- Reading --- */

/* A counter may have grown beyond PHP's int: then it is its digits. */
static void take_integer(const char *text, size_t size, zval *into) {
    char *end = NULL;
    ZVAL_STRINGL(into, text, size);
    errno = 0;
    zend_long number = ZEND_STRTOL(Z_STRVAL_P(into), &end, 10);
    if (errno == 0 && end == Z_STRVAL_P(into) + size) {
        zval_ptr_dtor(into);
        ZVAL_LONG(into, number);
    }
}

static void take_double(const char *text, size_t size, zval *into) {
    zend_string *ended = zend_string_init(text, size, false);
    if (zend_string_equals_literal(ended, "NaN"))
        ZVAL_DOUBLE(into, ZEND_NAN);
    else if (zend_string_equals_literal(ended, "Infinity"))
        ZVAL_DOUBLE(into, ZEND_INFINITY);
    else if (zend_string_equals_literal(ended, "-Infinity"))
        ZVAL_DOUBLE(into, -ZEND_INFINITY);
    else
        ZVAL_DOUBLE(into, zend_strtod(ZSTR_VAL(ended), NULL));
    zend_string_release(ended);
}

static bool take(const struct packer *packer, int kind, const char *bytes, size_t size, zval *into) {
    switch (kind) {
    case SHOAL_KIND_BYTES:
    case SHOAL_KIND_TEXT:
        ZVAL_STRINGL(into, bytes, size);
        return true;
    case SHOAL_KIND_INTEGER:
        take_integer(bytes, size, into);
        return true;
    case SHOAL_KIND_DOUBLE:
        take_double(bytes, size, into);
        return true;
    case SHOAL_KIND_BOOL:
        ZVAL_BOOL(into, size == 1 && bytes[0] == '1');
        return true;
    default:
        return shoal_php_unserialize(kind, bytes, size, packer->makes_arrays, into);
    }
}

static bool unpack(const struct packer *packer, const char *data, size_t size, uint32_t flags, zval *into) {
    int kind = 0;
    const void *plain = NULL;
    size_t plain_size = 0;
    uint32_t user_flags = 0;
    shoal_value *owner = NULL;
    shoal_error *error = NULL;
    /* Most values: in every layout these are bytes as they are. */
    if (flags == 0)
        return take(packer, SHOAL_KIND_BYTES, data, size, into);
    if (shoal_codec_decode(packer->layout, flags, data, size, 0, &kind, &plain, &plain_size, &user_flags, &owner,
                           &error) < 0) {
        shoal_php_fail(error);
        return false;
    }
    if (owner == NULL)
        return take(packer, kind, plain, plain_size, into);
    shoal_php_hold(owner, release_value);
    bool fine = take(packer, kind, plain, plain_size, into);
    shoal_php_release(owner, release_value);
    return fine;
}

/* --- A codec of the user's own: an object with encode(value) and decode(data, flags) --- */

static zend_function *method(const zval *codec, const char *name) {
    zend_function *found = NULL;
    if (Z_TYPE_P(codec) == IS_OBJECT)
        found = zend_hash_str_find_ptr(&Z_OBJCE_P(codec)->function_table, name, strlen(name));
    if (found == NULL)
        zend_type_error("a codec is null, a %s, or an object with encode and decode, not %s",
                        shoal_php_packer_class.name, zend_zval_type_name(codec));
    return found;
}

/* [bytes, flags] */
static bool take_pair(const zval *pair, zend_string **data, uint32_t *flags) {
    zval *bytes = Z_TYPE_P(pair) == IS_ARRAY ? zend_hash_index_find_deref(Z_ARRVAL_P(pair), 0) : NULL;
    zval *number = Z_TYPE_P(pair) == IS_ARRAY ? zend_hash_index_find_deref(Z_ARRVAL_P(pair), 1) : NULL;
    zend_long wide = 0;
    if (bytes == NULL || number == NULL || Z_TYPE_P(bytes) != IS_STRING) {
        zend_type_error("a codec's encode gives [string, int flags]");
        return false;
    }
    if (!shoal_php_integer(number, 0, UINT32_MAX, &wide))
        return false;
    *data = zend_string_copy(Z_STR_P(bytes));
    *flags = (uint32_t)wide;
    return true;
}

static bool encode_by_script(zval *codec, zval *value, zend_string **data, uint32_t *flags) {
    zval pair;
    zend_function *encode = method(codec, "encode");
    if (encode == NULL)
        return false;
    ZVAL_UNDEF(&pair);
    zend_call_known_instance_method_with_1_params(encode, Z_OBJ_P(codec), &pair, value);
    if (Z_ISREF(pair))
        zend_unwrap_reference(&pair);
    bool fine = EG(exception) == NULL && take_pair(&pair, data, flags);
    zval_ptr_dtor(&pair);
    return fine;
}

static bool decode_by_script(zval *codec, const char *data, size_t size, uint32_t flags, zval *into) {
    zval bytes;
    zval number;
    zend_function *decode = method(codec, "decode");
    if (decode == NULL)
        return false;
    ZVAL_STRINGL(&bytes, data, size);
    ZVAL_LONG(&number, flags);
    ZVAL_UNDEF(into);
    zend_call_known_instance_method_with_2_params(decode, Z_OBJ_P(codec), into, &bytes, &number);
    zval_ptr_dtor(&bytes);
    if (Z_ISREF_P(into))
        zend_unwrap_reference(into);
    if (EG(exception) == NULL)
        return true;
    zval_ptr_dtor(into);
    ZVAL_NULL(into);
    return false;
}

/* --- What others call --- */

static const struct packer *packer_of(const zval *codec) {
    if (Z_TYPE_P(codec) == IS_OBJECT && Z_OBJCE_P(codec) == shoal_php_packer_class.entry)
        return shoal_php_handle(codec, &shoal_php_packer_class);
    return NULL;
}

bool shoal_php_encode(zval *codec, zval *value, zend_string **data, uint32_t *flags) {
    const struct packer *packer = packer_of(codec);
    int kind = 0;
    ZVAL_DEREF(value);
    if (packer != NULL)
        return plain_bytes(packer, value, &kind, data) && pack(packer, kind, data, flags);
    if (Z_TYPE_P(codec) != IS_NULL)
        return encode_by_script(codec, value, data, flags);
    *flags = 0;
    if (Z_TYPE_P(value) == IS_STRING) {
        *data = zend_string_copy(Z_STR_P(value));
        return true;
    }
    zend_type_error("the codec raw carries strings, not %s: encode the value, or give the client the codec php or json",
                    zend_zval_type_name(value));
    return false;
}

bool shoal_php_decode(zval *codec, const char *data, size_t size, uint32_t flags, zval *into) {
    const struct packer *packer = packer_of(codec);
    if (packer != NULL)
        return unpack(packer, data, size, flags, into);
    if (Z_TYPE_P(codec) != IS_NULL)
        return decode_by_script(codec, data, size, flags, into);
    ZVAL_STRINGL(into, data, size);
    return true;
}

/* Whether the layout has flags for the serialiser and the compression is told now, not by the first such value. */
static bool fits(const struct packer *packer) {
    const int kinds[] = {SHOAL_KIND_BYTES, packer->serializer};
    for (size_t i = 0; i < 2; i++) {
        const void *stored = NULL;
        size_t size = 0;
        uint32_t flags = 0;
        shoal_value *owner = NULL;
        shoal_error *error = NULL;
        shoal_status status = shoal_codec_encode(packer->layout, kinds[i], "", 0, packer->compress, packer->min_bytes,
                                                 0, &stored, &size, &flags, &owner, &error);
        shoal_value_free(owner);
        if (status < 0) {
            shoal_php_fail(error);
            return false;
        }
    }
    return true;
}

void shoal_php_packer_new(const shoal_codec *codec, const char *serializer, int compress, size_t min_bytes,
                          zval *return_value) {
    struct packer packer = {.layout = codec, .compress = compress, .min_bytes = min_bytes};
    packer.serializer = shoal_php_serializer(serializer, &packer.makes_arrays);
    if (packer.serializer == 0) {
        zend_value_error("there is no serializer of this name: php, igbinary, msgpack, json and json_array are known");
        return;
    }
    if (!fits(&packer))
        return;
    packer.has_text = shoal_codec_carries(codec, SHOAL_KIND_TEXT) != 0;
    packer.has_integers = shoal_codec_carries(codec, SHOAL_KIND_INTEGER) != 0;
    packer.has_doubles = shoal_codec_carries(codec, SHOAL_KIND_DOUBLE) != 0;
    packer.has_bools = shoal_codec_carries(codec, SHOAL_KIND_BOOL) != 0;
    struct packer *kept = emalloc(sizeof(*kept));
    *kept = packer;
    shoal_php_own(return_value, &shoal_php_packer_class, kept);
}
