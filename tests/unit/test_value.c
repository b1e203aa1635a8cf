/* Values: which memory serves again, and that it is as long as it must be and no longer.
 * May include: the core's internals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "logic/value.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#define KB ((size_t)1024)

/* A value that is written to in full. */
static shoal_value *filled(size_t size) {
    shoal_value *value = shoal__value_new(size, 7, 9);
    assert_non_null(value);
    memset(shoal__value_bytes(value), 'v', size);
    return value;
}

static shoal_value *freed(size_t size) {
    shoal_value *value = filled(size);
    shoal_value_free(value);
    return value; /* to be compared with */
}

static void test_small_and_large_ones_serve_again(void **state) {
    (void)state;
    static const size_t sizes[] = {1, 100, 4 * KB, 64 * KB, 900 * KB, 1024 * KB};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        const shoal_value *before = freed(sizes[i]);
        char *stands_in_its_place = malloc(sizes[i]); /* where malloc had it back */
        shoal_value *value = filled(sizes[i]);
        assert_ptr_equal(value, before);
        assert_int_equal(shoal_value_size(value), sizes[i]);
        assert_int_equal(shoal_value_flags(value), 7);
        assert_int_equal(shoal_value_cas(value), 9);
        shoal_value_free(value);
        free(stands_in_its_place);
    }
}

static void test_a_smaller_one_of_the_same_order_does(void **state) {
    (void)state;
    const shoal_value *before = freed(900 * KB);
    shoal_value *value = filled(600 * KB);
    assert_ptr_equal(value, before);
    assert_int_equal(shoal_value_size(value), 600 * KB);
    shoal_value_free(value);
}

static void test_none_holds_much_more_than_it_needs(void **state) {
    (void)state;
    static const size_t sizes[] = {5 * KB, 64 * KB, 200 * KB};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        freed(900 * KB);
        shoal_value *value = filled(sizes[i]);
        assert_in_range(malloc_usable_size(value), sizes[i], 2 * sizes[i]);
        shoal_value_free(value);
    }
}

static void test_a_larger_one_is_as_long_as_it_must_be(void **state) {
    (void)state;
    static const size_t sizes[] = {101, 5 * KB, 101 * KB, 1024 * KB, 1024 * KB + 1, 3 * 1024 * KB};
    freed(100);
    freed(100 * KB);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        shoal_value *value = filled(sizes[i]);
        assert_in_range(malloc_usable_size(value), sizes[i], SIZE_MAX);
        shoal_value_free(value);
    }
}

static void test_two_at_once_are_two(void **state) {
    (void)state;
    freed(900 * KB);
    shoal_value *one = filled(900 * KB);
    shoal_value *other = filled(900 * KB);
    assert_ptr_not_equal(one, other);
    shoal_value_free(one);
    shoal_value_free(other);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small_and_large_ones_serve_again),
        cmocka_unit_test(test_a_smaller_one_of_the_same_order_does),
        cmocka_unit_test(test_none_holds_much_more_than_it_needs),
        cmocka_unit_test(test_a_larger_one_is_as_long_as_it_must_be),
        cmocka_unit_test(test_two_at_once_are_two),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
