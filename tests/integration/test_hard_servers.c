/* Servers that answer late, in trickles, or with errors of their own, and a process that is short of descriptors: a
 * call keeps its deadline, and what one item or this side is to blame for is not held against the node. May include:
 * the public headers, support/. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/fleets.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#define TIMEOUT_MS 600
#define OPTIONS "operation_timeout_ms=600&attempt_timeout_ms=600&retry_attempts=0"
#define SLACK_MS test_patience_ms(1500)

/* These scripts speak the classic protocol. */
static shoal_client *client_of(const struct test_script *script, const char *options) {
    char endpoint[96];
    snprintf(endpoint, sizeof(endpoint), "static://%s?protocol=libmemcached", test_script_name(script));
    return test_client(endpoint, options);
}

static void say(struct test_script *script, const char *text) {
    test_script_say(script, text, strlen(text));
}

static bool is_greeting(const char *line) {
    return strstr(line, "shoal:hello") != NULL;
}

static unsigned count_failures(shoal_client *client) {
    unsigned count = 0;
    for (shoal_event *event = NULL; shoal_client_next_event(client, &event, NULL) == SHOAL_OK;) {
        count += shoal_event_kind(event) == SHOAL_EVENT_NODE_FAILED;
        shoal_event_free(event);
    }
    return count;
}

/* --- Late and in trickles --- */

/* One item every 50 ms, of a hundred that were asked for. */
static enum test_answer give_slowly(struct test_script *script, const char *line, void *context) {
    (void)context;
    char key[32];
    int used;
    if (!is_greeting(line) && strncmp(line, "gets", 4) == 0)
        for (const char *at = line + 4; sscanf(at, " %31s%n", key, &used) == 1; at += used) {
            char item[64];
            snprintf(item, sizeof(item), "VALUE %s 0 1 7\r\nx\r\n", key);
            test_script_say_slowly(script, item, strlen(item), 0, 50);
        }
    say(script, "END\r\n");
    return TEST_ANSWERED;
}

static void a_batch_that_is_answered_in_trickles_ends_at_its_deadline(void **state) {
    (void)state;
    char keys[100][8];
    shoal_batch *batch = NULL;
    struct test_script *script = test_script_start(give_slowly, NULL);
    shoal_client *client = client_of(script, OPTIONS);
    assert_int_equal(shoal_batch_new(client, &batch, NULL), SHOAL_OK);
    for (int i = 0; i < 100; i++)
        shoal_batch_get(batch, keys[i], (size_t)snprintf(keys[i], sizeof(keys[i]), "k%d", i), NULL);
    int64_t began_ms = test_now_ms();
    assert_int_equal(shoal_batch_run(batch, NULL), SHOAL_PARTIAL);
    assert_true(test_now_ms() - began_ms < TIMEOUT_MS + SLACK_MS);
    assert_int_equal(shoal_batch_status(batch, 0), SHOAL_OK);
    assert_int_equal(shoal_batch_status(batch, 99), SHOAL_E_TIMEOUT);
    shoal_batch_free(batch);
    shoal_client_free(client);
    test_script_stop(script);
}

/* Each answer takes two thirds of the call's time, so that two of them are too many. */
static enum test_answer answer_late(struct test_script *script, const char *line, void *context) {
    (void)context;
    if (is_greeting(line)) {
        say(script, "END\r\n");
        return TEST_ANSWERED;
    }
    test_sleep_ms(TIMEOUT_MS * 2 / 3);
    if (strncmp(line, "incr", 4) == 0)
        say(script, "NOT_FOUND\r\n");
    else if (strncmp(line, "touch", 5) == 0)
        say(script, "TOUCHED\r\n");
    else if (strncmp(line, "gets", 4) == 0)
        say(script, "END\r\n");
    return TEST_ANSWERED;
}

static void calls_of_several_commands_have_one_deadline(void **state) {
    (void)state;
    uint64_t initial = 1;
    shoal_value *value = NULL;
    struct test_script *script = test_script_start(answer_late, NULL);
    shoal_client *client = client_of(script, OPTIONS "&failure_threshold=1000");
    int64_t began_ms = test_now_ms();
    assert_int_equal(shoal_increment(client, "key", 3, 1, &initial, 0, NULL, NULL), SHOAL_E_TIMEOUT);
    assert_int_equal(shoal_get_and_touch(client, "key", 3, 10, &value, NULL), SHOAL_E_TIMEOUT);
    assert_true(test_now_ms() - began_ms < 2 * TIMEOUT_MS + SLACK_MS);
    shoal_client_free(client);
    test_script_stop(script);
}

/* --- Errors of the server's own --- */

static enum test_answer refuse_touch_and_b(struct test_script *script, const char *line, void *context) {
    (void)context;
    if (strncmp(line, "touch", 5) == 0)
        say(script, "ERROR\r\n");
    else if (strncmp(line, "set b", 5) == 0)
        return TEST_ANSWERED; /* its bytes follow */
    else if (strcmp(line, "bytes of b") == 0)
        say(script, "SERVER_ERROR out of sorts\r\n");
    else if (strncmp(line, "gets", 4) == 0)
        say(script, "END\r\n");
    else if (strncmp(line, "set ", 4) != 0)
        say(script, "STORED\r\n");
    return TEST_ANSWERED;
}

static void an_item_that_is_refused_leaves_the_rest_of_its_node_alone(void **state) {
    (void)state;
    static const shoal_status wanted[] = {SHOAL_OK, SHOAL_E_UNSUPPORTED, SHOAL_OK, SHOAL_E_SERVER,
                                          SHOAL_OK, SHOAL_NOT_FOUND};
    shoal_batch *batch = NULL;
    struct test_script *script = test_script_start(refuse_touch_and_b, NULL);
    shoal_client *client = client_of(script, "operation_timeout_ms=10000");
    assert_int_equal(shoal_batch_new(client, &batch, NULL), SHOAL_OK);
    shoal_batch_store(batch, SHOAL_SET, "a", 1, "bytes", 5, 0, 0, 0, NULL);
    shoal_batch_touch(batch, "a", 1, 10, NULL);
    shoal_batch_store(batch, SHOAL_SET, "c", 1, "bytes", 5, 0, 0, 0, NULL);
    shoal_batch_store(batch, SHOAL_SET, "b", 1, "bytes of b", 10, 0, 0, 0, NULL);
    shoal_batch_store(batch, SHOAL_SET, "d", 1, "bytes", 5, 0, 0, 0, NULL);
    shoal_batch_get(batch, "e", 1, NULL);
    assert_int_equal(shoal_batch_run(batch, NULL), SHOAL_PARTIAL);
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
        assert_int_equal(shoal_batch_status(batch, i), wanted[i]);
    assert_non_null(strstr(shoal_error_message(shoal_batch_error(batch, 3)), "out of sorts"));
    assert_int_equal(count_failures(client), 0);
    shoal_batch_free(batch);
    shoal_client_free(client);
    test_script_stop(script);
}

static void an_unknown_group_of_stats_is_no_fault_of_the_node(void **state) {
    (void)state;
    struct test_fleet fleet;
    shoal_stats *stats = NULL;
    test_fleet_start(&fleet, 1);
    shoal_client *client = test_client(fleet.endpoint, "operation_timeout_ms=10000");
    assert_int_equal(shoal_stats_read(client, "nonsense", &stats, NULL), SHOAL_OK);
    assert_int_equal(shoal_stats_node_status(stats, 0), SHOAL_E_UNSUPPORTED);
    assert_int_equal(count_failures(client), 0);
    assert_int_equal(test_set(client, "key", "text"), SHOAL_OK);
    shoal_stats_free(stats);
    shoal_client_free(client);
    test_fleet_stop(&fleet);
}

/* --- This side --- */

/* memcached would misread the length of such a value, and take its bytes for commands. */
static void a_value_that_no_memcached_takes_is_not_sent(void **state) {
    (void)state;
    shoal_error *error = NULL;
    struct test_script *script = test_script_start(answer_late, NULL);
    shoal_client *client = client_of(script, OPTIONS);
    assert_int_equal(shoal_set(client, "key", 3, "text", ((size_t)1 << 30) + 1, 0, &error), SHOAL_E_TOO_LARGE);
    assert_int_equal(test_script_connections(script), 0);
    shoal_error_free(error);
    shoal_client_free(client);
    test_script_stop(script);
}

static void a_lack_of_descriptors_is_not_held_against_the_node(void **state) {
    (void)state;
    struct test_fleet fleet;
    struct rlimit before;
    shoal_error *error = NULL;
    test_fleet_start(&fleet, 1);
    shoal_client *client = test_client(fleet.endpoint, "operation_timeout_ms=10000");
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit none = {.rlim_cur = 3, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    shoal_status status = shoal_set(client, "key", 3, "text", 4, 0, &error);
    setrlimit(RLIMIT_NOFILE, &before);
    assert_int_equal(status, SHOAL_E_SYSTEM);
    assert_true(shoal_error_errno(error) != 0);
    assert_int_equal(count_failures(client), 0);
    assert_int_equal(test_set(client, "key", "text"), SHOAL_OK);
    shoal_error_free(error);
    shoal_client_free(client);
    test_fleet_stop(&fleet);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_that_is_answered_in_trickles_ends_at_its_deadline),
        cmocka_unit_test(calls_of_several_commands_have_one_deadline),
        cmocka_unit_test(an_item_that_is_refused_leaves_the_rest_of_its_node_alone),
        cmocka_unit_test(an_unknown_group_of_stats_is_no_fault_of_the_node),
        cmocka_unit_test(a_value_that_no_memcached_takes_is_not_sent),
        cmocka_unit_test(a_lack_of_descriptors_is_not_held_against_the_node),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
