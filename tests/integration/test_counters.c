/* Counters on real servers: up, down, made where missing, and at both ends of 64 bits.
 * labels: valgrind transports tls
 * May include: the public headers, support/. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/fleets.h"

#include <string.h>

static struct test_fleet fleet;
static shoal_client *client;

static int start(void **state) {
    (void)state;
    test_fleet_start(&fleet, 2);
    client = test_client(fleet.endpoint, "operation_timeout_ms=20000");
    return 0;
}

static int stop(void **state) {
    (void)state;
    shoal_client_free(client);
    test_fleet_stop(&fleet);
    return 0;
}

/* The new number of a counter that must be there. */
static uint64_t add(const char *key, int64_t delta) {
    uint64_t value = 77;
    assert_int_equal(shoal_increment(client, key, strlen(key), delta, NULL, 0, &value, NULL), SHOAL_OK);
    return value;
}

static void it_counts_up_and_down(void **state) {
    (void)state;
    assert_int_equal(test_set(client, "count", "5"), SHOAL_OK);
    assert_true(add("count", 1) == 6);
    assert_true(add("count", 1000000) == 1000006);
    assert_true(add("count", -6) == 1000000);
    assert_true(add("count", 0) == 1000000);
    assert_true(test_holds(client, "count", "1000000"));
    assert_int_equal(shoal_increment(client, "count", 5, 1, NULL, 0, NULL, NULL), SHOAL_OK);
    assert_true(test_holds(client, "count", "1000001"));
}

/* memcached writes a shorter number over a longer one with spaces behind it. */
static void a_number_that_became_shorter_reads_clean(void **state) {
    (void)state;
    assert_int_equal(test_set(client, "shorter", "10"), SHOAL_OK);
    assert_true(add("shorter", -1) == 9);
    assert_true(add("shorter", 0) == 9);
    assert_true(add("shorter", 1) == 10);
    assert_int_equal(test_set(client, "shorter", "1000000000"), SHOAL_OK);
    assert_true(add("shorter", -999999999) == 1);
    assert_true(add("shorter", -1) == 0);
}

static void it_stays_at_zero(void **state) {
    (void)state;
    assert_int_equal(test_set(client, "floor", "5"), SHOAL_OK);
    assert_true(add("floor", -6) == 0);
    assert_true(add("floor", INT64_MIN) == 0);
}

static void it_wraps_past_the_largest(void **state) {
    (void)state;
    assert_int_equal(test_set(client, "wrap", "18446744073709551615"), SHOAL_OK);
    assert_true(add("wrap", 0) == UINT64_MAX);
    assert_true(add("wrap", 3) == 2);
}

static void the_largest_deltas_count_whole(void **state) {
    (void)state;
    assert_int_equal(test_set(client, "delta", "0"), SHOAL_OK);
    assert_true(add("delta", INT64_MAX) == INT64_MAX);
    assert_true(add("delta", INT64_MAX) == UINT64_MAX - 1);
    assert_true(add("delta", INT64_MIN) == (uint64_t)INT64_MAX - 1);
}

static void a_missing_counter_stays_missing(void **state) {
    (void)state;
    uint64_t value = 77;
    shoal_error *error = NULL;
    assert_int_equal(shoal_increment(client, "nobody", 6, 1, NULL, 0, &value, &error), SHOAL_NOT_FOUND);
    assert_true(value == 0);
    assert_null(error);
    assert_int_equal(test_get(client, "nobody"), SHOAL_NOT_FOUND);
}

static void a_missing_counter_starts_with_its_initial_number(void **state) {
    (void)state;
    uint64_t initial = UINT64_MAX;
    uint64_t value = 0;
    assert_int_equal(shoal_increment(client, "initial", 7, 5, &initial, 1000, &value, NULL), SHOAL_OK);
    assert_true(value == UINT64_MAX);
    assert_true(test_holds(client, "initial", "18446744073709551615"));
    long left_s = test_node_ttl(fleet.nodes[test_fleet_place(&fleet, client, "initial")].port, "initial");
    assert_true(left_s > 900 && left_s <= 1000);
}

static void an_existing_counter_ignores_the_initial_number(void **state) {
    (void)state;
    uint64_t initial = 1000;
    uint64_t value = 0;
    assert_int_equal(test_set(client, "existing", "5"), SHOAL_OK);
    assert_int_equal(shoal_increment(client, "existing", 8, 2, &initial, 1000, &value, NULL), SHOAL_OK);
    assert_true(value == 7);
    assert_int_equal(test_node_ttl(fleet.nodes[test_fleet_place(&fleet, client, "existing")].port, "existing"), -1);
}

static void an_item_that_is_no_number_is_told(void **state) {
    (void)state;
    static const char *const texts[] = {"text", "-1", "1.5", "99999999999999999999999", "0x10"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        shoal_error *error = NULL;
        uint64_t value = 77;
        uint64_t initial = 1;
        assert_int_equal(test_set(client, "text", texts[i]), SHOAL_OK);
        assert_int_equal(shoal_increment(client, "text", 4, 1, &initial, 0, &value, &error), SHOAL_E_NOT_A_NUMBER);
        assert_true(value == 0);
        assert_int_equal(shoal_error_status(error), SHOAL_E_NOT_A_NUMBER);
        assert_false(shoal_error_is_retriable(error));
        assert_null(strstr(shoal_error_message(error), texts[i]));
        assert_true(test_holds(client, "text", texts[i]));
        shoal_error_free(error);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_counts_up_and_down),
        cmocka_unit_test(a_number_that_became_shorter_reads_clean),
        cmocka_unit_test(it_stays_at_zero),
        cmocka_unit_test(it_wraps_past_the_largest),
        cmocka_unit_test(the_largest_deltas_count_whole),
        cmocka_unit_test(a_missing_counter_stays_missing),
        cmocka_unit_test(a_missing_counter_starts_with_its_initial_number),
        cmocka_unit_test(an_existing_counter_ignores_the_initial_number),
        cmocka_unit_test(an_item_that_is_no_number_is_told),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
