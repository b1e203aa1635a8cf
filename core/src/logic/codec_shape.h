/* What the bytes of each kind look like: a codec neither stores nor gives out a number that is none.
 * May include: public headers. Called by codec.c. */
#ifndef SHOAL_LOGIC_CODEC_SHAPE_H
#define SHOAL_LOGIC_CODEC_SHAPE_H

#include <stdbool.h>
#include <stddef.h>

/* Whether bytes are what a SHOAL_KIND_* says they are, where that can be told from the bytes: numbers and bools. */
bool shoal__shape_is(int kind, const char *bytes, size_t size);

/* Without the spaces at the end with which memcached pads a number that it counted down. */
size_t shoal__shape_unpadded(const char *bytes, size_t size);

/* UTF-8 as Unicode defines it: no overlong forms, no surrogates, nothing over U+10FFFF. */
bool shoal__shape_is_utf8(const char *bytes, size_t size);

#endif
