/* The answering half of an exchange: what each good answer decides, whole or in pieces of any size, and what values,
 * misses and refusals of every stretch become. Wrong answers: test_meta_exchange_wrong.
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

/* --- Single commands --- */

static struct shoal__command *ask_one(enum shoal__verb verb) {
    talk_free(talk);
    talk = talk_new();
    struct shoal__command *command = talk_add(talk, verb, "key");
    command->value = "v";
    command->value_len = verb == SHOAL__VERB_STORE ? 1 : 0;
    talk_begin(talk);
    return command;
}

static shoal_status answer_one(enum shoal__verb verb, const char *answer) {
    struct shoal__command *command = ask_one(verb);
    assert_heard(talk, answer);
    assert_over(talk);
    return command->status;
}

static shoal_status answer_store(int mode, size_t size, const char *answer) {
    static const char value[1000] = {0};
    talk_free(talk);
    talk = talk_new();
    struct shoal__command *command = talk_add(talk, SHOAL__VERB_STORE, "key");
    command->mode = mode;
    command->value = value;
    command->value_len = size;
    talk_begin(talk);
    assert_heard(talk, answer);
    assert_over(talk);
    return command->status;
}

static void test_each_answer_means_what_it_says(void **state) {
    (void)state;
    assert_int_equal(answer_one(SHOAL__VERB_GET, "EN O0\r\n"), SHOAL_NOT_FOUND);
    assert_int_equal(answer_one(SHOAL__VERB_GET_AND_TOUCH, "EN O0\r\n"), SHOAL_NOT_FOUND);
    assert_int_equal(answer_one(SHOAL__VERB_TOUCH, "HD O0\r\n"), SHOAL_OK);
    assert_int_equal(answer_one(SHOAL__VERB_TOUCH, "EN O0\r\n"), SHOAL_NOT_FOUND);
    assert_int_equal(answer_one(SHOAL__VERB_STORE, "HD O0\r\n"), SHOAL_OK);
    assert_int_equal(answer_one(SHOAL__VERB_DELETE, "HD O0\r\n"), SHOAL_OK);
    assert_int_equal(answer_one(SHOAL__VERB_DELETE, "NF O0\r\n"), SHOAL_NOT_FOUND);
    assert_int_equal(answer_one(SHOAL__VERB_INCREMENT, "NF O0\r\n"), SHOAL_NOT_FOUND);
    assert_int_equal(answer_one(SHOAL__VERB_FLUSH_ALL, "OK\r\n"), SHOAL_OK);
    assert_int_equal(answer_one(SHOAL__VERB_STATS, "END\r\n"), SHOAL_OK);
    assert_int_equal(answer_one(SHOAL__VERB_STATS, "RESET\r\n"), SHOAL_OK);
}

static void test_each_mode_of_a_store_has_its_answers(void **state) {
    (void)state;
    static const int modes[] = {SHOAL_ADD, SHOAL_REPLACE, SHOAL_APPEND, SHOAL_PREPEND};
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        assert_int_equal(answer_store(modes[i], 1, "HD O0\r\n"), SHOAL_OK);
        assert_int_equal(answer_store(modes[i], 1, "NS O0\r\n"), SHOAL_NOT_STORED);
    }
    assert_int_equal(answer_store(SHOAL_CAS, 1, "HD O0\r\n"), SHOAL_OK);
    assert_int_equal(answer_store(SHOAL_CAS, 1, "EX O0\r\n"), SHOAL_EXISTS);
    assert_int_equal(answer_store(SHOAL_CAS, 1, "NF O0\r\n"), SHOAL_NOT_FOUND);
}

/* Where no limit was told, that is all of 1 KB. */
static void test_a_classic_store_is_answered_without_a_number(void **state) {
    (void)state;
    assert_int_equal(answer_store(SHOAL_ADD, 1000, "STORED\r\n"), SHOAL_OK);
    assert_int_equal(answer_store(SHOAL_ADD, 1000, "NOT_STORED\r\n"), SHOAL_NOT_STORED);
    assert_int_equal(answer_store(SHOAL_CAS, 1000, "STORED\r\n"), SHOAL_OK);
    assert_int_equal(answer_store(SHOAL_CAS, 1000, "EXISTS\r\n"), SHOAL_EXISTS);
    assert_int_equal(answer_store(SHOAL_CAS, 1000, "NOT_FOUND\r\n"), SHOAL_NOT_FOUND);
    assert_int_equal(answer_store(SHOAL_APPEND, 1000, "SERVER_ERROR object too large for cache\r\n"),
                     SHOAL_E_TOO_LARGE);
}

static void test_a_value_comes_with_all_that_was_told(void **state) {
    (void)state;
    const struct shoal__command *command = ask_one(SHOAL__VERB_GET);
    assert_heard(talk, "VA 5 f7 c99 t60 l3 h1 O0\r\nva\r\ne\r\n");
    assert_found(talk, 0, "va\r\ne");
    assert_int_equal(shoal_value_flags(command->found), 7);
    assert_int_equal(shoal_value_cas(command->found), 99);
    assert_int_equal(shoal_value_ttl_s(command->found), 60);
    assert_int_equal(shoal_value_idle_s(command->found), 3);
    assert_int_equal(shoal_value_was_read(command->found), 1);
    assert_over(talk);
}

static void test_a_value_may_be_empty(void **state) {
    (void)state;
    ask_one(SHOAL__VERB_GET);
    assert_heard(talk, "VA 0 f0 c1 O0\r\n\r\n");
    assert_found(talk, 0, "");
    assert_over(talk);
}

static void test_a_store_tells_its_new_cas(void **state) {
    (void)state;
    const struct shoal__command *command = ask_one(SHOAL__VERB_STORE);
    assert_heard(talk, "HD c123 O0\r\n");
    assert_int_equal(command->new_cas, 123);
}

static void test_a_counter_may_be_padded(void **state) {
    (void)state;
    const struct shoal__command *command = ask_one(SHOAL__VERB_INCREMENT);
    assert_heard(talk, "VA 20 O0\r\n18446744073709551615\r\n");
    assert_true(command->number == UINT64_MAX && command->found == NULL);
    command = ask_one(SHOAL__VERB_INCREMENT);
    assert_heard(talk, "VA 3 O0\r\n9  \r\n");
    assert_int_equal(command->number, 9);
    assert_over(talk);
}

static bool keep_stat(void *context, const char *name, size_t name_len, const char *value, size_t value_len) {
    char *text = context;
    size_t used = strlen(text);
    snprintf(text + used, 256 - used, "%.*s=%.*s;", (int)name_len, name, (int)value_len, value);
    return strncmp(name, "stop", 4) != 0;
}

static void test_counters_of_a_node_are_handed_on(void **state) {
    (void)state;
    char text[256] = "";
    struct shoal__command *command = ask_one(SHOAL__VERB_STATS);
    command->stat_sink = keep_stat;
    command->stat_context = text;
    assert_heard(talk, "STAT pid 12\r\nSTAT a b c\r\nSTAT bare\r\nSTAT \r\nSTAT\r\n");
    assert_int_equal(command->status, SHOAL__UNDECIDED);
    assert_heard(talk, "END\r\n");
    assert_string_equal(text, "pid=12;a=b c;bare=;=;=;");
    assert_int_equal(command->status, SHOAL_OK);
    command = ask_one(SHOAL__VERB_STATS);
    command->stat_sink = keep_stat;
    command->stat_context = text;
    assert_int_equal(talk_hear(talk, "STAT stop 1\r\nEND\r\n"), SHOAL_E_NO_MEMORY);
    assert_int_equal(command->status, SHOAL__UNDECIDED);
}

/* --- Lines --- */

static void ask_line(size_t count) {
    talk_add_many(talk, SHOAL__VERB_GET, count);
    talk_begin(talk);
}

static void test_what_is_not_on_the_line_is_a_miss(void **state) {
    (void)state;
    ask_line(6);
    assert_heard(talk, "VA 1 f0 c1 O0\r\nx\r\nVALUE k2 5 2 77\r\nb2\r\nVALUE k4 0 0 1\r\n\r\n");
    assert_found(talk, 0, "x");
    assert_found(talk, 2, "b2");
    assert_found(talk, 4, "");
    assert_status(talk, 1, SHOAL__UNDECIDED);
    assert_int_equal(talk->run.in_flight, 6);
    assert_heard(talk, "END\r\n");
    assert_int_equal(shoal_value_flags(talk->commands[2].found), 5);
    assert_int_equal(shoal_value_cas(talk->commands[2].found), 77);
    assert_status(talk, 1, SHOAL_NOT_FOUND);
    assert_status(talk, 3, SHOAL_NOT_FOUND);
    assert_status(talk, 5, SHOAL_NOT_FOUND);
    assert_over(talk);
}

static void test_items_may_come_in_another_order(void **state) {
    (void)state;
    ask_line(6);
    assert_heard(talk, "EN O0\r\nVALUE k5 0 1 1\r\n5\r\nVALUE k1 0 1 1\r\n1\r\nVALUE k4 0 1 1\r\n4\r\n"
                       "VALUE k3 0 1 1\r\n3\r\nEND\r\n");
    assert_found(talk, 5, "5");
    assert_found(talk, 1, "1");
    assert_found(talk, 4, "4");
    assert_found(talk, 3, "3");
    assert_status(talk, 0, SHOAL_NOT_FOUND);
    assert_status(talk, 2, SHOAL_NOT_FOUND);
    assert_over(talk);
}

static void test_a_key_that_is_asked_twice_is_answered_twice(void **state) {
    (void)state;
    talk_get(talk, "a");
    talk_get(talk, "b");
    talk_get(talk, "a");
    talk_get(talk, "c");
    talk_get(talk, "a");
    talk_begin(talk);
    assert_heard(talk, "VA 1 c1 O0\r\n1\r\nVALUE a 0 1 1\r\n1\r\nVALUE a 0 1 1\r\n1\r\nEND\r\n");
    assert_found(talk, 0, "1");
    assert_found(talk, 2, "1");
    assert_found(talk, 4, "1");
    assert_status(talk, 1, SHOAL_NOT_FOUND);
    assert_status(talk, 3, SHOAL_NOT_FOUND);
}

static void test_older_servers_do_not_number_a_miss(void **state) {
    (void)state;
    talk->exchange.misses_unmarked = true;
    ask_line(5);
    assert_heard(talk, "EN\r\nEND\r\n");
    assert_statuses(talk, 0, 5, SHOAL_NOT_FOUND);
    assert_over(talk);
}

/* --- Values that are too large --- */

static void test_a_value_over_the_limit_is_read_past(void **state) {
    (void)state;
    talk->exchange.value_max = 4;
    talk_add_many(talk, SHOAL__VERB_GET, 3);
    talk_begin(talk);
    assert_heard(talk, "VA 4 O0\r\nfour\r\nVA 5 O1\r\nfive!\r\nVA 1 O2\r\n1\r\n");
    assert_found(talk, 0, "four");
    assert_status(talk, 1, SHOAL_E_TOO_LARGE);
    assert_null(talk->commands[1].found);
    assert_found(talk, 2, "1");
    assert_int_equal(talk->refusals, 1);
    assert_int_equal(talk->refusal, SHOAL_E_TOO_LARGE);
    assert_over(talk);
}

static void test_a_value_over_the_limit_on_a_line_harms_no_other(void **state) {
    (void)state;
    talk->exchange.value_max = 4;
    ask_line(5);
    assert_heard(talk, "VA 5 O0\r\nfive!\r\nVALUE k1 0 1 1\r\n1\r\nVALUE k2 0 5 1\r\n\r\nEND\r\nVALUE k3 0 1 1\r\n3\r\n"
                       "END\r\n");
    assert_status(talk, 0, SHOAL_E_TOO_LARGE);
    assert_found(talk, 1, "1");
    assert_status(talk, 2, SHOAL_E_TOO_LARGE);
    assert_found(talk, 3, "3");
    assert_status(talk, 4, SHOAL_NOT_FOUND);
    assert_int_equal(talk->refusals, 2);
    assert_over(talk);
}

/* --- Quiet stores --- */

static void test_quiet_stores_are_done_with_mn(void **state) {
    (void)state;
    talk_add_many(talk, SHOAL__VERB_STORE, 5);
    talk_begin(talk);
    assert_int_equal(talk->run.in_flight, 5);
    assert_heard(talk, "HD O4\r\n");
    assert_statuses(talk, 0, 5, SHOAL__UNDECIDED);
    assert_int_equal(talk->run.in_flight, 5);
    assert_heard(talk, "MN\r\n");
    assert_statuses(talk, 0, 5, SHOAL_OK);
    assert_over(talk);
}

static void test_each_refused_store_gets_its_own_status(void **state) {
    (void)state;
    talk_add_many(talk, SHOAL__VERB_STORE, 5);
    talk_begin(talk);
    assert_heard(talk, "SERVER_ERROR object too large for cache\r\nSERVER_ERROR out of memory storing object\r\n"
                       "HD O4\r\nMN\r\n");
    assert_false(shoal__exchange_is_over(&talk->exchange));
    talk_send(talk, SIZE_MAX);
    assert_heard(talk, "HD O5\r\nSERVER_ERROR object too large for cache\r\nHD O7\r\n"
                       "SERVER_ERROR out of memory storing object\r\nHD O9\r\n");
    assert_status(talk, 0, SHOAL_OK);
    assert_status(talk, 1, SHOAL_E_TOO_LARGE);
    assert_status(talk, 2, SHOAL_OK);
    assert_status(talk, 3, SHOAL_E_SERVER);
    assert_status(talk, 4, SHOAL_OK);
    assert_int_equal(talk->refusals, 2);
    assert_over(talk);
}

static void test_the_last_quiet_store_may_be_the_refused_one(void **state) {
    (void)state;
    talk_add_many(talk, SHOAL__VERB_STORE, 4);
    talk_begin(talk);
    assert_heard(talk, "SERVER_ERROR object too large for cache\r\nMN\r\n");
    assert_statuses(talk, 0, 4, SHOAL__UNDECIDED);
    talk_send(talk, SIZE_MAX);
    assert_heard(talk, "HD O4\r\nHD O5\r\nHD O6\r\nSERVER_ERROR object too large for cache\r\n");
    assert_statuses(talk, 0, 3, SHOAL_OK);
    assert_status(talk, 3, SHOAL_E_TOO_LARGE);
    assert_over(talk);
}

/* --- Pieces: whatever way the bytes come, the outcome is the same --- */

static char large[20001];

/* All stretches, values of all sizes, and a refusal that has stores asked again. */
static const char *const rounds[] = {
    "HD O0\r\nVA 2 f1 c2 O1\r\nhi\r\nVALUE k1 0 3 1\r\na\r\n\r\nVALUE k3 5 0 18446744073709551615\r\n\r\nEND\r\n"
    "VA 7 O5\r\ntoolong\r\nVA 3 O6\r\n12 \r\nEN O7\r\nNS O8\r\nSERVER_ERROR out of memory\r\n"
    "SERVER_ERROR object too large for cache\r\nHD O13\r\nMN\r\n",
    "HD O14\r\nHD O15\r\nSERVER_ERROR object too large for cache\r\nHD O17\r\n",
};

static void ask_all_kinds(void) {
    talk->exchange.value_max = 6;
    talk_add(talk, SHOAL__VERB_DELETE, "d");
    talk_add_many(talk, SHOAL__VERB_GET, 4);
    talk_add(talk, SHOAL__VERB_GET_AND_TOUCH, "t");
    talk_add(talk, SHOAL__VERB_INCREMENT, "i");
    talk_add(talk, SHOAL__VERB_TOUCH, "t");
    talk_set(talk, "a", "v")->mode = SHOAL_ADD;
    talk_set(talk, "a", "v")->mode = SHOAL_REPLACE;
    talk_add_many(talk, SHOAL__VERB_STORE, 4);
    talk_begin(talk);
}

/* Everything that the commands came to, as text. */
static void tell(char *text, size_t room) {
    size_t used = 0;
    for (size_t i = 0; i < talk->run.count; i++) {
        const struct shoal__command *command = &talk->commands[i];
        const shoal_value *found = command->found;
        used += (size_t)snprintf(text + used, room - used, "%s %llu %llu %zu/%u/%llu '%.*s'\n",
                                 shoal_status_name(command->status), (unsigned long long)command->number,
                                 (unsigned long long)command->new_cas, shoal_value_size(found),
                                 (unsigned)shoal_value_flags(found), (unsigned long long)shoal_value_cas(found),
                                 (int)shoal_value_size(found), found ? (const char *)shoal_value_data(found) : "");
        assert_true(used < room);
    }
    snprintf(text + used, room - used, "%zu refusals", talk->refusals);
}

/* Hears the rounds, each cut at these places (SIZE_MAX: not at all; 0: after every byte). */
static void hear_in_pieces(size_t first_cut, size_t second_cut, char *text, size_t room) {
    size_t cuts[2] = {first_cut, second_cut};
    talk_free(talk);
    talk = talk_new();
    ask_all_kinds();
    for (size_t i = 0; i < 2; i++) {
        size_t size = strlen(rounds[i]);
        size_t piece = cuts[i] == 0 ? 1 : cuts[i];
        for (size_t at = 0, end; at < size; at = end) {
            end = piece < size - at && (at == 0 || cuts[i] == 0) ? at + piece : size;
            assert_int_equal(talk_hear_bytes(talk, rounds[i] + at, end - at), SHOAL_OK);
            talk_send(talk, SIZE_MAX);
        }
    }
    assert_over(talk);
    tell(text, room);
}

static void test_answers_cut_anywhere_decide_the_same(void **state) {
    (void)state;
    char whole[4096];
    char cut[4096];
    hear_in_pieces(SIZE_MAX, SIZE_MAX, whole, sizeof(whole));
    assert_found(talk, 1, "hi");
    assert_found(talk, 2, "a\r\n");
    assert_status(talk, 3, SHOAL_NOT_FOUND);
    assert_found(talk, 4, "");
    assert_status(talk, 5, SHOAL_E_TOO_LARGE);
    assert_int_equal(talk->commands[6].number, 12);
    assert_status(talk, 12, SHOAL_E_TOO_LARGE);
    assert_int_equal(talk->refusals, 3);
    for (size_t at = 1; at < strlen(rounds[0]); at++) {
        hear_in_pieces(at, SIZE_MAX, cut, sizeof(cut));
        assert_string_equal(cut, whole);
    }
    for (size_t at = 1; at < strlen(rounds[1]); at++) {
        hear_in_pieces(SIZE_MAX, at, cut, sizeof(cut));
        assert_string_equal(cut, whole);
    }
    hear_in_pieces(0, 0, cut, sizeof(cut));
    assert_string_equal(cut, whole);
}

/* As the transport receives: a value's bytes go right to their place where that is worth it. */
static void hear_as_received(const char *bytes, size_t size, size_t most, size_t *straight) {
    while (size > 0) {
        size_t room = 0;
        char *target = shoal__exchange_target(&talk->exchange, &room);
        size_t piece = size < most ? size : most;
        if (target != NULL) {
            assert_in_range(room, 8 * 1024, SIZE_MAX);
            piece = piece < room ? piece : room;
            memcpy(target, bytes, piece);
            shoal__exchange_filled(&talk->exchange, piece);
            *straight += piece;
        } else {
            assert_int_equal(talk_hear_bytes(talk, bytes, piece), SHOAL_OK);
        }
        bytes += piece;
        size -= piece;
    }
}

static void hear_large(size_t most, size_t value_max, size_t *straight) {
    static char answer[21000];
    talk_free(talk);
    talk = talk_new();
    talk->exchange.value_max = value_max;
    memset(large, 'x', 20000);
    large[0] = 'a';
    large[19999] = 'z';
    ask_line(5);
    size_t size =
        (size_t)snprintf(answer, sizeof(answer), "VA 1 O0\r\n0\r\nVALUE k2 1 20000 9\r\n%s\r\nEND\r\n", large);
    *straight = 0;
    hear_as_received(answer, size, most, straight);
    assert_over(talk);
    assert_found(talk, 0, "0");
    assert_status(talk, 4, SHOAL_NOT_FOUND);
}

static void test_large_values_are_received_in_place(void **state) {
    (void)state;
    static const size_t sizes[] = {1, 100, 4096, 16 * 1024, SIZE_MAX};
    size_t straight = 0;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        hear_large(sizes[i], 1 << 20, &straight);
        assert_found(talk, 2, large);
        assert_true((straight > 0) == (sizes[i] < 8 * 1024));
    }
}

static void test_values_over_the_limit_have_no_place(void **state) {
    (void)state;
    size_t straight = 0;
    hear_large(100, 10000, &straight);
    assert_int_equal(straight, 0);
    assert_status(talk, 2, SHOAL_E_TOO_LARGE);
}

/* The end of the value is where the place is filled to its last byte. */
static void test_a_place_is_filled_to_its_end(void **state) {
    (void)state;
    size_t room = 0;
    ask_one(SHOAL__VERB_GET);
    assert_null(shoal__exchange_target(&talk->exchange, &room));
    assert_heard(talk, "VA 8191 O0\r\n");
    assert_null(shoal__exchange_target(&talk->exchange, &room));
    ask_one(SHOAL__VERB_GET);
    assert_heard(talk, "VA 8192 O0\r\n");
    char *target = shoal__exchange_target(&talk->exchange, &room);
    assert_non_null(target);
    assert_int_equal(room, 8192);
    memset(target, 'v', room);
    shoal__exchange_filled(&talk->exchange, room);
    assert_null(shoal__exchange_target(&talk->exchange, &room));
    assert_status(talk, 0, SHOAL__UNDECIDED);
    assert_heard(talk, "\r");
    assert_status(talk, 0, SHOAL__UNDECIDED);
    assert_heard(talk, "\n");
    assert_status(talk, 0, SHOAL_OK);
    assert_int_equal(shoal_value_size(talk->commands[0].found), 8192);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_each_answer_means_what_it_says, start, stop),
        cmocka_unit_test_setup_teardown(test_each_mode_of_a_store_has_its_answers, start, stop),
        cmocka_unit_test_setup_teardown(test_a_classic_store_is_answered_without_a_number, start, stop),
        cmocka_unit_test_setup_teardown(test_a_value_comes_with_all_that_was_told, start, stop),
        cmocka_unit_test_setup_teardown(test_a_value_may_be_empty, start, stop),
        cmocka_unit_test_setup_teardown(test_a_store_tells_its_new_cas, start, stop),
        cmocka_unit_test_setup_teardown(test_a_counter_may_be_padded, start, stop),
        cmocka_unit_test_setup_teardown(test_counters_of_a_node_are_handed_on, start, stop),
        cmocka_unit_test_setup_teardown(test_what_is_not_on_the_line_is_a_miss, start, stop),
        cmocka_unit_test_setup_teardown(test_items_may_come_in_another_order, start, stop),
        cmocka_unit_test_setup_teardown(test_a_key_that_is_asked_twice_is_answered_twice, start, stop),
        cmocka_unit_test_setup_teardown(test_older_servers_do_not_number_a_miss, start, stop),
        cmocka_unit_test_setup_teardown(test_a_value_over_the_limit_is_read_past, start, stop),
        cmocka_unit_test_setup_teardown(test_a_value_over_the_limit_on_a_line_harms_no_other, start, stop),
        cmocka_unit_test_setup_teardown(test_quiet_stores_are_done_with_mn, start, stop),
        cmocka_unit_test_setup_teardown(test_each_refused_store_gets_its_own_status, start, stop),
        cmocka_unit_test_setup_teardown(test_the_last_quiet_store_may_be_the_refused_one, start, stop),
        cmocka_unit_test_setup_teardown(test_answers_cut_anywhere_decide_the_same, start, stop),
        cmocka_unit_test_setup_teardown(test_large_values_are_received_in_place, start, stop),
        cmocka_unit_test_setup_teardown(test_values_over_the_limit_have_no_place, start, stop),
        cmocka_unit_test_setup_teardown(test_a_place_is_filled_to_its_end, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
