/* A memcached in a few lines, for fuzz_meta: a world of eight keys that never changes, answers in separate parts, and
 * what may become of these on the way.
 * May include: base/, libc. */
#ifndef TESTS_FUZZ_META_SERVER_H
#define TESTS_FUZZ_META_SERVER_H

#include "base/buffer.h"

#include <stdbool.h>
#include <stdint.h>

#define MODEL_ITEMS 8

/* Values longer than this one are refused by the client under test, where it reads them. */
#define MODEL_VALUE_MAX 9000

struct model_item {
    const char *key;
    const char *value; /* what the key holds, and what is stored */
    size_t size;
    uint32_t flags;
    uint64_t number; /* what an increment comes to; 0: it is no number */
    bool exists;     /* a store does not change that */
    bool is_refused; /* when stored */
};

/* Item i of the world. */
struct model_item model_item_at(size_t index);

/* The item of this key, which must be one of the eight. */
struct model_item model_find(const char *key, size_t size);

#define MODEL_PARTS_MAX 256

struct model_part {
    size_t at; /* in the text */
    size_t size;
};

struct model_answers {
    struct shoal__buffer text;
    struct model_part parts[MODEL_PARTS_MAX]; /* an answer, or an item of one, each */
    size_t count;
};

/* Answers to all the commands in these bytes, of which a whole number must be there. */
void model_answer(const char *bytes, size_t size, bool misses_unmarked, struct model_answers *answers);

void model_double(struct model_answers *answers, size_t one, size_t before);
void model_swap(struct model_answers *answers, size_t one, size_t other);

/* The parts one behind the other; the caller's. */
void model_write(const struct model_answers *answers, struct shoal__buffer *bytes);

#endif
