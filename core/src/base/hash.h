/* The hash functions that place keys and nodes, by name.
 * May include: libc. Keys must land where the predecessors put them: most functions are libhashkit's, which several
 * of those use themselves. */
#ifndef SHOAL_BASE_HASH_H
#define SHOAL_BASE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint32_t (*shoal__hash_function)(const char *bytes, size_t size);

/* NULL for a name that is not known. */
shoal__hash_function shoal__hash_find(const char *name);

uint32_t shoal__hash_md5(const char *bytes, size_t size);
uint32_t shoal__hash_murmur3_32(const char *bytes, size_t size);

#define SHOAL__MD5_SIZE 16
void shoal__md5(const char *bytes, size_t size, uint8_t digest[SHOAL__MD5_SIZE]);

/* False where libcrypto cannot: memory ran out, or the machine's policy has no SHA-1. */
#define SHOAL__SHA1_SIZE 20
bool shoal__sha1(const char *bytes, size_t size, uint8_t digest[SHOAL__SHA1_SIZE]);

#endif
