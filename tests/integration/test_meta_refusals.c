/* What becomes of a lane and of the other items where a server that speaks meta refuses one: no item is told more, or
 * less, than what happened to it, and no lane is used again in the middle of a value.
 * May include: the public headers, support/. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/fleets.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ITEMS_MAX 400
#define LARGE ((size_t)24 * 1024 * 1024)
#define OPTIONS "lanes_per_node=1&retry_attempts=0&failure_threshold=1000"

/* How long a call may take that is to end by its time, once it has a lane; the last for one that passes LARGE before.
 */
#define SHORT_MS test_patience_ms(1000)
#define LONG_MS test_patience_ms(2500)

/* --- A server that can be told what to refuse --- */

struct told {
    const char *large_answer; /* to a store of more than 1 MB, before its bytes are read */
    const char *batch_answer; /* before the answer to the first mn behind stores */
    bool ends_at_first;       /* says nothing after that mn, else falls silent at the second */
    const char *refused_key;  /* of a deletion, with CLIENT_ERROR */
    unsigned noops;
    char opaque[16];
    atomic_uint deletions;
    atomic_bool is_over; /* the batch; until then a silent server stays silent */
};

static void say(struct test_script *script, const char *text) {
    test_script_say(script, text, strlen(text));
}

static bool greet(struct test_script *script, const char *line, struct told *told) {
    if (strcmp(line, "version") == 0) {
        told->noops = 0;
        say(script, "VERSION 1.6.18\r\n");
    } else if (strcmp(line, "stats settings") == 0) {
        say(script, "STAT item_size_max 1048576\r\nEND\r\n");
    } else {
        return false;
    }
    return true;
}

static bool is_over(void *context) {
    return atomic_load((atomic_bool *)context);
}

static void stay_silent(struct told *told) {
    test_eventually(is_over, &told->is_over, 60000);
}

/* The first mn is that of the greeting. */
static enum test_answer answer_noop(struct test_script *script, struct told *told) {
    char answer[64];
    unsigned noop = told->noops++;
    if (noop == 1 && told->batch_answer != NULL)
        say(script, told->batch_answer);
    snprintf(answer, sizeof(answer), "HD %s\r\n", told->opaque);
    if (noop > 0)
        say(script, answer);
    say(script, "MN\r\n");
    if (noop == 2)
        stay_silent(told);
    return noop == 1 && told->ends_at_first ? TEST_HANG : TEST_ANSWERED;
}

static enum test_answer answer_store(struct test_script *script, const char *line, struct told *told) {
    const char *opaque = strstr(line, " O");
    if (opaque != NULL)
        snprintf(told->opaque, sizeof(told->opaque), "%s", opaque + 1);
    if (told->large_answer == NULL || strstr(line, "ms large ") == NULL)
        return TEST_ANSWERED;
    say(script, told->large_answer);
    stay_silent(told);
    return TEST_CLOSE;
}

static void answer_delete(struct test_script *script, const char *line, struct told *told) {
    char answer[64];
    char key[16] = "";
    atomic_fetch_add(&told->deletions, 1);
    sscanf(line, "md %15s", key);
    snprintf(answer, sizeof(answer), "HD %s\r\n", strstr(line, " O") + 1);
    bool refused = told->refused_key != NULL && strcmp(key, told->refused_key) == 0;
    say(script, refused ? "CLIENT_ERROR not this one\r\n" : answer);
}

static enum test_answer answer(struct test_script *script, const char *line, void *context) {
    struct told *told = context;
    if (greet(script, line, told))
        return TEST_ANSWERED;
    if (strcmp(line, "mn") == 0)
        return answer_noop(script, told);
    if (strncmp(line, "ms ", 3) == 0)
        return answer_store(script, line, told);
    if (strncmp(line, "md ", 3) == 0)
        answer_delete(script, line, told);
    return TEST_ANSWERED;
}

/* --- What all tests here have --- */

static char keys[ITEMS_MAX][16];
static char *large;

/* Lines of bytes, as the scripted server reads lines. */
static int set_up(void **state) {
    (void)state;
    large = malloc(LARGE);
    if (large == NULL)
        return -1;
    memset(large, 'v', LARGE);
    for (size_t i = 998; i + 1 < LARGE; i += 1000)
        memcpy(large + i, "\r\n", 2);
    for (int i = 0; i < ITEMS_MAX; i++)
        snprintf(keys[i], sizeof(keys[i]), "k%d", i);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    free(large);
    return 0;
}

static bool deletes(void *context) {
    return shoal_delete(context, "first", 5, NULL) == SHOAL_OK;
}

/* It has a lane, so that what it does next takes no more time than that. */
static shoal_client *client_of(const struct test_script *script, int timeout_ms, const char *options) {
    char endpoint[64];
    char all[512];
    snprintf(endpoint, sizeof(endpoint), "static://%s", test_script_name(script));
    snprintf(all, sizeof(all), OPTIONS "&operation_timeout_ms=%d&attempt_timeout_ms=%d&connect_timeout_ms=%d&%s",
             timeout_ms, timeout_ms, timeout_ms, options);
    shoal_client *client = test_client(endpoint, all);
    assert_true(test_eventually(deletes, client, 20000));
    return client;
}

static void add_store(shoal_batch *batch, const char *key, size_t size) {
    assert_int_equal(shoal_batch_store(batch, SHOAL_SET, key, strlen(key), large, size, 0, 0, 0, NULL), SHOAL_OK);
}

/* --- Lanes --- */

/* The server answers at the value's announcement and does not read on; the batch's time runs out before it is sent. */
static void leave_in_a_value(const char *large_answer, shoal_status wanted) {
    struct told told = {.large_answer = large_answer};
    shoal_batch *batch = NULL;
    struct test_script *script = test_script_start(answer, &told);
    shoal_client *client = client_of(script, SHORT_MS, "");
    unsigned deletions = atomic_load(&told.deletions);
    unsigned connections = test_script_connections(script);
    assert_int_equal(shoal_batch_new(client, &batch, NULL), SHOAL_OK);
    add_store(batch, "large", LARGE);
    assert_int_equal(shoal_batch_run(batch, NULL), SHOAL_PARTIAL);
    assert_int_equal(shoal_batch_status(batch, 0), wanted);
    atomic_store(&told.is_over, true);
    shoal_status status = shoal_delete(client, "other", 5, NULL);
    assert_int_equal(atomic_load(&told.deletions), deletions + 1);
    assert_int_equal(status, SHOAL_OK);
    assert_int_equal(test_script_connections(script), connections + 1);
    shoal_batch_free(batch);
    shoal_client_free(client);
    test_script_stop(script);
}

static void a_lane_in_the_middle_of_a_refused_value_is_not_used_again(void **state) {
    (void)state;
    leave_in_a_value("SERVER_ERROR object too large for cache\r\n", SHOAL_E_TOO_LARGE);
}

static void a_lane_that_is_spent_decides_nothing_more(void **state) {
    (void)state;
    leave_in_a_value("CLIENT_ERROR not this one\r\n", SHOAL_E_SERVER);
}

/* --- Items --- */

static void run_stores(struct told *told, size_t count, size_t small, size_t large_item, int timeout_ms,
                       shoal_status wanted) {
    shoal_batch *batch = NULL;
    struct test_script *script = test_script_start(answer, told);
    shoal_client *client = client_of(script, timeout_ms, "");
    assert_int_equal(shoal_batch_new(client, &batch, NULL), SHOAL_OK);
    for (size_t i = 0; i < count; i++)
        add_store(batch, keys[i], i == large_item ? LARGE : small);
    assert_int_equal(shoal_batch_run(batch, NULL), SHOAL_PARTIAL);
    atomic_store(&told->is_over, true);
    for (size_t i = 0; i < count; i++) {
        const shoal_error *error = shoal_batch_error(batch, i);
        assert_int_equal(shoal_batch_status(batch, i), wanted);
        assert_int_equal(shoal_error_status(error), wanted);
        assert_true(shoal_error_is_outcome_unknown(error));
    }
    shoal_batch_free(batch);
    shoal_client_free(client);
    test_script_stop(script);
}

/* The first of three quiet stretches is refused, the others are not answered: the first waits to be asked again. */
static void stores_that_wait_to_be_repeated_are_told_when_the_lane_ends(void **state) {
    (void)state;
    struct told told = {.batch_answer = "SERVER_ERROR out of memory storing object\r\n", .ends_at_first = true};
    run_stores(&told, ITEMS_MAX, 998, SIZE_MAX, SHORT_MS, SHOAL_E_TIMEOUT);
}

/* Two quiet stretches were answered, the first with a refusal. Its large value is on its way once more when time runs
 * out: what follows it was sent before, and not again. */
static void stores_that_were_to_be_repeated_may_have_been_executed(void **state) {
    (void)state;
    struct told told = {.batch_answer = "SERVER_ERROR out of memory storing object\r\n"};
    run_stores(&told, 8, 43000, 3, LONG_MS, SHOAL_E_TIMEOUT);
}

static void an_item_that_is_refused_costs_only_itself(void **state) {
    (void)state;
    struct told told = {.refused_key = "k5"};
    shoal_batch *batch = NULL;
    struct test_script *script = test_script_start(answer, &told);
    shoal_client *client = client_of(script, LONG_MS, "");
    assert_int_equal(shoal_batch_new(client, &batch, NULL), SHOAL_OK);
    for (size_t i = 0; i < 20; i++)
        shoal_batch_delete(batch, keys[i], strlen(keys[i]), NULL);
    assert_int_equal(shoal_batch_run(batch, NULL), SHOAL_PARTIAL);
    for (size_t i = 0; i < 20; i++)
        assert_int_equal(shoal_batch_status(batch, i), i == 5 ? SHOAL_E_SERVER : SHOAL_OK);
    shoal_batch_free(batch);
    shoal_client_free(client);
    test_script_stop(script);
}

/* --- Keys --- */

/* A binary key is too long from 187 bytes on, and then goes as its digest, which needs room in the batch. */
static void long_binary_keys_of_a_batch_are_hashed(void **state) {
    (void)state;
    char key[200];
    shoal_batch *batch = NULL;
    struct told told = {.refused_key = NULL};
    struct test_script *script = test_script_start(answer, &told);
    shoal_client *client = client_of(script, LONG_MS, "binary_keys=true&long_keys=hash");
    memset(key, ' ', sizeof(key));
    assert_int_equal(shoal_batch_new(client, &batch, NULL), SHOAL_OK);
    shoal_batch_delete(batch, key, sizeof(key), NULL);
    assert_int_equal(shoal_batch_run(batch, NULL), SHOAL_OK);
    assert_int_equal(shoal_batch_status(batch, 0), SHOAL_OK);
    shoal_batch_free(batch);
    shoal_client_free(client);
    test_script_stop(script);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lane_in_the_middle_of_a_refused_value_is_not_used_again),
        cmocka_unit_test(a_lane_that_is_spent_decides_nothing_more),
        cmocka_unit_test(stores_that_wait_to_be_repeated_are_told_when_the_lane_ends),
        cmocka_unit_test(stores_that_were_to_be_repeated_may_have_been_executed),
        cmocka_unit_test(an_item_that_is_refused_costs_only_itself),
        cmocka_unit_test(long_binary_keys_of_a_batch_are_hashed),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
