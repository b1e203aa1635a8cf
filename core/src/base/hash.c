/* The hash functions by name. All but md5 read plain `char`, so that keys with bytes over 0x7f hash differently on
 * machines whose char has no sign (ARM): documented in core/doc/HASHING.md.
 * May include: base/, and the one place for <libhashkit/>. */
#include "base/hash.h"

#include <libhashkit/hashkit.h>

#include <string.h>

static const struct {
    const char *name;
    shoal__hash_function function;
} functions[] = {
    {"md5", shoal__hash_md5},        {"one_at_a_time", libhashkit_one_at_a_time},
    {"fnv1_64", libhashkit_fnv1_64}, {"fnv1a_64", libhashkit_fnv1a_64},
    {"fnv1_32", libhashkit_fnv1_32}, {"fnv1a_32", libhashkit_fnv1a_32},
    {"jenkins", libhashkit_jenkins},
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
