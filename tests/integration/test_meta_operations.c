/* What meta has that libmemcached has not, on real servers: lifetimes, keys of any bytes; and max_value_bytes, which
 * both have.
 * labels: valgrind
 * May include: the public headers, support/. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/fleets.h"

#include <stdio.h>
#include <string.h>

#define META "operation_timeout_ms=20000&protocol=meta"
#define CLASSIC "operation_timeout_ms=20000&protocol=libmemcached"

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

/* --- Lifetimes --- */

static shoal_value *gets(shoal_client *client, const char *key) {
    shoal_value *value = NULL;
    assert_int_equal(shoal_gets(client, key, strlen(key), &value, NULL), SHOAL_OK);
    return value;
}

static void an_item_tells_its_lifetime(void **state) {
    (void)state;
    shoal_client *client = test_client(fleet.endpoint, META);
    assert_int_equal(shoal_set(client, "mortal", 6, "v", 1, 1000, NULL), SHOAL_OK);
    assert_int_equal(shoal_set(client, "immortal", 8, "v", 1, 0, NULL), SHOAL_OK);
    shoal_value *value = gets(client, "mortal");
    assert_in_range(shoal_value_ttl_s(value), 900, 1000);
    shoal_value_free(value);
    value = gets(client, "immortal");
    assert_int_equal(shoal_value_ttl_s(value), -1);
    assert_int_equal(shoal_value_size(value), 1);
    shoal_value_free(value);
    assert_int_equal(shoal_gets(client, "nothing", 7, &value, NULL), SHOAL_NOT_FOUND);
    assert_null(value);
    shoal_client_free(client);
}

static void an_item_tells_of_its_last_access(void **state) {
    (void)state;
    shoal_client *client = test_client(fleet.endpoint, META);
    assert_int_equal(test_set(client, "key", "text"), SHOAL_OK);
    shoal_value *value = gets(client, "key");
    assert_int_equal(shoal_value_was_read(value), 0);
    assert_in_range(shoal_value_idle_s(value), 0, 60);
    shoal_value_free(value);
    value = gets(client, "key");
    assert_int_equal(shoal_value_was_read(value), 1);
    shoal_value_free(value);
    assert_int_equal(shoal_get(client, "key", 3, &value, NULL), SHOAL_OK);
    assert_true(shoal_value_ttl_s(value) == SHOAL_UNKNOWN && shoal_value_idle_s(value) == SHOAL_UNKNOWN);
    assert_int_equal(shoal_value_was_read(value), -1);
    shoal_value_free(value);
    shoal_client_free(client);
}

/* --- Keys of any bytes --- */

#define BYTES 256

static char keys[BYTES][4];
static char values[BYTES][16];

static void make_keys(void) {
    for (size_t i = 0; i < BYTES; i++) {
        memcpy(keys[i], "a?b", 3);
        keys[i][1] = (char)i;
        snprintf(values[i], sizeof(values[i]), "value %zu", i);
    }
}

static void any_byte_may_stand_in_a_key(void **state) {
    (void)state;
    shoal_client *client = test_client(fleet.endpoint, META "&binary_keys=true");
    make_keys();
    for (size_t i = 0; i < BYTES; i++)
        assert_int_equal(shoal_set(client, keys[i], 3, values[i], strlen(values[i]), 60, NULL), SHOAL_OK);
    for (size_t i = 0; i < BYTES; i++) {
        shoal_value *value = NULL;
        assert_int_equal(shoal_get(client, keys[i], 3, &value, NULL), SHOAL_OK);
        assert_int_equal(shoal_value_size(value), strlen(values[i]));
        assert_memory_equal(shoal_value_data(value), values[i], strlen(values[i]));
        shoal_value_free(value);
        assert_int_equal(shoal_touch(client, keys[i], 3, 100, NULL), SHOAL_OK);
        assert_int_equal(shoal_delete(client, keys[i], 3, NULL), SHOAL_OK);
        assert_int_equal(shoal_get(client, keys[i], 3, &value, NULL), SHOAL_NOT_FOUND);
    }
    shoal_client_free(client);
}

static void assert_value(const shoal_batch *batch, size_t index, const char *wanted) {
    const void *data = NULL;
    size_t size = 0;
    assert_int_equal(shoal_batch_value(batch, index, &data, &size, NULL, NULL), SHOAL_OK);
    assert_int_equal(size, strlen(wanted));
    assert_memory_equal(data, wanted, size);
}

static void any_byte_may_stand_in_the_keys_of_a_batch(void **state) {
    (void)state;
    shoal_client *client = test_client(fleet.endpoint, META "&binary_keys=true&key_prefix=some:");
    shoal_batch *batch = NULL;
    make_keys();
    assert_int_equal(shoal_batch_new(client, &batch, NULL), SHOAL_OK);
    for (size_t i = 0; i < BYTES; i++)
        shoal_batch_store(batch, SHOAL_SET, keys[i], 3, values[i], strlen(values[i]), 0, 60, 0, NULL);
    assert_int_equal(shoal_batch_run(batch, NULL), SHOAL_OK);
    shoal_batch_clear(batch);
    for (size_t i = 0; i < BYTES; i++)
        shoal_batch_get(batch, keys[i], 3, NULL);
    assert_int_equal(shoal_batch_run(batch, NULL), SHOAL_OK);
    for (size_t i = 0; i < BYTES; i++)
        assert_value(batch, i, values[i]);
    shoal_batch_free(batch);
    shoal_client_free(client);
}

static void a_binary_key_in_a_batch_needs_meta_and_harms_no_other(void **state) {
    (void)state;
    shoal_client *client = test_client(fleet.endpoint, CLASSIC "&binary_keys=true");
    shoal_batch *batch = NULL;
    assert_int_equal(test_set(client, "plain", "text"), SHOAL_OK);
    assert_int_equal(shoal_batch_new(client, &batch, NULL), SHOAL_OK);
    shoal_batch_get(batch, "plain", 5, NULL);
    shoal_batch_get(batch, "a b", 3, NULL);
    shoal_batch_store(batch, SHOAL_SET, "a\nb", 3, "v", 1, 0, 0, 0, NULL);
    shoal_batch_get(batch, "plain", 5, NULL);
    assert_int_equal(shoal_batch_run(batch, NULL), SHOAL_PARTIAL);
    assert_value(batch, 0, "text");
    assert_int_equal(shoal_batch_status(batch, 1), SHOAL_E_UNSUPPORTED);
    assert_int_equal(shoal_batch_status(batch, 2), SHOAL_E_UNSUPPORTED);
    assert_value(batch, 3, "text");
    shoal_batch_free(batch);
    shoal_client_free(client);
}

/* --- max_value_bytes --- */

#define LIMIT 1000
#define NEIGHBOURS 12

static char large[LIMIT + 1];
static const char *const limited[] = {META "&max_value_bytes=1000", CLASSIC "&max_value_bytes=1000"};

static shoal_client *begin_limited(const char *options) {
    shoal_client *filler = test_client(fleet.endpoint, META);
    memset(large, 'x', sizeof(large));
    assert_int_equal(shoal_set(filler, "large", 5, large, LIMIT + 1, 0, NULL), SHOAL_OK);
    assert_int_equal(shoal_set(filler, "fits", 4, large, LIMIT, 0, NULL), SHOAL_OK);
    for (size_t i = 0; i < NEIGHBOURS; i++) {
        char key[16];
        snprintf(key, sizeof(key), "small-%zu", i);
        assert_int_equal(test_set(filler, key, "text"), SHOAL_OK);
    }
    shoal_client_free(filler);
    return test_client(fleet.endpoint, options);
}

static void a_value_over_the_limit_is_not_taken(void **state) {
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        shoal_value *value = NULL;
        shoal_error *error = NULL;
        shoal_client *client = begin_limited(limited[i]);
        assert_int_equal(shoal_get(client, "large", 5, &value, &error), SHOAL_E_TOO_LARGE);
        assert_null(value);
        assert_non_null(strstr(shoal_error_message(error), "max_value_bytes"));
        assert_false(shoal_error_is_retriable(error));
        shoal_error_free(error);
        assert_int_equal(test_get(client, "fits"), SHOAL_OK);
        assert_int_equal(test_get(client, "large"), SHOAL_E_TOO_LARGE);
        assert_true(test_holds(client, "small-0", "text"));
        assert_int_equal(test_count_events(client, SHOAL_EVENT_NODE_FAILED), 0);
        shoal_client_free(client);
    }
}

static void a_value_over_the_limit_is_not_sent(void **state) {
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        shoal_client *client = begin_limited(limited[i]);
        assert_int_equal(shoal_set(client, "fits", 4, large, LIMIT + 1, 0, NULL), SHOAL_E_TOO_LARGE);
        assert_int_equal(test_get(client, "fits"), SHOAL_OK);
        assert_int_equal(shoal_set(client, "fits", 4, large, LIMIT, 0, NULL), SHOAL_OK);
        shoal_client_free(client);
    }
}

static void the_neighbours_of_a_value_over_the_limit_are_unharmed(void **state) {
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        char names[NEIGHBOURS][16];
        shoal_batch *batch = NULL;
        shoal_client *client = begin_limited(limited[i]);
        assert_int_equal(shoal_batch_new(client, &batch, NULL), SHOAL_OK);
        for (size_t j = 0; j < NEIGHBOURS; j++) {
            snprintf(names[j], sizeof(names[j]), "small-%zu", j);
            shoal_batch_get(batch, names[j], strlen(names[j]), NULL);
            shoal_batch_get(batch, "large", 5, NULL);
        }
        shoal_batch_store(batch, SHOAL_SET, "fits", 4, large, LIMIT + 1, 0, 0, 0, NULL);
        shoal_batch_store(batch, SHOAL_SET, "other", 5, "text", 4, 0, 0, 0, NULL);
        assert_int_equal(shoal_batch_run(batch, NULL), SHOAL_PARTIAL);
        for (size_t j = 0; j < NEIGHBOURS; j++) {
            assert_value(batch, 2 * j, "text");
            assert_int_equal(shoal_batch_status(batch, 2 * j + 1), SHOAL_E_TOO_LARGE);
            assert_int_equal(shoal_error_status(shoal_batch_error(batch, 2 * j + 1)), SHOAL_E_TOO_LARGE);
        }
        assert_int_equal(shoal_batch_status(batch, 2 * NEIGHBOURS), SHOAL_E_TOO_LARGE);
        assert_int_equal(shoal_batch_status(batch, 2 * NEIGHBOURS + 1), SHOAL_OK);
        assert_int_equal(test_get(client, "fits"), SHOAL_OK);
        shoal_batch_free(batch);
        shoal_client_free(client);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_item_tells_its_lifetime),
        cmocka_unit_test(an_item_tells_of_its_last_access),
        cmocka_unit_test(any_byte_may_stand_in_a_key),
        cmocka_unit_test(any_byte_may_stand_in_the_keys_of_a_batch),
        cmocka_unit_test(a_binary_key_in_a_batch_needs_meta_and_harms_no_other),
        cmocka_unit_test(a_value_over_the_limit_is_not_taken),
        cmocka_unit_test(a_value_over_the_limit_is_not_sent),
        cmocka_unit_test(the_neighbours_of_a_value_over_the_limit_are_unharmed),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
