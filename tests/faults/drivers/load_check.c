/* See load_check.h: the values of the load, written and judged.
 * May include: libc. */
#include "load_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void load_versions_init(struct load_versions *versions, size_t keys) {
    versions->keys = keys;
    versions->tried = calloc(keys, sizeof(*versions->tried));
    versions->stored = calloc(keys, sizeof(*versions->stored));
    if (keys == 0 || versions->tried == NULL || versions->stored == NULL)
        abort();
}

void load_versions_clear(struct load_versions *versions) {
    free(versions->tried);
    free(versions->stored);
}

size_t load_key(char name[LOAD_KEY_MAX], size_t key) {
    return (size_t)snprintf(name, LOAD_KEY_MAX, "key:%zu", key);
}

void load_value(char value[LOAD_VALUE_SIZE], size_t key, unsigned version) {
    char head[64];
    size_t size = (size_t)snprintf(head, sizeof(head), "key:%zu %u ", key, version);
    memset(value, '.', LOAD_VALUE_SIZE);
    memcpy(value, head, size);
}

enum load_verdict load_judge(const struct load_versions *versions, size_t key, const char *value, size_t size) {
    char expected[LOAD_VALUE_SIZE];
    char name[LOAD_KEY_MAX];
    size_t name_size = load_key(name, key);
    if (size != LOAD_VALUE_SIZE || memcmp(value, name, name_size) != 0 || value[name_size] != ' ')
        return LOAD_WRONG;
    unsigned version = 0;
    for (const char *at = value + name_size + 1; at < value + size && *at >= '0' && *at <= '9'; at++)
        version = version * 10 + (unsigned)(*at - '0');
    load_value(expected, key, version);
    if (memcmp(value, expected, size) != 0 || version > versions->tried[key])
        return LOAD_WRONG;
    return version < versions->stored[key] ? LOAD_STALE : LOAD_RIGHT;
}
