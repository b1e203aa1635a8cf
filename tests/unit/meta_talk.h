/* An exchange with no socket: commands are added, what would be sent is looked at, answers are given in words.
 * May include: the core's internals, libc, cmocka. Used by the tests of meta_exchange, which each have a copy. */
#ifndef TESTS_UNIT_META_TALK_H
#define TESTS_UNIT_META_TALK_H

#include "logic/meta_exchange.h"

#include <shoal/operations.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TALK_MAX 10000

struct talk {
    struct shoal__exchange exchange;
    struct shoal__run run;
    struct shoal__command commands[TALK_MAX];
    struct shoal__command *order[TALK_MAX];
    struct shoal__fault fault;
    struct shoal__buffer sent;
    size_t refusals;
    shoal_status refusal; /* the last */
    char keys[TALK_MAX][24];
};

static inline void talk_count_refusal(void *context, struct shoal__command *command, const struct shoal__fault *fault) {
    struct talk *talk = context;
    assert_int_equal(command->status, fault->status);
    assert_true(fault->status < 0);
    for (const char *at = fault->text; *at != '\0'; at++)
        assert_in_range((unsigned char)*at, 0x20, 0x7e);
    talk->refusals++;
    talk->refusal = fault->status;
}

static inline struct talk *talk_new(void) {
    struct talk *talk = calloc(1, sizeof(*talk));
    assert_non_null(talk);
    talk->exchange.value_max = 1 << 20;
    talk->run = (struct shoal__run){.commands = talk->order, .refused = talk_count_refusal, .context = talk};
    return talk;
}

static inline void talk_free(struct talk *talk) {
    for (size_t i = 0; i < talk->run.count; i++)
        shoal_value_free(talk->commands[i].found);
    shoal__exchange_clear(&talk->exchange);
    shoal__buffer_clear(&talk->sent);
    free(talk);
}

/* --- Commands --- */

static inline struct shoal__command *talk_add(struct talk *talk, enum shoal__verb verb, const char *key) {
    size_t index = talk->run.count++;
    assert_true(index < TALK_MAX);
    struct shoal__command *command = &talk->commands[index];
    *command = (struct shoal__command){.verb = verb, .status = SHOAL__UNDECIDED};
    command->key = key;
    command->key_len = strlen(key);
    talk->order[index] = command;
    return command;
}

static inline struct shoal__command *talk_get(struct talk *talk, const char *key) {
    return talk_add(talk, SHOAL__VERB_GET, key);
}

static inline struct shoal__command *talk_set(struct talk *talk, const char *key, const char *value) {
    struct shoal__command *command = talk_add(talk, SHOAL__VERB_STORE, key);
    command->mode = SHOAL_SET;
    command->value = value;
    command->value_len = strlen(value);
    return command;
}

/* Reads, or stores, of k0, k1, ... */
static inline void talk_add_many(struct talk *talk, enum shoal__verb verb, size_t count) {
    for (size_t i = 0; i < count; i++) {
        char *key = talk->keys[talk->run.count];
        snprintf(key, sizeof(talk->keys[0]), "k%zu", i);
        if (verb == SHOAL__VERB_STORE)
            talk_set(talk, key, "v");
        else
            talk_add(talk, verb, key);
    }
}

/* --- Asking --- */

/* Sends what may be sent now, `most` bytes at a time. */
static inline void talk_send(struct talk *talk, size_t most) {
    struct shoal__piece pieces[3];
    for (;;) {
        assert_true(shoal__exchange_ask(&talk->exchange));
        if (shoal__exchange_pieces(&talk->exchange, pieces) == 0)
            return;
        size_t size = pieces[0].size < most ? pieces[0].size : most;
        char *at = shoal__buffer_reserve(&talk->sent, size);
        assert_non_null(at);
        memcpy(at, pieces[0].bytes, size);
        talk->sent.size += size;
        shoal__exchange_sent(&talk->exchange, size);
    }
}

static inline void talk_begin(struct talk *talk) {
    shoal__exchange_begin(&talk->exchange, &talk->run);
    talk_send(talk, SIZE_MAX);
}

/* What was sent since the last look. */
static inline void assert_sent(struct talk *talk, const char *wanted) {
    *shoal__buffer_reserve(&talk->sent, 1) = '\0';
    talk->sent.bytes[talk->sent.size] = '\0';
    assert_string_equal(talk->sent.bytes, wanted);
    assert_int_equal(talk->sent.size, strlen(wanted));
    talk->sent.size = 0;
}

/* --- Answers --- */

/* Gives bytes as they were received, from a block of their exact size. */
static inline shoal_status talk_hear_bytes(struct talk *talk, const char *bytes, size_t size) {
    char *copy = malloc(size > 0 ? size : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    shoal_status status = shoal__exchange_take(&talk->exchange, copy, size, &talk->fault);
    free(copy);
    assert_int_equal(status, talk->fault.status);
    return status;
}

static inline shoal_status talk_hear(struct talk *talk, const char *text) {
    return talk_hear_bytes(talk, text, strlen(text));
}

static inline void assert_heard(struct talk *talk, const char *text) {
    if (talk_hear(talk, text) != SHOAL_OK)
        fail_msg("%s", talk->fault.text);
}

/* --- Outcomes --- */

static inline void assert_over(const struct talk *talk) {
    assert_true(shoal__exchange_is_over(&talk->exchange));
    assert_int_equal(talk->run.in_flight, 0);
}

static inline void assert_status(const struct talk *talk, size_t index, shoal_status status) {
    if (talk->commands[index].status != status)
        fail_msg("command %zu: %s, not %s", index, shoal_status_name(talk->commands[index].status),
                 shoal_status_name(status));
}

static inline void assert_statuses(const struct talk *talk, size_t begin, size_t end, shoal_status status) {
    for (size_t i = begin; i < end; i++)
        assert_status(talk, i, status);
}

static inline void assert_found(const struct talk *talk, size_t index, const char *text) {
    const shoal_value *value = talk->commands[index].found;
    assert_status(talk, index, SHOAL_OK);
    assert_int_equal(shoal_value_size(value), strlen(text));
    assert_memory_equal(shoal_value_data(value), text, strlen(text));
}

#endif
