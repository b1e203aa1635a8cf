/* The schedule of polls and the order of versions, by a false clock.
 * May include: the core's internals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "logic/refresh.h"

#define MS SHOAL__NS_PER_MS
#define SECOND SHOAL__NS_PER_S

static struct shoal__random dice = {42};

static struct shoal__refresh make(int64_t interval_ns, double jitter) {
    struct shoal__refresh refresh;
    struct shoal__refresh_options options = {.interval_ns = interval_ns, .jitter = jitter};
    shoal__refresh_init(&refresh, &options, 1000 * SECOND);
    return refresh;
}

/* A poll at a moment that gives a list. */
static enum shoal__refresh_verdict answer(struct shoal__refresh *refresh, uint64_t version, bool same, bool moved) {
    int64_t now = refresh->due_ns;
    assert_true(shoal__refresh_begin(refresh, now));
    return shoal__refresh_answered(refresh, version, same, moved, now, &dice);
}

static void test_the_first_poll_is_due_at_once(void **state) {
    (void)state;
    struct shoal__refresh refresh = make(60 * SECOND, 0);
    assert_true(shoal__refresh_begin(&refresh, 1000 * SECOND));
    assert_int_equal(refresh.state, SHOAL__REFRESH_POLLING);
}

static void test_one_poll_at_a_time(void **state) {
    (void)state;
    struct shoal__refresh refresh = make(60 * SECOND, 0);
    assert_true(shoal__refresh_begin(&refresh, 1000 * SECOND));
    assert_false(shoal__refresh_begin(&refresh, 2000 * SECOND));
    shoal__refresh_hasten(&refresh, 2000 * SECOND);
    assert_false(shoal__refresh_begin(&refresh, 2000 * SECOND));
}

static void test_the_next_poll_waits_for_the_interval(void **state) {
    (void)state;
    struct shoal__refresh refresh = make(60 * SECOND, 0);
    assert_int_equal(answer(&refresh, 1, false, false), SHOAL__REFRESH_APPLY);
    assert_false(shoal__refresh_begin(&refresh, 1060 * SECOND - 1));
    assert_true(shoal__refresh_begin(&refresh, 1060 * SECOND));
}

static void test_jitter_spreads_the_polls_within_its_bounds(void **state) {
    (void)state;
    int64_t shortest = SHOAL__NEVER;
    int64_t longest = 0;
    for (int i = 0; i < 1000; i++) {
        struct shoal__refresh refresh = make(10 * SECOND, 0.2);
        answer(&refresh, 1, false, false);
        int64_t wait = refresh.due_ns - 1000 * SECOND;
        shortest = wait < shortest ? wait : shortest;
        longest = wait > longest ? wait : longest;
    }
    assert_true(shortest >= 8 * SECOND && shortest < 8100 * MS);
    assert_true(longest <= 12 * SECOND && longest > 11900 * MS);
}

static void test_same_version_and_text_keeps_the_list(void **state) {
    (void)state;
    struct shoal__refresh refresh = make(SECOND, 0);
    assert_int_equal(answer(&refresh, 12, false, false), SHOAL__REFRESH_APPLY);
    assert_int_equal(answer(&refresh, 12, true, false), SHOAL__REFRESH_KEEP);
}

static void test_same_version_and_other_text_is_applied(void **state) {
    (void)state;
    struct shoal__refresh refresh = make(SECOND, 0);
    answer(&refresh, 12, false, false);
    assert_int_equal(answer(&refresh, 12, false, false), SHOAL__REFRESH_APPLY);
}

static void test_a_higher_version_is_applied(void **state) {
    (void)state;
    struct shoal__refresh refresh = make(SECOND, 0);
    answer(&refresh, 12, false, false);
    assert_int_equal(answer(&refresh, 13, true, false), SHOAL__REFRESH_APPLY);
    assert_int_equal(refresh.version, 13);
}

static void test_a_lower_version_is_believed_after_three_polls_that_agree(void **state) {
    (void)state;
    struct shoal__refresh refresh = make(SECOND, 0);
    answer(&refresh, 12, false, false);
    assert_int_equal(answer(&refresh, 3, false, false), SHOAL__REFRESH_STALE);
    assert_int_equal(answer(&refresh, 3, false, false), SHOAL__REFRESH_STALE);
    assert_int_equal(answer(&refresh, 3, false, false), SHOAL__REFRESH_APPLY);
    assert_int_equal(refresh.version, 3);
}

static void test_polls_that_disagree_on_the_lower_version_do_not_add_up(void **state) {
    (void)state;
    struct shoal__refresh refresh = make(SECOND, 0);
    answer(&refresh, 12, false, false);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(answer(&refresh, 3, false, false), SHOAL__REFRESH_STALE);
        assert_int_equal(answer(&refresh, 4, false, false), SHOAL__REFRESH_STALE);
    }
    answer(&refresh, 12, true, false);
    assert_int_equal(answer(&refresh, 4, false, false), SHOAL__REFRESH_STALE);
}

static void test_a_lower_version_is_believed_where_the_endpoint_moved(void **state) {
    (void)state;
    struct shoal__refresh refresh = make(SECOND, 0);
    answer(&refresh, 12, false, false);
    assert_int_equal(answer(&refresh, 1, false, true), SHOAL__REFRESH_APPLY);
}

static int64_t fail_poll(struct shoal__refresh *refresh) {
    int64_t now = refresh->due_ns;
    assert_true(shoal__refresh_begin(refresh, now));
    shoal__refresh_failed(refresh, now, &dice);
    return refresh->due_ns - now;
}

static void test_failures_before_any_list_are_tried_again_soon_with_growing_pauses(void **state) {
    (void)state;
    struct shoal__refresh refresh = make(60 * SECOND, 0);
    assert_int_equal(fail_poll(&refresh), 100 * MS);
    assert_int_equal(fail_poll(&refresh), 200 * MS);
    assert_int_equal(fail_poll(&refresh), 400 * MS);
    for (int i = 0; i < 40; i++)
        assert_true(fail_poll(&refresh) <= 5 * SECOND);
}

static void test_failures_with_a_list_pause_up_to_the_interval(void **state) {
    (void)state;
    struct shoal__refresh refresh = make(60 * SECOND, 0);
    answer(&refresh, 1, false, false);
    assert_int_equal(fail_poll(&refresh), SECOND);
    assert_int_equal(fail_poll(&refresh), 2 * SECOND);
    for (int i = 0; i < 40; i++)
        assert_true(fail_poll(&refresh) <= 60 * SECOND);
    assert_int_equal(fail_poll(&refresh), 60 * SECOND);
}

static void test_failures_change_neither_list_nor_version(void **state) {
    (void)state;
    struct shoal__refresh refresh = make(SECOND, 0);
    answer(&refresh, 12, false, false);
    fail_poll(&refresh);
    assert_true(refresh.list_known);
    assert_int_equal(refresh.version, 12);
    assert_int_equal(answer(&refresh, 12, true, false), SHOAL__REFRESH_KEEP);
}

static void test_haste_is_limited_to_one_poll_a_second(void **state) {
    (void)state;
    struct shoal__refresh refresh = make(60 * SECOND, 0);
    answer(&refresh, 1, false, false); /* polled at 1000 s */
    shoal__refresh_hasten(&refresh, 1000 * SECOND + 10 * MS);
    assert_false(shoal__refresh_begin(&refresh, 1000 * SECOND + 999 * MS));
    assert_true(shoal__refresh_begin(&refresh, 1001 * SECOND));
    shoal__refresh_answered(&refresh, 1, true, false, 1001 * SECOND, &dice);
    shoal__refresh_hasten(&refresh, 1030 * SECOND);
    assert_true(shoal__refresh_begin(&refresh, 1030 * SECOND));
}

static void test_haste_never_puts_a_poll_off(void **state) {
    (void)state;
    struct shoal__refresh refresh = make(100 * MS, 0);
    answer(&refresh, 1, false, false);
    int64_t due = refresh.due_ns;
    shoal__refresh_hasten(&refresh, due - 1);
    assert_true(refresh.due_ns <= due);
}

static void test_an_interrupted_poll_is_due_at_once(void **state) {
    (void)state;
    struct shoal__refresh refresh = make(60 * SECOND, 0);
    assert_true(shoal__refresh_begin(&refresh, 1000 * SECOND));
    shoal__refresh_interrupted(&refresh, 1001 * SECOND);
    assert_true(shoal__refresh_begin(&refresh, 1001 * SECOND));
}

static void test_an_unlisted_answer_waits_for_the_interval(void **state) {
    (void)state;
    struct shoal__refresh refresh = make(60 * SECOND, 0);
    assert_true(shoal__refresh_begin(&refresh, 1000 * SECOND));
    shoal__refresh_unlisted(&refresh, 1000 * SECOND, &dice);
    assert_int_equal(refresh.due_ns, 1060 * SECOND);
    assert_false(refresh.list_known);
}

static void test_children_poll_at_different_moments(void **state) {
    (void)state;
    struct shoal__random own = {1};
    struct shoal__random other = {2};
    struct shoal__refresh a = make(60 * SECOND, 0.2);
    struct shoal__refresh b = make(60 * SECOND, 0.2);
    shoal__refresh_adopt(&a, 7, 1000 * SECOND, &own);
    shoal__refresh_adopt(&b, 7, 1000 * SECOND, &other);
    assert_true(a.due_ns != b.due_ns);
    assert_true(a.due_ns <= 1060 * SECOND && b.due_ns <= 1060 * SECOND);
    assert_int_equal(answer(&a, 7, true, false), SHOAL__REFRESH_KEEP);
}

/* 10 000 processes at the default interval and jitter, forked in the same second, over ten minutes. A single second
 * has its chance, so five at a time are looked at. */
static void test_ten_thousand_processes_stay_under_two_hundred_polls_a_second(void **state) {
    (void)state;
    enum { PROCESSES = 10000, SECONDS = 600, WINDOW = 5 };
    static unsigned polls[SECONDS / WINDOW];
    struct shoal__random random = {7};
    for (int i = 0; i < PROCESSES; i++) {
        struct shoal__refresh refresh = make(60 * SECOND, 0.2);
        shoal__refresh_adopt(&refresh, 1, 1000 * SECOND, &random);
        while (refresh.due_ns < (1000 + SECONDS) * SECOND) {
            int64_t now = refresh.due_ns;
            polls[(now / SECOND - 1000) / WINDOW]++;
            shoal__refresh_begin(&refresh, now);
            shoal__refresh_answered(&refresh, 1, true, false, now, &random);
        }
    }
    for (int window = 0; window < SECONDS / WINDOW; window++)
        assert_true(polls[window] < 200 * WINDOW);
}

/* --- What another process was told --- */

static void test_what_another_process_was_told_stands_for_a_poll(void **state) {
    (void)state;
    struct shoal__refresh refresh = make(60 * SECOND, 0);
    answer(&refresh, 12, false, false);
    int64_t asked = 1055 * SECOND, now = 1060 * SECOND;
    assert_int_equal(refresh.wanted_ns, 1000 * SECOND);
    assert_int_equal(shoal__refresh_told(&refresh, 13, false, asked, now, &dice), SHOAL__REFRESH_APPLY);
    assert_int_equal(refresh.due_ns, 1115 * SECOND);
    assert_int_equal(refresh.version, 13);
    assert_false(asked > refresh.wanted_ns); /* the same once more tells nothing */
    assert_int_equal(shoal__refresh_told(&refresh, 13, true, now, now, &dice), SHOAL__REFRESH_KEEP);
}

static void test_a_lower_version_that_another_process_believed_is_believed(void **state) {
    (void)state;
    struct shoal__refresh refresh = make(60 * SECOND, 0);
    answer(&refresh, 12, false, false);
    assert_int_equal(shoal__refresh_told(&refresh, 3, false, 1050 * SECOND, 1060 * SECOND, &dice),
                     SHOAL__REFRESH_APPLY);
    assert_int_equal(refresh.version, 3);
}

static void test_a_list_of_an_unknown_moment_is_used_and_asked_after_at_once(void **state) {
    (void)state;
    struct shoal__refresh refresh = make(60 * SECOND, 0);
    assert_int_equal(shoal__refresh_told(&refresh, 3, false, SHOAL__NEVER, 1000 * SECOND, &dice), SHOAL__REFRESH_APPLY);
    assert_true(shoal__refresh_is_due(&refresh, 1000 * SECOND));
    assert_int_equal(answer(&refresh, 2, false, false), SHOAL__REFRESH_STALE); /* it is a list that is known */
}

static void test_after_a_failure_an_answer_from_long_before_tells_nothing(void **state) {
    (void)state;
    struct shoal__refresh refresh = make(60 * SECOND, 0);
    answer(&refresh, 12, false, false);
    shoal__refresh_hasten(&refresh, 1030 * SECOND);
    assert_true(shoal__refresh_is_due(&refresh, 1030 * SECOND));
    assert_true(1029 * SECOND - 1 < refresh.wanted_ns);
    assert_true(1029 * SECOND + 1 > refresh.wanted_ns);
}

static void test_while_another_process_asks_it_is_looked_again_soon(void **state) {
    (void)state;
    struct shoal__refresh refresh = make(60 * SECOND, 0);
    shoal__refresh_postpone(&refresh, 1000 * SECOND, &dice);
    assert_false(shoal__refresh_begin(&refresh, 1000 * SECOND + 10 * MS));
    assert_true(shoal__refresh_begin(&refresh, 1000 * SECOND + 100 * MS));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_first_poll_is_due_at_once),
        cmocka_unit_test(test_one_poll_at_a_time),
        cmocka_unit_test(test_the_next_poll_waits_for_the_interval),
        cmocka_unit_test(test_jitter_spreads_the_polls_within_its_bounds),
        cmocka_unit_test(test_same_version_and_text_keeps_the_list),
        cmocka_unit_test(test_same_version_and_other_text_is_applied),
        cmocka_unit_test(test_a_higher_version_is_applied),
        cmocka_unit_test(test_a_lower_version_is_believed_after_three_polls_that_agree),
        cmocka_unit_test(test_polls_that_disagree_on_the_lower_version_do_not_add_up),
        cmocka_unit_test(test_a_lower_version_is_believed_where_the_endpoint_moved),
        cmocka_unit_test(test_failures_before_any_list_are_tried_again_soon_with_growing_pauses),
        cmocka_unit_test(test_failures_with_a_list_pause_up_to_the_interval),
        cmocka_unit_test(test_failures_change_neither_list_nor_version),
        cmocka_unit_test(test_haste_is_limited_to_one_poll_a_second),
        cmocka_unit_test(test_haste_never_puts_a_poll_off),
        cmocka_unit_test(test_an_interrupted_poll_is_due_at_once),
        cmocka_unit_test(test_an_unlisted_answer_waits_for_the_interval),
        cmocka_unit_test(test_what_another_process_was_told_stands_for_a_poll),
        cmocka_unit_test(test_a_lower_version_that_another_process_believed_is_believed),
        cmocka_unit_test(test_a_list_of_an_unknown_moment_is_used_and_asked_after_at_once),
        cmocka_unit_test(test_after_a_failure_an_answer_from_long_before_tells_nothing),
        cmocka_unit_test(test_while_another_process_asks_it_is_looked_again_soon),
        cmocka_unit_test(test_children_poll_at_different_moments),
        cmocka_unit_test(test_ten_thousand_processes_stay_under_two_hundred_polls_a_second),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
