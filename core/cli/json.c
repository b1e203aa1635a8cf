/* Objects, numbers and bytes as JSON.
 * May include: libc, jansson, report. */
#include "json.h"

#include "report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

json_t *json_new_object(void) {
    return require_memory(json_object());
}

json_t *json_new_array(void) {
    return require_memory(json_array());
}

void json_put(json_t *object, const char *name, json_t *value) {
    require_memory(value);
    if (json_object_set_new(object, name, value) != 0)
        require_memory(NULL);
}

void json_put_text(json_t *object, const char *name, const char *text) {
    json_put(object, name, json_string_nocheck(text));
}

void json_put_unsigned(json_t *object, const char *name, uint64_t number) {
    if (number <= INT64_MAX) {
        json_put(object, name, json_integer((json_int_t)number));
        return;
    }
    char digits[24];
    snprintf(digits, sizeof(digits), "%" PRIu64, number);
    json_put_text(object, name, digits);
}

static char *to_base64(const unsigned char *data, size_t size) {
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *text = require_memory(malloc((size + 2) / 3 * 4 + 1));
    char *at = text;
    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i;
        unsigned bits = (unsigned)data[i] << 16;
        bits |= left > 1 ? (unsigned)data[i + 1] << 8 : 0;
        bits |= left > 2 ? (unsigned)data[i + 2] : 0;
        *at++ = alphabet[bits >> 18];
        *at++ = alphabet[bits >> 12 & 63];
        *at++ = left > 1 ? alphabet[bits >> 6 & 63] : '=';
        *at++ = left > 2 ? alphabet[bits & 63] : '=';
    }
    *at = '\0';
    return text;
}

void json_put_bytes(json_t *object, const char *name, const void *data, size_t size) {
    json_t *text = json_stringn(data, size);
    if (text != NULL) {
        json_put(object, name, text);
        return;
    }
    char base64_name[64];
    snprintf(base64_name, sizeof(base64_name), "%s_base64", name);
    char *base64 = to_base64(data, size);
    json_put_text(object, base64_name, base64);
    free(base64);
}

void json_append(json_t *array, json_t *value) {
    if (json_array_append_new(array, value) != 0)
        require_memory(NULL);
}

void json_write(FILE *file, json_t *value) {
    if (json_dumpf(value, file, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(6)) == 0)
        putc('\n', file);
    json_decref(value);
}

void json_print(json_t *value) {
    json_write(stdout, value);
}
