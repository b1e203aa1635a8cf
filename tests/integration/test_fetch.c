/* fetch: one computer at a time, whoever dies, on real servers; plain clients see plain items.
 * labels: transports
 * May include: the public headers, support/. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/fleets.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENT "operation_timeout_ms=20000&fetch_wait_ms=20000"

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

/* What a fetch gave: its status, and the text of its value ("" for none). */
struct fetched {
    shoal_status status;
    char text[64];
    shoal_lease *lease;
};

static struct fetched fetch(shoal_client *client, const char *key, int64_t ttl_s, int64_t stale_ttl_s) {
    struct fetched fetched = {.text = ""};
    shoal_value *value = NULL;
    shoal_error *error = NULL;
    fetched.status = shoal_fetch_begin(client, key, strlen(key), ttl_s, stale_ttl_s, &value, &fetched.lease, &error);
    assert_true((fetched.status < 0) == (error != NULL));
    shoal_error_free(error);
    if (value != NULL)
        snprintf(fetched.text, sizeof(fetched.text), "%.*s", (int)shoal_value_size(value),
                 (const char *)shoal_value_data(value));
    shoal_value_free(value);
    return fetched;
}

static void assert_fetched(struct fetched fetched, shoal_status status, const char *text) {
    assert_int_equal(fetched.status, status);
    assert_string_equal(fetched.text, text);
    if (status == SHOAL_COMPUTE)
        assert_non_null(fetched.lease);
    else
        assert_null(fetched.lease);
}

static void finish(shoal_lease *lease, const char *text) {
    assert_int_equal(shoal_lease_store(lease, text, strlen(text), 7, NULL), SHOAL_OK);
    shoal_lease_free(lease);
}

/* Has a value computed that is fresh for a second, and waits until it is not. */
static void let_run_out(shoal_client *client, const char *key, const char *text) {
    struct fetched first = fetch(client, key, 1, 1000);
    assert_fetched(first, SHOAL_COMPUTE, "");
    finish(first.lease, text);
    test_sleep_ms(2100); /* memcached counts whole seconds */
}

/* --- The way of a value --- */

static void the_first_computes_and_the_others_read(void **state) {
    (void)state;
    shoal_client *client = test_client(fleet.endpoint, PATIENT);
    shoal_value *value = NULL;
    struct fetched first = fetch(client, "first", 100, 0);
    assert_fetched(first, SHOAL_COMPUTE, "");
    finish(first.lease, "computed");
    assert_fetched(fetch(client, "first", 100, 0), SHOAL_OK, "computed");
    assert_int_equal(shoal_get(client, "first", 5, &value, NULL), SHOAL_OK);
    assert_int_equal(shoal_value_flags(value), 7);
    shoal_value_free(value);
    shoal_client_free(client);
}

static void an_old_value_is_served_while_one_computes(void **state) {
    (void)state;
    shoal_client *client = test_client(fleet.endpoint, PATIENT);
    let_run_out(client, "old", "one");
    struct fetched winner = fetch(client, "old", 100, 1000);
    assert_fetched(winner, SHOAL_COMPUTE, "one");
    for (int i = 0; i < 3; i++)
        assert_fetched(fetch(client, "old", 100, 1000), SHOAL_STALE, "one");
    finish(winner.lease, "two");
    assert_fetched(fetch(client, "old", 100, 1000), SHOAL_OK, "two");
    shoal_client_free(client);
}

static void a_lease_that_is_given_back_lets_the_next_compute(void **state) {
    (void)state;
    shoal_client *client = test_client(fleet.endpoint, PATIENT);
    let_run_out(client, "given-back", "old");
    for (int i = 0; i < 2; i++) {
        struct fetched next = fetch(client, "given-back", 100, 1000);
        assert_fetched(next, SHOAL_COMPUTE, "old");
        shoal_lease_free(next.lease);
    }
    shoal_client_free(client);
}

static void an_abandoned_lease_lets_the_next_compute_at_once(void **state) {
    (void)state;
    shoal_client *client = test_client(fleet.endpoint, PATIENT);
    struct fetched failed = fetch(client, "abandoned", 100, 0);
    shoal_lease_abandon(failed.lease);
    shoal_lease_abandon(failed.lease);
    struct fetched next = fetch(client, "abandoned", 100, 0);
    assert_fetched(next, SHOAL_COMPUTE, "");
    shoal_lease_free(failed.lease); /* has nothing to give back: the claim is the other's */
    assert_int_equal(shoal_lease_store(next.lease, "x", 1, 0, NULL), SHOAL_OK);
    shoal_lease_free(next.lease);
    shoal_lease_abandon(NULL);
    shoal_client_free(client);
}

static void for_ever_is_for_ever_and_at_once_is_never(void **state) {
    (void)state;
    shoal_client *client = test_client(fleet.endpoint, PATIENT);
    finish(fetch(client, "eternal", 0, 10).lease, "x");
    assert_int_equal(test_node_ttl(fleet.nodes[test_fleet_place(&fleet, client, "eternal")].port, "eternal"), -1);
    assert_fetched(fetch(client, "eternal", 0, 10), SHOAL_OK, "x");
    finish(fetch(client, "never", -1, 10).lease, "x");
    struct fetched again = fetch(client, "never", -1, 10);
    assert_fetched(again, SHOAL_COMPUTE, "");
    shoal_lease_free(again.lease);
    shoal_client_free(client);
}

/* --- Waiting, and those who die --- */

static void without_an_old_value_one_waits_for_so_long_and_no_longer(void **state) {
    (void)state;
    shoal_client *client = test_client(fleet.endpoint, "operation_timeout_ms=20000&fetch_wait_ms=300");
    struct fetched winner = fetch(client, "waited-for", 100, 0);
    int64_t begin_ms = test_now_ms();
    struct fetched waiter = fetch(client, "waited-for", 100, 0);
    int64_t waited_ms = test_now_ms() - begin_ms;
    assert_fetched(waiter, SHOAL_COMPUTE, "");
    assert_in_range(waited_ms, 300, test_patience_ms(2000));
    finish(waiter.lease, "by the waiter");
    finish(winner.lease, "by the winner");
    assert_fetched(fetch(client, "waited-for", 100, 0), SHOAL_OK, "by the winner");
    shoal_client_free(client);
}

static void a_claim_outlives_a_dead_winner_by_its_lifetime(void **state) {
    (void)state;
    shoal_client *client = test_client(fleet.endpoint, PATIENT "&fetch_claim_s=1");
    fflush(NULL);
    pid_t winner = fork();
    if (winner == 0) {
        shoal_client *own = test_client(fleet.endpoint, PATIENT "&fetch_claim_s=1");
        _exit(fetch(own, "orphan", 100, 0).status);
    }
    int status = 0;
    assert_int_equal(waitpid(winner, &status, 0), winner);
    assert_int_equal(WEXITSTATUS(status), SHOAL_COMPUTE);
    struct fetched heir = fetch(client, "orphan", 100, 0);
    assert_fetched(heir, SHOAL_COMPUTE, "");
    finish(heir.lease, "x");
    shoal_client_free(client);
}

static void a_child_that_ends_leaves_its_parent_the_claim(void **state) {
    (void)state;
    shoal_client *client = test_client(fleet.endpoint, PATIENT);
    let_run_out(client, "forked", "old");
    struct fetched winner = fetch(client, "forked", 100, 1000);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        shoal_lease_free(winner.lease);
        _exit(0);
    }
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_fetched(fetch(client, "forked", 100, 1000), SHOAL_STALE, "old");
    finish(winner.lease, "new");
    shoal_client_free(client);
}

static void a_computation_longer_than_its_claim_ends_no_other_claim(void **state) {
    (void)state;
    shoal_client *client = test_client(fleet.endpoint, PATIENT "&fetch_claim_s=1");
    shoal_client *other = test_client(fleet.endpoint, "operation_timeout_ms=20000&fetch_wait_ms=5000");
    let_run_out(client, "slow", "old");
    struct fetched slow = fetch(client, "slow", 100, 1000);
    test_sleep_ms(2100);
    struct fetched second = fetch(other, "slow", 100, 1000); /* its claim lives for long */
    assert_fetched(second, SHOAL_COMPUTE, "old");
    shoal_lease_free(slow.lease); /* gives back what is not its own any more */
    assert_fetched(fetch(client, "slow", 100, 1000), SHOAL_STALE, "old");
    finish(second.lease, "x");
    assert_fetched(fetch(client, "slow", 100, 1000), SHOAL_OK, "x");
    shoal_client_free(other);
    shoal_client_free(client);
}

/* --- Many at once --- */

#define THREADS 8

struct crowd {
    shoal_client *client;
    const char *key;
    int cost_ms;
    atomic_int computing, computed, stale, wrong;
    pthread_barrier_t go;
};

static void *take_part(void *context) {
    struct crowd *crowd = context;
    pthread_barrier_wait(&crowd->go);
    struct fetched fetched = fetch(crowd->client, crowd->key, 100, 1000);
    if (fetched.status == SHOAL_COMPUTE) {
        if (atomic_fetch_add(&crowd->computing, 1) > 0)
            atomic_fetch_add(&crowd->wrong, 1);
        test_sleep_ms(crowd->cost_ms);
        atomic_fetch_sub(&crowd->computing, 1);
        atomic_fetch_add(&crowd->computed, 1);
        shoal_lease_store(fetched.lease, "new", 3, 0, NULL);
        shoal_lease_free(fetched.lease);
    } else if (fetched.status == SHOAL_STALE && strcmp(fetched.text, "old") == 0) {
        atomic_fetch_add(&crowd->stale, 1);
    } else if (strcmp(fetched.text, "new") != 0) { /* for old, until its mark is there */
        atomic_fetch_add(&crowd->wrong, 1);
    }
    return NULL;
}

static void run_crowd(struct crowd *crowd) {
    pthread_t threads[THREADS];
    pthread_barrier_init(&crowd->go, NULL, THREADS);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_part, crowd), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&crowd->go);
    assert_int_equal(atomic_load(&crowd->computed), 1);
    assert_int_equal(atomic_load(&crowd->wrong), 0);
}

static void of_a_crowd_one_computes_and_the_others_wait(void **state) {
    (void)state;
    struct crowd crowd = {.client = test_client(fleet.endpoint, PATIENT), .key = "crowd", .cost_ms = 100};
    run_crowd(&crowd);
    assert_int_equal(atomic_load(&crowd.stale), 0);
    shoal_client_free(crowd.client);
}

static void of_a_crowd_with_an_old_value_nobody_waits(void **state) {
    (void)state;
    struct crowd crowd = {.client = test_client(fleet.endpoint, PATIENT), .key = "old-crowd", .cost_ms = 100};
    let_run_out(crowd.client, crowd.key, "old");
    run_crowd(&crowd);
    assert_true(atomic_load(&crowd.stale) > 0);
    shoal_client_free(crowd.client);
}

/* Whoever looked before the value was stored, and claims after that, must see it. */
static void of_a_crowd_one_computes_what_costs_nothing(void **state) {
    (void)state;
    shoal_client *client = test_client(fleet.endpoint, PATIENT);
    for (int round = 0; round < test_rounds(50); round++) {
        char key[32];
        snprintf(key, sizeof(key), "cheap-%d", round);
        struct crowd crowd = {.client = client, .key = key};
        run_crowd(&crowd);
    }
    shoal_client_free(client);
}

/* --- Plain clients --- */

static void plain_clients_see_a_plain_miss_while_one_computes(void **state) {
    (void)state;
    shoal_client *client = test_client(fleet.endpoint, PATIENT);
    shoal_value *value = NULL;
    struct fetched winner = fetch(client, "plain", 100, 0);
    assert_int_equal(shoal_get(client, "plain", 5, &value, NULL), SHOAL_NOT_FOUND);
    assert_int_equal(shoal_increment(client, "plain", 5, 1, NULL, 0, NULL, NULL), SHOAL_NOT_FOUND);
    assert_int_equal(shoal_store(client, SHOAL_ADD, "plain", 5, "added", 5, 0, 100, 0, NULL, NULL), SHOAL_OK);
    finish(winner.lease, "fetched");
    assert_true(test_holds(client, "plain", "fetched"));
    shoal_client_free(client);
}

static void what_a_plain_client_stored_counts_as_old(void **state) {
    (void)state;
    shoal_client *client = test_client(fleet.endpoint, PATIENT);
    assert_int_equal(test_set(client, "theirs", "plain"), SHOAL_OK);
    struct fetched winner = fetch(client, "theirs", 100, 0);
    assert_fetched(winner, SHOAL_COMPUTE, "plain");
    assert_fetched(fetch(client, "theirs", 100, 0), SHOAL_STALE, "plain");
    shoal_lease_free(winner.lease);
    shoal_client_free(client);
}

static void a_prefix_parts_computations_as_it_parts_keys(void **state) {
    (void)state;
    shoal_client *a = test_client(fleet.endpoint, PATIENT "&key_prefix=a:");
    shoal_client *b = test_client(fleet.endpoint, PATIENT "&key_prefix=b:");
    struct fetched first = fetch(a, "shared", 100, 0), second = fetch(b, "shared", 100, 0);
    assert_fetched(first, SHOAL_COMPUTE, "");
    assert_fetched(second, SHOAL_COMPUTE, "");
    finish(first.lease, "of a");
    finish(second.lease, "of b");
    assert_fetched(fetch(a, "shared", 100, 0), SHOAL_OK, "of a");
    shoal_client_free(a);
    shoal_client_free(b);
}

/* --- What fails --- */

static void a_dead_node_is_an_error_or_everybody_computes(void **state) {
    (void)state;
    struct test_fleet dead;
    test_fleet_start(&dead, 1);
    shoal_client *client = test_client(dead.endpoint, "operation_timeout_ms=20000&retry_attempts=0");
    shoal_client *calm = test_client(dead.endpoint, "operation_timeout_ms=20000&retry_attempts=0&on_node_failure=miss");
    struct fetched held = fetch(client, "k", 100, 0);
    test_memcached_stop(&dead.nodes[0]);
    assert_fetched(fetch(client, "k", 100, 0), SHOAL_E_NODE_DOWN, "");
    for (int i = 0; i < 2; i++) {
        struct fetched own = fetch(calm, "k", 100, 0);
        assert_fetched(own, SHOAL_COMPUTE, "");
        assert_int_equal(shoal_lease_store(own.lease, "x", 1, 0, NULL), SHOAL_E_NODE_DOWN);
        shoal_lease_free(own.lease);
    }
    shoal_lease_free(held.lease);
    shoal_client_free(client);
    shoal_client_free(calm);
    test_fleet_stop(&dead);
}

/* The claim was the node's alone: whoever comes next computes at once. */
static void a_claim_is_gone_with_its_node(void **state) {
    (void)state;
    shoal_client *client = test_client(fleet.endpoint, PATIENT);
    size_t place = test_fleet_place(&fleet, client, "gone");
    struct fetched winner = fetch(client, "gone", 100, 0);
    uint16_t port = fleet.nodes[place].port;
    assert_fetched(winner, SHOAL_COMPUTE, "");
    test_memcached_stop(&fleet.nodes[place]);
    fleet.nodes[place] = test_memcached_start(port);
    struct fetched heir = fetch(client, "gone", 100, 0);
    assert_fetched(heir, SHOAL_COMPUTE, "");
    finish(heir.lease, "by the heir");
    shoal_lease_free(winner.lease);
    assert_fetched(fetch(client, "gone", 100, 0), SHOAL_OK, "by the heir");
    shoal_client_free(client);
}

static void stand_ins_hold_the_claim_of_a_dead_node(void **state) {
    (void)state;
    shoal_client *client =
        test_client(fleet.endpoint, "operation_timeout_ms=20000&fetch_wait_ms=300&on_node_failure=failover");
    size_t place = test_fleet_place(&fleet, client, "moved");
    uint16_t port = fleet.nodes[place].port;
    test_memcached_stop(&fleet.nodes[place]);
    struct fetched winner = fetch(client, "moved", 100, 0);
    assert_fetched(winner, SHOAL_COMPUTE, "");
    int64_t begun_ms = test_now_ms();
    struct fetched waiter = fetch(client, "moved", 100, 0);
    assert_true(test_now_ms() - begun_ms >= 300);
    assert_fetched(waiter, SHOAL_COMPUTE, "");
    shoal_lease_free(waiter.lease);
    finish(winner.lease, "on a stand-in");
    assert_fetched(fetch(client, "moved", 100, 0), SHOAL_OK, "on a stand-in");
    shoal_client_free(client);
    fleet.nodes[place] = test_memcached_start(port);
}

static void a_lease_stores_once(void **state) {
    (void)state;
    shoal_client *client = test_client(fleet.endpoint, PATIENT);
    struct fetched first = fetch(client, "once", 100, 0);
    shoal_client_free(client); /* the lease holds it */
    assert_int_equal(shoal_lease_store(first.lease, "x", 1, 0, NULL), SHOAL_E_CLOSED);
    shoal_lease_free(first.lease);
    client = test_client(fleet.endpoint, "fetch_wait_ms=0&operation_timeout_ms=20000");
    first = fetch(client, "once-more", 100, 0);
    assert_int_equal(shoal_lease_store(first.lease, "x", 1, 0, NULL), SHOAL_OK);
    assert_int_equal(shoal_lease_store(first.lease, "y", 1, 0, NULL), SHOAL_E_INVALID);
    shoal_lease_free(first.lease);
    assert_int_equal(shoal_lease_store(NULL, "x", 1, 0, NULL), SHOAL_E_INVALID);
    shoal_lease_free(NULL);
    shoal_client_free(client);
}

static void bad_arguments_are_told(void **state) {
    (void)state;
    shoal_client *client = test_client(fleet.endpoint, PATIENT);
    shoal_value *value = NULL;
    shoal_lease *lease = NULL;
    shoal_error *error = NULL;
    assert_int_equal(shoal_fetch_begin(NULL, "k", 1, 1, 0, &value, &lease, &error), SHOAL_E_INVALID);
    assert_int_equal(shoal_fetch_begin(client, "k", 1, 1, 0, NULL, &lease, &error), SHOAL_E_INVALID);
    assert_int_equal(shoal_fetch_begin(client, "k", 1, 1, 0, &value, NULL, &error), SHOAL_E_INVALID);
    assert_int_equal(shoal_fetch_begin(client, "k", 1, 1, -1, &value, &lease, &error), SHOAL_E_INVALID);
    assert_non_null(strstr(shoal_error_message(error), "stale_ttl_s"));
    assert_int_equal(shoal_fetch_begin(client, "", 0, 1, 0, &value, &lease, &error), SHOAL_E_BAD_KEY);
    shoal_error_free(error);
    shoal_client_free(client);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_computes_and_the_others_read),
        cmocka_unit_test(an_old_value_is_served_while_one_computes),
        cmocka_unit_test(a_lease_that_is_given_back_lets_the_next_compute),
        cmocka_unit_test(an_abandoned_lease_lets_the_next_compute_at_once),
        cmocka_unit_test(for_ever_is_for_ever_and_at_once_is_never),
        cmocka_unit_test(without_an_old_value_one_waits_for_so_long_and_no_longer),
        cmocka_unit_test(a_claim_outlives_a_dead_winner_by_its_lifetime),
        cmocka_unit_test(a_child_that_ends_leaves_its_parent_the_claim),
        cmocka_unit_test(a_computation_longer_than_its_claim_ends_no_other_claim),
        cmocka_unit_test(of_a_crowd_one_computes_and_the_others_wait),
        cmocka_unit_test(of_a_crowd_with_an_old_value_nobody_waits),
        cmocka_unit_test(of_a_crowd_one_computes_what_costs_nothing),
        cmocka_unit_test(plain_clients_see_a_plain_miss_while_one_computes),
        cmocka_unit_test(what_a_plain_client_stored_counts_as_old),
        cmocka_unit_test(a_prefix_parts_computations_as_it_parts_keys),
        cmocka_unit_test(a_dead_node_is_an_error_or_everybody_computes),
        cmocka_unit_test(a_claim_is_gone_with_its_node),
        cmocka_unit_test(stand_ins_hold_the_claim_of_a_dead_node),
        cmocka_unit_test(a_lease_stores_once),
        cmocka_unit_test(bad_arguments_are_told),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
