/* One client and many threads: every value is the one that its thread wrote, and handles may come, be closed and go
 * beside calls in flight. ThreadSanitizer watches in its build.
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

#define THREADS 16

static struct test_fleet fleet;

static int start(void **state) {
    (void)state;
    test_fleet_start(&fleet, 3);
    return 0;
}

static int stop(void **state) {
    (void)state;
    test_fleet_stop(&fleet);
    return 0;
}

/* What the threads of one test share. A thread never asserts: it counts what was wrong. */
struct crowd {
    shoal_client *client;
    void (*act)(struct crowd *crowd, int self, int round);
    int rounds;
    atomic_int next;
    atomic_int wrong;
    atomic_bool over;
    pthread_barrier_t together; /* where the moment matters */
};

static void expect(struct crowd *crowd, bool fine) {
    if (!fine)
        atomic_fetch_add(&crowd->wrong, 1);
}

static void *take_part(void *context) {
    struct crowd *crowd = context;
    int self = atomic_fetch_add(&crowd->next, 1);
    for (int round = 0; round < crowd->rounds; round++)
        crowd->act(crowd, self, round);
    return NULL;
}

static void begin(struct crowd *crowd, pthread_t threads[], int count) {
    for (int i = 0; i < count; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_part, crowd), 0);
}

static void join(pthread_t threads[], int count) {
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
}

static void run(struct crowd *crowd) {
    pthread_t threads[THREADS];
    begin(crowd, threads, THREADS);
    join(threads, THREADS);
    assert_int_equal(atomic_load(&crowd->wrong), 0);
}

/* --- Operations --- */

static void count_up(struct crowd *crowd, int self, int round) {
    char key[32];
    uint64_t initial = 0;
    uint64_t value = 0;
    size_t size = (size_t)snprintf(key, sizeof(key), "count-%d", self);
    expect(crowd, shoal_increment(crowd->client, key, size, 1, &initial, 0, &value, NULL) == SHOAL_OK);
    expect(crowd, value == (uint64_t)round);
}

static void run_batch(struct crowd *crowd, int self, int round) {
    char keys[20][32];
    shoal_batch *batch = NULL;
    shoal_batch_new(crowd->client, &batch, NULL);
    for (int i = 0; i < 20; i++) {
        snprintf(keys[i], sizeof(keys[i]), "batch-%d-%d-%d", self, round, i);
        shoal_batch_store(batch, SHOAL_SET, keys[i], strlen(keys[i]), keys[i], strlen(keys[i]), 0, 0, 0, NULL);
    }
    for (int i = 0; i < 20; i++)
        shoal_batch_get(batch, keys[i], strlen(keys[i]), NULL);
    expect(crowd, shoal_batch_run(batch, NULL) == SHOAL_OK);
    for (size_t i = 0; i < 20; i++) {
        const void *data = NULL;
        size_t size = 0;
        shoal_batch_value(batch, 20 + i, &data, &size, NULL, NULL);
        expect(crowd, size == strlen(keys[i]) && memcmp(data, keys[i], size) == 0);
    }
    shoal_batch_free(batch);
}

static void mix(struct crowd *crowd, int self, int round) {
    char key[32];
    char text[64];
    snprintf(key, sizeof(key), "key-%d-%d", self, round % 10);
    snprintf(text, sizeof(text), "text of thread %d in round %d", self, round);
    expect(crowd, test_set(crowd->client, key, text) == SHOAL_OK);
    expect(crowd, test_holds(crowd->client, key, text));
    count_up(crowd, self, round);
    if (round % 5 == 0) {
        expect(crowd, shoal_delete(crowd->client, key, strlen(key), NULL) == SHOAL_OK);
        expect(crowd, test_get(crowd->client, key) == SHOAL_NOT_FOUND);
        run_batch(crowd, self, round);
    }
}

static void every_value_is_that_of_its_thread(void **state) {
    (void)state;
    struct crowd crowd = {.act = mix, .rounds = test_rounds(400)};
    crowd.client = test_client(fleet.endpoint, "operation_timeout_ms=60000");
    run(&crowd);
    shoal_client_free(crowd.client);
}

static void every_thread_adds_to_one_counter(struct crowd *crowd, int self, int round) {
    (void)self;
    (void)round;
    uint64_t initial = 1;
    expect(crowd, shoal_increment(crowd->client, "one", 3, 1, &initial, 0, NULL, NULL) == SHOAL_OK);
}

static void no_increment_is_lost(void **state) {
    (void)state;
    char text[16];
    struct crowd crowd = {.act = every_thread_adds_to_one_counter, .rounds = test_rounds(400)};
    crowd.client = test_client(fleet.endpoint, "operation_timeout_ms=60000&key_prefix=lost:");
    run(&crowd);
    snprintf(text, sizeof(text), "%d", THREADS * crowd.rounds);
    assert_true(test_holds(crowd.client, "one", text));
    shoal_client_free(crowd.client);
}

/* --- Handles that come and go --- */

static void look_around(struct crowd *crowd) {
    shoal_node *node = NULL;
    shoal_topology *topology = NULL;
    shoal_event *event = NULL;
    expect(crowd, shoal_route(crowd->client, "key", 3, &node, NULL) == SHOAL_OK);
    expect(crowd, shoal_client_topology(crowd->client, &topology, NULL) == SHOAL_OK);
    expect(crowd, shoal_client_next_event(crowd->client, &event, NULL) >= 0);
    expect(crowd, strcmp(shoal_node_host(node), "127.0.0.1") == 0);
    shoal_event_free(event);
    shoal_topology_free(topology);
    shoal_node_free(node);
}

static void come_and_go(struct crowd *crowd, int self, int round) {
    char key[32];
    snprintf(key, sizeof(key), "go-%d", self);
    if (self % 4 == 0) {
        shoal_client *own = test_client(fleet.endpoint, "operation_timeout_ms=60000&lanes_per_node=100");
        expect(crowd, test_set(own, key, key) == SHOAL_OK);
        shoal_client_close(own);
        expect(crowd, test_get(own, key) == SHOAL_E_CLOSED);
        shoal_client_free(own);
    } else if (self % 4 == 1) {
        look_around(crowd);
    } else {
        expect(crowd, test_set(crowd->client, key, key) == SHOAL_OK);
        expect(crowd, test_holds(crowd->client, key, key));
    }
    if (self == 2 && round % 10 == 0)
        shoal_quiesce();
}

static void clients_come_and_go_beside_calls(void **state) {
    (void)state;
    struct crowd crowd = {.act = come_and_go, .rounds = test_rounds(200)};
    crowd.client = test_client(fleet.endpoint, "operation_timeout_ms=60000&lanes_per_node=100");
    run(&crowd);
    shoal_client_free(crowd.client);
}

static bool has_threads(void *count) {
    return test_threads() == *(int *)count;
}

static void clients_of_a_discovered_fleet_come_and_go_beside_calls(void **state) {
    (void)state;
    struct test_endpoint *endpoint = test_endpoint_start();
    int threads_before = test_threads();
    struct crowd crowd = {.act = come_and_go, .rounds = test_rounds(100)};
    test_fleet_announce(&fleet, endpoint, 1);
    crowd.client = test_client(test_endpoint_name(endpoint), "operation_timeout_ms=60000&discovery_interval_ms=10");
    run(&crowd);
    assert_true(test_endpoint_polls(endpoint) > 0);
    shoal_client_free(crowd.client);
    assert_true(test_eventually(has_threads, &threads_before, 5000));
    test_endpoint_stop(endpoint);
}

/* The list changes under the calls: those in flight finish on what they began with. */
static void calls_go_on_while_nodes_come_and_go(void **state) {
    (void)state;
    struct test_endpoint *endpoint = test_endpoint_start();
    struct test_fleet smaller = {.count = 2, .nodes = {fleet.nodes[2], fleet.nodes[0]}};
    struct crowd crowd = {.act = every_thread_adds_to_one_counter, .rounds = test_rounds(300)};
    pthread_t threads[THREADS];
    test_fleet_announce(&fleet, endpoint, 1);
    crowd.client = test_client(test_endpoint_name(endpoint), "operation_timeout_ms=60000&discovery_interval_ms=10");
    begin(&crowd, threads, THREADS);
    for (uint64_t version = 2; version < 30; version++) {
        test_fleet_announce(version % 2 == 0 ? &smaller : &fleet, endpoint, version);
        test_sleep_ms(15);
    }
    join(threads, THREADS);
    assert_int_equal(atomic_load(&crowd.wrong), 0);
    assert_true(test_version(crowd.client) > 1);
    shoal_client_free(crowd.client);
    test_endpoint_stop(endpoint);
}

/* --- Closing beside calls --- */

static void call_until_closed(struct crowd *crowd, int self, int round) {
    char key[32];
    (void)round;
    snprintf(key, sizeof(key), "close-%d", self);
    shoal_status status = SHOAL_OK;
    pthread_barrier_wait(&crowd->together);
    while (status == SHOAL_OK && !atomic_load(&crowd->over)) {
        status = test_set(crowd->client, key, key);
        expect(crowd, status == SHOAL_OK || status == SHOAL_E_CLOSED);
    }
    expect(crowd, status == SHOAL_E_CLOSED);
}

static bool has_no_connection(void *unused) {
    (void)unused;
    int count = 0;
    for (size_t node = 0; node < fleet.count; node++)
        count += test_connections_to(fleet.nodes[node].port);
    return count == 0;
}

/* Mostly at once, as the first call is the one that sets everything up. */
static void assert_closes_beside_calls(const char *at) {
    for (int i = 0; i < test_rounds(300); i++) {
        struct crowd crowd = {.act = call_until_closed, .rounds = 1};
        pthread_t threads[THREADS];
        crowd.client = test_client(at, "operation_timeout_ms=2000");
        pthread_barrier_init(&crowd.together, NULL, THREADS + 1);
        begin(&crowd, threads, THREADS);
        pthread_barrier_wait(&crowd.together);
        if (i % 10 == 0)
            test_sleep_ms(i % 9);
        shoal_client_close(crowd.client);
        join(threads, THREADS);
        pthread_barrier_destroy(&crowd.together);
        assert_int_equal(atomic_load(&crowd.wrong), 0);
        assert_true(has_no_connection(NULL));
        shoal_client_free(crowd.client);
    }
}

static void calls_in_flight_finish_when_the_client_is_closed(void **state) {
    (void)state;
    assert_closes_beside_calls(fleet.endpoint);
}

static void so_they_do_where_the_fleet_is_discovered(void **state) {
    (void)state;
    struct test_endpoint *endpoint = test_endpoint_start();
    int threads_before = test_threads();
    test_fleet_announce(&fleet, endpoint, 1);
    assert_closes_beside_calls(test_endpoint_name(endpoint));
    assert_true(test_eventually(has_threads, &threads_before, 5000));
    test_endpoint_stop(endpoint);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_value_is_that_of_its_thread),
        cmocka_unit_test(no_increment_is_lost),
        cmocka_unit_test(clients_come_and_go_beside_calls),
        cmocka_unit_test(clients_of_a_discovered_fleet_come_and_go_beside_calls),
        cmocka_unit_test(calls_go_on_while_nodes_come_and_go),
        cmocka_unit_test(calls_in_flight_finish_when_the_client_is_closed),
        cmocka_unit_test(so_they_do_where_the_fleet_is_discovered),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
