/* Random operations on few keys, made from a seed alone: the same seed makes the same operations everywhere.
 * May include: libc, the public headers. Used by the differential test. */
#ifndef TESTS_CONFORMANCE_RANDOM_OPERATIONS_H
#define TESTS_CONFORMANCE_RANDOM_OPERATIONS_H

#include <shoal/shoal.h>

#include <stdbool.h>

#define KEY_COUNT 24
#define BATCH_MAX 40

/* Single operations first, in an order that nothing but the names depends on. */
enum operation_kind { GET, GET_AND_TOUCH, STORE, DELETE, TOUCH, INCREMENT, FLUSH_ALL, OPERATION_KINDS };

/* Which token a store gives: tokens differ between servers, so that each side has its own of the same age. */
enum token_age { TOKEN_CURRENT, TOKEN_STALE, TOKEN_NEVER_GIVEN, TOKEN_AGES };

struct operation {
    enum operation_kind kind;
    int mode;     /* of a store */
    unsigned key; /* 0 .. KEY_COUNT - 1, or BAD_KEY */
    const char *value;
    size_t value_len;
    uint32_t flags;
    int64_t ttl_s;
    enum token_age token_age;
    bool wants_new_token;
    int64_t delta;
    bool has_initial;
    uint64_t initial;
    char digits[24]; /* room for a value that is a number */
};

#define BAD_KEY KEY_COUNT

/* The state of the generator; any seed will do. */
struct random {
    uint64_t state;
};

uint64_t random_next(struct random *random);
unsigned random_below(struct random *random, unsigned bound);

/* A key's bytes, borrowed; BAD_KEY has some that no client sends. */
const char *operation_key(unsigned key, size_t *size);

void operation_make(struct operation *operation, struct random *random);
void operation_make_for_batch(struct operation *operation, struct random *random); /* one that a batch takes */

/* What it is, in one line, without the value's bytes. */
#define OPERATION_TEXT_SIZE 240
void operation_print(const struct operation *operation, char text[OPERATION_TEXT_SIZE]);

#endif
