/* The keys that have to be deleted on a node before it is believed again: what was written elsewhere meanwhile, or may
 * or may not have been written there. Pure: a set with a bound.
 * May include: base/. Kept by net/pool, one set a node; the drawing is in core/doc/FAILOVER.md. */
#ifndef SHOAL_LOGIC_TOMBSTONES_H
#define SHOAL_LOGIC_TOMBSTONES_H

#include "base/buffer.h"

#include <stdint.h>

/* A key as it goes on the wire, and who stood in when it was written: it is deleted there too, as that copy is as old
 * by the time that the stand-in is needed again. */
struct shoal__tombstone {
    size_t key_at; /* in the set's bytes */
    uint32_t hash;
    uint16_t key_len;
    bool key_is_binary;
    uint16_t standin; /* what the keeper calls it; SHOAL__NO_STANDIN */
};

#define SHOAL__NO_STANDIN UINT16_MAX

/* A zeroed one with a bound is empty. */
struct shoal__tombstones {
    size_t most;
    struct shoal__tombstone *stones; /* in the order added */
    size_t count;
    size_t capacity;
    uint32_t *slots; /* 1 + a stone's place, by hash; a power of two of them, twice as many as stones at least */
    size_t slot_count;
    struct shoal__buffer keys;
    uint64_t lost; /* ever: there was no room */
};

/* False where there was no room, or no memory: that key may be read as it was. */
bool shoal__tombstones_add(struct shoal__tombstones *set, const char *key, size_t key_len, bool key_is_binary,
                           uint16_t standin);

bool shoal__tombstones_hold(const struct shoal__tombstones *set, const char *key, size_t key_len);

/* Adds all of `from`, which is empty then. */
void shoal__tombstones_move(struct shoal__tombstones *set, struct shoal__tombstones *from);

const char *shoal__tombstone_key(const struct shoal__tombstones *set, const struct shoal__tombstone *stone);

/* Empties it; the bound and what was lost stay. */
void shoal__tombstones_clear(struct shoal__tombstones *set);

#endif
