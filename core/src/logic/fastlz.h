/* Reading FastLZ, php-memcached's compression by default. It is never written.
 * May include: libc. */
#ifndef SHOAL_LOGIC_FASTLZ_H
#define SHOAL_LOGIC_FASTLZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decodes a block, of level 1 or 2, which must fill `plain` exactly: false where it does not, or is damaged. Reads and
 * writes nothing beyond the two. */
bool shoal__fastlz_decode(const uint8_t *packed, size_t packed_size, uint8_t *plain, size_t plain_size);

#endif
