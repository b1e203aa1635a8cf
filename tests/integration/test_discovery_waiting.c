/* What a call does while no list is known, while the endpoint is silent, and while the background thread is away.
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

#define AT_ONCE_MS 500 /* on a machine that does other things too */

static void a_silent_endpoint_costs_the_calls_own_time(void **state) {
    (void)state;
    struct test_endpoint *endpoint = test_endpoint_start();
    char message[TEST_MESSAGE_SIZE];
    test_endpoint_set_hang(endpoint, true);
    shoal_client *client =
        test_client(test_endpoint_name(endpoint), "operation_timeout_ms=300&discovery_timeout_ms=60000");
    for (int i = 0; i < 2; i++) {
        int64_t begin_ms = test_now_ms();
        shoal_status status = test_read(client, "key", message);
        int64_t took_ms = test_now_ms() - begin_ms;
        assert_int_equal(status, SHOAL_E_TIMEOUT);
        assert_non_null(strstr(message, test_endpoint_name(endpoint)));
        assert_in_range(took_ms, 290, 300 + AT_ONCE_MS);
    }
    shoal_client_free(client);
    test_endpoint_stop(endpoint);
}

static void a_poll_that_times_out_first_is_the_reason(void **state) {
    (void)state;
    struct test_endpoint *endpoint = test_endpoint_start();
    char message[TEST_MESSAGE_SIZE];
    test_endpoint_set_hang(endpoint, true);
    shoal_client *client =
        test_client(test_endpoint_name(endpoint), "operation_timeout_ms=5000&discovery_timeout_ms=100");
    int64_t begin_ms = test_now_ms();
    assert_int_equal(test_read(client, "key", message), SHOAL_E_DISCOVERY);
    assert_true(test_now_ms() - begin_ms < 100 + 2 * AT_ONCE_MS);
    assert_non_null(strstr(message, test_endpoint_name(endpoint)));
    assert_non_null(strstr(message, "discovery_timeout_ms"));
    shoal_client_free(client);
    test_endpoint_stop(endpoint);
}

static void calls_go_on_with_the_known_list_beside_a_silent_endpoint(void **state) {
    (void)state;
    struct test_memcached server = test_memcached_start(0);
    struct test_endpoint *endpoint = test_endpoint_start();
    char nodes[64];
    snprintf(nodes, sizeof(nodes), "localhost|127.0.0.1|%u", server.port);
    test_endpoint_set_nodes(endpoint, 1, nodes);
    shoal_client *client = test_client(test_endpoint_name(endpoint), "operation_timeout_ms=5000&"
                                                                     "discovery_interval_ms=50");
    assert_true(test_works(client));
    test_endpoint_set_hang(endpoint, true);
    assert_true(test_polled(endpoint, 1));
    int64_t begin_ms = test_now_ms();
    for (int i = 0; i < 10; i++)
        assert_true(test_works(client)); /* 400 calls */
    assert_true(test_now_ms() - begin_ms < 4 * AT_ONCE_MS);
    shoal_client_free(client);
    test_endpoint_stop(endpoint);
    test_memcached_stop(&server);
}

static void calls_fail_at_once_while_nothing_is_known(void **state) {
    (void)state;
    char name[32], message[TEST_MESSAGE_SIZE];
    snprintf(name, sizeof(name), "127.0.0.1:%u", test_free_port());
    shoal_client *client = test_client(name, "operation_timeout_ms=60000");
    test_read(client, "key", NULL);
    int64_t begin_ms = test_now_ms();
    for (int i = 0; i < 100; i++) {
        assert_int_equal(test_read(client, "key", message), SHOAL_E_DISCOVERY);
        assert_non_null(strstr(message, name));
    }
    assert_true(test_now_ms() - begin_ms < AT_ONCE_MS);
    shoal_client_free(client);
}

static void a_failed_discovery_is_worth_another_try(void **state) {
    (void)state;
    char name[32];
    shoal_error *error = NULL;
    shoal_topology *topology = NULL;
    snprintf(name, sizeof(name), "127.0.0.1:%u", test_free_port());
    shoal_client *client = test_client(name, "operation_timeout_ms=5000");
    assert_int_equal(shoal_client_topology(client, &topology, &error), SHOAL_E_DISCOVERY);
    assert_null(topology);
    assert_int_equal(shoal_error_is_retriable(error), 1);
    assert_int_equal(shoal_error_is_outcome_unknown(error), 0);
    assert_int_equal(shoal_error_attempts(error), 0);
    assert_null(shoal_error_node(error));
    shoal_error_free(error);
    shoal_client_free(client);
}

static void a_bad_key_needs_no_discovery(void **state) {
    (void)state;
    struct test_endpoint *endpoint = test_endpoint_start();
    test_endpoint_set_hang(endpoint, true);
    shoal_client *client = test_client(test_endpoint_name(endpoint), "operation_timeout_ms=60000");
    int64_t begin_ms = test_now_ms();
    assert_int_equal(test_read(client, "a b", NULL), SHOAL_E_BAD_KEY);
    assert_true(test_now_ms() - begin_ms < AT_ONCE_MS);
    shoal_client_free(client);
    test_endpoint_stop(endpoint);
}

static void one_silent_endpoint_leaves_other_fleets_alone(void **state) {
    (void)state;
    struct test_endpoint *silent = test_endpoint_start(), *other = test_endpoint_start();
    test_endpoint_set_hang(silent, true);
    test_endpoint_set_nodes(other, 1, "a|127.0.0.1|1");
    char options[] = "operation_timeout_ms=1&discovery_timeout_ms=60000&discovery_interval_ms=50";
    shoal_client *waiting = test_client(test_endpoint_name(silent), options);
    test_read(waiting, "key", NULL);
    assert_true(test_polls_reach(silent, 1));
    shoal_client *served = test_client(test_endpoint_name(other), "operation_timeout_ms=5000&discovery_interval_ms=50");
    int64_t begin_ms = test_now_ms();
    assert_int_equal(test_version(served), 1);
    assert_true(test_now_ms() - begin_ms < AT_ONCE_MS);
    test_endpoint_set_nodes(other, 2, "b|127.0.0.1|2");
    assert_true(test_sees_version(served, 2));
    assert_true(test_now_ms() - begin_ms < 6 * AT_ONCE_MS);
    assert_int_equal(test_endpoint_polls(silent), 1);
    shoal_client_free(waiting);
    shoal_client_free(served);
    test_endpoint_stop(silent);
    test_endpoint_stop(other);
}

/* 10 ms are promised. One that takes 100 may be this machine's doing; that several do is not. */
static bool quiesce_is_slow(void) {
    int64_t begin_ms = test_now_ms();
    shoal_quiesce();
    return test_now_ms() - begin_ms > 100;
}

static void quiesce_is_quick_whatever_discovery_is_doing(void **state) {
    (void)state;
    struct test_endpoint *silent = test_endpoint_start(), *other = test_endpoint_start();
    test_endpoint_set_hang(silent, true);
    test_endpoint_set_nodes(other, 1, "a|127.0.0.1|1");
    shoal_client *waiting = test_client(test_endpoint_name(silent), "operation_timeout_ms=50");
    shoal_client *served = test_client(test_endpoint_name(other), "operation_timeout_ms=5000&discovery_interval_ms=10");
    int slow = 0;
    for (int i = 0; i < 5; i++) {
        test_read(waiting, "key", NULL);
        assert_int_equal(test_version(served), 1);
        slow += quiesce_is_slow();
        slow += quiesce_is_slow(); /* and again with nothing to do */
    }
    assert_in_range(slow, 0, 1);
    shoal_client_free(waiting);
    shoal_client_free(served);
    test_endpoint_stop(silent);
    test_endpoint_stop(other);
}

/* More than a mebibyte of short lines, again and again. */
static void quiesce_is_quick_while_a_flood_is_read(void **state) {
    (void)state;
    static char flood[5 * 256 * 1024] = "CONFIG cluster 0 9\r\n12\na|127.0.0.1|1\n";
    size_t start = strlen(flood);
    memset(flood + start, '\n', sizeof(flood) - 1 - start);
    struct test_endpoint *endpoint = test_endpoint_start();
    test_endpoint_set_config(endpoint, flood);
    shoal_client *client = test_client(test_endpoint_name(endpoint), "operation_timeout_ms=5000&"
                                                                     "discovery_interval_ms=10");
    int slow = 0;
    for (int i = 0; i < 30; i++) {
        assert_int_equal(test_read(client, "key", NULL), SHOAL_E_DISCOVERY);
        test_sleep_ms(10 + i);
        slow += quiesce_is_slow();
    }
    assert_in_range(slow, 0, 15); /* on a loaded machine some are */
    shoal_client_free(client);
    test_endpoint_stop(endpoint);
}

static void the_next_call_after_quiesce_polls_again(void **state) {
    (void)state;
    struct test_endpoint *endpoint = test_endpoint_start();
    test_endpoint_set_nodes(endpoint, 1, "a|127.0.0.1|1");
    shoal_client *client = test_client(test_endpoint_name(endpoint), "operation_timeout_ms=5000&"
                                                                     "discovery_interval_ms=20");
    assert_int_equal(test_version(client), 1);
    shoal_quiesce();
    test_sleep_ms(50); /* what was sent has been counted */
    unsigned polls = test_endpoint_polls(endpoint);
    test_endpoint_set_nodes(endpoint, 2, "b|127.0.0.1|2");
    test_sleep_ms(200);
    assert_int_equal(test_endpoint_polls(endpoint), polls);
    assert_true(test_sees_version(client, 2));
    assert_true(test_polled(endpoint, 3));
    shoal_client_free(client);
    test_endpoint_stop(endpoint);
}

struct caller {
    shoal_client *client;
    shoal_status status;
    char message[TEST_MESSAGE_SIZE];
    pthread_t thread;
};

static void *call_once(void *context) {
    struct caller *caller = context;
    caller->status = test_read(caller->client, "key", caller->message);
    return NULL;
}

/* The endpoint takes 60 ms to answer; quiesce comes at each moment of that. No node listens: what counts is which
 * error it is. */
static void quiesce_does_not_cost_a_call_that_waits_for_discovery(void **state) {
    (void)state;
    char nodes[64];
    snprintf(nodes, sizeof(nodes), "127.0.0.1|127.0.0.1|%u", test_free_port());
    for (int moment = 0; moment < 60; moment += 3) {
        struct test_endpoint *endpoint = test_endpoint_start();
        test_endpoint_set_nodes(endpoint, 1, nodes);
        test_endpoint_set_pace(endpoint, 0, moment % 2 ? 60 : 0);
        struct caller caller = {.client = test_client(test_endpoint_name(endpoint), "operation_timeout_ms=3000")};
        assert_int_equal(pthread_create(&caller.thread, NULL, call_once, &caller), 0);
        if (moment % 2)
            test_sleep_ms(moment);
        for (int i = 0; i < 3; i++)
            shoal_quiesce();
        pthread_join(caller.thread, NULL);
        if (caller.status != SHOAL_E_NODE_DOWN)
            fail_msg("after %d ms: %s", moment, caller.message);
        shoal_client_free(caller.client);
        test_endpoint_stop(endpoint);
    }
}

static void closing_ends_a_wait_for_discovery(void **state) {
    (void)state;
    struct test_endpoint *endpoint = test_endpoint_start();
    test_endpoint_set_hang(endpoint, true);
    struct caller caller = {.client = test_client(test_endpoint_name(endpoint), "operation_timeout_ms=10000&"
                                                                                "discovery_timeout_ms=60000")};
    int64_t begin_ms = test_now_ms();
    assert_int_equal(pthread_create(&caller.thread, NULL, call_once, &caller), 0);
    assert_true(test_polls_reach(endpoint, 1));
    shoal_client_close(caller.client);
    pthread_join(caller.thread, NULL);
    assert_int_equal(caller.status, SHOAL_E_CLOSED);
    assert_true(test_now_ms() - begin_ms < 4 * AT_ONCE_MS);
    shoal_client_free(caller.client);
    test_endpoint_stop(endpoint);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_silent_endpoint_costs_the_calls_own_time),
        cmocka_unit_test(a_poll_that_times_out_first_is_the_reason),
        cmocka_unit_test(calls_go_on_with_the_known_list_beside_a_silent_endpoint),
        cmocka_unit_test(calls_fail_at_once_while_nothing_is_known),
        cmocka_unit_test(a_failed_discovery_is_worth_another_try),
        cmocka_unit_test(a_bad_key_needs_no_discovery),
        cmocka_unit_test(one_silent_endpoint_leaves_other_fleets_alone),
        cmocka_unit_test(quiesce_is_quick_whatever_discovery_is_doing),
        cmocka_unit_test(quiesce_is_quick_while_a_flood_is_read),
        cmocka_unit_test(the_next_call_after_quiesce_polls_again),
        cmocka_unit_test(quiesce_does_not_cost_a_call_that_waits_for_discovery),
        cmocka_unit_test(closing_ends_a_wait_for_discovery),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
