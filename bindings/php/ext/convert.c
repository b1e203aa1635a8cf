/* PHP's values as C's arguments and C's results as PHP's values. Nothing is coerced: "5" is no number.
 * May include: support.h, PHP's headers. Called by the wrapper that SWIG makes, by items.c and batches.c. */
#include "support.h"

#include <zend_exceptions.h>

bool shoal_php_key(const zval *value, const char **key, size_t *size) {
    if (Z_TYPE_P(value) != IS_STRING) {
        zend_type_error("a key is a string, not %s", zend_zval_type_name(value));
        return false;
    }
    *key = Z_STRVAL_P(value);
    *size = Z_STRLEN_P(value);
    return true;
}

bool shoal_php_text(const zval *value, const char **text) {
    *text = NULL;
    if (Z_TYPE_P(value) == IS_NULL)
        return true;
    if (Z_TYPE_P(value) != IS_STRING) {
        zend_type_error("a string or null is expected, not %s", zend_zval_type_name(value));
        return false;
    }
    if (zend_str_has_nul_byte(Z_STR_P(value))) {
        zend_value_error("a NUL byte may not stand in this text");
        return false;
    }
    *text = Z_STRVAL_P(value);
    return true;
}

bool shoal_php_integer(const zval *value, zend_long least, zend_long most, zend_long *number) {
    if (Z_TYPE_P(value) != IS_LONG) {
        zend_type_error("an int is expected, not %s", zend_zval_type_name(value));
        return false;
    }
    *number = Z_LVAL_P(value);
    if (*number >= least && *number <= most)
        return true;
    zend_value_error("a number from " ZEND_LONG_FMT " to " ZEND_LONG_FMT " is expected, not " ZEND_LONG_FMT, least,
                     most, *number);
    return false;
}

/* Digits and nothing else, up to 2^64 - 1. */
static bool read_digits(const zend_string *text, uint64_t *number) {
    *number = 0;
    for (size_t i = 0; i < ZSTR_LEN(text); i++) {
        char digit = ZSTR_VAL(text)[i];
        uint64_t unit = (uint64_t)(digit - '0');
        if (digit < '0' || digit > '9' || *number > UINT64_MAX / 10 || *number * 10 > UINT64_MAX - unit)
            return false;
        *number = *number * 10 + unit;
    }
    return ZSTR_LEN(text) > 0;
}

bool shoal_php_unsigned(const zval *value, uint64_t *number) {
    if (Z_TYPE_P(value) == IS_LONG && Z_LVAL_P(value) >= 0) {
        *number = (uint64_t)Z_LVAL_P(value);
        return true;
    }
    if (Z_TYPE_P(value) == IS_STRING && read_digits(Z_STR_P(value), number))
        return true;
    if (Z_TYPE_P(value) != IS_LONG && Z_TYPE_P(value) != IS_STRING)
        zend_type_error("an int, or a string of digits, is expected, not %s", zend_zval_type_name(value));
    else
        zend_value_error("a number from 0 to 18446744073709551615 is expected");
    return false;
}

void shoal_php_from_unsigned(zval *into, uint64_t number) {
    if (number <= (uint64_t)ZEND_LONG_MAX)
        ZVAL_LONG(into, (zend_long)number);
    else
        ZVAL_STR(into, zend_ulong_to_str(number));
}

void shoal_php_from_text(zval *into, const char *text) {
    if (text == NULL)
        ZVAL_NULL(into);
    else
        ZVAL_STRING(into, text);
}
