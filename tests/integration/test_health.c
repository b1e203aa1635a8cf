/* What a node that fails costs: one late call, then none until it answers a probe; retries where repeating is safe; and
 * reads as misses where that is asked for. Times are asserted with generous bounds.
 * May include: the public headers, support/. labels: transports */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/fleets.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define ATTEMPT_MS 300
#define SLACK_MS test_patience_ms(1000)
#define OPTIONS "operation_timeout_ms=5000&attempt_timeout_ms=300"

static struct test_fleet fleet;

static int start(void **state) {
    (void)state;
    test_fleet_start(&fleet, 1);
    return 0;
}

static int stop(void **state) {
    (void)state;
    test_fleet_stop(&fleet);
    return 0;
}

static bool is_served(void *client) {
    return test_set(client, "key", "text") == SHOAL_OK;
}

static unsigned count_events(shoal_client *client, int kind) {
    unsigned count = 0;
    for (shoal_event *event = NULL; shoal_client_next_event(client, &event, NULL) == SHOAL_OK;) {
        count += shoal_event_kind(event) == kind;
        shoal_event_free(event);
    }
    return count;
}

/* --- The breaker --- */

static void a_frozen_node_costs_one_late_call(void **state) {
    (void)state;
    shoal_client *client = test_client(fleet.endpoint, OPTIONS);
    assert_int_equal(test_set(client, "key", "text"), SHOAL_OK);
    test_memcached_freeze(&fleet.nodes[0]);
    assert_int_equal(test_get(client, "key"), SHOAL_E_TIMEOUT);
    int64_t began_ms = test_now_ms();
    for (int i = 0; i < 100; i++)
        assert_int_equal(test_get(client, "key"), SHOAL_E_NODE_DOWN);
    assert_true(test_now_ms() - began_ms < SLACK_MS);
    test_memcached_thaw(&fleet.nodes[0]);
    shoal_client_free(client);
}

static void it_is_back_soon_after_it_goes_on(void **state) {
    (void)state;
    shoal_client *client = test_client(fleet.endpoint, OPTIONS);
    assert_int_equal(test_set(client, "key", "text"), SHOAL_OK);
    for (int i = 0; i < 3; i++) {
        test_memcached_freeze(&fleet.nodes[0]);
        assert_int_equal(test_get(client, "key"), SHOAL_E_TIMEOUT);
        test_sleep_ms(500);
        assert_int_equal(test_get(client, "key"), SHOAL_E_NODE_DOWN);
        test_memcached_thaw(&fleet.nodes[0]);
        assert_true(test_eventually(is_served, client, SLACK_MS));
    }
    assert_int_equal(count_events(client, SHOAL_EVENT_NODE_RECOVERED), 3);
    shoal_client_free(client);
}

static void the_error_says_why_the_node_is_out_of_use(void **state) {
    (void)state;
    shoal_error *error = NULL;
    shoal_value *value = NULL;
    shoal_client *client = test_client(fleet.endpoint, OPTIONS);
    test_memcached_stop(&fleet.nodes[0]);
    assert_int_equal(test_get(client, "key"), SHOAL_E_NODE_DOWN);
    assert_int_equal(shoal_get(client, "key", 3, &value, &error), SHOAL_E_NODE_DOWN);
    assert_non_null(strstr(shoal_error_message(error), "out of use"));
    assert_non_null(strstr(shoal_error_message(error), "is memcached running there?"));
    assert_int_equal(shoal_error_attempts(error), 0);
    assert_string_equal(shoal_error_node(error), fleet.nodes[0].name);
    shoal_error_free(error);
    shoal_client_free(client);
}

static void a_threshold_lets_some_faults_pass(void **state) {
    (void)state;
    shoal_client *client = test_client(fleet.endpoint, "operation_timeout_ms=5000&attempt_timeout_ms=100&"
                                                       "failure_threshold=3&retry_attempts=0");
    assert_int_equal(test_set(client, "key", "text"), SHOAL_OK);
    test_memcached_freeze(&fleet.nodes[0]);
    for (int i = 0; i < 3; i++)
        assert_int_equal(test_get(client, "key"), SHOAL_E_TIMEOUT);
    assert_int_equal(test_get(client, "key"), SHOAL_E_NODE_DOWN);
    test_memcached_thaw(&fleet.nodes[0]);
    shoal_client_free(client);
}

static void probing_survives_quiesce(void **state) {
    (void)state;
    shoal_client *client = test_client(fleet.endpoint, OPTIONS);
    uint16_t port = fleet.nodes[0].port;
    test_memcached_stop(&fleet.nodes[0]);
    assert_int_equal(test_get(client, "key"), SHOAL_E_NODE_DOWN);
    shoal_quiesce();
    fleet.nodes[0] = test_memcached_start(port);
    assert_true(test_eventually(is_served, client, SLACK_MS));
    shoal_client_free(client);
}

static void *get_for_a_while(void *context) {
    shoal_client *client = context;
    int64_t longest_ms = 0;
    for (int64_t end_ms = test_now_ms() + 1500; test_now_ms() < end_ms; test_sleep_ms(1)) {
        int64_t began_ms = test_now_ms();
        test_get(client, "key");
        int64_t taken_ms = test_now_ms() - began_ms;
        longest_ms = taken_ms > longest_ms ? taken_ms : longest_ms;
    }
    return (void *)(longest_ms <= ATTEMPT_MS + SLACK_MS ? client : NULL);
}

/* With fewer lanes than threads: those who wait for a lane are not left waiting. */
static void nobody_waits_for_a_node_that_is_out_of_use(void **state) {
    (void)state;
    pthread_t threads[8];
    shoal_client *client = test_client(fleet.endpoint, OPTIONS "&lanes_per_node=1");
    assert_int_equal(test_set(client, "key", "text"), SHOAL_OK);
    test_memcached_freeze(&fleet.nodes[0]);
    for (int i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, get_for_a_while, client), 0);
    for (int i = 0; i < 8; i++) {
        void *kept_time;
        pthread_join(threads[i], &kept_time);
        assert_non_null(kept_time);
    }
    test_memcached_thaw(&fleet.nodes[0]);
    shoal_client_free(client);
}

/* --- Retries, against a server that closes after some commands --- */

struct closer {
    atomic_int answers_left; /* before it closes once */
    atomic_int commands;
};

static enum test_answer close_once(struct test_script *script, const char *line, void *context) {
    struct closer *closer = context;
    if (strcmp(line, "gets shoal:hello") == 0 || strcmp(line, "get shoal:hello") == 0) {
        test_script_say(script, "END\r\n", 5);
        return TEST_ANSWERED;
    }
    closer->commands++;
    if (closer->answers_left-- == 0)
        return TEST_CLOSE;
    if (strncmp(line, "get", 3) == 0)
        test_script_say(script, "END\r\n", 5);
    else if (strncmp(line, "delete", 6) == 0)
        test_script_say(script, "DELETED\r\n", 9);
    else
        test_script_say(script, "8\r\n", 3);
    return TEST_ANSWERED;
}

/* These scripts speak the classic protocol. */
static shoal_client *client_of(const struct test_script *script, const char *options) {
    char endpoint[96];
    snprintf(endpoint, sizeof(endpoint), "static://%s?protocol=libmemcached", test_script_name(script));
    return test_client(endpoint, options);
}

static void a_repeatable_command_is_tried_again_on_a_fresh_connection(void **state) {
    (void)state;
    struct closer closer = {.answers_left = 0};
    struct test_script *script = test_script_start(close_once, &closer);
    shoal_client *client = client_of(script, "operation_timeout_ms=5000");
    assert_int_equal(test_get(client, "key"), SHOAL_NOT_FOUND);
    assert_int_equal(closer.commands, 2);
    closer.answers_left = 0;
    assert_int_equal(shoal_delete(client, "key", 3, NULL), SHOAL_OK);
    shoal_client_free(client);
    test_script_stop(script);
}

static void an_increment_that_may_have_been_done_is_not(void **state) {
    (void)state;
    struct closer closer = {.answers_left = 0};
    shoal_error *error = NULL;
    struct test_script *script = test_script_start(close_once, &closer);
    shoal_client *client = client_of(script, "operation_timeout_ms=5000");
    assert_int_equal(shoal_increment(client, "key", 3, 1, NULL, 0, NULL, &error), SHOAL_E_NODE_DOWN);
    assert_true(shoal_error_is_outcome_unknown(error));
    assert_int_equal(shoal_error_attempts(error), 1);
    assert_int_equal(closer.commands, 1);
    shoal_error_free(error);
    shoal_client_free(client);
    test_script_stop(script);
}

static void no_retries_are_made_where_none_are_wanted(void **state) {
    (void)state;
    struct closer closer = {.answers_left = 0};
    struct test_script *script = test_script_start(close_once, &closer);
    shoal_client *client = client_of(script, "operation_timeout_ms=5000&retry_attempts=0");
    assert_int_equal(test_get(client, "key"), SHOAL_E_NODE_DOWN);
    assert_int_equal(closer.commands, 1);
    shoal_client_free(client);
    test_script_stop(script);
}

static enum test_answer always_close(struct test_script *script, const char *line, void *context) {
    atomic_int *commands = context;
    if (strncmp(line, "gets shoal:hello", 16) != 0) {
        ++*commands;
        return TEST_CLOSE;
    }
    test_script_say(script, "END\r\n", 5);
    return TEST_ANSWERED;
}

/* 200 calls, two retries wanted by each, ten granted at first and ten a second, and one for ten calls. */
static void the_budget_bounds_the_retries(void **state) {
    (void)state;
    atomic_int commands = 0;
    struct test_script *script = test_script_start(always_close, &commands);
    shoal_client *client = client_of(script, "operation_timeout_ms=5000&retry_backoff_ms=0");
    int64_t began_ms = test_now_ms();
    for (int i = 0; i < 200; i++)
        assert_int_equal(test_get(client, "key"), SHOAL_E_NODE_DOWN);
    int granted = 10 + 20 + (int)((test_now_ms() - began_ms) / 100) + 2;
    assert_true(commands > 200 && commands <= 200 + granted);
    shoal_client_free(client);
    test_script_stop(script);
}

/* --- on_node_failure=miss --- */

static void reads_are_misses_and_writes_are_errors(void **state) {
    (void)state;
    shoal_client *client = test_client(fleet.endpoint, OPTIONS "&on_node_failure=miss");
    test_memcached_stop(&fleet.nodes[0]);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(test_get(client, "key"), SHOAL_NOT_FOUND);
        assert_int_equal(test_set(client, "key", "text"), SHOAL_E_NODE_DOWN);
        assert_int_equal(shoal_delete(client, "key", 3, NULL), SHOAL_E_NODE_DOWN);
    }
    shoal_client_free(client);
}

static void reads_of_a_batch_are_misses_too(void **state) {
    (void)state;
    shoal_batch *batch = NULL;
    shoal_client *client = test_client(fleet.endpoint, OPTIONS "&on_node_failure=miss");
    test_memcached_stop(&fleet.nodes[0]);
    assert_int_equal(shoal_batch_new(client, &batch, NULL), SHOAL_OK);
    shoal_batch_get(batch, "a", 1, NULL);
    shoal_batch_delete(batch, "b", 1, NULL);
    assert_int_equal(shoal_batch_run(batch, NULL), SHOAL_PARTIAL);
    assert_int_equal(shoal_batch_status(batch, 0), SHOAL_NOT_FOUND);
    assert_null(shoal_batch_error(batch, 0));
    assert_int_equal(shoal_batch_status(batch, 1), SHOAL_E_NODE_DOWN);
    assert_non_null(shoal_batch_error(batch, 1));
    shoal_batch_free(batch);
    shoal_client_free(client);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_frozen_node_costs_one_late_call),
        TEST(it_is_back_soon_after_it_goes_on),
        TEST(the_error_says_why_the_node_is_out_of_use),
        TEST(a_threshold_lets_some_faults_pass),
        TEST(probing_survives_quiesce),
        TEST(nobody_waits_for_a_node_that_is_out_of_use),
        cmocka_unit_test(a_repeatable_command_is_tried_again_on_a_fresh_connection),
        cmocka_unit_test(an_increment_that_may_have_been_done_is_not),
        cmocka_unit_test(no_retries_are_made_where_none_are_wanted),
        cmocka_unit_test(the_budget_bounds_the_retries),
        TEST(reads_are_misses_and_writes_are_errors),
        TEST(reads_of_a_batch_are_misses_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
