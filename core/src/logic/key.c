/* Keys.
 * May include: base/. */
#include "logic/key.h"

#include "base/hash.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

static const char digest_mark[] = ":md5:";
#define DIGEST_TEXT_SIZE (sizeof(digest_mark) - 1 + 2 * (size_t)SHOAL__MD5_SIZE)

/* The longest prefix the options take leaves room for the mark and the digest. */
static size_t write_digest_key(const struct shoal__key_rule *rule, const char *bytes, size_t size,
                               char room[SHOAL__KEY_MAX]) {
    uint8_t digest[SHOAL__MD5_SIZE];
    shoal__md5(bytes, size, digest);
    memcpy(room, rule->prefix, rule->prefix_len);
    memcpy(room + rule->prefix_len, digest_mark, sizeof(digest_mark) - 1);
    char *end = room + rule->prefix_len + sizeof(digest_mark) - 1;
    for (size_t i = 0; i < sizeof(digest); i++) {
        static const char digits[] = "0123456789abcdef";
        *end++ = digits[digest[i] >> 4];
        *end++ = digits[digest[i] & 15];
    }
    return rule->prefix_len + DIGEST_TEXT_SIZE;
}

#define EACH_BYTE(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Whether any of eight bytes is 0x20 or less, or 0x7f (after Mycroft: a byte that is less leaves its high bit set). */
static bool has_forbidden(const char *bytes) {
    uint64_t word;
    memcpy(&word, bytes, sizeof(word));
    uint64_t deleted = word ^ EACH_BYTE(0x7f);
    uint64_t low = (word - EACH_BYTE(0x21)) & ~word;
    return ((low | ((deleted - EACH_BYTE(0x01)) & ~deleted)) & EACH_BYTE(0x80)) != 0;
}

static bool find_forbidden(const char *bytes, size_t size, size_t *at) {
    size_t clean = 0;
    while (size - clean >= sizeof(uint64_t) && !has_forbidden(bytes + clean))
        clean += sizeof(uint64_t);
    for (size_t i = clean; i < size; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        if (byte <= 0x20 || byte == 0x7f) {
            *at = i;
            return true;
        }
    }
    return false;
}

shoal_status shoal__key_make(const struct shoal__key_rule *rule, const char *bytes, size_t size,
                             char room[SHOAL__KEY_MAX], struct shoal__key *key, struct shoal__fault *fault) {
    if (bytes == NULL || size == 0)
        return shoal__fault_set(fault, SHOAL_E_BAD_KEY, "the key is empty: give it 1 to %d bytes", SHOAL__KEY_MAX);
    size_t at;
    key->is_binary = find_forbidden(bytes, size, &at);
    if (key->is_binary && !rule->allows_binary)
        return shoal__fault_set(fault, SHOAL_E_BAD_KEY,
                                "the key of %zu bytes holds byte 0x%02x at %zu: spaces and control characters cannot "
                                "be sent; encode them or set binary_keys=true",
                                size, (unsigned char)bytes[at], at);
    key->routed_from = rule->routes_prefix ? 0 : rule->prefix_len;
    size_t size_max = key->is_binary ? SHOAL__BINARY_KEY_MAX : SHOAL__KEY_MAX;
    bool too_long = rule->prefix_len + size > size_max;
    if (too_long && !rule->hash_long)
        return shoal__fault_set(fault, SHOAL_E_BAD_KEY,
                                "the key of %zu bytes is too long: with its prefix of %zu it may have %zu; shorten it "
                                "or set long_keys=hash",
                                size, rule->prefix_len, size_max);
    if (too_long) {
        key->bytes = room;
        key->size = write_digest_key(rule, bytes, size, room);
        key->is_binary = false;
    } else if (rule->prefix_len == 0) {
        key->bytes = bytes;
        key->size = size;
    } else {
        memcpy(room, rule->prefix, rule->prefix_len);
        memcpy(room + rule->prefix_len, bytes, size);
        key->bytes = room;
        key->size = rule->prefix_len + size;
    }
    return SHOAL_OK;
}
