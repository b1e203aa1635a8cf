/* The breaker: every transition, by a false clock.
 * May include: the core's internals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "logic/breaker.h"

#define MS SHOAL__NS_PER_MS

static struct shoal__random dice = {42};

static struct shoal__breaker make(unsigned threshold) {
    struct shoal__breaker breaker;
    struct shoal__breaker_options options = {
        .failure_threshold = threshold, .probe_min_ns = 50 * MS, .probe_max_ns = 250 * MS};
    shoal__breaker_init(&breaker, &options);
    return breaker;
}

static struct shoal__breaker make_open(int64_t now_ns) {
    struct shoal__breaker breaker = make(1);
    assert_true(shoal__breaker_failed(&breaker, now_ns, &dice));
    return breaker;
}

static void test_it_begins_closed(void **state) {
    (void)state;
    struct shoal__breaker breaker = make(1);
    assert_true(shoal__breaker_allows(&breaker));
    assert_false(shoal__breaker_begin_probe(&breaker, 1000 * MS));
}

static void test_one_fault_opens_it_and_is_told_once(void **state) {
    (void)state;
    struct shoal__breaker breaker = make(1);
    assert_true(shoal__breaker_failed(&breaker, 0, &dice));
    assert_false(shoal__breaker_allows(&breaker));
    assert_false(shoal__breaker_failed(&breaker, 0, &dice));
}

static void test_a_threshold_counts_faults_in_a_row(void **state) {
    (void)state;
    struct shoal__breaker breaker = make(3);
    assert_false(shoal__breaker_failed(&breaker, 0, &dice));
    assert_false(shoal__breaker_failed(&breaker, 0, &dice));
    shoal__breaker_answered(&breaker);
    assert_false(shoal__breaker_failed(&breaker, 0, &dice));
    assert_false(shoal__breaker_failed(&breaker, 0, &dice));
    assert_true(shoal__breaker_failed(&breaker, 0, &dice));
}

static void test_an_answer_from_before_does_not_close_it(void **state) {
    (void)state;
    struct shoal__breaker breaker = make_open(0);
    shoal__breaker_answered(&breaker);
    assert_false(shoal__breaker_allows(&breaker));
}

static void test_the_first_probe_is_due_within_the_least_pause(void **state) {
    (void)state;
    for (int i = 0; i < 200; i++) {
        struct shoal__breaker breaker = make_open(1000 * MS);
        assert_true(breaker.probe_due_ns >= 1025 * MS && breaker.probe_due_ns <= 1050 * MS);
        assert_false(shoal__breaker_begin_probe(&breaker, breaker.probe_due_ns - 1));
        assert_true(shoal__breaker_begin_probe(&breaker, breaker.probe_due_ns));
    }
}

static void test_one_probe_at_a_time_and_no_calls_meanwhile(void **state) {
    (void)state;
    struct shoal__breaker breaker = make_open(0);
    assert_true(shoal__breaker_begin_probe(&breaker, 50 * MS));
    assert_false(shoal__breaker_begin_probe(&breaker, 500 * MS));
    assert_false(shoal__breaker_allows(&breaker));
    assert_false(shoal__breaker_failed(&breaker, 60 * MS, &dice));
    assert_int_equal(breaker.state, SHOAL__BREAKER_PROBING);
}

static void test_a_probe_that_is_answered_closes_it(void **state) {
    (void)state;
    struct shoal__breaker breaker = make_open(0);
    shoal__breaker_begin_probe(&breaker, 50 * MS);
    shoal__breaker_probe_answered(&breaker, 51 * MS);
    assert_true(shoal__breaker_allows(&breaker));
    assert_int_equal(breaker.faults, 0);
}

static void test_probes_that_fail_back_off_to_the_longest_pause(void **state) {
    (void)state;
    struct shoal__breaker breaker = make_open(0);
    static const int64_t pauses[] = {100, 200, 250, 250};
    int64_t now_ns = breaker.probe_due_ns;
    for (int i = 0; i < 4; i++) {
        assert_true(shoal__breaker_begin_probe(&breaker, now_ns));
        shoal__breaker_probe_failed(&breaker, now_ns, &dice);
        assert_int_equal(breaker.state, SHOAL__BREAKER_OPEN);
        assert_true(breaker.probe_due_ns >= now_ns + pauses[i] * MS / 2);
        assert_true(breaker.probe_due_ns <= now_ns + pauses[i] * MS);
        now_ns = breaker.probe_due_ns;
    }
}

static void test_reopening_begins_with_the_least_pause_again(void **state) {
    (void)state;
    struct shoal__breaker breaker = make_open(0);
    for (int i = 0; i < 5; i++) {
        shoal__breaker_begin_probe(&breaker, breaker.probe_due_ns);
        shoal__breaker_probe_failed(&breaker, breaker.probe_due_ns, &dice);
    }
    shoal__breaker_begin_probe(&breaker, breaker.probe_due_ns);
    shoal__breaker_probe_answered(&breaker, breaker.probe_due_ns);
    assert_true(shoal__breaker_failed(&breaker, 5000 * MS, &dice));
    assert_true(breaker.probe_due_ns <= 5050 * MS);
}

static void test_a_relapse_is_probed_later_each_time_up_to_a_bound(void **state) {
    (void)state;
    struct shoal__breaker breaker = make_open(0);
    static const int64_t pauses[] = {100, 200, 400, 800, 1000, 1000};
    for (int i = 0; i < 6; i++) {
        int64_t now_ns = breaker.probe_due_ns;
        shoal__breaker_begin_probe(&breaker, now_ns);
        shoal__breaker_probe_answered(&breaker, now_ns);
        assert_true(shoal__breaker_failed(&breaker, now_ns + MS, &dice));
        assert_true(breaker.probe_due_ns > now_ns + pauses[i] * MS / 2);
        assert_true(breaker.probe_due_ns <= now_ns + MS + pauses[i] * MS);
    }
}

static void test_it_can_be_tripped_without_a_fault_once(void **state) {
    (void)state;
    struct shoal__breaker breaker = make(1000);
    assert_true(shoal__breaker_trip(&breaker, 0, &dice));
    assert_false(shoal__breaker_allows(&breaker));
    assert_false(shoal__breaker_trip(&breaker, 0, &dice));
    assert_true(shoal__breaker_begin_probe(&breaker, 50 * MS));
}

static void test_an_interrupted_probe_is_due_at_once(void **state) {
    (void)state;
    struct shoal__breaker breaker = make_open(0);
    shoal__breaker_begin_probe(&breaker, 50 * MS);
    shoal__breaker_probe_interrupted(&breaker, 60 * MS);
    assert_true(shoal__breaker_begin_probe(&breaker, 60 * MS));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_begins_closed),
        cmocka_unit_test(test_one_fault_opens_it_and_is_told_once),
        cmocka_unit_test(test_a_threshold_counts_faults_in_a_row),
        cmocka_unit_test(test_an_answer_from_before_does_not_close_it),
        cmocka_unit_test(test_the_first_probe_is_due_within_the_least_pause),
        cmocka_unit_test(test_one_probe_at_a_time_and_no_calls_meanwhile),
        cmocka_unit_test(test_a_probe_that_is_answered_closes_it),
        cmocka_unit_test(test_probes_that_fail_back_off_to_the_longest_pause),
        cmocka_unit_test(test_reopening_begins_with_the_least_pause_again),
        cmocka_unit_test(test_a_relapse_is_probed_later_each_time_up_to_a_bound),
        cmocka_unit_test(test_it_can_be_tripped_without_a_fault_once),
        cmocka_unit_test(test_an_interrupted_probe_is_due_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
