/* The hash functions that place keys, by name.
 * May include: libc. The functions are libhashkit's: keys must land where the predecessors put them. */
#ifndef SHOAL_BASE_HASH_H
#define SHOAL_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

typedef uint32_t (*shoal__hash_function)(const char *bytes, size_t size);

/* NULL for a name that is not known. */
shoal__hash_function shoal__hash_find(const char *name);

uint32_t shoal__hash_md5(const char *bytes, size_t size);

#define SHOAL__MD5_SIZE 16
void shoal__md5(const char *bytes, size_t size, uint8_t digest[SHOAL__MD5_SIZE]);

#endif
