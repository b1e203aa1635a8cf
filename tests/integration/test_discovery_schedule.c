/* When the endpoint is asked, and how often: timers, jitter, sharing, haste after a failure, and the end of polling.
 * May include: the public headers, support/, cmocka. labels: serial */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <shoal/shoal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "support/clients.h"

#define HOUR "discovery_interval_ms=3600000&operation_timeout_ms=5000"

static struct test_endpoint *start_endpoint(const char *nodes) {
    struct test_endpoint *endpoint = test_endpoint_start();
    test_endpoint_set_nodes(endpoint, 1, nodes);
    return endpoint;
}

static void a_change_is_seen_within_the_interval(void **state) {
    (void)state;
    struct test_endpoint *endpoint = start_endpoint("a|127.0.0.1|1");
    shoal_client *client = test_client(test_endpoint_name(endpoint), "operation_timeout_ms=5000&"
                                                                     "discovery_interval_ms=200");
    assert_int_equal(test_version(client), 1);
    for (uint64_t version = 2; version <= 4; version++) {
        test_endpoint_set_nodes(endpoint, version, version % 2 ? "a|127.0.0.1|1" : "b|127.0.0.1|2");
        int64_t begin_ms = test_now_ms();
        assert_true(test_sees_version(client, version));
        assert_true(test_now_ms() - begin_ms < 240 + 2000);
    }
    shoal_client_free(client);
    test_endpoint_stop(endpoint);
}

static void a_client_alone_asks_nothing(void **state) {
    (void)state;
    struct test_endpoint *endpoint = start_endpoint("a|127.0.0.1|1");
    shoal_client *client = test_client(test_endpoint_name(endpoint), "discovery_interval_ms=10");
    shoal_event *event = NULL;
    assert_int_equal(shoal_client_next_event(client, &event, NULL), SHOAL_NOT_FOUND);
    test_sleep_ms(100);
    assert_int_equal(test_endpoint_polls(endpoint), 0);
    shoal_client_free(client);
    test_endpoint_stop(endpoint);
}

/* --- Sharing --- */

struct caller {
    shoal_client *client;
    atomic_bool *go;
    bool fine;
    pthread_t thread;
};

static void *ask_for_the_list(void *context) {
    struct caller *caller = context;
    while (!atomic_load(caller->go))
        continue;
    caller->fine = test_version(caller->client) == 1;
    return NULL;
}

static void first_calls_of_many_threads_make_one_poll(void **state) {
    (void)state;
    struct test_endpoint *endpoint = start_endpoint("a|127.0.0.1|1");
    atomic_bool go = false;
    struct caller callers[16];
    test_endpoint_set_pace(endpoint, 0, 50);
    shoal_client *client = test_client(test_endpoint_name(endpoint), HOUR);
    for (size_t i = 0; i < 16; i++) {
        callers[i] = (struct caller){.client = client, .go = &go};
        assert_int_equal(pthread_create(&callers[i].thread, NULL, ask_for_the_list, &callers[i]), 0);
    }
    atomic_store(&go, true);
    for (size_t i = 0; i < 16; i++) {
        pthread_join(callers[i].thread, NULL);
        assert_true(callers[i].fine);
    }
    assert_int_equal(test_endpoint_polls(endpoint), 1);
    shoal_client_free(client);
    test_endpoint_stop(endpoint);
}

static void clients_that_differ_only_in_their_prefix_share_a_poll(void **state) {
    (void)state;
    struct test_endpoint *endpoint = start_endpoint("a|127.0.0.1|1");
    shoal_client *clients[10];
    for (int i = 0; i < 10; i++) {
        char options[128];
        snprintf(options, sizeof(options), HOUR "&key_prefix=p%d:", i);
        clients[i] = test_client(test_endpoint_name(endpoint), options);
    }
    for (int i = 0; i < 10; i++)
        assert_int_equal(test_version(clients[i]), 1);
    assert_int_equal(test_endpoint_polls(endpoint), 1);
    for (int i = 0; i < 10; i++)
        shoal_client_free(clients[i]);
    test_endpoint_stop(endpoint);
}

static void clients_of_other_connection_options_poll_for_themselves(void **state) {
    (void)state;
    struct test_endpoint *endpoint = start_endpoint("a|127.0.0.1|1");
    shoal_client *one = test_client(test_endpoint_name(endpoint), HOUR);
    shoal_client *other = test_client(test_endpoint_name(endpoint), HOUR "&connect_timeout_ms=100");
    assert_int_equal(test_version(one), 1);
    assert_int_equal(test_version(other), 1);
    assert_int_equal(test_endpoint_polls(endpoint), 2);
    shoal_client_free(one);
    shoal_client_free(other);
    test_endpoint_stop(endpoint);
}

/* --- The end --- */

static void closing_the_last_client_ends_polling(void **state) {
    (void)state;
    struct test_endpoint *endpoint = start_endpoint("a|127.0.0.1|1");
    const char *options = "discovery_interval_ms=20&operation_timeout_ms=5000";
    shoal_client *first = test_client(test_endpoint_name(endpoint), options);
    shoal_client *last = test_client(test_endpoint_name(endpoint), options);
    assert_int_equal(test_version(first), 1);
    shoal_client_close(first);
    assert_true(test_polled(endpoint, 3));
    shoal_client_close(last);
    test_sleep_ms(50); /* what was sent has been counted */
    unsigned polls = test_endpoint_polls(endpoint);
    test_sleep_ms(200);
    assert_int_equal(test_endpoint_polls(endpoint), polls);
    assert_int_equal(test_read(last, "key", NULL), SHOAL_E_CLOSED);
    test_sleep_ms(100);
    assert_int_equal(test_endpoint_polls(endpoint), polls);
    shoal_client_free(first);
    shoal_client_free(last);
    test_endpoint_stop(endpoint);
}

static void a_client_after_the_last_one_discovers_anew(void **state) {
    (void)state;
    struct test_endpoint *endpoint = start_endpoint("a|127.0.0.1|1");
    for (unsigned i = 1; i <= 3; i++) {
        shoal_client *client = test_client(test_endpoint_name(endpoint), HOUR);
        assert_int_equal(test_version(client), 1);
        assert_int_equal(test_endpoint_polls(endpoint), i);
        shoal_client_free(client);
    }
    test_endpoint_stop(endpoint);
}

/* --- Haste --- */

/* An endpoint whose only node listens nowhere. */
static struct test_endpoint *start_endpoint_of_dead_node(void) {
    char nodes[64];
    snprintf(nodes, sizeof(nodes), "127.0.0.1|127.0.0.1|%u", test_free_port());
    return start_endpoint(nodes);
}

static void a_node_failure_hastens_the_next_poll(void **state) {
    (void)state;
    struct test_endpoint *endpoint = start_endpoint_of_dead_node();
    shoal_client *client = test_client(test_endpoint_name(endpoint), HOUR);
    assert_int_equal(test_read(client, "key", NULL), SHOAL_E_NODE_DOWN);
    assert_int_equal(test_endpoint_polls(endpoint), 1);
    test_endpoint_set_nodes(endpoint, 2, "a|127.0.0.1|1");
    int64_t begin_ms = test_now_ms();
    assert_true(test_sees_version(client, 2));
    assert_true(test_now_ms() - begin_ms < 2500);
    shoal_client_free(client);
    test_endpoint_stop(endpoint);
}

static void *fail_for_a_while(void *context) {
    struct caller *caller = context;
    int64_t end_ms = test_now_ms() + 2500;
    while (test_now_ms() < end_ms)
        caller->fine = test_read(caller->client, "key", NULL) == SHOAL_E_NODE_DOWN;
    return NULL;
}

static void a_storm_of_failures_polls_once_a_second(void **state) {
    (void)state;
    struct test_endpoint *endpoint = start_endpoint_of_dead_node();
    struct caller callers[4];
    shoal_client *client = test_client(test_endpoint_name(endpoint), HOUR);
    for (size_t i = 0; i < 4; i++) {
        callers[i] = (struct caller){.client = client};
        assert_int_equal(pthread_create(&callers[i].thread, NULL, fail_for_a_while, &callers[i]), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        pthread_join(callers[i].thread, NULL);
        assert_true(callers[i].fine);
    }
    assert_in_range(test_endpoint_polls(endpoint), 2, 4);
    shoal_client_free(client);
    test_endpoint_stop(endpoint);
}

static void misses_hasten_nothing(void **state) {
    (void)state;
    struct test_memcached server = test_memcached_start(0);
    char nodes[64];
    snprintf(nodes, sizeof(nodes), "127.0.0.1|127.0.0.1|%u", server.port);
    struct test_endpoint *endpoint = start_endpoint(nodes);
    shoal_client *client = test_client(test_endpoint_name(endpoint), HOUR);
    int64_t end_ms = test_now_ms() + 1300;
    while (test_now_ms() < end_ms)
        assert_int_equal(test_read(client, "no-such-key", NULL), SHOAL_NOT_FOUND);
    assert_int_equal(test_endpoint_polls(endpoint), 1);
    shoal_client_free(client);
    test_endpoint_stop(endpoint);
    test_memcached_stop(&server);
}

/* --- Jitter --- */

#define MOMENTS 16

struct clockwork {
    atomic_uint polls;
    int64_t moments_ms[MOMENTS];
};

static enum test_answer note_the_moment(struct test_script *script, const char *line, void *context) {
    static const char reply[] = "CONFIG cluster 0 16\r\n1\na|127.0.0.1|1\n\r\nEND\r\n";
    struct clockwork *clockwork = context;
    (void)line;
    unsigned poll = atomic_load(&clockwork->polls);
    if (poll < MOMENTS)
        clockwork->moments_ms[poll] = test_now_ms();
    atomic_store(&clockwork->polls, poll + 1);
    test_script_say(script, reply, sizeof(reply) - 1);
    return TEST_ANSWERED;
}

static bool has_run(void *context) {
    struct clockwork *clockwork = context;
    return atomic_load(&clockwork->polls) >= MOMENTS;
}

static void measure_gaps(const char *options, int64_t *shortest_ms, int64_t *longest_ms, int64_t *total_ms) {
    struct clockwork clockwork = {.polls = 0};
    struct test_script *script = test_script_start(note_the_moment, &clockwork);
    shoal_client *client = test_client(test_script_name(script), options);
    assert_int_equal(test_version(client), 1);
    assert_true(test_eventually(has_run, &clockwork, 10000));
    shoal_client_free(client);
    test_script_stop(script);
    *shortest_ms = *longest_ms = clockwork.moments_ms[1] - clockwork.moments_ms[0];
    for (int i = 1; i < MOMENTS; i++) {
        int64_t gap_ms = clockwork.moments_ms[i] - clockwork.moments_ms[i - 1];
        *shortest_ms = gap_ms < *shortest_ms ? gap_ms : *shortest_ms;
        *longest_ms = gap_ms > *longest_ms ? gap_ms : *longest_ms;
    }
    *total_ms = clockwork.moments_ms[MOMENTS - 1] - clockwork.moments_ms[0];
}

static void jitter_spreads_the_polls(void **state) {
    (void)state;
    int64_t shortest_ms, longest_ms, total_ms;
    measure_gaps("discovery_interval_ms=100&discovery_jitter=0.5&operation_timeout_ms=5000", &shortest_ms, &longest_ms,
                 &total_ms);
    assert_true(shortest_ms < 92);
    assert_true(longest_ms > 108);
    assert_in_range(total_ms, 15 * 60, 15 * 1000);
}

static void without_jitter_no_wait_is_cut_short(void **state) {
    (void)state;
    int64_t shortest_ms, longest_ms, total_ms;
    measure_gaps("discovery_interval_ms=100&discovery_jitter=0&operation_timeout_ms=5000", &shortest_ms, &longest_ms,
                 &total_ms);
    /* Measured where it arrives: one may be late and the next in time, so that a single gap tells little. */
    assert_in_range(total_ms, 15 * 90, 15 * 1000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_is_seen_within_the_interval),
        cmocka_unit_test(a_client_alone_asks_nothing),
        cmocka_unit_test(first_calls_of_many_threads_make_one_poll),
        cmocka_unit_test(clients_that_differ_only_in_their_prefix_share_a_poll),
        cmocka_unit_test(clients_of_other_connection_options_poll_for_themselves),
        cmocka_unit_test(closing_the_last_client_ends_polling),
        cmocka_unit_test(a_client_after_the_last_one_discovers_anew),
        cmocka_unit_test(a_node_failure_hastens_the_next_poll),
        cmocka_unit_test(a_storm_of_failures_polls_once_a_second),
        cmocka_unit_test(misses_hasten_nothing),
        cmocka_unit_test(jitter_spreads_the_polls),
        cmocka_unit_test(without_jitter_no_wait_is_cut_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
