/* Slices, numbers, host names, quotes.
 * May include: libc. */
#include "logic/text.h"

#include <stdio.h>
#include <string.h>

#define HOST_MAX 253

struct shoal__slice shoal__slice_of(const char *text) {
    return (struct shoal__slice){text, strlen(text)};
}

bool shoal__slice_cut(struct shoal__slice whole, char separator, struct shoal__slice *head, struct shoal__slice *tail) {
    const char *found = whole.size ? memchr(whole.bytes, separator, whole.size) : NULL;
    *head = whole;
    *tail = (struct shoal__slice){NULL, 0};
    if (found == NULL)
        return false;
    head->size = (size_t)(found - whole.bytes);
    *tail = (struct shoal__slice){found + 1, whole.size - head->size - 1};
    return true;
}

bool shoal__slice_next(struct shoal__slice *rest, char separator, struct shoal__slice *piece) {
    if (rest->bytes == NULL)
        return false;
    shoal__slice_cut(*rest, separator, piece, rest);
    return true;
}

bool shoal__slice_equals(struct shoal__slice slice, const char *word) {
    return slice.size == strlen(word) && (slice.size == 0 || memcmp(slice.bytes, word, slice.size) == 0);
}

char shoal__byte_lower(char byte) {
    return byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
}

bool shoal__slice_equals_ignoring_case(struct shoal__slice slice, const char *word) {
    if (slice.size != strlen(word))
        return false;
    for (size_t i = 0; i < slice.size; i++)
        if (shoal__byte_lower(slice.bytes[i]) != shoal__byte_lower(word[i]))
            return false;
    return true;
}

static bool is_digit(char byte) {
    return byte >= '0' && byte <= '9';
}

bool shoal__slice_number(struct shoal__slice digits, uint64_t max, uint64_t *number) {
    uint64_t value = 0;
    for (size_t i = 0; i < digits.size; i++) {
        if (!is_digit(digits.bytes[i]))
            return false;
        uint64_t digit = (uint64_t)(digits.bytes[i] - '0');
        if (value > max / 10 || value * 10 > max - digit)
            return false;
        value = value * 10 + digit;
    }
    *number = value;
    return digits.size > 0;
}

bool shoal__slice_port(struct shoal__slice digits, uint16_t *port) {
    uint64_t number;
    if (!shoal__slice_number(digits, UINT16_MAX, &number) || number == 0)
        return false;
    *port = (uint16_t)number;
    return true;
}

static bool is_host_byte(char byte) {
    char lower = shoal__byte_lower(byte);
    return (lower >= 'a' && lower <= 'z') || is_digit(byte) || byte == '-' || byte == '.' || byte == '_';
}

bool shoal__slice_is_host(struct shoal__slice slice) {
    for (size_t i = 0; i < slice.size; i++)
        if (!is_host_byte(slice.bytes[i]))
            return false;
    return slice.size > 0 && slice.size <= HOST_MAX;
}

bool shoal__slice_is_dotted(struct shoal__slice slice) {
    for (size_t i = 0; i < slice.size; i++)
        if (!is_digit(slice.bytes[i]) && slice.bytes[i] != '.')
            return false;
    return slice.size > 0;
}

bool shoal__byte_is_blank(char byte) {
    return (unsigned char)byte <= 0x20 || byte == 0x7f;
}

const char *shoal__quote_slice(struct shoal__quote *quote, struct shoal__slice slice) {
    static const char cut[] = "...";
    size_t room = sizeof(quote->text) - sizeof(cut);
    size_t used = 0;
    for (size_t i = 0; i < slice.size; i++) {
        unsigned char byte = (unsigned char)slice.bytes[i];
        bool plain = byte >= 0x20 && byte < 0x7f;
        if (used + (plain ? 1 : 4) > room) {
            memcpy(quote->text + used, cut, sizeof(cut));
            return quote->text;
        }
        if (plain)
            quote->text[used++] = (char)byte;
        else
            used += (size_t)snprintf(quote->text + used, 5, "\\x%02x", byte);
    }
    quote->text[used] = '\0';
    return quote->text;
}
