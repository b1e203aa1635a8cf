/* Steps of conformance cases: read from words, called through the public interface, and compared with what came.
 * May include: libc, words.h, <shoal/shoal.h>. Used by the runner of the conformance cases. */
#ifndef TESTS_CONFORMANCE_STEPS_H
#define TESTS_CONFORMANCE_STEPS_H

#include "words.h"

#include <shoal/shoal.h>

#define TOKENS_MAX 16
#define REASON_SIZE 512

/* The tokens that a case remembers, by name. */
struct tokens {
    struct {
        char name[16];
        uint64_t token;
    } at[TOKENS_MAX];
    size_t count;
};

/* A line `VERB ... -> STATUS ...`. */
struct step {
    struct words words;
    size_t first; /* the verb: 1 in an item of a batch, as it has a + before it */
    size_t arrow;
    unsigned line;
};

/* What came of one. */
struct outcome {
    shoal_status status;
    const void *data; /* where a read found something */
    size_t size;
    uint32_t flags;
    uint64_t token;
    uint64_t number;
    shoal_value *owner; /* of the data; NULL where that is a batch's */
};

/* All return false, with the reason, where a step cannot be read or its outcome is another than the one expected. */
bool step_read(struct step *step, size_t first, char reason[REASON_SIZE]);
bool step_run(struct step *step, shoal_client *client, struct tokens *tokens, char reason[REASON_SIZE]);
bool step_add(struct step *step, shoal_batch *batch, const struct tokens *tokens, char reason[REASON_SIZE]);
bool step_check_item(struct step *step, const shoal_batch *batch, size_t index, struct tokens *tokens,
                     char reason[REASON_SIZE]);

/* Whether a status is the one of this name: `not_found`, `bad_key`. */
bool status_is(shoal_status status, const char *name);

#endif
