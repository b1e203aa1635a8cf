/* Values. Small ones, and one large one, are kept in slots that are swapped in and out atomically: no lock that a fork
 * could leave taken, no chain whose head could come back as another one (ABA).
 * May include: base/. */
#include "logic/value.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

struct shoal_value {
    uint32_t flags;
    uint64_t cas;
    size_t size;
    size_t capacity;
    int64_t ttl_s;
    int64_t idle_s;
    int was_read;
    unsigned char bytes[];
};

#define KEPT_CAPACITY 4096
#define KEPT_SLOTS 64

static _Atomic(shoal_value *) kept[KEPT_SLOTS];

/* Threads start looking at different places, so that they seldom meet. */
static size_t first_slot(void) {
    static atomic_uint threads_seen;
    static _Thread_local unsigned own;
    if (own == 0)
        own = atomic_fetch_add_explicit(&threads_seen, 1, memory_order_relaxed) % KEPT_SLOTS + 1;
    return own - 1;
}

#define SLOTS_TRIED 4

static shoal_value *take_kept(void) {
    size_t start = first_slot();
    for (size_t i = 0; i < SLOTS_TRIED; i++) {
        _Atomic(shoal_value *) *slot = &kept[(start + i) % KEPT_SLOTS];
        if (atomic_load_explicit(slot, memory_order_relaxed) == NULL)
            continue;
        shoal_value *value = atomic_exchange_explicit(slot, NULL, memory_order_acquire);
        if (value != NULL)
            return value;
    }
    return NULL;
}

/* What malloc takes from the system anew each time it is asked, whose pages then cost more than all else of a call. Up
 * to what memcached stores where it is not told otherwise; a process keeps one. */
#define LARGE_MIN ((size_t)64 * 1024)
#define LARGE_MAX ((size_t)1024 * 1024)

static _Atomic(shoal_value *) kept_large;

/* Nothing much larger than asked for, as the value may be held for long. */
static shoal_value *take_large(size_t size) {
    if (size < LARGE_MIN || size > LARGE_MAX)
        return NULL;
    shoal_value *value = atomic_exchange_explicit(&kept_large, NULL, memory_order_acquire);
    if (value == NULL || (value->capacity >= size && value->capacity / 2 <= size))
        return value;
    free(value);
    return NULL;
}

static bool keep_large(shoal_value *value) {
    shoal_value *empty = NULL;
    return value->capacity >= LARGE_MIN && value->capacity <= LARGE_MAX &&
           atomic_compare_exchange_strong_explicit(&kept_large, &empty, value, memory_order_release,
                                                   memory_order_relaxed);
}

static shoal_value *allocate(size_t capacity) {
    shoal_value *value = malloc(sizeof(*value) + capacity);
    if (value != NULL)
        value->capacity = capacity;
    return value;
}

static shoal_value *fill_head(shoal_value *value, size_t size, uint32_t flags, uint64_t cas) {
    value->size = size;
    value->flags = flags;
    value->cas = cas;
    shoal__value_describe(value, SHOAL_UNKNOWN, SHOAL_UNKNOWN, -1);
    return value;
}

/* A fresh value is no larger than it must be, as a batch makes a hundred thousand of them. One that was kept and is
 * too small gives way to one of full size, so that a loop of single reads soon allocates nothing. */
shoal_value *shoal__value_new(size_t size, uint32_t flags, uint64_t cas) {
    if (size > SIZE_MAX - sizeof(shoal_value))
        return NULL;
    shoal_value *value = size <= KEPT_CAPACITY ? take_kept() : take_large(size);
    if (value == NULL) {
        value = allocate(size);
    } else if (value->capacity < size) {
        free(value);
        value = allocate(KEPT_CAPACITY);
    }
    if (value == NULL)
        return NULL;
    return fill_head(value, size, flags, cas);
}

void shoal__value_describe(shoal_value *value, int64_t ttl_s, int64_t idle_s, int was_read) {
    value->ttl_s = ttl_s;
    value->idle_s = idle_s;
    value->was_read = was_read;
}

void *shoal__value_bytes(shoal_value *value) {
    return value->bytes;
}

shoal_value *shoal__value_resize(shoal_value *value, size_t size) {
    if (size > value->capacity) {
        if (size > SIZE_MAX - sizeof(*value))
            return NULL;
        value = realloc(value, sizeof(*value) + size);
        if (value == NULL)
            return NULL;
        value->capacity = size;
    }
    value->size = size;
    return value;
}

/* --- Arenas --- */

#define CHUNK_BYTES ((size_t)64 * 1024)
#define ARENA_VALUE_MAX ((size_t)4 * 1024)
#define IN_ARENA SIZE_MAX /* stands for the capacity */

struct shoal__value_chunk {
    struct shoal__value_chunk *next;
    max_align_t bytes[CHUNK_BYTES / sizeof(max_align_t)];
};

static bool has_room(struct shoal__value_arena *arena, size_t needed) {
    if (arena->chunk != NULL && CHUNK_BYTES - arena->used >= needed)
        return true;
    struct shoal__value_chunk *chunk = malloc(sizeof(*chunk));
    if (chunk == NULL)
        return false;
    chunk->next = arena->chunk;
    arena->chunk = chunk;
    arena->used = 0;
    return true;
}

shoal_value *shoal__value_new_in(struct shoal__value_arena *arena, size_t size, uint32_t flags, uint64_t cas) {
    size_t unit = sizeof(max_align_t);
    size_t needed = (sizeof(shoal_value) + size + unit - 1) / unit * unit;
    if (arena == NULL || size > ARENA_VALUE_MAX)
        return shoal__value_new(size, flags, cas);
    if (!has_room(arena, needed))
        return NULL;
    shoal_value *value = (shoal_value *)((char *)arena->chunk->bytes + arena->used);
    arena->used += needed;
    value->capacity = IN_ARENA;
    return fill_head(value, size, flags, cas);
}

static void free_chunks(struct shoal__value_chunk *chunk) {
    while (chunk != NULL) {
        struct shoal__value_chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
}

void shoal__value_arena_reset(struct shoal__value_arena *arena) {
    arena->used = 0;
    if (arena->chunk == NULL)
        return;
    free_chunks(arena->chunk->next);
    arena->chunk->next = NULL;
}

void shoal__value_arena_clear(struct shoal__value_arena *arena) {
    free_chunks(arena->chunk);
    *arena = (struct shoal__value_arena){0};
}

void shoal_value_free(shoal_value *value) {
    if (value == NULL || value->capacity == IN_ARENA)
        return;
    size_t start = first_slot();
    for (size_t i = 0; value->capacity <= KEPT_CAPACITY && i < SLOTS_TRIED; i++) {
        shoal_value *empty = NULL;
        if (atomic_compare_exchange_strong_explicit(&kept[(start + i) % KEPT_SLOTS], &empty, value,
                                                    memory_order_release, memory_order_relaxed))
            return;
    }
    if (!keep_large(value))
        free(value);
}

const void *shoal_value_data(const shoal_value *value) {
    return value ? value->bytes : NULL;
}

size_t shoal_value_size(const shoal_value *value) {
    return value ? value->size : 0;
}

uint32_t shoal_value_flags(const shoal_value *value) {
    return value ? value->flags : 0;
}

uint64_t shoal_value_cas(const shoal_value *value) {
    return value ? value->cas : 0;
}

int64_t shoal_value_ttl_s(const shoal_value *value) {
    return value ? value->ttl_s : SHOAL_UNKNOWN;
}

int64_t shoal_value_idle_s(const shoal_value *value) {
    return value ? value->idle_s : SHOAL_UNKNOWN;
}

int shoal_value_was_read(const shoal_value *value) {
    return value ? value->was_read : -1;
}
