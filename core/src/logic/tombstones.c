/* A set of keys with stand-ins: stones in a row, found by an open table of their places.
 * May include: base/. */
#include "logic/tombstones.h"

#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 32

const char *shoal__tombstone_key(const struct shoal__tombstones *set, const struct shoal__tombstone *stone) {
    return set->keys.bytes + stone->key_at;
}

static bool has_key(const struct shoal__tombstones *set, const struct shoal__tombstone *stone, uint32_t hash,
                    const char *key, size_t key_len) {
    return stone->hash == hash && stone->key_len == key_len &&
           memcmp(shoal__tombstone_key(set, stone), key, key_len) == 0;
}

static void put_in_table(struct shoal__tombstones *set, size_t place) {
    size_t slot = set->stones[place].hash & (set->slot_count - 1);
    while (set->slots[slot] != 0)
        slot = (slot + 1) & (set->slot_count - 1);
    set->slots[slot] = (uint32_t)place + 1;
}

static bool grow(struct shoal__tombstones *set) {
    size_t capacity = set->capacity > 0 ? set->capacity * 2 : FIRST_CAPACITY;
    struct shoal__tombstone *stones = realloc(set->stones, capacity * sizeof(*stones));
    uint32_t *slots = calloc(capacity * 2, sizeof(*slots));
    if (stones != NULL)
        set->stones = stones;
    if (stones == NULL || slots == NULL) {
        free(slots);
        return false;
    }
    free(set->slots);
    set->slots = slots;
    set->slot_count = capacity * 2;
    set->capacity = capacity;
    for (size_t place = 0; place < set->count; place++)
        put_in_table(set, place);
    return true;
}

/* The stones of a key stand one behind the other from its slot on; `standin` NULL asks for any. */
static bool find(const struct shoal__tombstones *set, uint32_t hash, const char *key, size_t key_len,
                 const uint16_t *standin) {
    if (set->count == 0)
        return false;
    for (size_t slot = hash & (set->slot_count - 1); set->slots[slot] != 0; slot = (slot + 1) & (set->slot_count - 1)) {
        const struct shoal__tombstone *stone = &set->stones[set->slots[slot] - 1];
        if (has_key(set, stone, hash, key, key_len) && (standin == NULL || stone->standin == *standin))
            return true;
    }
    return false;
}

bool shoal__tombstones_hold(const struct shoal__tombstones *set, const char *key, size_t key_len) {
    return set->count > 0 && find(set, shoal__hash_murmur3_32(key, key_len), key, key_len, NULL);
}

bool shoal__tombstones_add(struct shoal__tombstones *set, const char *key, size_t key_len, bool key_is_binary,
                           uint16_t standin) {
    uint32_t hash = shoal__hash_murmur3_32(key, key_len);
    if (find(set, hash, key, key_len, &standin))
        return true;
    bool has_room = set->count < set->most && (set->count < set->capacity || grow(set));
    size_t key_at = set->keys.size;
    if (!has_room || !shoal__buffer_append(&set->keys, key, key_len)) {
        set->lost++;
        return false;
    }
    set->stones[set->count] = (struct shoal__tombstone){
        .key_at = key_at,
        .hash = hash,
        .key_len = (uint16_t)key_len,
        .key_is_binary = key_is_binary,
        .standin = standin,
    };
    put_in_table(set, set->count++);
    return true;
}

void shoal__tombstones_move(struct shoal__tombstones *set, struct shoal__tombstones *from) {
    for (size_t i = 0; i < from->count; i++) {
        const struct shoal__tombstone *stone = &from->stones[i];
        shoal__tombstones_add(set, shoal__tombstone_key(from, stone), stone->key_len, stone->key_is_binary,
                              stone->standin);
    }
    shoal__tombstones_clear(from);
}

void shoal__tombstones_clear(struct shoal__tombstones *set) {
    free(set->stones);
    free(set->slots);
    shoal__buffer_clear(&set->keys);
    *set = (struct shoal__tombstones){.most = set->most, .lost = set->lost};
}
