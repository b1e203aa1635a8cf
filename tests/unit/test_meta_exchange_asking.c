/* The asking half of an exchange: which commands go in which stretch, what waits for what, and every byte that is sent,
 * large values and second attempts included.
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

/* How often a text was sent, since the last look. */
static size_t count_sent(const char *text) {
    size_t count = 0;
    *shoal__buffer_reserve(&talk->sent, 1) = '\0';
    talk->sent.bytes[talk->sent.size] = '\0';
    for (const char *at = talk->sent.bytes; (at = strstr(at, text)) != NULL; at++)
        count++;
    return count;
}

static char *new_value(size_t size) {
    char *value = malloc(size + 1);
    assert_non_null(value);
    for (size_t i = 0; i < size; i++)
        value[i] = (char)('a' + i % 23);
    value[size] = '\0';
    return value;
}

/* --- Single commands --- */

static void test_a_single_command_is_asked_with_its_number(void **state) {
    (void)state;
    talk_get(talk, "key");
    talk_begin(talk);
    assert_sent(talk, "mg key v f c k O0\r\n");
    assert_int_equal(talk->run.in_flight, 1);
    assert_false(shoal__exchange_is_over(&talk->exchange));
}

static void test_a_value_follows_its_line(void **state) {
    (void)state;
    talk_set(talk, "key", "value");
    talk_set(talk, "none", "");
    talk_begin(talk);
    assert_sent(talk, "ms key 5 O0\r\nvalue\r\nms none 0 O1\r\n\r\n");
}

static void test_numbers_go_on_from_run_to_run(void **state) {
    (void)state;
    talk_get(talk, "key");
    talk_begin(talk);
    assert_heard(talk, "EN O0\r\n");
    talk->run.next = 0;
    talk->commands[0].status = SHOAL__UNDECIDED;
    talk->sent.size = 0;
    talk_begin(talk);
    assert_sent(talk, "mg key v f c k O1\r\n");
}

static void test_commands_of_all_kinds_go_out_together(void **state) {
    (void)state;
    talk_add(talk, SHOAL__VERB_DELETE, "a");
    talk_set(talk, "b", "2")->mode = SHOAL_ADD;
    talk_get(talk, "c");
    talk_add(talk, SHOAL__VERB_INCREMENT, "d")->delta = 1;
    talk_add(talk, SHOAL__VERB_STATS, "");
    talk_begin(talk);
    assert_sent(talk, "md a O0\r\nms b 1 ME O1\r\n2\r\nmg c v f c k O2\r\nma d v D1 O3\r\nstats\r\n");
    assert_int_equal(talk->run.in_flight, 5);
}

/* --- Lines --- */

static void test_three_reads_are_no_line(void **state) {
    (void)state;
    talk_add_many(talk, SHOAL__VERB_GET, 3);
    talk_begin(talk);
    assert_sent(talk, "mg k0 v f c k O0\r\nmg k1 v f c k O1\r\nmg k2 v f c k O2\r\n");
}

static void test_four_reads_are_a_line(void **state) {
    (void)state;
    talk_add_many(talk, SHOAL__VERB_GET, 4);
    talk_begin(talk);
    assert_sent(talk, "mg k0 v f c k O0\r\ngets k1 k2 k3\r\n");
    assert_int_equal(talk->run.in_flight, 4);
}

static void test_reads_of_binary_keys_are_asked_singly(void **state) {
    (void)state;
    talk_add_many(talk, SHOAL__VERB_GET, 5);
    for (size_t i = 0; i < 4; i++)
        talk->commands[i].key_is_binary = true;
    talk_begin(talk);
    assert_sent(talk, "mg azA= b v f c k O0\r\nmg azE= b v f c k O1\r\nmg azI= b v f c k O2\r\nmg azM= b v f c k O3\r\n"
                      "mg k4 v f c k O4\r\n");
}

static void test_reads_of_lifetimes_are_asked_singly(void **state) {
    (void)state;
    talk_add_many(talk, SHOAL__VERB_GET, 4);
    for (size_t i = 0; i < 4; i++)
        talk->commands[i].wants_metadata = true;
    talk_begin(talk);
    assert_sent(talk, "mg k0 v f c k t l h O0\r\nmg k1 v f c k t l h O1\r\nmg k2 v f c k t l h O2\r\n"
                      "mg k3 v f c k t l h O3\r\n");
}

static void test_a_line_stands_between_other_commands(void **state) {
    (void)state;
    talk_add(talk, SHOAL__VERB_DELETE, "d");
    talk_add_many(talk, SHOAL__VERB_GET, 4);
    talk_add(talk, SHOAL__VERB_DELETE, "e");
    talk_begin(talk);
    assert_sent(talk, "md d O0\r\nmg k0 v f c k O1\r\ngets k1 k2 k3\r\nmd e O5\r\n");
}

static void assert_lines_are_short(size_t count, size_t key_size) {
    static char key[251];
    talk_free(talk);
    talk = talk_new();
    memset(key, 'k', key_size);
    key[key_size] = '\0';
    for (size_t i = 0; i < count; i++)
        talk_get(talk, key);
    talk_begin(talk);
    assert_in_range(count_sent("gets "), count * key_size / 8192, count);
    for (char *at = talk->sent.bytes, *end; (end = strstr(at, "\r\n")) != NULL; at = end + 2)
        assert_true(end - at < 8192 + 256);
    assert_int_equal(talk->run.next, count);
}

/* Whatever the keys: ElastiCache Serverless refuses a line of 16 KB. */
static void test_a_line_has_8_kb_at_most(void **state) {
    (void)state;
    assert_lines_are_short(200, 250);
    assert_lines_are_short(9000, 1);
    assert_lines_are_short(9000, 2);
}

static void test_sixteen_stretches_are_under_way_and_no_more(void **state) {
    (void)state;
    for (size_t i = 0; i < 20; i++) {
        talk_add_many(talk, SHOAL__VERB_GET, 4);
        talk_add(talk, SHOAL__VERB_DELETE, "d");
    }
    talk_begin(talk);
    assert_int_equal(count_sent("gets "), 8);
    assert_int_equal(talk->run.next, 40);
    assert_heard(talk, "EN O0\r\nEND\r\n");
    talk_send(talk, SIZE_MAX);
    assert_int_equal(talk->run.next, 44);
    assert_heard(talk, "HD O4\r\n");
    talk_send(talk, SIZE_MAX);
    assert_int_equal(talk->run.next, 45);
}

/* --- Stores that may be too large --- */

static void assert_add_is_sent(size_t item_max, const char *wanted) {
    talk_free(talk);
    talk = talk_new();
    talk->exchange.item_max = item_max;
    char *value = new_value(893); /* with "key" and 128 bytes of an item's own: 1024 */
    talk_set(talk, "key", value)->mode = SHOAL_ADD;
    talk_begin(talk);
    assert_int_equal(count_sent(wanted), 1);
    free(value);
}

static void test_a_store_that_may_be_too_large_goes_classic(void **state) {
    (void)state;
    assert_add_is_sent(0, "ms key 893 ME O0\r\n");
    assert_add_is_sent(1024, "ms key 893 ME O0\r\n");
    assert_add_is_sent(1023, "add key 0 0 893\r\n");
    assert_add_is_sent(1048576, "ms key 893 ME O0\r\n");
}

/* A plain store replaces the item anyway; a binary key has no classic form. */
static void test_plain_stores_and_binary_keys_never_go_classic(void **state) {
    (void)state;
    char *value = new_value(5000);
    struct shoal__command *binary = talk_set(talk, "a b", value);
    binary->mode = SHOAL_ADD;
    binary->key_is_binary = true;
    talk_set(talk, "key", value);
    talk_begin(talk);
    assert_int_equal(count_sent("ms YSBi 5000 b ME O0\r\n"), 1);
    assert_int_equal(count_sent("ms key 5000 O1\r\n"), 1);
    free(value);
}

/* --- Quiet stores --- */

static void test_three_stores_are_not_quiet(void **state) {
    (void)state;
    talk_add_many(talk, SHOAL__VERB_STORE, 3);
    talk_begin(talk);
    assert_sent(talk, "ms k0 1 O0\r\nv\r\nms k1 1 O1\r\nv\r\nms k2 1 O2\r\nv\r\n");
}

static void test_four_stores_are_quiet_but_the_last(void **state) {
    (void)state;
    talk_add_many(talk, SHOAL__VERB_STORE, 4);
    talk_begin(talk);
    assert_sent(talk, "ms k0 1 q\r\nv\r\nms k1 1 q\r\nv\r\nms k2 1 q\r\nv\r\nms k3 1 O3\r\nv\r\nmn\r\n");
}

static void test_only_plain_stores_are_quiet(void **state) {
    (void)state;
    static const int modes[] = {SHOAL_ADD, SHOAL_REPLACE, SHOAL_APPEND, SHOAL_PREPEND, SHOAL_CAS};
    for (size_t i = 0; i < 50; i++)
        talk_set(talk, "k", "v")->mode = modes[i % 5];
    for (size_t i = 0; i < 10; i++)
        talk_set(talk, "k", "v")->wants_new_cas = true;
    talk_add_many(talk, SHOAL__VERB_INCREMENT, 10);
    talk_add_many(talk, SHOAL__VERB_DELETE, 10);
    talk_begin(talk);
    assert_int_equal(count_sent(" q\r\n"), 0);
    assert_int_equal(count_sent("mn\r\n"), 0);
    assert_int_equal(talk->run.in_flight, 80);
}

static void test_nothing_else_follows_quiet_stores_until_they_are_done(void **state) {
    (void)state;
    talk_add_many(talk, SHOAL__VERB_STORE, 4);
    talk_add(talk, SHOAL__VERB_DELETE, "k0");
    talk_begin(talk);
    assert_int_equal(talk->run.next, 4);
    assert_heard(talk, "HD O3\r\n");
    talk_send(talk, SIZE_MAX);
    assert_int_equal(talk->run.next, 4);
    talk->sent.size = 0;
    assert_heard(talk, "MN\r\n");
    talk_send(talk, SIZE_MAX);
    assert_sent(talk, "md k0 O4\r\n");
}

static void test_quiet_stores_follow_one_another(void **state) {
    (void)state;
    static char value[16 * 1024 + 1];
    memset(value, 'v', sizeof(value) - 1);
    for (size_t i = 0; i < 20; i++)
        talk_set(talk, "k", value);
    talk_begin(talk);
    assert_int_equal(talk->run.next, 20);
    assert_int_equal(count_sent("mn\r\n"), 3);
    assert_int_equal(count_sent(" O"), 3);
    assert_int_equal(count_sent(" q"), 17);
}

/* --- Stores that were refused --- */

static void test_a_refused_stretch_is_asked_again_singly(void **state) {
    (void)state;
    talk_add_many(talk, SHOAL__VERB_STORE, 5);
    talk_begin(talk);
    talk->sent.size = 0;
    assert_heard(talk, "SERVER_ERROR object too large for cache\r\nHD O4\r\nMN\r\n");
    assert_statuses(talk, 0, 5, SHOAL__UNDECIDED);
    talk_send(talk, SIZE_MAX);
    assert_sent(talk,
                "ms k0 1 O5\r\nv\r\nms k1 1 O6\r\nv\r\nms k2 1 O7\r\nv\r\nms k3 1 O8\r\nv\r\nms k4 1 O9\r\nv\r\n");
}

/* Three stretches of stores, and a deletion behind them. */
static void begin_three_stretches(void) {
    static char value[16 * 1024 + 1];
    memset(value, 'v', sizeof(value) - 1);
    for (size_t i = 0; i < 24; i++)
        talk_set(talk, "k", value);
    talk_add(talk, SHOAL__VERB_DELETE, "d");
    talk_begin(talk);
    assert_int_equal(talk->run.next, 24);
    assert_int_equal(count_sent("mn\r\n"), 3);
    talk->sent.size = 0;
}

static void test_all_behind_a_refused_stretch_is_asked_again_and_nothing_before_it(void **state) {
    (void)state;
    begin_three_stretches();
    assert_heard(talk, "HD O7\r\nMN\r\n");
    assert_statuses(talk, 0, 8, SHOAL_OK);
    assert_heard(talk, "SERVER_ERROR out of memory storing object\r\nHD O15\r\nMN\r\n");
    talk_send(talk, SIZE_MAX);
    assert_int_equal(talk->sent.size, 0);
    assert_heard(talk, "HD O23\r\nMN\r\n");
    assert_statuses(talk, 8, 25, SHOAL__UNDECIDED);
    talk_send(talk, SIZE_MAX);
    assert_int_equal(count_sent("ms k 16384 O"), 16);
    assert_int_equal(count_sent(" q"), 0);
    assert_int_equal(count_sent("md d O40\r\n"), 1);
    assert_int_equal(talk->run.in_flight, 17);
}

static void test_no_stretch_begins_behind_a_refused_one(void **state) {
    (void)state;
    static char value[40001];
    memset(value, 'v', sizeof(value) - 1);
    for (size_t i = 0; i < 18 * 4; i++)
        talk_set(talk, "k", value);
    talk_begin(talk);
    assert_int_equal(talk->run.next, 16 * 4);
    talk->sent.size = 0;
    assert_heard(talk, "SERVER_ERROR no\r\nHD O3\r\nMN\r\n");
    talk_send(talk, SIZE_MAX);
    assert_int_equal(talk->sent.size, 0);
}

static void test_a_later_refusal_is_not_forgotten_for_an_earlier_one(void **state) {
    (void)state;
    begin_three_stretches();
    assert_heard(talk, "SERVER_ERROR one\r\nHD O7\r\nMN\r\nHD O15\r\nMN\r\nSERVER_ERROR two\r\nMN\r\n");
    talk_send(talk, SIZE_MAX);
    assert_int_equal(count_sent("ms k 16384 O"), 24);
    for (size_t i = 0; i < 24; i++) {
        char answer[32];
        snprintf(answer, sizeof(answer), i == 20 ? "SERVER_ERROR two\r\n" : "HD O%zu\r\n", 24 + i);
        assert_heard(talk, answer);
    }
    assert_statuses(talk, 0, 20, SHOAL_OK);
    assert_status(talk, 20, SHOAL_E_SERVER);
    assert_statuses(talk, 21, 24, SHOAL_OK);
}

static void test_stores_behind_those_asked_again_may_be_quiet(void **state) {
    (void)state;
    static char value[16 * 1024 + 1];
    memset(value, 'v', sizeof(value) - 1);
    for (size_t i = 0; i < 8; i++)
        talk_set(talk, "k", value);
    talk_begin(talk);
    talk->sent.size = 0;
    talk_add_many(talk, SHOAL__VERB_STORE, 4); /* after the run had sent all */
    assert_heard(talk, "SERVER_ERROR no\r\nHD O7\r\nMN\r\n");
    talk_send(talk, SIZE_MAX);
    assert_int_equal(count_sent("ms k 16384 O"), 8);
    assert_int_equal(count_sent(" q\r\n"), 3);
    assert_int_equal(count_sent("mn\r\n"), 1);
}

static void test_what_is_no_plain_store_is_never_asked_twice(void **state) {
    (void)state;
    talk_add_many(talk, SHOAL__VERB_INCREMENT, 2);
    talk_add_many(talk, SHOAL__VERB_STORE, 4);
    talk_set(talk, "a", "v")->mode = SHOAL_APPEND;
    talk_add_many(talk, SHOAL__VERB_INCREMENT, 2);
    talk_begin(talk);
    assert_heard(talk, "VA 1 O0\r\n5\r\nVA 1 O1\r\n6\r\nSERVER_ERROR no\r\nHD O5\r\nMN\r\n");
    talk_send(talk, SIZE_MAX);
    assert_int_equal(count_sent("ms k0 "), 2);
    assert_int_equal(count_sent("ms a 1 MA"), 1);
    assert_int_equal(count_sent("ma k0 "), 2);
    assert_int_equal(count_sent("ma k1 "), 2);
}

/* --- Large values --- */

static void test_large_values_go_from_where_they_are(void **state) {
    (void)state;
    struct shoal__piece pieces[3];
    char *large = new_value(16 * 1024 + 1);
    talk_set(talk, "key", large);
    shoal__exchange_begin(&talk->exchange, &talk->run);
    assert_true(shoal__exchange_ask(&talk->exchange));
    assert_int_equal(shoal__exchange_pieces(&talk->exchange, pieces), 3);
    assert_ptr_equal(pieces[1].bytes, large);
    assert_int_equal(pieces[1].size, 16 * 1024 + 1);
    assert_memory_equal(pieces[2].bytes, "\r\n", 2);
    shoal__exchange_sent(&talk->exchange, pieces[0].size + pieces[1].size + pieces[2].size);
    assert_int_equal(shoal__exchange_pieces(&talk->exchange, pieces), 0);
    free(large);
}

/* What is sent is the same, in whatever pieces it goes. */
static void assert_same_bytes(size_t most, const char *wanted) {
    talk->run.next = 0;
    talk->exchange.next_opaque = 0;
    talk->sent.size = 0;
    shoal__exchange_begin(&talk->exchange, &talk->run);
    talk_send(talk, most);
    assert_sent(talk, wanted);
}

static void test_partial_sends_leave_nothing_out(void **state) {
    (void)state;
    talk->exchange.item_max = 1048576;
    char *large = new_value(20000);
    char *small = new_value(100);
    char *wanted = malloc(100000);
    assert_non_null(wanted);
    talk_set(talk, "a", small)->mode = SHOAL_ADD;
    talk_set(talk, "b", large)->mode = SHOAL_ADD;
    talk_set(talk, "c", large)->mode = SHOAL_ADD;
    talk_get(talk, "d");
    snprintf(wanted, 100000,
             "ms a 100 ME O0\r\n%s\r\nms b 20000 ME O1\r\n%s\r\nms c 20000 ME O2\r\n%s\r\nmg d v f c k O3\r\n", small,
             large, large);
    static const size_t sizes[] = {1, 2, 3, 7, 1000, 20001, 20002, SIZE_MAX};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        assert_same_bytes(sizes[i], wanted);
    free(wanted);
    free(small);
    free(large);
}

static void test_quiet_stores_of_large_values_end_with_mn(void **state) {
    (void)state;
    char *large = new_value(20000);
    for (size_t i = 0; i < 4; i++)
        talk_set(talk, "k", large);
    talk_begin(talk);
    assert_int_equal(count_sent("ms k 20000 q\r\n"), 3);
    assert_int_equal(count_sent("ms k 20000 O3\r\n"), 1);
    assert_int_equal(count_sent("\r\nmn\r\n"), 1);
    assert_memory_equal(talk->sent.bytes + talk->sent.size - 6, "\r\nmn\r\n", 6);
    assert_heard(talk, "HD O3\r\nMN\r\n");
    assert_statuses(talk, 0, 4, SHOAL_OK);
    assert_over(talk);
    free(large);
}

static void test_a_run_is_not_over_before_all_is_sent(void **state) {
    (void)state;
    struct shoal__piece pieces[3];
    char *large = new_value(20000);
    talk_set(talk, "key", large);
    shoal__exchange_begin(&talk->exchange, &talk->run);
    assert_true(shoal__exchange_ask(&talk->exchange));
    assert_int_equal(shoal__exchange_pieces(&talk->exchange, pieces), 3);
    shoal__exchange_sent(&talk->exchange, pieces[0].size + 100);
    assert_heard(talk, "SERVER_ERROR object too large for cache\r\n");
    assert_status(talk, 0, SHOAL_E_TOO_LARGE);
    assert_false(shoal__exchange_is_over(&talk->exchange));
    shoal__exchange_sent(&talk->exchange, 20000 - 100 + 2);
    assert_over(talk);
    free(large);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_single_command_is_asked_with_its_number, start, stop),
        cmocka_unit_test_setup_teardown(test_a_value_follows_its_line, start, stop),
        cmocka_unit_test_setup_teardown(test_numbers_go_on_from_run_to_run, start, stop),
        cmocka_unit_test_setup_teardown(test_commands_of_all_kinds_go_out_together, start, stop),
        cmocka_unit_test_setup_teardown(test_three_reads_are_no_line, start, stop),
        cmocka_unit_test_setup_teardown(test_four_reads_are_a_line, start, stop),
        cmocka_unit_test_setup_teardown(test_reads_of_binary_keys_are_asked_singly, start, stop),
        cmocka_unit_test_setup_teardown(test_reads_of_lifetimes_are_asked_singly, start, stop),
        cmocka_unit_test_setup_teardown(test_a_line_stands_between_other_commands, start, stop),
        cmocka_unit_test_setup_teardown(test_a_line_has_8_kb_at_most, start, stop),
        cmocka_unit_test_setup_teardown(test_sixteen_stretches_are_under_way_and_no_more, start, stop),
        cmocka_unit_test_setup_teardown(test_a_store_that_may_be_too_large_goes_classic, start, stop),
        cmocka_unit_test_setup_teardown(test_plain_stores_and_binary_keys_never_go_classic, start, stop),
        cmocka_unit_test_setup_teardown(test_three_stores_are_not_quiet, start, stop),
        cmocka_unit_test_setup_teardown(test_four_stores_are_quiet_but_the_last, start, stop),
        cmocka_unit_test_setup_teardown(test_only_plain_stores_are_quiet, start, stop),
        cmocka_unit_test_setup_teardown(test_nothing_else_follows_quiet_stores_until_they_are_done, start, stop),
        cmocka_unit_test_setup_teardown(test_quiet_stores_follow_one_another, start, stop),
        cmocka_unit_test_setup_teardown(test_a_refused_stretch_is_asked_again_singly, start, stop),
        cmocka_unit_test_setup_teardown(test_all_behind_a_refused_stretch_is_asked_again_and_nothing_before_it, start,
                                        stop),
        cmocka_unit_test_setup_teardown(test_no_stretch_begins_behind_a_refused_one, start, stop),
        cmocka_unit_test_setup_teardown(test_a_later_refusal_is_not_forgotten_for_an_earlier_one, start, stop),
        cmocka_unit_test_setup_teardown(test_stores_behind_those_asked_again_may_be_quiet, start, stop),
        cmocka_unit_test_setup_teardown(test_what_is_no_plain_store_is_never_asked_twice, start, stop),
        cmocka_unit_test_setup_teardown(test_large_values_go_from_where_they_are, start, stop),
        cmocka_unit_test_setup_teardown(test_partial_sends_leave_nothing_out, start, stop),
        cmocka_unit_test_setup_teardown(test_quiet_stores_of_large_values_end_with_mn, start, stop),
        cmocka_unit_test_setup_teardown(test_a_run_is_not_over_before_all_is_sent, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
