/* The same random operations by two protocols, each on a fleet of its own: whatever comes back has to be the same.
 *     differential PROTOCOL PROTOCOL [SEED [OPERATIONS]]
 * A failure tells the seed, which repeats it. May include: libc, the public headers, random_operations.h, support/. */
#include "random_operations.h"

#include "support/fleets.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NODES 3
#define OPERATIONS 20000
#define TOLD 10                        /* operations before a failure */
#define NEVER_GIVEN 999999999999999999 /* a token */
#define LIFETIME_SLACK_S 60            /* between the two sides' calls, on a busy machine */

/* What came of an operation. */
struct outcome {
    shoal_status status;
    const void *data;
    size_t size;
    uint32_t flags;
    uint64_t token; /* of what was read or stored; 0 where none was told */
    uint64_t number;
    shoal_value *owner; /* of the data; NULL where that is a batch's */
};

struct side {
    const char *protocol;
    struct test_fleet fleet;
    shoal_client *client;
    uint64_t tokens[KEY_COUNT][TOKEN_AGES]; /* the newest that was told, and the one before */
};

struct trial {
    struct side sides[2];
    struct random random;
    uint64_t seed;
    unsigned long count; /* operations so far; a batch is one for each item */
    char told[TOLD][OPERATION_TEXT_SIZE];
    unsigned chances;      /* outcomes that differed by memcached's own chance */
    unsigned statuses[32]; /* how often each came, from -16 up: that the trial tried something */
};

/* --- Telling --- */

static void print_outcome(const struct side *side, const struct outcome *outcome) {
    printf("  %s: %s, %zu bytes, flags %u, token %" PRIu64 ", number %" PRIu64 "\n", side->protocol,
           shoal_status_name(outcome->status), outcome->size, outcome->flags, outcome->token, outcome->number);
}

static bool fail_trial(const struct trial *trial, const char *what, const struct outcome outcomes[2]) {
    printf("operation %lu: %s\n", trial->count, what);
    for (int i = 0; outcomes != NULL && i < 2; i++)
        print_outcome(&trial->sides[i], &outcomes[i]);
    printf("the last operations, this one last:\n");
    for (unsigned long i = trial->count < TOLD ? 0 : trial->count - TOLD; i < trial->count; i++)
        printf("  %lu: %s\n", i + 1, trial->told[i % TOLD]);
    printf("again: differential %s %s %" PRIu64 "\n", trial->sides[0].protocol, trial->sides[1].protocol, trial->seed);
    return false;
}

static void note(struct trial *trial, const struct operation *operation, const char *where) {
    char *text = trial->told[trial->count++ % TOLD];
    operation_print(operation, text);
    size_t used = strlen(text);
    snprintf(text + used, OPERATION_TEXT_SIZE - used, "%s", where);
}

/* --- Tokens: each side has its own, and they have to change together --- */

static uint64_t token_for(const struct side *side, const struct operation *operation) {
    if (operation->kind != STORE || operation->mode != SHOAL_CAS)
        return 0;
    uint64_t token = operation->key == BAD_KEY || operation->token_age == TOKEN_NEVER_GIVEN
                         ? 0
                         : side->tokens[operation->key][operation->token_age];
    return token != 0 ? token : NEVER_GIVEN;
}

/* Takes what was told of a key's token; whether that was another than before. */
static bool learn_token(struct side *side, unsigned key, uint64_t token) {
    uint64_t *tokens = side->tokens[key];
    bool is_new = tokens[TOKEN_CURRENT] != token;
    if (is_new) {
        tokens[TOKEN_STALE] = tokens[TOKEN_CURRENT];
        tokens[TOKEN_CURRENT] = token;
    }
    return is_new;
}

/* --- Comparing --- */

static bool same_value(const struct outcome *a, const struct outcome *b) {
    return a->size == b->size && (a->data == NULL) == (b->data == NULL) &&
           (a->data == NULL || memcmp(a->data, b->data, a->size) == 0);
}

static bool compare(struct trial *trial, const struct operation *operation, const struct outcome outcomes[2]) {
    const struct outcome *a = &outcomes[0];
    const struct outcome *b = &outcomes[1];
    if (a->status >= -16 && a->status < 16)
        trial->statuses[a->status + 16]++;
    if (a->status != b->status)
        return fail_trial(trial, "the statuses differ", outcomes);
    if (!same_value(a, b))
        return fail_trial(trial, "the values differ", outcomes);
    if (a->flags != b->flags)
        return fail_trial(trial, "the flags differ", outcomes);
    if (a->number != b->number)
        return fail_trial(trial, "the numbers differ", outcomes);
    /* An item that was stored as expired has a token that meta tells, and nothing to read it from for libmemcached. */
    if ((a->token == 0) != (b->token == 0) && operation->ttl_s < 0)
        return true;
    if ((a->token == 0) != (b->token == 0))
        return fail_trial(trial, "only one side told a token", outcomes);
    if (a->token == 0)
        return true;
    bool is_new = learn_token(&trial->sides[0], operation->key, a->token);
    if (learn_token(&trial->sides[1], operation->key, b->token) != is_new)
        return fail_trial(trial, "the token changed on one side alone", outcomes);
    return true;
}

/* A node that fails would make both sides equal, and prove nothing. */
static bool is_decided(struct trial *trial, const struct outcome outcomes[2]) {
    for (int i = 0; i < 2; i++) {
        shoal_status status = outcomes[i].status;
        bool fine =
            status >= 0 || status == SHOAL_E_BAD_KEY || status == SHOAL_E_TOO_LARGE || status == SHOAL_E_NOT_A_NUMBER;
        if (!fine)
            return fail_trial(trial, "an error that none of the operations should meet", outcomes);
    }
    return true;
}

/* --- Single operations --- */

static shoal_status call(struct side *side, const struct operation *o, struct outcome *outcome) {
    size_t size = 0;
    const char *key = operation_key(o->key, &size);
    switch (o->kind) {
    case GET:
        return shoal_get(side->client, key, size, &outcome->owner, NULL);
    case GET_AND_TOUCH:
        return shoal_get_and_touch(side->client, key, size, o->ttl_s, &outcome->owner, NULL);
    case STORE:
        return shoal_store(side->client, o->mode, key, size, o->value, o->value_len, o->flags, o->ttl_s,
                           token_for(side, o), o->wants_new_token ? &outcome->token : NULL, NULL);
    case DELETE:
        return shoal_delete(side->client, key, size, NULL);
    case TOUCH:
        return shoal_touch(side->client, key, size, o->ttl_s, NULL);
    case INCREMENT:
        return shoal_increment(side->client, key, size, o->delta, o->has_initial ? &o->initial : NULL, o->ttl_s,
                               &outcome->number, NULL);
    default:
        return shoal_flush_all(side->client, NULL);
    }
}

static void run_on(struct side *side, const struct operation *operation, struct outcome *outcome) {
    outcome->status = call(side, operation, outcome);
    if (outcome->owner != NULL) {
        outcome->data = shoal_value_data(outcome->owner);
        outcome->size = shoal_value_size(outcome->owner);
        outcome->flags = shoal_value_flags(outcome->owner);
        outcome->token = shoal_value_cas(outcome->owner);
    }
}

/* --- Counters from 2^63 on: memcached looks for a minus sign behind them, beyond the item's end, in what lay in that
 * memory before. Where it finds one they are no numbers to it, which is chance --- */

static bool run_single(struct trial *trial, const struct operation *operation);

static bool is_chance(struct trial *trial, const struct operation *operation, const struct outcome outcomes[2]) {
    int refused = outcomes[0].status == SHOAL_E_NOT_A_NUMBER ? 0 : 1;
    if (operation->kind != INCREMENT || outcomes[refused].status != SHOAL_E_NOT_A_NUMBER ||
        outcomes[1 - refused].status != SHOAL_OK)
        return false;
    struct operation read = {.kind = GET, .key = operation->key};
    struct outcome held = {.status = SHOAL_OK};
    char text[64] = ""; /* the number, and what may stand behind a space */
    run_on(&trial->sides[refused], &read, &held);
    if (held.data != NULL)
        memcpy(text, held.data, held.size < sizeof(text) ? held.size : sizeof(text) - 1);
    shoal_value_free(held.owner);
    return strtoull(text, NULL, 10) > INT64_MAX;
}

/* Has both sides begin anew with a key. */
static bool forget(struct trial *trial, unsigned key) {
    struct outcome ignored;
    for (int i = 0; i < 2; i++)
        run_on(&trial->sides[i], &(struct operation){.kind = DELETE, .key = key}, &ignored);
    trial->chances++;
    return run_single(trial, &(struct operation){.kind = GET, .key = key});
}

/* memcached's clock has seconds. Since 1.6.22 or so flush_all hides what is older than this second and looks for the
 * rest in its lists, up to the first older item: one of this second that stands behind that stays. */
#define FLUSHED_AFTER_MS 1500

static bool run_single(struct trial *trial, const struct operation *operation) {
    struct outcome outcomes[2] = {{.status = SHOAL_OK}, {.status = SHOAL_OK}};
    note(trial, operation, "");
    if (operation->kind == FLUSH_ALL)
        test_sleep_ms(FLUSHED_AFTER_MS);
    for (int i = 0; i < 2; i++)
        run_on(&trial->sides[i], operation, &outcomes[i]);
    bool fine = is_decided(trial, outcomes);
    if (fine && is_chance(trial, operation, outcomes))
        fine = forget(trial, operation->key);
    else
        fine = fine && compare(trial, operation, outcomes);
    for (int i = 0; i < 2; i++)
        shoal_value_free(outcomes[i].owner);
    return fine;
}

/* --- Counters that became shorter: memcached writes spaces behind the number, but where its own housekeeping holds the
 * item at that moment it makes a new one without them. Neither side's fault, so both are given the same again --- */

static size_t size_without_padding(const struct outcome *outcome) {
    const char *bytes = outcome->data;
    size_t size = outcome->size;
    while (size > 0 && bytes[size - 1] == ' ')
        size--;
    return size;
}

static bool differ_in_padding(const struct outcome *a, const struct outcome *b) {
    size_t size = size_without_padding(a);
    return a->data != NULL && b->data != NULL && a->size != b->size && size == size_without_padding(b) &&
           memcmp(a->data, b->data, size) == 0;
}

/* Stores the number on both sides where they pad it differently. What is different otherwise, the next read finds. */
static bool settle_padding(struct trial *trial, const struct operation *increment) {
    struct operation read = {.kind = GET, .key = increment->key};
    struct operation store = {.kind = STORE, .mode = SHOAL_SET, .key = increment->key, .wants_new_token = true};
    struct outcome outcomes[2] = {{.status = SHOAL_OK}, {.status = SHOAL_OK}};
    for (int i = 0; i < 2; i++)
        run_on(&trial->sides[i], &read, &outcomes[i]);
    bool fine = true;
    if (differ_in_padding(&outcomes[0], &outcomes[1])) {
        store.value = outcomes[0].data;
        store.value_len = size_without_padding(&outcomes[0]);
        store.flags = outcomes[0].flags;
        fine = run_single(trial, &store);
    }
    for (int i = 0; i < 2; i++)
        shoal_value_free(outcomes[i].owner);
    return fine;
}

/* --- Batches --- */

static shoal_status add_to(shoal_batch *batch, const struct side *side, const struct operation *o) {
    size_t size = 0;
    const char *key = operation_key(o->key, &size);
    if (o->kind == GET)
        return shoal_batch_get(batch, key, size, NULL);
    if (o->kind == STORE)
        return shoal_batch_store(batch, o->mode, key, size, o->value, o->value_len, o->flags, o->ttl_s,
                                 token_for(side, o), NULL);
    if (o->kind == DELETE)
        return shoal_batch_delete(batch, key, size, NULL);
    return shoal_batch_touch(batch, key, size, o->ttl_s, NULL);
}

static struct outcome outcome_of(const shoal_batch *batch, size_t index) {
    struct outcome outcome = {.status = shoal_batch_status(batch, index)};
    shoal_batch_value(batch, index, &outcome.data, &outcome.size, &outcome.flags, &outcome.token);
    return outcome;
}

/* The last operation noted is the item that differs: those behind it stand in the batch too. */
static bool compare_batches(struct trial *trial, shoal_batch *const batches[2], const struct operation *operations,
                            size_t count) {
    for (size_t i = 0; i < count; i++) {
        struct outcome outcomes[2] = {outcome_of(batches[0], i), outcome_of(batches[1], i)};
        char where[64];
        snprintf(where, sizeof(where), ", item %zu of %zu", i, count);
        note(trial, &operations[i], where);
        if (!is_decided(trial, outcomes) || !compare(trial, &operations[i], outcomes))
            return false;
    }
    return true;
}

static bool run_batch(struct trial *trial) {
    struct operation operations[BATCH_MAX];
    shoal_batch *batches[2] = {NULL, NULL};
    struct outcome outcomes[2] = {{.status = SHOAL_OK}, {.status = SHOAL_OK}};
    size_t count = 1 + random_below(&trial->random, BATCH_MAX);
    for (size_t i = 0; i < count; i++)
        operation_make_for_batch(&operations[i], &trial->random);
    for (int i = 0; i < 2; i++) {
        shoal_batch_new(trial->sides[i].client, &batches[i], NULL);
        for (size_t k = 0; k < count; k++)
            add_to(batches[i], &trial->sides[i], &operations[k]);
        outcomes[i].status = shoal_batch_run(batches[i], NULL);
    }
    bool fine =
        compare_batches(trial, batches, operations, count) &&
        (outcomes[0].status == outcomes[1].status || fail_trial(trial, "the batches' statuses differ", outcomes));
    shoal_batch_free(batches[0]);
    shoal_batch_free(batches[1]);
    return fine;
}

/* --- The whole state at the end --- */

static long lifetime_s(struct side *side, const char *key) {
    return test_node_ttl(side->fleet.nodes[test_fleet_place(&side->fleet, side->client, key)].port, key);
}

static bool same_states(struct trial *trial) {
    for (unsigned key = 0; key < KEY_COUNT; key++) {
        size_t size = 0;
        const char *bytes = operation_key(key, &size);
        struct operation read = {.kind = GET, .key = key};
        if (!run_single(trial, &read))
            return false;
        long first_s = lifetime_s(&trial->sides[0], bytes);
        long second_s = lifetime_s(&trial->sides[1], bytes);
        bool is_span = first_s >= 0 && second_s >= 0;
        if (is_span ? labs(first_s - second_s) > LIFETIME_SLACK_S : first_s != second_s) {
            printf("%ld and %ld seconds to live\n", first_s, second_s);
            return fail_trial(trial, "the lifetimes differ", NULL);
        }
    }
    return true;
}

/* --- All of it --- */

static bool run_trial(struct trial *trial, unsigned long operations) {
    unsigned long next_state = 0;
    while (trial->count < operations) {
        struct operation operation;
        operation_make(&operation, &trial->random);
        bool is_batch = random_below(&trial->random, 20) == 0;
        if (is_batch ? !run_batch(trial) : !run_single(trial, &operation))
            return false;
        if (!is_batch && operation.kind == INCREMENT && !settle_padding(trial, &operation))
            return false;
        if (trial->count >= next_state) {
            next_state = trial->count + 1000;
            if (!same_states(trial))
                return false;
        }
    }
    return same_states(trial);
}

/* Every outcome that the operations aim at has to come somewhere in a long trial. */
static bool has_tried_all(const struct trial *trial, unsigned long operations) {
    static const shoal_status aims[] = {SHOAL_OK,        SHOAL_NOT_FOUND,   SHOAL_NOT_STORED,    SHOAL_EXISTS,
                                        SHOAL_E_BAD_KEY, SHOAL_E_TOO_LARGE, SHOAL_E_NOT_A_NUMBER};
    bool all = trial->chances <= trial->count / 100;
    printf("  %6u by memcached's own chance\n", trial->chances);
    for (size_t i = 0; i < sizeof(aims) / sizeof(aims[0]); i++) {
        unsigned times = trial->statuses[aims[i] + 16];
        printf("  %6u %s\n", times, shoal_status_name(aims[i]));
        all = all && (times > 0 || operations < 1000);
    }
    return all;
}

static void start_side(struct side *side, const char *protocol) {
    char options[100];
    snprintf(options, sizeof(options), "operation_timeout_ms=60000&protocol=%s", protocol);
    side->protocol = protocol;
    test_fleet_start(&side->fleet, NODES);
    side->client = test_client(side->fleet.endpoint, options);
}

static void stop_side(struct side *side) {
    shoal_client_free(side->client);
    test_fleet_stop(&side->fleet);
}

int main(int argc, char **argv) {
    static struct trial trial;
    if (argc < 3 || argc > 5) {
        fprintf(stderr, "usage: differential PROTOCOL PROTOCOL [SEED [OPERATIONS]]\n");
        return 64;
    }
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    trial.seed = argc > 3 ? strtoull(argv[3], NULL, 10) : (uint64_t)time(NULL);
    trial.random.state = trial.seed;
    unsigned long operations = argc > 4 ? strtoul(argv[4], NULL, 10) : (unsigned long)test_rounds(OPERATIONS);
    start_side(&trial.sides[0], argv[1]);
    start_side(&trial.sides[1], argv[2]);
    bool fine = run_trial(&trial, operations);
    stop_side(&trial.sides[0]);
    stop_side(&trial.sides[1]);
    printf("%s and %s, seed %" PRIu64 ": %lu operations, %s\n", argv[1], argv[2], trial.seed, trial.count,
           fine ? "all alike" : "not alike");
    return fine && has_tried_all(&trial, operations) ? 0 : 1;
}
