/* Keys: whatever is made of a prefix and a key fits the protocol, so that no key can carry a command or become another
 * key; one that is refused is not quoted. The input: a byte of flags, a byte that says how long the prefix is, both.
 * May include: common, logic/key. */
#include "common.h"

#include "logic/key.h"

#include <stdlib.h>
#include <string.h>

/* As long as the option key_prefix allows. */
#define PREFIX_MAX 200
#define DIGEST_MARK ":md5:"

static bool is_forbidden(char byte) {
    return (unsigned char)byte <= 0x20 || byte == 0x7f;
}

static bool is_fit(const char *bytes, size_t size) {
    for (size_t i = 0; i < size; i++)
        if (is_forbidden(bytes[i]))
            return false;
    return true;
}

/* With its prefix: a key that has to go as base64 has room for less. */
static size_t size_max_of(const char *bytes, size_t size) {
    return is_fit(bytes, size) ? SHOAL__KEY_MAX : SHOAL__BINARY_KEY_MAX;
}

static void check_made(const struct shoal__key_rule *rule, const char *bytes, size_t size,
                       const struct shoal__key *key) {
    CHECK(key->size > 0 && key->size <= SHOAL__KEY_MAX);
    CHECK(is_fit(key->bytes, key->size) != key->is_binary);
    CHECK(key->routed_from == (rule->routes_prefix ? 0 : rule->prefix_len) && key->routed_from < key->size);
    CHECK(memcmp(key->bytes, rule->prefix, rule->prefix_len) == 0);
    const char *rest = key->bytes + rule->prefix_len;
    size_t rest_size = key->size - rule->prefix_len;
    if (rule->prefix_len + size <= size_max_of(bytes, size)) {
        CHECK(rest_size == size && memcmp(rest, bytes, size) == 0);
        return;
    }
    CHECK(rule->hash_long);
    CHECK(rest_size == strlen(DIGEST_MARK) + 32 && memcmp(rest, DIGEST_MARK, strlen(DIGEST_MARK)) == 0);
    for (size_t i = strlen(DIGEST_MARK); i < rest_size; i++)
        CHECK(memchr("0123456789abcdef", rest[i], 16) != NULL);
}

/* The option's check has made sure that a prefix is fit for a key. */
static char *take_prefix(const uint8_t *data, size_t size) {
    char *prefix = fuzz_text(data, size);
    for (size_t i = 0; i < size; i++)
        if (is_forbidden(prefix[i]))
            prefix[i] = '.';
    return prefix;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2)
        return 0;
    size_t prefix_len = data[1] % (PREFIX_MAX + 1);
    prefix_len = prefix_len < size - 2 ? prefix_len : size - 2;
    char *prefix = take_prefix(data + 2, prefix_len);
    size_t key_size = size - 2 - prefix_len;
    char *bytes = fuzz_copy(data + 2 + prefix_len, key_size);
    struct shoal__key_rule rule = {
        .prefix = prefix,
        .prefix_len = prefix_len,
        .hash_long = data[0] & 1,
        .routes_prefix = data[0] & 2,
        .allows_binary = data[0] & 4,
    };
    struct shoal__key key;
    struct shoal__fault fault = {0};
    char *room = malloc(SHOAL__KEY_MAX);
    CHECK(room != NULL);

    shoal_status status = shoal__key_make(&rule, bytes, key_size, room, &key, &fault);
    bool too_long = prefix_len + key_size > size_max_of(bytes, key_size) && !rule.hash_long;
    bool may_go = rule.allows_binary || is_fit(bytes, key_size);
    CHECK((status == SHOAL_OK) == (key_size > 0 && may_go && !too_long));
    if (status == SHOAL_OK)
        check_made(&rule, bytes, key_size, &key);
    else
        fuzz_check_fault(&fault, SHOAL_E_BAD_KEY);
    free(room);
    free(bytes);
    free(prefix);
    return 0;
}
