/* Wrong answers to an exchange: whatever was not asked for ends it with SHOAL_E_PROTOCOL, and what was
 * not decided by then is not SHOAL_OK. Errors of the server's own: test_meta_exchange_errors.
 * May include: the core's internals, meta_talk. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "meta_talk.h"

static struct talk *talk;

static int start(void **state) {
    (void)state;
    talk = talk_new();
    return 0;
}

static int stop(void **state) {
    (void)state;
    talk_free(talk);
    return 0;
}

/* --- What may be asked --- */

typedef void (*asker)(void);

static void ask_get(void) {
    talk_get(talk, "k0");
}

static void ask_two_gets(void) {
    talk_add_many(talk, SHOAL__VERB_GET, 2);
}

static void ask_store(void) {
    talk_set(talk, "k0", "v");
}

static void ask_add(void) {
    talk_set(talk, "k0", "v")->mode = SHOAL_ADD;
}

static void ask_cas(void) {
    talk_set(talk, "k0", "v")->mode = SHOAL_CAS;
}

/* Too large for ms, as no limit was told. */
static void ask_classic(void) {
    static char value[1001];
    memset(value, 'v', sizeof(value) - 1);
    talk_set(talk, "k0", value)->mode = SHOAL_ADD;
}

static void ask_delete(void) {
    talk_add(talk, SHOAL__VERB_DELETE, "k0");
}

static void ask_touch(void) {
    talk_add(talk, SHOAL__VERB_TOUCH, "k0");
}

static void ask_increment(void) {
    talk_add(talk, SHOAL__VERB_INCREMENT, "k0");
}

static void ask_flush(void) {
    talk_add(talk, SHOAL__VERB_FLUSH_ALL, "");
}

static void ask_stats(void) {
    talk_add(talk, SHOAL__VERB_STATS, "");
}

#define OPENED "EN O0\r\n"
#define ITEM(key, value) "VALUE " key " 0 1 1\r\n" value "\r\n"

/* k0 opens the line of k1 to k4. */
static void ask_line(void) {
    talk_add_many(talk, SHOAL__VERB_GET, 5);
}

static void ask_quiet(void) {
    talk_add_many(talk, SHOAL__VERB_STORE, 5);
}

/* A line (0 to 4), a deletion (5), a line (6 to 10). */
static void ask_two_lines(void) {
    ask_line();
    talk_add(talk, SHOAL__VERB_DELETE, "d");
    talk_add_many(talk, SHOAL__VERB_GET, 5);
}

/* Nothing is decided, except the first `decided` commands. */
static void assert_ends(asker ask, bool unmarked, const char *answer, size_t decided) {
    talk_free(talk);
    talk = talk_new();
    talk->exchange.misses_unmarked = unmarked;
    ask();
    talk_begin(talk);
    if (talk_hear(talk, answer) != SHOAL_E_PROTOCOL)
        fail_msg("taken: %s", answer);
    assert_true(talk->fault.text[0] != '\0');
    for (size_t i = 0; i < talk->run.count; i++)
        if ((talk->commands[i].status != SHOAL__UNDECIDED) != (i < decided))
            fail_msg("command %zu is %s after: %s", i, shoal_status_name(talk->commands[i].status), answer);
}

struct wrong {
    asker ask;
    const char *answer;
    size_t decided;
};

static void assert_all_end(const struct wrong *wrongs, size_t count) {
    for (size_t i = 0; i < count; i++) {
        assert_ends(wrongs[i].ask, false, wrongs[i].answer, wrongs[i].decided);
        assert_ends(wrongs[i].ask, true, wrongs[i].answer, wrongs[i].decided);
    }
}

#define ASSERT_ALL_END(wrongs) assert_all_end(wrongs, sizeof(wrongs) / sizeof((wrongs)[0]))

/* --- Single commands --- */

static void test_the_number_of_another_command_is_noticed(void **state) {
    (void)state;
    static const struct wrong wrongs[] = {
        {ask_get, "VA 1 O1\r\nx\r\n", 0},
        {ask_get, "VA 1\r\nx\r\n", 0},
        {ask_get, "EN O1\r\n", 0},
        {ask_get, "EN O4294967295\r\n", 0},
        {ask_store, "HD O1\r\n", 0},
        {ask_store, "HD\r\n", 0},
        {ask_store, "NS\r\n", 0},
        {ask_delete, "NF\r\n", 0},
        {ask_delete, "HD\r\n", 0},
        {ask_touch, "HD\r\n", 0},
        {ask_increment, "NF\r\n", 0},
        {ask_increment, "VA 1\r\n5\r\n", 0},
        {ask_two_gets, "VA 1 O1\r\nx\r\nVA 1 O0\r\ny\r\n", 0},
        {ask_two_gets, "VA 1 O0\r\nx\r\nVA 1 O0\r\nx\r\n", 1},
    };
    ASSERT_ALL_END(wrongs);
}

static void ask_binary_get(void) {
    talk_get(talk, "k0")->key_is_binary = true;
}

static void test_the_value_of_another_key_is_noticed(void **state) {
    (void)state;
    static const struct wrong wrongs[] = {
        {ask_get, "VA 1 kk1 O0\r\nx\r\n", 0},        {ask_get, "VA 1 f0 c1 k O0\r\nx\r\n", 0},
        {ask_get, "VA 1 kk00 O0\r\nx\r\n", 0},       {ask_line, "VA 1 kk1 O0\r\nx\r\nEND\r\n", 0},
        {ask_binary_get, "VA 1 kk0 O0\r\nx\r\n", 0}, {ask_binary_get, "VA 1 kazE= b O0\r\nx\r\n", 0},
    };
    ASSERT_ALL_END(wrongs);
}

static void test_a_miss_without_a_number_is_one_of_older_servers_alone(void **state) {
    (void)state;
    assert_ends(ask_get, false, "EN\r\n", 0);
    assert_ends(ask_touch, false, "EN\r\n", 0);
    assert_ends(ask_line, false, "EN\r\nEND\r\n", 0);
    assert_ends(ask_store, true, "EN\r\n", 0);
    assert_ends(ask_increment, true, "EN\r\n", 0);
}

static void test_an_answer_to_another_kind_of_command_is_noticed(void **state) {
    (void)state;
    static const struct wrong wrongs[] = {
        {ask_get, "HD O0\r\n", 0},       {ask_get, "NF O0\r\n", 0},        {ask_get, "MN O0\r\n", 0},
        {ask_get, "END\r\n", 0},         {ask_get, "VALUE k0 0 1\r\n", 0}, {ask_get, "OK\r\n", 0},
        {ask_get, "STAT a b\r\n", 0},    {ask_get, "VERSION 1\r\n", 0},    {ask_store, "EN O0\r\n", 0},
        {ask_store, "VA 1 O0\r\n", 0},   {ask_store, "MN O0\r\n", 0},      {ask_delete, "EN O0\r\n", 0},
        {ask_delete, "VA 0 O0\r\n", 0},  {ask_delete, "NS O0\r\n", 0},     {ask_delete, "EX O0\r\n", 0},
        {ask_touch, "NF O0\r\n", 0},     {ask_touch, "VA 1 O0\r\n", 0},    {ask_touch, "NS O0\r\n", 0},
        {ask_increment, "HD O0\r\n", 0}, {ask_increment, "EN O0\r\n", 0},  {ask_increment, "EX O0\r\n", 0},
        {ask_flush, "HD O0\r\n", 0},     {ask_flush, "END\r\n", 0},        {ask_stats, "HD O0\r\n", 0},
        {ask_stats, "VA 1 O0\r\n", 0},   {ask_flush, "STAT a b\r\n", 0},   {ask_store, "NS O0\r\n", 0},
        {ask_store, "EX O0\r\n", 0},     {ask_store, "NF O0\r\n", 0},      {ask_add, "EX O0\r\n", 0},
        {ask_add, "NF O0\r\n", 0},       {ask_cas, "NS O0\r\n", 0},
    };
    ASSERT_ALL_END(wrongs);
}

static void test_a_classic_store_takes_no_number(void **state) {
    (void)state;
    static const struct wrong wrongs[] = {
        {ask_classic, "HD O0\r\n", 0}, {ask_classic, "NS O0\r\n", 0}, {ask_classic, "END\r\n", 0},
        {ask_classic, "EN\r\n", 0},    {ask_classic, "VA 1\r\n", 0},  {ask_classic, "STORED\r\nSTORED\r\n", 1},
    };
    ASSERT_ALL_END(wrongs);
}

static void test_bytes_that_nobody_asked_for_end_it(void **state) {
    (void)state;
    static const struct wrong wrongs[] = {
        {ask_get, "EN O0\r\nEN O1\r\n", 1},     {ask_get, "EN O0\r\nMN\r\n", 1},
        {ask_store, "HD O0\r\nHD O0\r\n", 1},   {ask_get, "EN O0\r\nERROR\r\n", 1},
        {ask_get, "VA 1 O0\r\nx\r\n\r\n", 1},   {ask_get, "VA 1 O0\r\nx\r\nx\r\n", 1},
        {ask_line, OPENED "END\r\nEND\r\n", 5},
    };
    ASSERT_ALL_END(wrongs);
}

static void test_what_is_no_protocol_ends_it(void **state) {
    (void)state;
    static const struct wrong wrongs[] = {
        {ask_get, "garbage\r\n", 0}, {ask_get, "\r\n", 0},
        {ask_get, "EN O0\n", 0},     {ask_quiet, "garbage\r\n", 0},
        {ask_line, "STORED\r\n", 0}, {ask_store, "STORED\r\n", 0},
        {ask_get, "VA x O0\r\n", 0}, {ask_get, "HTTP/1.1 400\r\n", 0},
    };
    ASSERT_ALL_END(wrongs);
}

static void test_a_line_without_an_end_ends_it(void **state) {
    (void)state;
    static char endless[SHOAL__META_LINE_MAX + 1];
    memset(endless, 'x', sizeof(endless) - 1);
    assert_ends(ask_get, false, endless, 0);
    talk_free(talk);
    talk = talk_new();
    ask_get();
    talk_begin(talk);
    for (size_t i = 0; i < SHOAL__META_LINE_MAX - 1; i++)
        assert_heard(talk, "x");
    assert_int_equal(talk_hear(talk, "x"), SHOAL_E_PROTOCOL);
}

/* --- Values --- */

static void test_a_value_ends_where_its_length_says(void **state) {
    (void)state;
    static const struct wrong wrongs[] = {
        {ask_get, "VA 2 O0\r\nx\r\n\r\n", 0},
        {ask_get, "VA 1 O0\r\nxy\r\n", 0},
        {ask_get, "VA 0 O0\r\nx\r\n", 0},
        {ask_get, "VA 1 O0\r\nx\n", 0},
        {ask_get, "VA 1 O0\r\nx\rx", 0},
        {ask_get, "VA 1 O0\r\nxEN O1\r\n", 0},
        {ask_line, OPENED "VALUE k1 0 1 1\r\nxy\r\n", 1},
        {ask_line, OPENED "VALUE k1 0 3 1\r\nx\r\nEND\r\n", 1},
        {ask_increment, "VA 1 O0\r\n12\r\n", 0},
        {ask_line, "VA 1 O0\r\nxy\r\n", 0},
    };
    ASSERT_ALL_END(wrongs);
}

static void test_a_value_over_the_limit_ends_there_too(void **state) {
    (void)state;
    talk->exchange.value_max = 2;
    ask_get();
    talk_begin(talk);
    assert_int_equal(talk_hear(talk, "VA 3 O0\r\nxxxx\r\n"), SHOAL_E_PROTOCOL);
    assert_status(talk, 0, SHOAL__UNDECIDED);
}

static void test_a_counter_is_a_number(void **state) {
    (void)state;
    static const struct wrong wrongs[] = {
        {ask_increment, "VA 0 O0\r\n\r\n", 0},
        {ask_increment, "VA 1 O0\r\nx\r\n", 0},
        {ask_increment, "VA 2 O0\r\n  \r\n", 0},
        {ask_increment, "VA 2 O0\r\n-1\r\n", 0},
        {ask_increment, "VA 3 O0\r\n1 2\r\n", 0},
        {ask_increment, "VA 20 O0\r\n18446744073709551616\r\n", 0},
        {ask_increment, "VA 25 O0\r\n0000000000000000000000001\r\n", 0},
    };
    ASSERT_ALL_END(wrongs);
}

/* --- Lines --- */

static void test_a_line_has_items_of_its_keys_alone(void **state) {
    (void)state;
    static const struct wrong wrongs[] = {
        {ask_line, OPENED ITEM("other", "x") "END\r\n", 1},
        {ask_line, OPENED ITEM("k", "x"), 1},
        {ask_line, OPENED ITEM("k00", "x"), 1},
        {ask_line, OPENED ITEM("k0", "x"), 1}, /* was asked singly */
        {ask_line, OPENED ITEM("k1", "x") ITEM("k1", "x"), 2},
        {ask_line, OPENED ITEM("k1", "x") ITEM("k2", "x") ITEM("k1", "x"), 3},
        {ask_line, OPENED "HD O1\r\n", 1},
        {ask_line, OPENED "EN O1\r\n", 1},
        {ask_line, OPENED "VA 1 O1\r\nx\r\n", 1},
        {ask_line, OPENED "MN\r\n", 1},
    };
    ASSERT_ALL_END(wrongs);
}

static void test_a_line_counts_with_its_opening_answer_alone(void **state) {
    (void)state;
    static const struct wrong wrongs[] = {
        {ask_line, "END\r\n", 0},
        {ask_line, ITEM("k1", "x") "END\r\n", 0},
        {ask_line, ITEM("k0", "x") "END\r\n", 0},
        {ask_line, ITEM("k1", "x") "END\r\n" OPENED, 0}, /* swapped */
        {ask_line, "EN O1\r\n" ITEM("k1", "x") "END\r\n", 0},
        {ask_line, "VA 1 O4\r\nx\r\nEND\r\n", 0},
        {ask_line, "HD O0\r\nEND\r\n", 0},
        {ask_line, "VA 1\r\nx\r\n", 0},
        {ask_line, OPENED OPENED, 1},
        {ask_line, OPENED ITEM("k1", "x") "EN O5\r\n", 2}, /* END is missing */
        {ask_line, OPENED "END\r\n" ITEM("k2", "x"), 5},
    };
    ASSERT_ALL_END(wrongs);
}

static void test_answers_of_two_lines_that_were_swapped_are_noticed(void **state) {
    (void)state;
    static const struct wrong wrongs[] = {
        {ask_two_lines, "EN O6\r\n" ITEM("k1", "x") "END\r\nHD O5\r\n" OPENED "END\r\n", 0},
        {ask_two_lines, "HD O5\r\n", 0},
        {ask_two_lines, OPENED "END\r\nEN O6\r\n", 5},
        {ask_two_lines, OPENED "END\r\nHD O5\r\n" OPENED "END\r\n", 6},
        {ask_two_lines, OPENED "END\r\nHD O5\r\n" ITEM("k1", "x"), 6},
        {ask_two_lines, OPENED "END\r\nHD O5\r\nEND\r\n", 6},
        {ask_two_lines, OPENED "END\r\nHD O5\r\nHD O5\r\n", 6},
    };
    ASSERT_ALL_END(wrongs);
}

static void test_a_value_over_the_limit_comes_once(void **state) {
    (void)state;
    talk->exchange.value_max = 1;
    ask_line();
    talk_begin(talk);
    assert_heard(talk, OPENED "VALUE k1 0 2 1\r\nxx\r\n");
    assert_int_equal(talk_hear(talk, "VALUE k1 0 2 1\r\nxx\r\n"), SHOAL_E_PROTOCOL);
    assert_status(talk, 1, SHOAL_E_TOO_LARGE);
    assert_statuses(talk, 2, 5, SHOAL__UNDECIDED);
}

/* 32 KB are made ready at a time, so that a line may be cut. */
static void test_a_line_does_not_end_before_it_was_sent(void **state) {
    (void)state;
    static char value[16 * 1024 + 1];
    static char key[251];
    talk->exchange.item_max = 1048576;
    memset(value, 'v', sizeof(value) - 300);
    memset(key, 'k', sizeof(key) - 1);
    talk_set(talk, "a", value)->mode = SHOAL_ADD;
    talk_set(talk, "b", value)->mode = SHOAL_ADD;
    for (size_t i = 0; i < 8; i++)
        talk_get(talk, key);
    shoal__exchange_begin(&talk->exchange, &talk->run);
    assert_true(shoal__exchange_ask(&talk->exchange));
    assert_in_range(talk->run.next, 3, 9);
    assert_heard(talk, "HD O0\r\nHD O1\r\nEN O2\r\n");
    assert_int_equal(talk_hear(talk, "END\r\n"), SHOAL_E_PROTOCOL);
}

/* --- Quiet stores --- */

static void test_quiet_stores_are_answered_in_one_way_alone(void **state) {
    (void)state;
    static const struct wrong wrongs[] = {
        {ask_quiet, "MN\r\n", 0},
        {ask_quiet, "HD O3\r\n", 0},
        {ask_quiet, "HD\r\n", 0},
        {ask_quiet, "NS O4\r\n", 0},
        {ask_quiet, "EN O4\r\n", 0},
        {ask_quiet, "HD O4\r\nHD O4\r\n", 0},
        {ask_quiet, "VA 1 O4\r\nx\r\n", 0},
        {ask_quiet, "HD O4\r\nEND\r\n", 0},
        {ask_quiet, "HD O4\r\nMN\r\nMN\r\n", 5},
        {ask_quiet, "SERVER_ERROR no\r\nMN\r\nMN\r\n", 0},
    };
    ASSERT_ALL_END(wrongs);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_the_number_of_another_command_is_noticed, start, stop),
        cmocka_unit_test_setup_teardown(test_the_value_of_another_key_is_noticed, start, stop),
        cmocka_unit_test_setup_teardown(test_a_miss_without_a_number_is_one_of_older_servers_alone, start, stop),
        cmocka_unit_test_setup_teardown(test_an_answer_to_another_kind_of_command_is_noticed, start, stop),
        cmocka_unit_test_setup_teardown(test_a_classic_store_takes_no_number, start, stop),
        cmocka_unit_test_setup_teardown(test_bytes_that_nobody_asked_for_end_it, start, stop),
        cmocka_unit_test_setup_teardown(test_what_is_no_protocol_ends_it, start, stop),
        cmocka_unit_test_setup_teardown(test_a_line_without_an_end_ends_it, start, stop),
        cmocka_unit_test_setup_teardown(test_a_value_ends_where_its_length_says, start, stop),
        cmocka_unit_test_setup_teardown(test_a_value_over_the_limit_ends_there_too, start, stop),
        cmocka_unit_test_setup_teardown(test_a_counter_is_a_number, start, stop),
        cmocka_unit_test_setup_teardown(test_a_line_has_items_of_its_keys_alone, start, stop),
        cmocka_unit_test_setup_teardown(test_a_line_counts_with_its_opening_answer_alone, start, stop),
        cmocka_unit_test_setup_teardown(test_answers_of_two_lines_that_were_swapped_are_noticed, start, stop),
        cmocka_unit_test_setup_teardown(test_a_value_over_the_limit_comes_once, start, stop),
        cmocka_unit_test_setup_teardown(test_a_line_does_not_end_before_it_was_sent, start, stop),
        cmocka_unit_test_setup_teardown(test_quiet_stores_are_answered_in_one_way_alone, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
