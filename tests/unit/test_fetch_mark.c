/* What fetch keeps beside an item: names, the mark's text, and when a value is computed early.
 * May include: logic/fetch_mark. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "logic/fetch_mark.h"

#include <string.h>

static void companions_have_names_of_their_own(void **state) {
    (void)state;
    char claim[SHOAL__COMPANION_NAME_SIZE], mark[SHOAL__COMPANION_NAME_SIZE], other[SHOAL__COMPANION_NAME_SIZE];
    shoal__companion_name(SHOAL__COMPANION_CLAIM, "a", 1, claim);
    shoal__companion_name(SHOAL__COMPANION_MARK, "a", 1, mark);
    shoal__companion_name(SHOAL__COMPANION_MARK, "b", 1, other);
    /* Every process of every release must make the same: MD5 of "a". */
    assert_memory_equal(claim, "shoal:claim:0cc175b9c0f1b6a831c399e269772661", SHOAL__COMPANION_NAME_SIZE);
    assert_memory_equal(mark, "shoal:fresh:0cc175b9c0f1b6a831c399e269772661", SHOAL__COMPANION_NAME_SIZE);
    assert_memory_not_equal(mark, other, SHOAL__COMPANION_NAME_SIZE);
}

static void a_mark_reads_back(void **state) {
    (void)state;
    const struct shoal__fetch_mark marks[] = {{0, 0, 0}, {INT64_MAX, INT64_MAX, INT64_MAX}, {1795000000000, 60000, 12}};
    for (size_t i = 0; i < 3; i++) {
        char text[SHOAL__FETCH_MARK_SIZE];
        struct shoal__fetch_mark read;
        size_t size = shoal__fetch_mark_write(&marks[i], text);
        assert_true(size < sizeof(text));
        assert_true(shoal__fetch_mark_read(text, size, &read));
        assert_memory_equal(&read, &marks[i], sizeof(read));
        assert_false(shoal__fetch_mark_read(text, size - 1, &read) && read.cost_ms == marks[i].cost_ms);
    }
}

static void what_is_no_mark_is_not_read(void **state) {
    (void)state;
    static const char *const texts[] = {"",         "1",      "1 2 3",    "1 2 3 4 5", "2 1 1 1",
                                        "1 -1 1 1", "1 1 1 ", "1  1 1 1", "x"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct shoal__fetch_mark read;
        assert_false(shoal__fetch_mark_read(texts[i], strlen(texts[i]), &read));
    }
}

static unsigned early_of_thousand(const struct shoal__fetch_mark *mark, double beta, int64_t wall_now_ms) {
    struct shoal__random random = {5};
    unsigned early = 0;
    for (int i = 0; i < 1000; i++)
        early += shoal__fetch_is_early(mark, beta, wall_now_ms, &random);
    return early;
}

static void the_nearer_the_end_and_the_dearer_the_value_the_likelier(void **state) {
    (void)state;
    struct shoal__fetch_mark mark = {.fresh_until_ms = 1000000, .ttl_ms = 60000, .cost_ms = 1000};
    assert_int_equal(early_of_thousand(&mark, 1, 1000000 - 59000), 0);
    /* exp(-left/cost): a chance of e^-2 two seconds before the end, of e^-0.5 half a second before. */
    assert_in_range(early_of_thousand(&mark, 1, 1000000 - 2000), 90, 190);
    assert_in_range(early_of_thousand(&mark, 1, 1000000 - 500), 540, 680);
    assert_in_range(early_of_thousand(&mark, 2, 1000000 - 2000), 300, 440);
    assert_int_equal(early_of_thousand(&mark, 0, 1000000 - 1), 0);
    mark.cost_ms = 10;
    assert_int_equal(early_of_thousand(&mark, 1, 1000000 - 2000), 0);
}

static void clocks_that_cannot_be_right_are_not_believed(void **state) {
    (void)state;
    struct shoal__fetch_mark mark = {.fresh_until_ms = 1000000, .ttl_ms = 60000, .cost_ms = 1000000};
    assert_int_equal(early_of_thousand(&mark, 1, 1000001), 0);
    assert_int_equal(early_of_thousand(&mark, 1, 1000000 - 60001), 0);
    assert_true(early_of_thousand(&mark, 1, 1000000 - 59999) > 900);
    mark.fresh_until_ms = 0; /* for ever */
    assert_int_equal(early_of_thousand(&mark, 100, 0), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(companions_have_names_of_their_own),
        cmocka_unit_test(a_mark_reads_back),
        cmocka_unit_test(what_is_no_mark_is_not_read),
        cmocka_unit_test(the_nearer_the_end_and_the_dearer_the_value_the_likelier),
        cmocka_unit_test(clocks_that_cannot_be_right_are_not_believed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
