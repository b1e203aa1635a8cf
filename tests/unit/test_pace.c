/* Far slower than its peers: what is learnt, what is too long, how many may go.
 * May include: the core's internals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "logic/pace.h"

#define MS INT64_C(1000000)

static void test_the_first_answer_is_what_is_usual(void **state) {
    (void)state;
    assert_int_equal(shoal__pace_learn(0, 5 * MS), 5 * MS);
    assert_true(shoal__pace_learn(0, 0) > 0); /* 0 would say that nothing is known */
}

static void test_it_follows_what_stays_and_not_what_passes(void **state) {
    (void)state;
    int64_t usual_ns = MS;
    usual_ns = shoal__pace_learn(usual_ns, 1000 * MS);
    assert_true(usual_ns < MS * 6 / 5);
    for (int i = 0; i < 100; i++)
        usual_ns = shoal__pace_learn(usual_ns, 4 * MS);
    assert_in_range(usual_ns, 39 * MS / 10, 4 * MS);
    for (int i = 0; i < 100; i++)
        usual_ns = shoal__pace_learn(usual_ns, MS);
    assert_in_range(usual_ns, MS, 11 * MS / 10);
}

static void test_the_limit_is_the_patience_or_ten_times_the_median(void **state) {
    (void)state;
    int64_t quick[] = {MS / 10, 0, MS / 5, 900 * MS};
    assert_int_equal(shoal__pace_limit_ns(25 * MS, quick, 4), 25 * MS);
    int64_t far[] = {80 * MS, 90 * MS, 70 * MS};
    assert_int_equal(shoal__pace_limit_ns(25 * MS, far, 3), 800 * MS);
}

static void test_without_peers_nothing_is_too_slow(void **state) {
    (void)state;
    int64_t unknown[] = {0, 0};
    assert_true(shoal__pace_limit_ns(25 * MS, unknown, 2) == INT64_MAX);
    assert_true(shoal__pace_limit_ns(25 * MS, unknown, 0) == INT64_MAX);
}

static void test_never_more_than_a_share_goes(void **state) {
    (void)state;
    assert_true(shoal__pace_may_eject(0, 4, 0.5));
    assert_true(shoal__pace_may_eject(1, 4, 0.5));
    assert_false(shoal__pace_may_eject(2, 4, 0.5));
    assert_true(shoal__pace_may_eject(0, 2, 0.5));
    assert_false(shoal__pace_may_eject(1, 3, 0.5));
    assert_false(shoal__pace_may_eject(0, 1, 0.5));
    assert_false(shoal__pace_may_eject(0, 10, 0));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_first_answer_is_what_is_usual),
        cmocka_unit_test(test_it_follows_what_stays_and_not_what_passes),
        cmocka_unit_test(test_the_limit_is_the_patience_or_ten_times_the_median),
        cmocka_unit_test(test_without_peers_nothing_is_too_slow),
        cmocka_unit_test(test_never_more_than_a_share_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
