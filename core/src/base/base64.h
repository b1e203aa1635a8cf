/* Base64 of RFC 4648, with padding.
 * May include: libc. */
#ifndef SHOAL_BASE_BASE64_H
#define SHOAL_BASE_BASE64_H

#include <stddef.h>

#define SHOAL__BASE64_SIZE(size) (((size) + 2) / 3 * 4)

/* Writes SHOAL__BASE64_SIZE(size) characters and a NUL byte. */
void shoal__base64(const char *bytes, size_t size, char *text);

#endif
