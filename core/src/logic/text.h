/* What the parsers of this folder share: slices of a string, plain decimal numbers, host names, quoting for errors.
 * ASCII alone and no locale, so that a program's setlocale() changes nothing.
 * May include: libc. */
#ifndef SHOAL_LOGIC_TEXT_H
#define SHOAL_LOGIC_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that somebody else holds; not ended by a NUL. */
struct shoal__slice {
    const char *bytes; /* NULL: nothing, not even an empty piece */
    size_t size;
};

struct shoal__slice shoal__slice_of(const char *text);

/* Cuts the next piece off the rest, up to a separator. n separators make n + 1 pieces, empty ones included; false
 * after the last. */
bool shoal__slice_next(struct shoal__slice *rest, char separator, struct shoal__slice *piece);

/* Splits at the first separator; false, with all of it in the head, where there is none. */
bool shoal__slice_cut(struct shoal__slice whole, char separator, struct shoal__slice *head, struct shoal__slice *tail);

bool shoal__slice_equals(struct shoal__slice slice, const char *word);
bool shoal__slice_equals_ignoring_case(struct shoal__slice slice, const char *word);

/* One digit or more and nothing else, no sign, at most max. */
bool shoal__slice_number(struct shoal__slice digits, uint64_t max, uint64_t *number);

/* 1..65535 */
bool shoal__slice_port(struct shoal__slice digits, uint16_t *port);

/* Letters, digits, '-', '.', '_'; 1 to 253 bytes. Addresses of IPv4 are among them. */
bool shoal__slice_is_host(struct shoal__slice slice);

/* Digits and dots alone: meant as an address of IPv4, whether it is one or not. */
bool shoal__slice_is_dotted(struct shoal__slice slice);

/* Spaces, control characters and DEL. */
bool shoal__byte_is_blank(char byte);

/* ASCII alone. */
char shoal__byte_lower(char byte);

/* Text fit for an error message: cut to a bound, with anything but printable ASCII as \xNN, so that no binding fails
 * to decode it. */
struct shoal__quote {
    char text[72];
};
const char *shoal__quote_slice(struct shoal__quote *quote, struct shoal__slice slice);

#endif
