/* Nodes that die, freeze, come back or close connections: what a call then says, how long it takes, and that the
 * client goes on without being made anew. Time is measured with generous bounds.
 * May include: the public headers, support/. Batches are in test_batch_faults.c. labels: transports */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/fleets.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>

#define TIMEOUT_MS 700
#define SLACK_MS test_patience_ms(1000)

static struct test_fleet fleet;
static shoal_client *client;  /* with TIMEOUT_MS */
static shoal_client *patient; /* with a minute */

static int start(void **state) {
    (void)state;
    char options[64];
    test_fleet_start(&fleet, 1);
    snprintf(options, sizeof(options), "operation_timeout_ms=%d&attempt_timeout_ms=%d", TIMEOUT_MS, TIMEOUT_MS);
    client = test_client(fleet.endpoint, options);
    patient = test_client(fleet.endpoint, "operation_timeout_ms=60000&lane_idle_s=0&protocol=libmemcached");
    return 0;
}

static int stop(void **state) {
    (void)state;
    shoal_client_free(client);
    shoal_client_free(patient);
    test_fleet_stop(&fleet);
    return 0;
}

static void restart(void) {
    test_memcached_stop(&fleet.nodes[0]);
    fleet.nodes[0] = test_memcached_start(fleet.nodes[0].port);
}

static shoal_status get(shoal_client *by, shoal_error **error) {
    shoal_value *value = NULL;
    shoal_status status = shoal_get(by, "key", 3, &value, error);
    shoal_value_free(value);
    return status;
}

static shoal_status set(shoal_client *by, shoal_error **error) {
    return shoal_set(by, "key", 3, "text", 4, 0, error);
}

static bool is_served(void *by) {
    return set(by, NULL) == SHOAL_OK;
}

/* A node that was out of use serves again once a probe was answered. */
static void await_service(shoal_client *by) {
    assert_true(test_eventually(is_served, by, SLACK_MS));
}

/* --- Gone --- */

static void assert_down(shoal_status status, const shoal_error *error) {
    assert_int_equal(status, SHOAL_E_NODE_DOWN);
    assert_int_equal(shoal_error_status(error), SHOAL_E_NODE_DOWN);
    assert_string_equal(shoal_error_node(error), fleet.nodes[0].name);
    assert_non_null(strstr(shoal_error_message(error), fleet.nodes[0].name));
    assert_true(shoal_error_is_retriable(error));
}

static void a_node_that_is_not_there_is_told_at_once(void **state) {
    (void)state;
    shoal_error *error = NULL;
    test_memcached_stop(&fleet.nodes[0]);
    int64_t began_ms = test_now_ms();
    shoal_status status = set(patient, &error);
    assert_true(test_now_ms() - began_ms < SLACK_MS);
    assert_down(status, error);
    assert_int_equal(shoal_error_attempts(error), 0);
    assert_false(shoal_error_is_outcome_unknown(error));
    shoal_error_free(error);
}

static void a_node_killed_between_calls_is_told_at_once(void **state) {
    (void)state;
    shoal_error *error = NULL;
    assert_int_equal(set(patient, NULL), SHOAL_OK);
    test_memcached_stop(&fleet.nodes[0]);
    int64_t began_ms = test_now_ms();
    for (int i = 0; i < 3; i++) {
        shoal_status status = set(patient, &error);
        assert_down(status, error);
        status = get(patient, &error);
        assert_down(status, error);
        assert_false(shoal_error_is_outcome_unknown(error));
    }
    assert_true(test_now_ms() - began_ms < SLACK_MS);
    shoal_error_free(error);
}

static bool meets_failure(shoal_client *by) {
    bool met = false;
    shoal_event *event = NULL;
    while (shoal_client_next_event(by, &event, NULL) == SHOAL_OK) {
        met = met || (shoal_event_kind(event) == SHOAL_EVENT_NODE_FAILED &&
                      strcmp(shoal_event_node(event), fleet.nodes[0].name) == 0);
        shoal_event_free(event);
    }
    return met;
}

static void a_failure_is_told_once_until_the_node_is_back(void **state) {
    (void)state;
    assert_int_equal(set(patient, NULL), SHOAL_OK);
    assert_false(meets_failure(patient));
    test_memcached_stop(&fleet.nodes[0]);
    set(patient, NULL);
    assert_true(meets_failure(patient));
    set(patient, NULL);
    assert_false(meets_failure(patient));
    restart();
    await_service(patient);
    test_memcached_stop(&fleet.nodes[0]);
    set(patient, NULL);
    assert_true(meets_failure(patient));
}

/* --- Back again --- */

static void a_restarted_node_serves_the_next_call(void **state) {
    (void)state;
    assert_int_equal(set(patient, NULL), SHOAL_OK);
    for (int i = 0; i < 3; i++) {
        restart();
        assert_int_equal(get(patient, NULL), SHOAL_NOT_FOUND);
        assert_int_equal(set(patient, NULL), SHOAL_OK);
    }
    assert_int_equal(test_connections_to(fleet.nodes[0].port), 1);
}

static void *get_slowly(void *context) {
    get(patient, NULL);
    return context;
}

/* So many threads at once as there shall be lanes. */
static void open_lanes(int count) {
    pthread_t threads[16];
    test_memcached_freeze(&fleet.nodes[0]);
    for (int i = 0; i < count; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, get_slowly, NULL), 0);
    while (test_connections_to(fleet.nodes[0].port) < count)
        test_sleep_ms(5);
    test_memcached_thaw(&fleet.nodes[0]);
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
}

/* By default a lane that was used just now is not looked at: one call may find that out, and no second one. */
static void a_restart_costs_one_call_however_many_lanes_were_idle(void **state) {
    (void)state;
    int failures = 0;
    shoal_client_free(patient);
    patient = test_client(fleet.endpoint, "operation_timeout_ms=60000&retry_attempts=0");
    open_lanes(8);
    assert_int_equal(test_connections_to(fleet.nodes[0].port), 8);
    restart();
    for (int i = 0; i < 20; i++)
        failures += set(patient, NULL) != SHOAL_OK;
    assert_true(failures <= 1);
}

static void a_node_that_was_down_serves_when_it_is_back(void **state) {
    (void)state;
    test_memcached_stop(&fleet.nodes[0]);
    for (int i = 0; i < 10; i++)
        assert_int_equal(set(client, NULL), SHOAL_E_NODE_DOWN);
    restart();
    await_service(client);
}

static enum test_answer close_after_two(struct test_script *script, const char *line, void *context) {
    (void)line;
    int *count = context;
    test_script_say(script, "END\r\n", 5);
    return ++*count % 2 == 0 ? TEST_CLOSE : TEST_ANSWERED;
}

static void connections_that_the_server_closed_are_replaced(void **state) {
    (void)state;
    int count = 0;
    char endpoint[64];
    struct test_script *script = test_script_start(close_after_two, &count);
    snprintf(endpoint, sizeof(endpoint), "static://%s", test_script_name(script));
    shoal_client *visitor = test_client(endpoint, "operation_timeout_ms=60000&lane_idle_s=0&protocol=libmemcached");
    for (int i = 0; i < 20; i++) {
        assert_int_equal(get(visitor, NULL), SHOAL_NOT_FOUND);
        test_sleep_ms(5);
    }
    assert_int_equal(test_script_connections(script), 20);
    shoal_client_free(visitor);
    test_script_stop(script);
}

/* --- Silent --- */

static void assert_ends_at_the_deadline(int64_t began_ms) {
    int64_t taken_ms = test_now_ms() - began_ms;
    if (taken_ms < TIMEOUT_MS - 50 || taken_ms > TIMEOUT_MS + SLACK_MS)
        fail_msg("took %lld ms", (long long)taken_ms);
}

static void a_frozen_node_costs_the_timeout_and_no_more(void **state) {
    (void)state;
    shoal_error *error = NULL;
    assert_int_equal(set(client, NULL), SHOAL_OK);
    test_memcached_freeze(&fleet.nodes[0]);
    int64_t began_ms = test_now_ms();
    assert_int_equal(get(client, &error), SHOAL_E_TIMEOUT);
    assert_ends_at_the_deadline(began_ms);
    assert_string_equal(shoal_error_node(error), fleet.nodes[0].name);
    assert_true(shoal_error_is_retriable(error));
    assert_false(shoal_error_is_outcome_unknown(error));
    assert_int_equal(shoal_error_attempts(error), 1);
    shoal_error_free(error);
}

static shoal_status write_by(int way, shoal_error **error) {
    uint64_t initial = 0;
    switch (way) {
    case 0:
        return set(client, error);
    case 1:
        return shoal_store(client, SHOAL_APPEND, "key", 3, "text", 4, 0, 0, 0, NULL, error);
    case 2:
        return shoal_increment(client, "key", 3, 1, &initial, 0, NULL, error);
    case 3:
        return shoal_delete(client, "key", 3, error);
    case 4:
        return shoal_touch(client, "key", 3, 10, error);
    default:
        return shoal_flush_all(client, error);
    }
}

static void a_lost_reply_to_a_write_leaves_its_outcome_unknown(void **state) {
    (void)state;
    shoal_error *error = NULL;
    for (int way = 0; way < 6; way++) {
        await_service(client);
        assert_int_equal(test_set(client, "key", "1"), SHOAL_OK);
        test_memcached_freeze(&fleet.nodes[0]);
        int64_t began_ms = test_now_ms();
        assert_int_equal(write_by(way, &error), SHOAL_E_TIMEOUT);
        assert_ends_at_the_deadline(began_ms);
        assert_true(shoal_error_is_outcome_unknown(error));
        test_memcached_thaw(&fleet.nodes[0]);
    }
    shoal_error_free(error);
}

static void a_write_that_was_never_sent_is_no_unknown_outcome(void **state) {
    (void)state;
    shoal_error *error = NULL;
    test_memcached_freeze(&fleet.nodes[0]);
    assert_int_equal(set(client, &error), SHOAL_E_TIMEOUT);
    assert_false(shoal_error_is_outcome_unknown(error));
    shoal_error_free(error);
}

static void late_answers_reach_nobody(void **state) {
    (void)state;
    char key[32];
    for (int i = 0; i < 20; i++) {
        snprintf(key, sizeof(key), "late-%d", i);
        assert_int_equal(test_set(client, key, key), SHOAL_OK);
    }
    test_memcached_freeze(&fleet.nodes[0]);
    assert_int_equal(test_get(client, "late-0"), SHOAL_E_TIMEOUT);
    test_memcached_thaw(&fleet.nodes[0]);
    await_service(client);
    for (int i = 1; i < 20; i++) {
        snprintf(key, sizeof(key), "late-%d", i);
        assert_true(test_holds(client, key, key));
    }
}

/* --- Signals: of a host that has a timer and asks for no restart of system calls --- */

static volatile sig_atomic_t alarms;
static volatile sig_atomic_t alarms_wanted; /* 0: for ever */

static void set_timer(int every_ms) {
    struct itimerval timer = {.it_interval.tv_usec = every_ms * 1000, .it_value.tv_usec = every_ms * 1000};
    setitimer(ITIMER_REAL, &timer, NULL);
}

static void count_alarm(int signal) {
    (void)signal;
    if (++alarms == alarms_wanted)
        set_timer(0);
}

static void begin_alarms(int every_ms, int count) {
    struct sigaction action = {.sa_handler = count_alarm};
    alarms = 0;
    alarms_wanted = count;
    sigaction(SIGALRM, &action, NULL);
    set_timer(every_ms);
}

static void signals_do_not_change_a_timeout(void **state) {
    (void)state;
    /* libmemcached's own count of the time goes wrong differently with each of these: for ever with the first. */
    static const int rhythms[][2] = {{TIMEOUT_MS * 2 / 5, 2}, {TIMEOUT_MS * 2 / 7, 0}, {30, 0}};
    for (size_t i = 0; i < sizeof(rhythms) / sizeof(rhythms[0]); i++) {
        await_service(client);
        test_memcached_freeze(&fleet.nodes[0]);
        begin_alarms(rhythms[i][0], rhythms[i][1]);
        int64_t began_ms = test_now_ms();
        shoal_status status = get(client, NULL);
        set_timer(0);
        assert_int_equal(status, SHOAL_E_TIMEOUT);
        assert_ends_at_the_deadline(began_ms);
        assert_true(alarms > 0);
        test_memcached_thaw(&fleet.nodes[0]);
    }
}

static void signals_do_not_disturb_calls(void **state) {
    (void)state;
    char key[32];
    begin_alarms(1, 0);
    for (int i = 0; i < test_rounds(5000); i++) {
        snprintf(key, sizeof(key), "signal-%d", i % 100);
        assert_int_equal(test_set(patient, key, key), SHOAL_OK);
        assert_true(test_holds(patient, key, key));
    }
    set_timer(0);
}

static void signals_do_not_lengthen_the_wait_for_discovery(void **state) {
    (void)state;
    char options[64];
    struct test_endpoint *endpoint = test_endpoint_start();
    test_endpoint_set_hang(endpoint, true);
    snprintf(options, sizeof(options), "operation_timeout_ms=%d&discovery_timeout_ms=600000", TIMEOUT_MS);
    shoal_client *waiting = test_client(test_endpoint_name(endpoint), options);
    begin_alarms(30, 0);
    int64_t began_ms = test_now_ms();
    shoal_status status = get(waiting, NULL);
    set_timer(0);
    assert_int_equal(status, SHOAL_E_TIMEOUT);
    assert_ends_at_the_deadline(began_ms);
    shoal_client_free(waiting);
    test_endpoint_stop(endpoint);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_node_that_is_not_there_is_told_at_once),
        TEST(a_node_killed_between_calls_is_told_at_once),
        TEST(a_failure_is_told_once_until_the_node_is_back),
        TEST(a_restarted_node_serves_the_next_call),
        TEST(a_restart_costs_one_call_however_many_lanes_were_idle),
        TEST(a_node_that_was_down_serves_when_it_is_back),
        TEST(connections_that_the_server_closed_are_replaced),
        TEST(a_frozen_node_costs_the_timeout_and_no_more),
        TEST(a_lost_reply_to_a_write_leaves_its_outcome_unknown),
        TEST(a_write_that_was_never_sent_is_no_unknown_outcome),
        TEST(late_answers_reach_nobody),
        TEST(signals_do_not_change_a_timeout),
        TEST(signals_do_not_disturb_calls),
        TEST(signals_do_not_lengthen_the_wait_for_discovery),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
