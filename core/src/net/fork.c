/* Fork detection by a page that the kernel wipes in children (MADV_WIPEONFORK, Linux 4.14), per-process parts, and
 * the table of descriptors.
 * May include: base/ and the operating system. */
#include "net/fork.h"

#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static void close_inherited_descriptors(uint32_t generation);

typedef _Atomic uint32_t generation_word;

static _Atomic(generation_word *) wiped_word;
static atomic_uint last_generation; /* not wiped: a child counts on from its parent's */

/* Stands for a word where the kernel cannot wipe: the process id is the generation then. */
static generation_word no_word;

static generation_word *map_word(void) {
    size_t page_size = (size_t)sysconf(_SC_PAGESIZE);
    void *page = mmap(NULL, page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    bool mapped = page != MAP_FAILED;
    bool wiped = mapped && madvise(page, page_size, MADV_WIPEONFORK) == 0;
    generation_word *word = wiped ? page : &no_word;
    generation_word *known = NULL;
    bool first = atomic_compare_exchange_strong(&wiped_word, &known, word);
    if (mapped && !(wiped && first))
        munmap(page, page_size);
    return first ? word : known;
}

static uint32_t enter_new_process(generation_word *word) {
    uint32_t expected = 0;
    uint32_t generation = atomic_fetch_add(&last_generation, 1) + 1;
    if (!atomic_compare_exchange_strong(word, &expected, generation))
        return expected;
    if (generation > 1)
        close_inherited_descriptors(generation);
    return generation;
}

static uint32_t generation_by_process_id(void) {
    uint32_t process = (uint32_t)getpid();
    uint32_t known = atomic_load(&no_word);
    if (known != process && atomic_compare_exchange_strong(&no_word, &known, process) && known != 0)
        close_inherited_descriptors(process);
    return process;
}

uint32_t shoal__process_generation(void) {
    generation_word *word = atomic_load_explicit(&wiped_word, memory_order_acquire);
    if (word == NULL)
        word = map_word();
    if (word == &no_word)
        return generation_by_process_id();
    uint32_t generation = atomic_load_explicit(word, memory_order_acquire);
    return generation != 0 ? generation : enter_new_process(word);
}

struct shoal__process_part *shoal__process_part_get(struct shoal__process_slot *slot,
                                                    const struct shoal__process_part_type *type, void *context) {
    uint32_t generation = shoal__process_generation();
    struct shoal__process_part *part = atomic_load_explicit(&slot->part, memory_order_acquire);
    if (part != NULL && part->generation == generation)
        return part;
    struct shoal__process_part *fresh = type->create(context, part);
    if (fresh == NULL)
        return NULL;
    fresh->generation = generation;
    fresh->inherited = part;
    if (atomic_compare_exchange_strong(&slot->part, &part, fresh))
        return fresh;
    type->destroy(fresh);
    return part;
}

struct shoal__process_part *shoal__process_part_peek(struct shoal__process_slot *slot) {
    struct shoal__process_part *part = atomic_load_explicit(&slot->part, memory_order_acquire);
    return part != NULL && part->generation == shoal__process_generation() ? part : NULL;
}

static _Atomic(struct shoal__process_part *) kept_inherited;

void shoal__process_part_keep_inherited(struct shoal__process_slot *slot) {
    struct shoal__process_part *own = shoal__process_part_peek(slot);
    struct shoal__process_part *first = own ? own->inherited : atomic_load(&slot->part);
    struct shoal__process_part *last = first;
    if (first == NULL)
        return;
    while (last->inherited != NULL)
        last = last->inherited;
    last->inherited = atomic_load(&kept_inherited);
    while (!atomic_compare_exchange_weak(&kept_inherited, &last->inherited, first))
        continue;
}

/* --- The table of descriptors: slots in chunks that are only ever added, so that no lock is needed --- */

#define SLOT_FREE UINT64_C(0)
#define SLOT_RESERVED UINT64_MAX
#define SLOTS_A_CHUNK 256

struct shoal__descriptor {
    _Atomic uint64_t owner; /* generation and descriptor + 1, or one of the two marks above */
    _Atomic uint64_t inode; /* so that a number reused by the host is never closed */
};

struct chunk {
    struct shoal__descriptor slots[SLOTS_A_CHUNK];
    _Atomic(struct chunk *) next;
};

static struct chunk first_chunk;

static struct chunk *next_chunk(struct chunk *chunk) {
    struct chunk *next = atomic_load(&chunk->next);
    if (next != NULL)
        return next;
    struct chunk *fresh = calloc(1, sizeof(*fresh));
    if (fresh == NULL)
        return NULL;
    if (atomic_compare_exchange_strong(&chunk->next, &next, fresh))
        return fresh;
    free(fresh);
    return next;
}

static bool reserve(struct shoal__descriptor *slot) {
    uint64_t expected = SLOT_FREE;
    return atomic_load_explicit(&slot->owner, memory_order_relaxed) == SLOT_FREE &&
           atomic_compare_exchange_strong(&slot->owner, &expected, SLOT_RESERVED);
}

struct shoal__descriptor *shoal__descriptor_adopt(int fd) {
    struct stat status;
    uint32_t generation = shoal__process_generation();
    if (fd < 0 || fstat(fd, &status) != 0)
        return NULL;
    for (struct chunk *chunk = &first_chunk; chunk != NULL; chunk = next_chunk(chunk)) {
        for (size_t i = 0; i < SLOTS_A_CHUNK; i++) {
            struct shoal__descriptor *slot = &chunk->slots[i];
            if (!reserve(slot))
                continue;
            atomic_store(&slot->inode, (uint64_t)status.st_ino);
            atomic_store(&slot->owner, (uint64_t)generation << 32 | ((uint32_t)fd + 1));
            return slot;
        }
    }
    return NULL;
}

void shoal__descriptor_release(struct shoal__descriptor *descriptor) {
    if (descriptor != NULL)
        atomic_store(&descriptor->owner, SLOT_FREE);
}

static void close_if_inherited(struct shoal__descriptor *slot, uint32_t generation) {
    uint64_t owner = atomic_load(&slot->owner);
    if (owner == SLOT_FREE || owner == SLOT_RESERVED || (uint32_t)(owner >> 32) == generation)
        return;
    int fd = (int)((uint32_t)owner - 1);
    struct stat status;
    if (fstat(fd, &status) == 0 && (uint64_t)status.st_ino == atomic_load(&slot->inode))
        close(fd);
    atomic_store(&slot->owner, SLOT_FREE);
}

static void close_inherited_descriptors(uint32_t generation) {
    for (struct chunk *chunk = &first_chunk; chunk != NULL; chunk = atomic_load(&chunk->next))
        for (size_t i = 0; i < SLOTS_A_CHUNK; i++)
            close_if_inherited(&chunk->slots[i], generation);
}
