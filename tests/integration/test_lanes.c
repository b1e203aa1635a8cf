/* Connections to a node: as few as are needed, no more than lanes_per_node, handed on in the order of asking.
 * May include: the public headers, support/. labels: transports tls */
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

#define THREADS 8

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

static void one_thread_uses_one_connection(void **state) {
    (void)state;
    shoal_client *client = test_client(fleet.endpoint, "operation_timeout_ms=60000");
    assert_int_equal(test_connections_to(fleet.nodes[0].port), 0);
    for (int i = 0; i < 50; i++)
        assert_int_equal(test_set(client, "one", "x"), SHOAL_OK);
    assert_int_equal(test_connections_to(fleet.nodes[0].port), 1);
    shoal_client_close(client);
    assert_int_equal(test_connections_to(fleet.nodes[0].port), 0);
    shoal_client_free(client);
}

/* --- More threads than connections --- */

struct crowd {
    shoal_client *client;
    atomic_bool over;
    atomic_int wrong;
    atomic_int next;
    int served[THREADS];
};

static void *call_until_over(void *context) {
    struct crowd *crowd = context;
    int self = atomic_fetch_add(&crowd->next, 1);
    char key[32];
    snprintf(key, sizeof(key), "crowd-%d", self);
    while (!atomic_load(&crowd->over)) {
        if (test_set(crowd->client, key, key) != SHOAL_OK || !test_holds(crowd->client, key, key))
            atomic_fetch_add(&crowd->wrong, 1);
        crowd->served[self]++;
    }
    return NULL;
}

static void two_connections_serve_eight_threads(void **state) {
    (void)state;
    struct crowd crowd = {.client = test_client(fleet.endpoint, "operation_timeout_ms=60000&lanes_per_node=2")};
    pthread_t threads[THREADS];
    int most = 0;
    int least_served = INT32_MAX;
    int most_served = 0;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, call_until_over, &crowd), 0);
    for (int64_t end_ms = test_now_ms() + 1000; test_now_ms() < end_ms; test_sleep_ms(5)) {
        int now = test_connections_to(fleet.nodes[0].port);
        most = now > most ? now : most;
    }
    atomic_store(&crowd.over, true);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < THREADS; i++) { /* their places are in the order they began, not in that of `threads` */
        least_served = crowd.served[i] < least_served ? crowd.served[i] : least_served;
        most_served = crowd.served[i] > most_served ? crowd.served[i] : most_served;
    }
    assert_int_equal(atomic_load(&crowd.wrong), 0);
    assert_int_equal(most, 2);
    if (least_served == 0 || most_served > 20 * least_served)
        fail_msg("one thread was served %d times, another %d times", least_served, most_served);
    shoal_client_free(crowd.client);
}

/* Holds the only connection for as long as the node is frozen. */
struct holder {
    shoal_client *client;
    shoal_status status;
};

static void *hold(void *context) {
    struct holder *holder = context;
    holder->status = test_get(holder->client, "nobody");
    return NULL;
}

static void no_free_connection_is_a_timeout_that_says_so(void **state) {
    (void)state;
    struct holder holder = {.client = test_client(fleet.endpoint, "operation_timeout_ms=60000&lanes_per_node=1")};
    shoal_client *client = test_client(fleet.endpoint, "operation_timeout_ms=300&lanes_per_node=1");
    shoal_error *error = NULL;
    pthread_t thread;
    assert_int_equal(test_set(holder.client, "key", "x"), SHOAL_OK);
    test_memcached_freeze(&fleet.nodes[0]);
    assert_int_equal(pthread_create(&thread, NULL, hold, &holder), 0);
    test_sleep_ms(test_patience_ms(50));
    int64_t began_ms = test_now_ms();
    assert_int_equal(shoal_set(client, "key", 3, "y", 1, 0, &error), SHOAL_E_TIMEOUT);
    int64_t taken_ms = test_now_ms() - began_ms;
    test_memcached_thaw(&fleet.nodes[0]);
    pthread_join(thread, NULL);
    assert_true(taken_ms >= 250 && taken_ms < 300 + test_patience_ms(1000));
    assert_non_null(strstr(shoal_error_message(error), "lanes_per_node"));
    assert_false(shoal_error_is_outcome_unknown(error));
    assert_int_equal(shoal_error_attempts(error), 0);
    assert_int_equal(holder.status, SHOAL_NOT_FOUND);
    assert_true(test_holds(client, "key", "x"));
    shoal_error_free(error);
    shoal_client_free(holder.client);
    shoal_client_free(client);
}

/* The right to open one passes on where the opening failed: nobody waits for ever. */
static void *expect_node_down(void *context) {
    struct crowd *crowd = context;
    for (int i = 0; i < 50; i++)
        if (test_get(crowd->client, "nobody") != SHOAL_E_NODE_DOWN)
            atomic_fetch_add(&crowd->wrong, 1);
    return NULL;
}

static void a_failed_opening_lets_the_next_one_try(void **state) {
    (void)state;
    char endpoint[64];
    pthread_t threads[THREADS];
    snprintf(endpoint, sizeof(endpoint), "static://127.0.0.1:%u", test_free_port());
    struct crowd crowd = {.client = test_client(endpoint, "operation_timeout_ms=60000&lanes_per_node=1")};
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, expect_node_down, &crowd), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&crowd.wrong), 0);
    shoal_client_free(crowd.client);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_thread_uses_one_connection),
        cmocka_unit_test(two_connections_serve_eight_threads),
        cmocka_unit_test(no_free_connection_is_a_timeout_that_says_so),
        cmocka_unit_test(a_failed_opening_lets_the_next_one_try),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
