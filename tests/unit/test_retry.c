/* Retries: what may be repeated, the pauses, the budget, by a false clock.
 * May include: the core's internals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "logic/retry.h"

#define MS SHOAL__NS_PER_MS
#define SECOND SHOAL__NS_PER_S

static bool may_repeat(enum shoal__repeatability repeatability, shoal_status status, bool unknown) {
    struct shoal__fault fault = {.status = status, .outcome_unknown = unknown};
    return shoal__retry_may_repeat(repeatability, &fault);
}

static void test_passing_failures_of_repeatable_commands_are_repeated(void **state) {
    (void)state;
    assert_true(may_repeat(SHOAL__REPEAT_ALWAYS, SHOAL_E_TIMEOUT, true));
    assert_true(may_repeat(SHOAL__REPEAT_ALWAYS, SHOAL_E_NODE_DOWN, false));
    assert_true(may_repeat(SHOAL__REPEAT_ALWAYS, SHOAL_E_PROTOCOL, true));
}

static void test_a_command_that_may_have_been_executed_is_not(void **state) {
    (void)state;
    assert_false(may_repeat(SHOAL__REPEAT_UNSTARTED, SHOAL_E_TIMEOUT, true));
    assert_false(may_repeat(SHOAL__REPEAT_UNSTARTED, SHOAL_E_NODE_DOWN, true));
    assert_true(may_repeat(SHOAL__REPEAT_UNSTARTED, SHOAL_E_NODE_DOWN, false));
}

static void test_what_the_server_said_is_not_asked_again(void **state) {
    (void)state;
    static const shoal_status statuses[] = {SHOAL_E_TOO_LARGE, SHOAL_E_NOT_A_NUMBER, SHOAL_E_SERVER,
                                            SHOAL_E_BAD_KEY,   SHOAL_E_NO_MEMORY,    SHOAL_E_UNSUPPORTED};
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
        assert_false(may_repeat(SHOAL__REPEAT_ALWAYS, statuses[i], false));
}

static void test_pauses_fill_a_bound_that_doubles(void **state) {
    (void)state;
    struct shoal__retry_options options = {.attempts = 9, .backoff_min_ns = 10 * MS, .backoff_max_ns = 100 * MS};
    struct shoal__random dice = {7};
    static const int64_t bounds[] = {10, 20, 40, 80, 100, 100};
    for (unsigned retry = 1; retry <= 6; retry++) {
        int64_t longest = 0;
        int64_t shortest = SECOND;
        for (int i = 0; i < 2000; i++) {
            int64_t pause = shoal__retry_pause_ns(&options, retry, &dice);
            longest = pause > longest ? pause : longest;
            shortest = pause < shortest ? pause : shortest;
        }
        int64_t bound = bounds[retry - 1] * MS;
        assert_true(longest < bound && longest > bound * 9 / 10);
        assert_true(shortest >= 0 && shortest < bound / 10);
    }
}

static unsigned spend_all(struct shoal__retry_budget *budget, uint64_t calls, int64_t now_ns) {
    unsigned spent = 0;
    while (shoal__retry_budget_spend(budget, calls, now_ns))
        spent++;
    return spent;
}

static void test_ten_calls_pay_for_one_retry(void **state) {
    (void)state;
    struct shoal__retry_budget budget;
    shoal__retry_budget_init(&budget, 0.1, 0);
    spend_all(&budget, 0, 0);
    unsigned spent = spend_all(&budget, 200, 0);
    assert_true(spent == 19 || spent == 20); /* 0.1 is no binary fraction */
    assert_int_equal(spend_all(&budget, 200, 0), 0);
}

static void test_the_floor_grants_ten_a_second_without_calls(void **state) {
    (void)state;
    struct shoal__retry_budget budget;
    shoal__retry_budget_init(&budget, 0.1, 0);
    assert_int_equal(spend_all(&budget, 0, 0), 10);
    assert_int_equal(spend_all(&budget, 0, SECOND), 10);
    assert_int_equal(spend_all(&budget, 0, SECOND + 110 * MS), 1);
}

static void test_quiet_times_save_up_no_storm(void **state) {
    (void)state;
    struct shoal__retry_budget budget;
    shoal__retry_budget_init(&budget, 0.1, 0);
    assert_int_equal(spend_all(&budget, 1000000, 3600 * SECOND), 50);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_passing_failures_of_repeatable_commands_are_repeated),
        cmocka_unit_test(test_a_command_that_may_have_been_executed_is_not),
        cmocka_unit_test(test_what_the_server_said_is_not_asked_again),
        cmocka_unit_test(test_pauses_fill_a_bound_that_doubles),
        cmocka_unit_test(test_ten_calls_pay_for_one_retry),
        cmocka_unit_test(test_the_floor_grants_ten_a_second_without_calls),
        cmocka_unit_test(test_quiet_times_save_up_no_storm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
