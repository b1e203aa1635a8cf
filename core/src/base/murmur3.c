/* MurmurHash3 for 32 bits, after Austin Appleby's description, which is in the public domain. libhashkit's has a seed
 * of its own and cannot be given another; ours is 0, as pymemcache's. Bytes are read alike on every machine.
 * May include: base/. */
#include "base/hash.h"

static uint32_t rotate_left(uint32_t word, unsigned bits) {
    return word << bits | word >> (32 - bits);
}

static uint32_t scramble(uint32_t word) {
    return rotate_left(word * 0xcc9e2d51, 15) * 0x1b873593;
}

/* Up to four bytes as a word. */
static uint32_t read_word(const unsigned char *bytes, size_t count) {
    uint32_t word = 0;
    for (size_t i = 0; i < count; i++)
        word |= (uint32_t)bytes[i] << (8 * i);
    return word;
}

uint32_t shoal__hash_murmur3_32(const char *bytes, size_t size) {
    const unsigned char *next = (const unsigned char *)bytes;
    uint32_t hash = 0;
    for (size_t left = size; left >= 4; left -= 4, next += 4)
        hash = rotate_left(hash ^ scramble(read_word(next, 4)), 13) * 5 + 0xe6546b64;
    hash ^= scramble(read_word(next, size % 4));
    hash ^= (uint32_t)size;
    hash = (hash ^ hash >> 16) * 0x85ebca6b;
    hash = (hash ^ hash >> 13) * 0xc2b2ae35;
    return hash ^ hash >> 16;
}
