/* The shapes of numbers, bools and UTF-8. No locale: a decimal point is a point.
 * May include: public headers. */
#include "logic/codec_shape.h"

#include <shoal/codec.h>

#include <string.h>

static bool is_digit(char byte) {
    return byte >= '0' && byte <= '9';
}

static size_t count_digits(const char *bytes, size_t size) {
    size_t count = 0;
    while (count < size && is_digit(bytes[count]))
        count++;
    return count;
}

static bool is_integer(const char *bytes, size_t size) {
    size_t sign = size > 0 && bytes[0] == '-';
    return size > sign && count_digits(bytes + sign, size - sign) == size - sign;
}

static bool is_word(const char *bytes, size_t size, const char *word) {
    return strlen(word) == size && memcmp(bytes, word, size) == 0;
}

/* Cuts digits off the front; false where there are none. */
static bool skip_digits(const char **bytes, size_t *size) {
    size_t count = count_digits(*bytes, *size);
    *bytes += count;
    *size -= count;
    return count > 0;
}

static bool skip_any_of(const char **bytes, size_t *size, const char *choice) {
    if (*size == 0 || **bytes == '\0' || strchr(choice, **bytes) == NULL)
        return false;
    ++*bytes;
    --*size;
    return true;
}

static bool is_double(const char *bytes, size_t size) {
    if (is_word(bytes, size, "Infinity") || is_word(bytes, size, "-Infinity") || is_word(bytes, size, "NaN"))
        return true;
    skip_any_of(&bytes, &size, "-");
    bool whole = skip_digits(&bytes, &size);
    bool fraction = skip_any_of(&bytes, &size, ".") && skip_digits(&bytes, &size);
    if (!whole && !fraction)
        return false;
    if (skip_any_of(&bytes, &size, "eE")) {
        skip_any_of(&bytes, &size, "+-");
        if (!skip_digits(&bytes, &size))
            return false;
    }
    return size == 0;
}

bool shoal__shape_is(int kind, const char *bytes, size_t size) {
    switch (kind) {
    case SHOAL_KIND_INTEGER:
        return is_integer(bytes, size);
    case SHOAL_KIND_DOUBLE:
        return is_double(bytes, size);
    case SHOAL_KIND_BOOL:
        return size == 1 && (bytes[0] == '0' || bytes[0] == '1');
    default:
        return true;
    }
}

size_t shoal__shape_unpadded(const char *bytes, size_t size) {
    while (size > 0 && bytes[size - 1] == ' ')
        size--;
    return size;
}

/* How many bytes follow a first one, and in which range the second must be; false for a byte that starts nothing. */
static bool lead(unsigned char first, size_t *more, unsigned char *low, unsigned char *high) {
    *low = 0x80;
    *high = 0xbf;
    if (first >= 0xc2 && first <= 0xdf) {
        *more = 1;
    } else if (first >= 0xe0 && first <= 0xef) {
        *more = 2;
        if (first == 0xe0)
            *low = 0xa0;
        else if (first == 0xed)
            *high = 0x9f;
    } else if (first >= 0xf0 && first <= 0xf4) {
        *more = 3;
        if (first == 0xf0)
            *low = 0x90;
        else if (first == 0xf4)
            *high = 0x8f;
    } else {
        *more = 0;
        return first < 0x80;
    }
    return true;
}

bool shoal__shape_is_utf8(const char *bytes, size_t size) {
    const unsigned char *byte = (const unsigned char *)bytes;
    for (size_t i = 0; i < size;) {
        size_t more;
        unsigned char low;
        unsigned char high;
        if (!lead(byte[i], &more, &low, &high) || more >= size - i)
            return false;
        if (more > 0 && (byte[i + 1] < low || byte[i + 1] > high))
            return false;
        for (size_t j = 2; j <= more; j++)
            if ((byte[i + j] & 0xc0) != 0x80)
                return false;
        i += more + 1;
    }
    return true;
}
