/* on_node_failure=failover: others stand in for a node that is out of use, and when it is back nobody reads what it
 * held before. On real servers that are stopped, killed and continued. May include: the public headers, support/.
 * labels: transports */
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

#define NODES 4
#define KEYS 64
#define ATTEMPT_MS 800 /* so long is no node that is well silent, on a busy machine */
#define OPTIONS "on_node_failure=failover&operation_timeout_ms=8000&attempt_timeout_ms=800"
#define SLACK_MS test_patience_ms(2000)

static struct test_fleet fleet;
static shoal_client *client;

static int start(void **state) {
    (void)state;
    test_fleet_start(&fleet, NODES);
    client = test_client(fleet.endpoint, OPTIONS);
    return 0;
}

static int stop(void **state) {
    (void)state;
    shoal_client_free(client);
    test_fleet_stop(&fleet);
    return 0;
}

/* --- Keys of one node --- */

static char keys[KEYS][32];

/* As many keys as asked for that belong to a node. */
static void choose_keys(size_t node) {
    char key[32];
    int found = 0;
    for (int i = 0; found < KEYS; i++) {
        snprintf(key, sizeof(key), "key-%d", i);
        if (test_fleet_place(&fleet, client, key) == node)
            strcpy(keys[found++], key);
    }
}

static void set_all(const char *text) {
    for (int i = 0; i < KEYS; i++)
        assert_int_equal(test_set(client, keys[i], text), SHOAL_OK);
}

static int count_held(uint16_t port) {
    int held = 0;
    for (int i = 0; i < KEYS; i++)
        held += test_node_holds(port, keys[i]);
    return held;
}

static int count_on_standins(size_t absent) {
    int held = 0;
    for (size_t node = 0; node < NODES; node++)
        held += node == absent ? 0 : count_held(fleet.nodes[node].port);
    return held;
}

/* Whether a node that was away is used again. */
static bool has_recovered(void *context) {
    (void)context;
    return test_count_events(client, SHOAL_EVENT_NODE_RECOVERED) > 0;
}

static void bring_back(size_t node) {
    test_memcached_thaw(&fleet.nodes[node]);
    assert_true(test_eventually(has_recovered, NULL, 10000 + SLACK_MS));
}

/* --- While a node is away --- */

static void a_killed_node_costs_no_error(void **state) {
    (void)state;
    choose_keys(1);
    set_all("before");
    test_memcached_stop(&fleet.nodes[1]);
    assert_int_equal(test_get(client, keys[0]), SHOAL_NOT_FOUND);
    set_all("meanwhile");
    for (int i = 0; i < KEYS; i++)
        assert_true(test_holds(client, keys[i], "meanwhile"));
    assert_int_equal(shoal_delete(client, keys[0], strlen(keys[0]), NULL), SHOAL_OK);
    assert_int_equal(test_get(client, keys[0]), SHOAL_NOT_FOUND);
}

static void a_stopped_node_costs_one_late_call(void **state) {
    (void)state;
    choose_keys(2);
    set_all("before");
    test_memcached_freeze(&fleet.nodes[2]);
    int64_t begun_ms = test_now_ms();
    assert_int_equal(test_set(client, keys[0], "meanwhile"), SHOAL_OK);
    assert_in_range(test_now_ms() - begun_ms, ATTEMPT_MS - 50, ATTEMPT_MS + SLACK_MS);
    begun_ms = test_now_ms();
    set_all("meanwhile");
    assert_true(test_now_ms() - begun_ms < SLACK_MS);
    test_memcached_thaw(&fleet.nodes[2]);
}

static void the_others_share_its_keys_and_keep_them_for_a_while(void **state) {
    (void)state;
    choose_keys(0);
    test_memcached_stop(&fleet.nodes[0]);
    set_all("meanwhile"); /* for ever */
    for (size_t node = 1; node < NODES; node++)
        assert_true(count_held(fleet.nodes[node].port) > KEYS / 10);
    for (size_t node = 1; node < NODES; node++)
        for (int i = 0; i < KEYS; i++)
            if (test_node_holds(fleet.nodes[node].port, keys[i]))
                assert_in_range(test_node_ttl(fleet.nodes[node].port, keys[i]), 1, 60);
}

static void what_needs_the_owner_fails_unless_asked_for(void **state) {
    (void)state;
    shoal_client *bold = test_client(fleet.endpoint, OPTIONS "&failover_atomic=true");
    uint64_t number = 0;
    choose_keys(3);
    test_memcached_stop(&fleet.nodes[3]);
    const char *key = keys[0];
    size_t size = strlen(key);
    assert_int_equal(shoal_store(client, SHOAL_ADD, key, size, "x", 1, 0, 0, 0, NULL, NULL), SHOAL_E_NODE_DOWN);
    assert_int_equal(shoal_increment(client, key, size, 1, NULL, 0, NULL, NULL), SHOAL_E_NODE_DOWN);
    assert_int_equal(shoal_touch(client, key, size, 10, NULL), SHOAL_E_NODE_DOWN);
    assert_int_equal(shoal_store(bold, SHOAL_ADD, key, size, "1", 1, 0, 0, 0, NULL, NULL), SHOAL_OK);
    assert_int_equal(shoal_store(bold, SHOAL_ADD, key, size, "1", 1, 0, 0, 0, NULL, NULL), SHOAL_NOT_STORED);
    assert_int_equal(shoal_increment(bold, key, size, 1, NULL, 0, &number, NULL), SHOAL_OK);
    assert_int_equal(number, 2);
    shoal_client_free(bold);
}

static void with_no_node_left_it_is_an_error(void **state) {
    (void)state;
    for (size_t node = 0; node < NODES; node++)
        test_memcached_stop(&fleet.nodes[node]);
    assert_int_equal(test_get(client, "any"), SHOAL_E_NODE_DOWN);
    assert_int_equal(test_set(client, "any", "text"), SHOAL_E_NODE_DOWN);
}

/* --- Batches --- */

struct tally {
    int hits, misses, failed;
};

static struct tally run_reads(shoal_batch *batch) {
    static char many[100][32];
    struct tally tally = {0};
    shoal_batch_clear(batch);
    for (int i = 0; i < 100; i++) {
        snprintf(many[i], sizeof(many[i]), "many-%d", i);
        assert_int_equal(shoal_batch_get(batch, many[i], strlen(many[i]), NULL), SHOAL_OK);
    }
    shoal_batch_run(batch, NULL);
    for (size_t i = 0; i < 100; i++) {
        shoal_status status = shoal_batch_status(batch, i);
        tally.hits += status == SHOAL_OK;
        tally.misses += status == SHOAL_NOT_FOUND;
        tally.failed += status < 0;
    }
    return tally;
}

static void a_batch_with_half_of_the_nodes_stopped_fails_no_key(void **state) {
    (void)state;
    char key[32];
    shoal_batch *batch = NULL;
    for (int i = 0; i < 100; i++) {
        snprintf(key, sizeof(key), "many-%d", i);
        assert_int_equal(test_set(client, key, "text"), SHOAL_OK);
    }
    assert_int_equal(shoal_batch_new(client, &batch, NULL), SHOAL_OK);
    assert_int_equal(run_reads(batch).hits, 100);
    test_memcached_freeze(&fleet.nodes[0]);
    test_memcached_freeze(&fleet.nodes[1]);
    int64_t begun_ms = test_now_ms();
    struct tally first = run_reads(batch);
    assert_true(test_now_ms() - begun_ms < ATTEMPT_MS + SLACK_MS);
    assert_int_equal(first.failed, 0);
    assert_true(first.hits > 0 && first.misses > 0);
    assert_int_equal(run_reads(batch).failed, 0);
    shoal_batch_free(batch);
    test_memcached_thaw(&fleet.nodes[0]);
    test_memcached_thaw(&fleet.nodes[1]);
}

static void a_batch_writes_on_stand_ins(void **state) {
    (void)state;
    shoal_batch *batch = NULL;
    choose_keys(2);
    set_all("before");
    test_memcached_freeze(&fleet.nodes[2]);
    assert_int_equal(shoal_batch_new(client, &batch, NULL), SHOAL_OK);
    for (int i = 0; i < KEYS; i++)
        assert_int_equal(shoal_batch_store(batch, SHOAL_SET, keys[i], strlen(keys[i]), "meanwhile", 9, 0, 0, 0, NULL),
                         SHOAL_OK);
    assert_int_equal(shoal_batch_run(batch, NULL), SHOAL_OK);
    shoal_batch_free(batch);
    for (int i = 0; i < KEYS; i++)
        assert_true(test_holds(client, keys[i], "meanwhile"));
    bring_back(2);
    for (int i = 0; i < KEYS; i++)
        assert_int_equal(test_get(client, keys[i]), SHOAL_NOT_FOUND);
    assert_int_equal(count_on_standins(2), 0);
}

/* --- When it is back --- */

static void what_was_written_meanwhile_is_deleted_on_both_before_it_is_believed(void **state) {
    (void)state;
    choose_keys(1);
    set_all("before");
    test_memcached_freeze(&fleet.nodes[1]);
    set_all("meanwhile");
    bring_back(1);
    for (int i = 0; i < KEYS; i++)
        assert_int_equal(test_get(client, keys[i]), SHOAL_NOT_FOUND);
    assert_int_equal(count_held(fleet.nodes[1].port), 0);
    assert_int_equal(count_on_standins(1), 0);
    set_all("after");
    assert_int_equal(count_held(fleet.nodes[1].port), KEYS);
}

/* While one stand-in was away too, another one took what was written. */
static void a_stand_in_that_comes_back_is_not_believed_either(void **state) {
    (void)state;
    choose_keys(1);
    test_memcached_freeze(&fleet.nodes[1]);
    set_all("older");
    size_t standin = count_held(fleet.nodes[2].port) > 0 ? 2 : 3;
    test_memcached_freeze(&fleet.nodes[standin]);
    set_all("newer");
    bring_back(standin);
    for (int i = 0; i < KEYS; i++)
        assert_false(test_holds(client, keys[i], "older"));
    test_memcached_thaw(&fleet.nodes[1]);
}

static void what_was_not_written_meanwhile_is_still_there(void **state) {
    (void)state;
    choose_keys(1);
    set_all("before");
    test_memcached_freeze(&fleet.nodes[1]);
    assert_int_equal(test_set(client, keys[0], "meanwhile"), SHOAL_OK);
    assert_int_equal(shoal_delete(client, keys[1], strlen(keys[1]), NULL), SHOAL_NOT_FOUND);
    bring_back(1);
    assert_int_equal(test_get(client, keys[0]), SHOAL_NOT_FOUND);
    assert_int_equal(test_get(client, keys[1]), SHOAL_NOT_FOUND);
    for (int i = 2; i < KEYS; i++)
        assert_true(test_holds(client, keys[i], "before"));
}

static void binary_keys_are_deleted_too(void **state) {
    (void)state;
    if (!test_speaks_meta())
        skip(); /* they need it */
    shoal_client *binary = test_client(fleet.endpoint, OPTIONS "&binary_keys=true");
    char key[32];
    size_t found = 0;
    for (int i = 0; found == 0; i++) {
        int size = snprintf(key, sizeof(key), "a b %d", i);
        char name[300];
        test_route(binary, key, name);
        found = strcmp(name, fleet.nodes[1].name) == 0 ? (size_t)size : 0;
    }
    assert_int_equal(shoal_set(binary, key, found, "before", 6, 0, NULL), SHOAL_OK);
    test_memcached_freeze(&fleet.nodes[1]);
    assert_int_equal(shoal_set(binary, key, found, "meanwhile", 9, 0, NULL), SHOAL_OK);
    bring_back(1);
    assert_int_equal(test_get(binary, key), SHOAL_NOT_FOUND);
    shoal_client_free(binary);
}

static void what_cannot_be_remembered_is_told(void **state) {
    (void)state;
    char message[TEST_MESSAGE_SIZE];
    shoal_client *forgetful = test_client(fleet.endpoint, OPTIONS "&tombstones_max=2");
    choose_keys(1);
    test_memcached_stop(&fleet.nodes[1]);
    for (int i = 0; i < 4; i++)
        assert_int_equal(test_set(forgetful, keys[i], "meanwhile"), SHOAL_OK);
    assert_true(test_meets_event(forgetful, SHOAL_EVENT_WARNING, message));
    assert_non_null(strstr(message, "tombstones_max"));
    shoal_client_free(forgetful);
}

/* --- Under load --- */

#define WRITERS 4

struct writer {
    pthread_t thread;
    int number;
    atomic_bool *ends;
    long operations, failures, stale;
};

/* Each has keys of its own, writes them over and over, and must never read an older value of its own. */
static void *write_and_read(void *context) {
    struct writer *writer = context;
    long last[KEYS] = {0};
    char text[32], key[64];
    for (long version = 1; !atomic_load(writer->ends); version++) {
        int place = (int)(version % KEYS);
        snprintf(key, sizeof(key), "%s-%d", keys[place], writer->number);
        shoal_value *value = NULL;
        shoal_status status = shoal_get(client, key, strlen(key), &value, NULL);
        if (status == SHOAL_OK) {
            snprintf(text, sizeof(text), "%.*s", (int)shoal_value_size(value), (const char *)shoal_value_data(value));
            writer->stale += strtol(text, NULL, 10) < last[place];
        }
        shoal_value_free(value);
        writer->failures += status < 0;
        snprintf(text, sizeof(text), "%ld", version);
        status = test_set(client, key, text);
        writer->failures += status < 0;
        if (status == SHOAL_OK)
            last[place] = version;
        writer->operations += 2;
    }
    return NULL;
}

static void nobody_reads_an_older_value_of_his_own_while_a_node_comes_and_goes(void **state) {
    (void)state;
    atomic_bool ends = false;
    struct writer writers[WRITERS] = {0};
    struct writer sum = {0};
    choose_keys(1);
    for (int i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){.number = i, .ends = &ends};
        assert_int_equal(pthread_create(&writers[i].thread, NULL, write_and_read, &writers[i]), 0);
    }
    for (int round = 0; round < test_rounds(6); round++) {
        test_sleep_ms(300);
        test_memcached_freeze(&fleet.nodes[round % NODES]);
        test_sleep_ms(ATTEMPT_MS + 500);
        test_memcached_thaw(&fleet.nodes[round % NODES]);
    }
    test_sleep_ms(1000);
    atomic_store(&ends, true);
    for (int i = 0; i < WRITERS; i++) {
        pthread_join(writers[i].thread, NULL);
        sum.operations += writers[i].operations;
        sum.failures += writers[i].failures;
        sum.stale += writers[i].stale;
    }
    print_message("%ld operations, %ld failed, %ld stale\n", sum.operations, sum.failures, sum.stale);
    assert_int_equal(sum.stale, 0);
    assert_true(sum.failures * 1000 <= sum.operations);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_killed_node_costs_no_error, start, stop),
        cmocka_unit_test_setup_teardown(a_stopped_node_costs_one_late_call, start, stop),
        cmocka_unit_test_setup_teardown(the_others_share_its_keys_and_keep_them_for_a_while, start, stop),
        cmocka_unit_test_setup_teardown(what_needs_the_owner_fails_unless_asked_for, start, stop),
        cmocka_unit_test_setup_teardown(with_no_node_left_it_is_an_error, start, stop),
        cmocka_unit_test_setup_teardown(a_batch_with_half_of_the_nodes_stopped_fails_no_key, start, stop),
        cmocka_unit_test_setup_teardown(a_batch_writes_on_stand_ins, start, stop),
        cmocka_unit_test_setup_teardown(what_was_written_meanwhile_is_deleted_on_both_before_it_is_believed, start,
                                        stop),
        cmocka_unit_test_setup_teardown(a_stand_in_that_comes_back_is_not_believed_either, start, stop),
        cmocka_unit_test_setup_teardown(what_was_not_written_meanwhile_is_still_there, start, stop),
        cmocka_unit_test_setup_teardown(binary_keys_are_deleted_too, start, stop),
        cmocka_unit_test_setup_teardown(what_cannot_be_remembered_is_told, start, stop),
        cmocka_unit_test_setup_teardown(nobody_reads_an_older_value_of_his_own_while_a_node_comes_and_goes, start,
                                        stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
