/* The hash functions by name: libhashkit's, zlib's CRC-32, libcrypto's SHA-1, and murmur3 of our own. one_at_a_time and
 * the fnv family read plain `char`, so that keys with bytes over 0x7f hash differently on machines whose char has no
 * sign (ARM): documented in core/doc/HASHING.md.
 * May include: base/, and the one place for <libhashkit/>, <zlib.h> and <openssl/>. */
#include "base/hash.h"

#include <libhashkit/hashkit.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <zlib.h>

#include <string.h>

/* All 32 bits of it, as Ruby's Zlib gives them; libhashkit's own keeps 15. */
static uint32_t hash_crc32(const char *bytes, size_t size) {
    return (uint32_t)crc32_z(0, (const unsigned char *)bytes, size);
}

static const struct {
    const char *name;
    shoal__hash_function function;
} functions[] = {
    {"md5", shoal__hash_md5},
    {"one_at_a_time", libhashkit_one_at_a_time},
    {"fnv1_64", libhashkit_fnv1_64},
    {"fnv1a_64", libhashkit_fnv1a_64},
    {"fnv1_32", libhashkit_fnv1_32},
    {"fnv1a_32", libhashkit_fnv1a_32},
    {"jenkins", libhashkit_jenkins},
    {"murmur", libhashkit_murmur},
    {"libmemcached_crc", libhashkit_crc32},
    {"crc32", hash_crc32},
    {"murmur3_32", shoal__hash_murmur3_32},
};

shoal__hash_function shoal__hash_find(const char *name) {
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
        if (strcmp(functions[i].name, name) == 0)
            return functions[i].function;
    return NULL;
}

void shoal__md5(const char *bytes, size_t size, uint8_t digest[SHOAL__MD5_SIZE]) {
    libhashkit_md5_signature((const unsigned char *)bytes, size, digest);
}

uint32_t shoal__hash_md5(const char *bytes, size_t size) {
    uint8_t digest[SHOAL__MD5_SIZE];
    shoal__md5(bytes, size, digest);
    return (uint32_t)digest[3] << 24 | (uint32_t)digest[2] << 16 | (uint32_t)digest[1] << 8 | digest[0];
}

/* libcrypto is kept from running anything at the process's exit: threads may be at work then. */
bool shoal__sha1(const char *bytes, size_t size, uint8_t digest[SHOAL__SHA1_SIZE]) {
    return OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL) == 1 &&
           EVP_Digest(bytes, size, digest, NULL, EVP_sha1(), NULL) == 1;
}
