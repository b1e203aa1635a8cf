/* Batches over nodes of which some are gone or silent: the call ends in time, the others' items are all decided, and
 * each item of a lost node says so. Time is measured with generous bounds.
 * labels: valgrind transports
 * May include: the public headers, support/. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/fleets.h"

#include <stdio.h>
#include <string.h>

#define NODES 4
#define KEYS 100
#define KEY_SIZE 16
#define TIMEOUT_MS 1500
#define SLACK_MS test_patience_ms(1000)

static struct test_fleet fleet;
static shoal_client *client;
static shoal_batch *batch;
static char keys[KEYS][KEY_SIZE];
static size_t places[KEYS];

static int start(void **state) {
    (void)state;
    char options[64];
    test_fleet_start(&fleet, NODES);
    snprintf(options, sizeof(options), "operation_timeout_ms=%d", TIMEOUT_MS);
    client = test_client(fleet.endpoint, options);
    for (size_t i = 0; i < KEYS; i++) {
        snprintf(keys[i], KEY_SIZE, "key-%zu", i);
        places[i] = test_fleet_place(&fleet, client, keys[i]);
    }
    return shoal_batch_new(client, &batch, NULL) == SHOAL_OK ? 0 : -1;
}

static int stop(void **state) {
    (void)state;
    shoal_batch_free(batch);
    shoal_client_free(client);
    test_fleet_stop(&fleet);
    return 0;
}

static void add_gets(void) {
    for (size_t i = 0; i < KEYS; i++)
        assert_int_equal(shoal_batch_get(batch, keys[i], strlen(keys[i]), NULL), SHOAL_OK);
}

static void add_sets(void) {
    for (size_t i = 0; i < KEYS; i++)
        assert_int_equal(
            shoal_batch_store(batch, SHOAL_SET, keys[i], strlen(keys[i]), keys[i], strlen(keys[i]), 0, 0, 0, NULL),
            SHOAL_OK);
}

/* By another client, so that this one has no connection yet. */
static void fill(void) {
    shoal_client *filler = test_client(fleet.endpoint, "operation_timeout_ms=20000&lanes_per_node=1");
    for (size_t i = 0; i < KEYS; i++)
        assert_int_equal(test_set(filler, keys[i], keys[i]), SHOAL_OK);
    shoal_client_free(filler);
}

static size_t count_on(size_t node) {
    size_t count = 0;
    for (size_t i = 0; i < KEYS; i++)
        count += places[i] == node;
    return count;
}

static void open_lanes(void) {
    add_gets();
    assert_int_equal(shoal_batch_run(batch, NULL), SHOAL_OK);
    shoal_batch_clear(batch);
}

static int64_t run_taking_ms(void) {
    int64_t began_ms = test_now_ms();
    assert_int_equal(shoal_batch_run(batch, NULL), SHOAL_PARTIAL);
    return test_now_ms() - began_ms;
}

static bool is_lost(const bool lost[NODES], size_t item) {
    return lost[places[item]];
}

/* The items of the nodes that are there are decided; the others have this status and name their node. */
static void assert_outcome(const bool lost[NODES], shoal_status of_lost) {
    for (size_t i = 0; i < KEYS; i++) {
        const shoal_error *error = shoal_batch_error(batch, i);
        assert_int_equal(shoal_batch_status(batch, i), is_lost(lost, i) ? of_lost : SHOAL_OK);
        assert_int_equal(shoal_error_status(error), is_lost(lost, i) ? of_lost : SHOAL_OK);
        if (!is_lost(lost, i))
            continue;
        assert_string_equal(shoal_error_node(error), fleet.nodes[places[i]].name);
        assert_true(shoal_error_is_retriable(error));
    }
}

static void assert_values(const bool lost[NODES]) {
    for (size_t i = 0; i < KEYS; i++) {
        const void *data = NULL;
        size_t size = 0;
        shoal_batch_value(batch, i, &data, &size, NULL, NULL);
        assert_int_equal(size, is_lost(lost, i) ? 0 : strlen(keys[i]));
        assert_true(is_lost(lost, i) ? data == NULL : memcmp(data, keys[i], size) == 0);
    }
}

/* --- A node that is gone --- */

static void items_of_a_killed_node_are_told(void **state) {
    (void)state;
    static const bool lost[NODES] = {[2] = true};
    fill();
    test_memcached_stop(&fleet.nodes[2]);
    add_gets();
    assert_true(run_taking_ms() < SLACK_MS);
    assert_outcome(lost, SHOAL_E_NODE_DOWN);
    assert_values(lost);
}

static void items_of_a_node_killed_between_batches_are_told(void **state) {
    (void)state;
    static const bool lost[NODES] = {[1] = true};
    fill();
    open_lanes();
    test_memcached_stop(&fleet.nodes[1]);
    add_gets();
    assert_true(run_taking_ms() < SLACK_MS);
    assert_outcome(lost, SHOAL_E_NODE_DOWN);
    assert_values(lost);
    shoal_batch_clear(batch);
    add_sets();
    assert_true(run_taking_ms() < SLACK_MS);
    assert_outcome(lost, SHOAL_E_NODE_DOWN);
}

/* Its connections are all closed, which the batch that takes one finds out. */
static void items_of_a_node_started_anew_are_asked_again(void **state) {
    (void)state;
    fill();
    open_lanes();
    test_memcached_stop(&fleet.nodes[1]);
    fleet.nodes[1] = test_memcached_start(fleet.nodes[1].port);
    add_gets();
    assert_int_equal(shoal_batch_run(batch, NULL), SHOAL_OK);
    for (size_t i = 0; i < KEYS; i++)
        assert_int_equal(shoal_batch_status(batch, i), places[i] == 1 ? SHOAL_NOT_FOUND : SHOAL_OK);
    shoal_batch_clear(batch);
    test_memcached_stop(&fleet.nodes[1]);
    fleet.nodes[1] = test_memcached_start(fleet.nodes[1].port);
    add_sets();
    assert_int_equal(shoal_batch_run(batch, NULL), SHOAL_OK);
}

/* What may have been done once is not done again. */
static void appends_to_a_node_started_anew_are_in_doubt(void **state) {
    (void)state;
    fill();
    open_lanes();
    test_memcached_stop(&fleet.nodes[1]);
    fleet.nodes[1] = test_memcached_start(fleet.nodes[1].port);
    for (size_t i = 0; i < KEYS; i++)
        shoal_batch_store(batch, SHOAL_APPEND, keys[i], strlen(keys[i]), "x", 1, 0, 0, 0, NULL);
    assert_int_equal(shoal_batch_run(batch, NULL), SHOAL_PARTIAL);
    size_t in_doubt = 0;
    for (size_t i = 0; i < KEYS; i++) {
        in_doubt += (size_t)shoal_error_is_outcome_unknown(shoal_batch_error(batch, i));
        if (places[i] != 1)
            assert_int_equal(shoal_batch_status(batch, i), SHOAL_OK);
    }
    assert_true(in_doubt > 0 && in_doubt <= count_on(1));
}

static void items_that_fail_together_share_their_error(void **state) {
    (void)state;
    const shoal_error *shared = NULL;
    test_memcached_stop(&fleet.nodes[0]);
    add_gets();
    run_taking_ms();
    for (size_t i = 0; i < KEYS; i++) {
        if (places[i] != 0)
            continue;
        const shoal_error *error = shoal_batch_error(batch, i);
        assert_true(error != NULL && (shared == NULL || error == shared));
        shared = error;
    }
    assert_non_null(shared);
}

static void all_nodes_gone_is_told_for_every_item(void **state) {
    (void)state;
    static const bool lost[NODES] = {true, true, true, true};
    test_fleet_stop(&fleet);
    add_gets();
    assert_true(run_taking_ms() < SLACK_MS);
    assert_outcome(lost, SHOAL_E_NODE_DOWN);
}

/* --- A node that is silent --- */

static void assert_ends_in_time(int64_t taken_ms) {
    if (taken_ms > TIMEOUT_MS + SLACK_MS)
        fail_msg("took %lld ms", (long long)taken_ms);
}

static void reads_go_on_beside_a_frozen_node(void **state) {
    (void)state;
    static const bool lost[NODES] = {[3] = true};
    fill();
    open_lanes();
    test_memcached_freeze(&fleet.nodes[3]);
    add_gets();
    assert_ends_in_time(run_taking_ms());
    assert_outcome(lost, SHOAL_E_TIMEOUT);
    assert_values(lost);
}

/* One deadline, and no more: the nodes are out of use then. */
static void two_frozen_nodes_cost_one_deadline(void **state) {
    (void)state;
    static const bool lost[NODES] = {[1] = true, [3] = true};
    fill();
    open_lanes();
    test_memcached_freeze(&fleet.nodes[1]);
    test_memcached_freeze(&fleet.nodes[3]);
    add_gets();
    assert_ends_in_time(run_taking_ms());
    for (int i = 0; i < 3; i++) {
        shoal_batch_clear(batch);
        add_gets();
        run_taking_ms();
        assert_outcome(lost, SHOAL_E_NODE_DOWN);
        assert_values(lost);
    }
}

static void reads_go_on_beside_two_frozen_nodes_never_met_before(void **state) {
    (void)state;
    static const bool lost[NODES] = {[0] = true, [1] = true};
    fill();
    test_memcached_freeze(&fleet.nodes[0]);
    test_memcached_freeze(&fleet.nodes[1]);
    add_gets();
    assert_ends_in_time(run_taking_ms());
    assert_outcome(lost, SHOAL_E_TIMEOUT);
    assert_values(lost);
}

static void writes_go_on_beside_two_frozen_nodes(void **state) {
    (void)state;
    static const bool lost[NODES] = {[0] = true, [2] = true};
    size_t unknown[NODES] = {0};
    open_lanes();
    test_memcached_freeze(&fleet.nodes[0]);
    test_memcached_freeze(&fleet.nodes[2]);
    add_sets();
    assert_ends_in_time(run_taking_ms());
    assert_outcome(lost, SHOAL_E_TIMEOUT);
    for (size_t i = 0; i < KEYS; i++)
        unknown[places[i]] += (size_t)shoal_error_is_outcome_unknown(shoal_batch_error(batch, i));
    for (size_t node = 0; node < NODES; node++) /* libmemcached sends writes one by one, meta all that fit at once */
        assert_int_equal(unknown[node], !lost[node] ? 0 : test_speaks_meta() ? count_on(node) : 1);
}

static bool all_answer(void *context) {
    (void)context;
    shoal_batch_clear(batch);
    add_gets();
    return shoal_batch_run(batch, NULL) == SHOAL_OK;
}

static void a_node_that_comes_back_serves_batches_again(void **state) {
    (void)state;
    fill();
    open_lanes();
    test_memcached_freeze(&fleet.nodes[1]);
    add_gets();
    run_taking_ms();
    test_memcached_thaw(&fleet.nodes[1]);
    assert_true(test_eventually(all_answer, NULL, 10000));
    assert_values((const bool[NODES]){false});
}

/* --- Refusals of different kinds --- */

static enum test_answer refuse(struct test_script *script, const char *line, void *context) {
    (void)context;
    const char *answer = "";
    if (strncmp(line, "get", 3) == 0)
        answer = "END\r\n";
    else if (strcmp(line, "first-value") == 0)
        answer = "SERVER_ERROR object too large for cache\r\n";
    else if (strcmp(line, "second-value") == 0)
        answer = "SERVER_ERROR out of memory storing object\r\n";
    else if (strcmp(line, "third-value") == 0)
        answer = "STORED\r\n";
    test_script_say(script, answer, strlen(answer));
    return TEST_ANSWERED;
}

static void every_refused_item_has_its_own_error(void **state) {
    (void)state;
    static const char *const values[] = {"first-value", "second-value", "third-value", "first-value"};
    static const shoal_status expected[] = {SHOAL_E_TOO_LARGE, SHOAL_E_SERVER, SHOAL_OK, SHOAL_E_TOO_LARGE};
    char endpoint[64];
    struct test_script *script = test_script_start(refuse, NULL);
    snprintf(endpoint, sizeof(endpoint), "static://%s", test_script_name(script));
    shoal_client *refused = test_client(endpoint, "operation_timeout_ms=20000&protocol=libmemcached");
    shoal_batch *stores = NULL;
    assert_int_equal(shoal_batch_new(refused, &stores, NULL), SHOAL_OK);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(shoal_batch_store(stores, SHOAL_SET, "key", 3, values[i], strlen(values[i]), 0, 0, 0, NULL),
                         SHOAL_OK);
    assert_int_equal(shoal_batch_run(stores, NULL), SHOAL_PARTIAL);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(shoal_batch_status(stores, i), expected[i]);
        assert_int_equal(shoal_error_status(shoal_batch_error(stores, i)), expected[i]);
    }
    shoal_batch_free(stores);
    shoal_client_free(refused);
    test_script_stop(script);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(items_of_a_killed_node_are_told, start, stop),
        cmocka_unit_test_setup_teardown(items_of_a_node_killed_between_batches_are_told, start, stop),
        cmocka_unit_test_setup_teardown(items_of_a_node_started_anew_are_asked_again, start, stop),
        cmocka_unit_test_setup_teardown(appends_to_a_node_started_anew_are_in_doubt, start, stop),
        cmocka_unit_test_setup_teardown(items_that_fail_together_share_their_error, start, stop),
        cmocka_unit_test_setup_teardown(all_nodes_gone_is_told_for_every_item, start, stop),
        cmocka_unit_test_setup_teardown(reads_go_on_beside_a_frozen_node, start, stop),
        cmocka_unit_test_setup_teardown(two_frozen_nodes_cost_one_deadline, start, stop),
        cmocka_unit_test_setup_teardown(reads_go_on_beside_two_frozen_nodes_never_met_before, start, stop),
        cmocka_unit_test_setup_teardown(writes_go_on_beside_two_frozen_nodes, start, stop),
        cmocka_unit_test_setup_teardown(a_node_that_comes_back_serves_batches_again, start, stop),
        cmocka_unit_test(every_refused_item_has_its_own_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
