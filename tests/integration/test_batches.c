/* Batches on real servers: every item gets its own status and value, whatever becomes of its neighbours.
 * labels: valgrind transports tls
 * May include: the public headers, support/. Nodes that fail are in test_batch_faults.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/fleets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEY_SIZE 24

static struct test_fleet fleet;
static shoal_client *client;

static int start(void **state) {
    (void)state;
    test_fleet_start(&fleet, 3);
    client = test_client(fleet.endpoint, "operation_timeout_ms=60000");
    return 0;
}

static int stop(void **state) {
    (void)state;
    shoal_client_free(client);
    test_fleet_stop(&fleet);
    return 0;
}

static shoal_batch *begin(shoal_client *by) {
    shoal_batch *batch = NULL;
    assert_int_equal(shoal_batch_new(by, &batch, NULL), SHOAL_OK);
    return batch;
}

static void add_get(shoal_batch *batch, const char *key) {
    assert_int_equal(shoal_batch_get(batch, key, strlen(key), NULL), SHOAL_OK);
}

static void add_store(shoal_batch *batch, int mode, const char *key, const char *text) {
    assert_int_equal(shoal_batch_store(batch, mode, key, strlen(key), text, strlen(text), 0, 0, 0, NULL), SHOAL_OK);
}

static void assert_text(const shoal_batch *batch, size_t index, const char *text) {
    const void *data = NULL;
    size_t size = 0;
    assert_int_equal(shoal_batch_value(batch, index, &data, &size, NULL, NULL), SHOAL_OK);
    assert_int_equal(size, strlen(text));
    assert_memory_equal(data, text, size);
}

static void an_empty_batch_runs(void **state) {
    (void)state;
    shoal_batch *batch = begin(client);
    assert_int_equal(shoal_batch_count(batch), 0);
    assert_int_equal(shoal_batch_run(batch, NULL), SHOAL_OK);
    assert_int_equal(shoal_batch_status(batch, 0), SHOAL_E_INVALID);
    shoal_batch_free(batch);
}

static void an_item_has_its_value_flags_and_token(void **state) {
    (void)state;
    const void *data = NULL;
    size_t size = 0;
    uint32_t flags = 0;
    uint64_t cas = 0;
    shoal_value *value = NULL;
    shoal_batch *batch = begin(client);
    assert_int_equal(shoal_store(client, SHOAL_SET, "item", 4, "text", 4, 0xcafe0001, 0, 0, NULL, NULL), SHOAL_OK);
    assert_int_equal(shoal_get(client, "item", 4, &value, NULL), SHOAL_OK);
    add_get(batch, "item");
    add_get(batch, "nobody");
    assert_int_equal(shoal_batch_run(batch, NULL), SHOAL_OK);
    assert_int_equal(shoal_batch_value(batch, 0, &data, &size, &flags, &cas), SHOAL_OK);
    assert_text(batch, 0, "text");
    assert_int_equal(flags, 0xcafe0001);
    assert_true(cas == shoal_value_cas(value));
    assert_int_equal(shoal_batch_value(batch, 1, &data, &size, &flags, &cas), SHOAL_NOT_FOUND);
    assert_true(data == NULL && size == 0 && flags == 0 && cas == 0);
    assert_null(shoal_batch_error(batch, 1));
    shoal_value_free(value);
    shoal_batch_free(batch);
}

static void one_key_may_stand_many_times(void **state) {
    (void)state;
    static const char *const keys[] = {"a", "b", "a", "nobody", "a", "c", "nobody", "b", "a"};
    static const char *const texts[] = {"1", "2", "1", NULL, "1", "3", NULL, "2", "1"};
    shoal_batch *batch = begin(client);
    assert_int_equal(test_set(client, "a", "1") | test_set(client, "b", "2") | test_set(client, "c", "3"), SHOAL_OK);
    for (size_t i = 0; i < 9; i++)
        add_get(batch, keys[i]);
    assert_int_equal(shoal_batch_run(batch, NULL), SHOAL_OK);
    for (size_t i = 0; i < 9; i++) {
        if (texts[i] != NULL)
            assert_text(batch, i, texts[i]);
        else
            assert_int_equal(shoal_batch_status(batch, i), SHOAL_NOT_FOUND);
    }
    shoal_batch_free(batch);
}

/* One key is one node, and there the order added is the order run. */
static void items_of_a_node_run_in_the_order_added(void **state) {
    (void)state;
    static const shoal_status expected[] = {SHOAL_NOT_FOUND, SHOAL_NOT_STORED, SHOAL_OK,         SHOAL_OK,
                                            SHOAL_OK,        SHOAL_OK,         SHOAL_NOT_STORED, SHOAL_OK,
                                            SHOAL_OK,        SHOAL_NOT_FOUND,  SHOAL_NOT_FOUND,  SHOAL_OK};
    shoal_batch *batch = begin(client);
    add_get(batch, "order");
    add_store(batch, SHOAL_REPLACE, "order", "x");
    add_store(batch, SHOAL_SET, "order", "b");
    add_get(batch, "order");
    add_store(batch, SHOAL_APPEND, "order", "c");
    add_store(batch, SHOAL_PREPEND, "order", "a");
    add_store(batch, SHOAL_ADD, "order", "y");
    add_get(batch, "order");
    assert_int_equal(shoal_batch_delete(batch, "order", 5, NULL), SHOAL_OK);
    add_get(batch, "order");
    assert_int_equal(shoal_batch_touch(batch, "order", 5, 10, NULL), SHOAL_OK);
    add_store(batch, SHOAL_SET, "order", "z");
    assert_int_equal(shoal_batch_run(batch, NULL), SHOAL_OK);
    for (size_t i = 0; i < 12; i++)
        assert_int_equal(shoal_batch_status(batch, i), expected[i]);
    assert_text(batch, 3, "b");
    assert_text(batch, 7, "abc");
    assert_true(test_holds(client, "order", "z"));
    shoal_batch_free(batch);
}

static void stores_keep_their_flags_lifetimes_and_tokens(void **state) {
    (void)state;
    shoal_value *value = NULL;
    shoal_batch *batch = begin(client);
    assert_int_equal(test_set(client, "cas", "old"), SHOAL_OK);
    assert_int_equal(shoal_get(client, "cas", 3, &value, NULL), SHOAL_OK);
    uint64_t cas = shoal_value_cas(value);
    shoal_value_free(value);
    assert_int_equal(shoal_batch_store(batch, SHOAL_CAS, "cas", 3, "new", 3, 9, 1000, cas, NULL), SHOAL_OK);
    assert_int_equal(shoal_batch_store(batch, SHOAL_CAS, "cas", 3, "late", 4, 9, 1000, cas, NULL), SHOAL_OK);
    assert_int_equal(shoal_batch_store(batch, SHOAL_SET, "brief", 5, "x", 1, 0, -1, 0, NULL), SHOAL_OK);
    assert_int_equal(shoal_batch_run(batch, NULL), SHOAL_OK);
    assert_int_equal(shoal_batch_status(batch, 0), SHOAL_OK);
    assert_int_equal(shoal_batch_status(batch, 1), SHOAL_EXISTS);
    assert_int_equal(test_get(client, "brief"), SHOAL_NOT_FOUND);
    assert_int_equal(shoal_get(client, "cas", 3, &value, NULL), SHOAL_OK);
    assert_int_equal(shoal_value_flags(value), 9);
    assert_true(test_node_ttl(fleet.nodes[test_fleet_place(&fleet, client, "cas")].port, "cas") > 900);
    shoal_value_free(value);
    shoal_batch_free(batch);
}

/* --- Items that fail alone --- */

static void a_bad_key_costs_only_itself(void **state) {
    (void)state;
    shoal_batch *batch = begin(client);
    add_store(batch, SHOAL_SET, "good-1", "1");
    add_get(batch, "bad key");
    assert_int_equal(shoal_batch_get(batch, NULL, 0, NULL), SHOAL_OK);
    add_store(batch, SHOAL_SET, "bad\r\nkey", "2");
    add_store(batch, SHOAL_SET, "good-2", "3");
    assert_int_equal(shoal_batch_run(batch, NULL), SHOAL_PARTIAL);
    assert_int_equal(shoal_batch_status(batch, 0), SHOAL_OK);
    for (size_t i = 1; i < 4; i++) {
        assert_int_equal(shoal_batch_status(batch, i), SHOAL_E_BAD_KEY);
        assert_int_equal(shoal_error_status(shoal_batch_error(batch, i)), SHOAL_E_BAD_KEY);
    }
    assert_int_equal(shoal_batch_status(batch, 4), SHOAL_OK);
    assert_null(shoal_batch_error(batch, 4));
    assert_true(test_holds(client, "good-1", "1") && test_holds(client, "good-2", "3"));
    shoal_batch_free(batch);
}

static void a_value_too_large_costs_only_itself(void **state) {
    (void)state;
    char keys[60][KEY_SIZE];
    size_t size = (size_t)2 * 1024 * 1024;
    char *large = calloc(1, size);
    shoal_batch *batch = begin(client);
    for (size_t i = 0; i < 60; i++) {
        snprintf(keys[i], KEY_SIZE, "large-%zu", i);
        assert_int_equal(shoal_batch_store(batch, SHOAL_SET, keys[i], strlen(keys[i]), i == 30 ? large : "small",
                                           i == 30 ? size : 5, 0, 0, 0, NULL),
                         SHOAL_OK);
    }
    assert_int_equal(shoal_batch_run(batch, NULL), SHOAL_PARTIAL);
    for (size_t i = 0; i < 60; i++) {
        assert_int_equal(shoal_batch_status(batch, i), i == 30 ? SHOAL_E_TOO_LARGE : SHOAL_OK);
        assert_int_equal(shoal_error_status(shoal_batch_error(batch, i)), i == 30 ? SHOAL_E_TOO_LARGE : SHOAL_OK);
        assert_true(i == 30 || test_holds(client, keys[i], "small"));
    }
    assert_int_equal(test_get(client, keys[30]), SHOAL_NOT_FOUND);
    shoal_batch_free(batch);
    free(large);
}

/* --- Many, and large --- */

static char (*make_keys(size_t count, const char *name))[KEY_SIZE] {
    char(*keys)[KEY_SIZE] = calloc(count, KEY_SIZE);
    for (size_t i = 0; i < count; i++)
        snprintf(keys[i], KEY_SIZE, "%s-%zu", name, i);
    return keys;
}

static void a_hundred_thousand_items_run_at_once(void **state) {
    (void)state;
    size_t count = (size_t)test_rounds(100000);
    char(*keys)[KEY_SIZE] = make_keys(count, "many");
    shoal_batch *batch = begin(client);
    for (size_t i = 0; i < count; i++)
        add_store(batch, SHOAL_SET, keys[i], keys[i]);
    assert_int_equal(shoal_batch_run(batch, NULL), SHOAL_OK);
    shoal_batch_clear(batch);
    for (size_t i = 0; i < 2 * count; i++)
        add_get(batch, i % 2 == 0 ? keys[i / 2] : "nobody");
    assert_int_equal(shoal_batch_count(batch), 2 * count);
    assert_int_equal(shoal_batch_run(batch, NULL), SHOAL_OK);
    for (size_t i = 0; i < count; i++) {
        assert_text(batch, 2 * i, keys[i]);
        assert_int_equal(shoal_batch_status(batch, 2 * i + 1), SHOAL_NOT_FOUND);
    }
    shoal_batch_free(batch);
    free(keys);
}

static void values_of_all_sizes_come_back(void **state) {
    (void)state;
    enum { COUNT = 101 };
    char(*keys)[KEY_SIZE] = make_keys(COUNT, "sizes");
    char *bytes = malloc(COUNT * 1024);
    for (size_t i = 0; i < (size_t)COUNT * 1024; i++)
        bytes[i] = (char)(i * 7 % 253);
    shoal_batch *batch = begin(client);
    for (size_t i = 0; i < COUNT; i++)
        shoal_batch_store(batch, SHOAL_SET, keys[i], strlen(keys[i]), bytes + i, i * 1024, 0, 0, 0, NULL);
    for (size_t i = 0; i < COUNT; i++)
        add_get(batch, keys[i]);
    assert_int_equal(shoal_batch_run(batch, NULL), SHOAL_OK);
    for (size_t i = 0; i < COUNT; i++) {
        const void *data = NULL;
        size_t size = 0;
        assert_int_equal(shoal_batch_value(batch, COUNT + i, &data, &size, NULL, NULL), SHOAL_OK);
        assert_int_equal(size, i * 1024);
        assert_true(data != NULL && memcmp(data, bytes + i, size) == 0);
    }
    shoal_batch_free(batch);
    free(bytes);
    free(keys);
}

static bool is_held(const char *key) {
    for (size_t i = 0; i < fleet.count; i++)
        if (test_node_holds(fleet.nodes[i].port, key))
            return true;
    return false;
}

static void keys_are_sent_with_their_prefix_or_digest(void **state) {
    (void)state;
    char long_key[300];
    shoal_client *hashing = test_client(fleet.endpoint, "operation_timeout_ms=60000&key_prefix=p:&long_keys=hash");
    shoal_batch *batch = begin(hashing);
    memset(long_key, 'k', sizeof(long_key));
    assert_int_equal(shoal_batch_store(batch, SHOAL_SET, long_key, 300, "long", 4, 0, 0, 0, NULL), SHOAL_OK);
    add_store(batch, SHOAL_SET, "short", "short");
    assert_int_equal(shoal_batch_get(batch, long_key, 300, NULL), SHOAL_OK);
    add_get(batch, "short");
    assert_int_equal(shoal_batch_run(batch, NULL), SHOAL_OK);
    assert_text(batch, 2, "long");
    assert_text(batch, 3, "short");
    assert_true(is_held("p:short"));
    assert_true(is_held("p::md5:5a69e4537adaa28f65c3e6cc605b46dd"));
    assert_int_equal(test_get(client, "short"), SHOAL_NOT_FOUND);
    shoal_batch_free(batch);
    shoal_client_free(hashing);
}

static void a_unix_socket_serves_batches(void **state) {
    (void)state;
    if (test_speaks_tls())
        skip(); /* memcached has no TLS there */
    char path[64];
    snprintf(path, sizeof(path), "/tmp/shoal-test-batch-%d.sock", (int)getpid());
    struct test_memcached server = test_memcached_start_local(path);
    shoal_client *local = test_client(path, "operation_timeout_ms=60000");
    shoal_batch *batch = begin(local);
    add_store(batch, SHOAL_SET, "key", "text");
    add_get(batch, "key");
    add_get(batch, "nobody");
    assert_int_equal(shoal_batch_run(batch, NULL), SHOAL_OK);
    assert_text(batch, 1, "text");
    assert_int_equal(shoal_batch_status(batch, 2), SHOAL_NOT_FOUND);
    shoal_batch_free(batch);
    shoal_client_free(local);
    test_memcached_stop(&server);
    unlink(path);
}

/* --- A batch's life --- */

static void a_batch_runs_once_until_it_is_cleared(void **state) {
    (void)state;
    shoal_error *error = NULL;
    shoal_batch *batch = begin(client);
    add_store(batch, SHOAL_SET, "life", "1");
    assert_int_equal(shoal_batch_status(batch, 0), SHOAL_E_INVALID);
    assert_int_equal(shoal_batch_run(batch, NULL), SHOAL_OK);
    assert_int_equal(shoal_batch_run(batch, &error), SHOAL_E_INVALID);
    assert_int_equal(shoal_error_status(error), SHOAL_E_INVALID);
    assert_int_equal(shoal_batch_get(batch, "life", 4, &error), SHOAL_E_INVALID);
    assert_int_equal(shoal_batch_status(batch, 0), SHOAL_OK);
    shoal_batch_clear(batch);
    assert_int_equal(shoal_batch_count(batch), 0);
    add_get(batch, "life");
    assert_int_equal(shoal_batch_run(batch, &error), SHOAL_OK);
    assert_null(error);
    assert_text(batch, 0, "1");
    shoal_batch_free(batch);
}

/* Whose memory the next may have. */
static void a_freed_batch_leaves_nothing_to_the_next(void **state) {
    (void)state;
    shoal_client *prefixed = test_client(fleet.endpoint, "operation_timeout_ms=60000&key_prefix=next:");
    for (int i = 0; i < 3; i++) {
        shoal_batch *first = begin(prefixed);
        add_store(first, SHOAL_SET, "key", "text");
        add_get(first, "bad key");
        add_get(first, "unprefixed");
        assert_int_equal(shoal_batch_run(first, NULL), SHOAL_PARTIAL);
        assert_int_equal(shoal_batch_status(first, 2), SHOAL_NOT_FOUND);
        shoal_batch_free(first);
        shoal_batch *next = begin(client);
        assert_int_equal(shoal_batch_count(next), 0);
        assert_null(shoal_batch_error(next, 1));
        add_store(next, SHOAL_SET, "unprefixed", "own");
        add_get(next, "unprefixed");
        assert_int_equal(shoal_batch_status(next, 1), SHOAL_E_INVALID);
        assert_int_equal(shoal_batch_run(next, NULL), SHOAL_OK);
        assert_null(shoal_batch_error(next, 1));
        assert_text(next, 1, "own");
        shoal_batch_free(next);
    }
    shoal_client_free(prefixed);
}

static void results_outlive_the_client(void **state) {
    (void)state;
    shoal_client *brief = test_client(fleet.endpoint, "operation_timeout_ms=60000&key_prefix=brief:");
    shoal_batch *batch = begin(brief);
    shoal_error *error = NULL;
    add_store(batch, SHOAL_SET, "key", "text");
    add_get(batch, "key");
    assert_int_equal(shoal_batch_run(batch, NULL), SHOAL_OK);
    shoal_client_free(brief);
    assert_text(batch, 1, "text");
    shoal_batch_clear(batch);
    add_get(batch, "key");
    assert_int_equal(shoal_batch_run(batch, &error), SHOAL_E_CLOSED);
    assert_int_equal(shoal_error_status(error), SHOAL_E_CLOSED);
    assert_int_equal(shoal_batch_status(batch, 0), SHOAL_E_INVALID);
    shoal_error_free(error);
    shoal_batch_free(batch);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_batch_runs),
        cmocka_unit_test(an_item_has_its_value_flags_and_token),
        cmocka_unit_test(one_key_may_stand_many_times),
        cmocka_unit_test(items_of_a_node_run_in_the_order_added),
        cmocka_unit_test(stores_keep_their_flags_lifetimes_and_tokens),
        cmocka_unit_test(a_bad_key_costs_only_itself),
        cmocka_unit_test(a_value_too_large_costs_only_itself),
        cmocka_unit_test(a_hundred_thousand_items_run_at_once),
        cmocka_unit_test(values_of_all_sizes_come_back),
        cmocka_unit_test(keys_are_sent_with_their_prefix_or_digest),
        cmocka_unit_test(a_unix_socket_serves_batches),
        cmocka_unit_test(a_batch_runs_once_until_it_is_cleared),
        cmocka_unit_test(a_freed_batch_leaves_nothing_to_the_next),
        cmocka_unit_test(results_outlive_the_client),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
