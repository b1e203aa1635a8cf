/* One line of an answer: every kind, every flag, every bound, and what is no line of memcached's. Each is parsed from
 * a block of its exact size, so that valgrind and AddressSanitizer see a read beyond it.
 * May include: the core's internals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "logic/meta_parse.h"

#include <shoal/value.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The text of a line that was parsed last. */
static char words[SHOAL__META_LINE_MAX + 1];

static struct shoal__meta_line parse_bytes(const char *bytes, size_t size) {
    struct shoal__meta_line line;
    char *copy = malloc(size > 0 ? size : 1);
    assert_non_null(copy);
    if (size > 0)
        memcpy(copy, bytes, size);
    memset(&line, 0x5a, sizeof(line));
    enum shoal__meta_kind kind = shoal__meta_parse(copy, size, &line);
    assert_int_equal(kind, line.kind);
    words[0] = '\0';
    if (line.text != NULL) {
        assert_true(line.text >= copy && line.text + line.text_size <= copy + size);
        memcpy(words, line.text, line.text_size);
        words[line.text_size] = '\0';
    }
    free(copy);
    return line;
}

/* A line without its end. */
static struct shoal__meta_line parse(const char *text) {
    char bytes[512];
    int size = snprintf(bytes, sizeof(bytes), "%s\r\n", text);
    assert_in_range(size, 2, sizeof(bytes) - 1);
    struct shoal__meta_line line = parse_bytes(bytes, (size_t)size);
    if (line.kind != SHOAL__META_MALFORMED)
        assert_int_equal(line.size, size);
    return line;
}

static enum shoal__meta_kind kind_of(const char *text) {
    return parse(text).kind;
}

static void assert_malformed(const char *const *lines, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (kind_of(lines[i]) != SHOAL__META_MALFORMED)
            fail_msg("taken: '%s'", lines[i]);
}

/* --- Kinds --- */

static const struct {
    const char *text;
    enum shoal__meta_kind kind;
} kinds[] = {
    {"VA 4", SHOAL__META_VALUE},
    {"VA 0 f0", SHOAL__META_VALUE},
    {"HD", SHOAL__META_DONE},
    {"HD O1", SHOAL__META_DONE},
    {"EN", SHOAL__META_MISS},
    {"EN O1", SHOAL__META_MISS},
    {"NF", SHOAL__META_NOT_FOUND},
    {"NF O1", SHOAL__META_NOT_FOUND},
    {"NS", SHOAL__META_NOT_STORED},
    {"NS O1", SHOAL__META_NOT_STORED},
    {"EX", SHOAL__META_EXISTS},
    {"EX O1", SHOAL__META_EXISTS},
    {"STORED", SHOAL__META_DONE},
    {"NOT_STORED", SHOAL__META_NOT_STORED},
    {"EXISTS", SHOAL__META_EXISTS},
    {"NOT_FOUND", SHOAL__META_NOT_FOUND},
    {"MN", SHOAL__META_NOOP},
    {"VALUE k 0 4", SHOAL__META_ITEM},
    {"VALUE k 0 4 9", SHOAL__META_ITEM},
    {"END", SHOAL__META_END},
    {"STAT pid 1", SHOAL__META_STAT},
    {"STAT", SHOAL__META_STAT},
    {"OK", SHOAL__META_OK},
    {"RESET", SHOAL__META_OK},
    {"VERSION 1.6.18", SHOAL__META_VERSION},
    {"ERROR", SHOAL__META_UNKNOWN},
    {"ERROR of some kind", SHOAL__META_UNKNOWN},
    {"CLIENT_ERROR bad data chunk", SHOAL__META_CLIENT_ERROR},
    {"SERVER_ERROR out of memory", SHOAL__META_SERVER_ERROR},
    {"SERVER_ERROR", SHOAL__META_SERVER_ERROR},
};

static void test_every_kind_of_line_is_known(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (kind_of(kinds[i].text) != kinds[i].kind)
            fail_msg("'%s' is taken for %d", kinds[i].text, kind_of(kinds[i].text));
}

static void test_a_line_is_incomplete_until_its_last_byte(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        char bytes[64];
        size_t size = (size_t)snprintf(bytes, sizeof(bytes), "%s\r\n", kinds[i].text);
        for (size_t part = 0; part < size; part++)
            assert_int_equal(parse_bytes(bytes, part).kind, SHOAL__META_INCOMPLETE);
        assert_int_equal(parse_bytes(bytes, size).kind, kinds[i].kind);
    }
}

static void test_bytes_behind_the_line_are_left_alone(void **state) {
    (void)state;
    static const char bytes[] = "HD O7\r\nVA 3 O8\r\nabc\r\n";
    struct shoal__meta_line line = parse_bytes(bytes, sizeof(bytes) - 1);
    assert_int_equal(line.kind, SHOAL__META_DONE);
    assert_int_equal(line.size, 7);
    assert_int_equal(line.opaque, 7);
}

static void test_other_words_are_no_lines(void **state) {
    (void)state;
    static const char *const lines[] = {
        "",      " ",    " HD",  "hd",     "HDO1",  "HDX",         "H",    "HTTP/1.1 400 Bad Request",
        "VALUE", "VALU", "ENDS", "ERRORS", "STORE", "CLIENTERROR", "OKAY", "VA\t4"};
    assert_malformed(lines, sizeof(lines) / sizeof(lines[0]));
}

static void test_words_without_anything_behind_them_have_nothing(void **state) {
    (void)state;
    static const char *const lines[] = {"END ", "END O1", "OK O1", "RESET now", "STORED O1", "NOT_FOUND "};
    assert_malformed(lines, sizeof(lines) / sizeof(lines[0]));
}

/* --- Ends of lines --- */

static void test_a_line_ends_with_both_bytes(void **state) {
    (void)state;
    static const char *const lines[] = {"HD\n", "\n", "HD O1\n", "END\n", "HD\r \n"};
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        assert_int_equal(parse_bytes(lines[i], strlen(lines[i])).kind, SHOAL__META_MALFORMED);
    assert_int_equal(parse_bytes("\r\n", 2).kind, SHOAL__META_MALFORMED);
    assert_int_equal(parse_bytes("HD\r", 3).kind, SHOAL__META_INCOMPLETE);
    assert_int_equal(parse_bytes("HD\r\r\n", 5).kind, SHOAL__META_MALFORMED);
}

/* A line of so many bytes with its end. */
static enum shoal__meta_kind kind_of_size(size_t size, size_t given) {
    char *bytes = malloc(size);
    assert_non_null(bytes);
    memset(bytes, 'x', size);
    memcpy(bytes, "SERVER_ERROR ", 13);
    memcpy(bytes + size - 2, "\r\n", 2);
    struct shoal__meta_line line = parse_bytes(bytes, given);
    free(bytes);
    return line.kind;
}

static void test_a_line_has_an_end_in_time(void **state) {
    (void)state;
    enum { MOST = SHOAL__META_LINE_MAX };
    assert_int_equal(kind_of_size(MOST, MOST), SHOAL__META_SERVER_ERROR);
    assert_int_equal(kind_of_size(MOST, MOST - 1), SHOAL__META_INCOMPLETE);
    assert_int_equal(kind_of_size(MOST + 1, MOST), SHOAL__META_MALFORMED);
    assert_int_equal(kind_of_size(MOST + 1, MOST + 1), SHOAL__META_MALFORMED);
    assert_int_equal(kind_of_size(10 * MOST, MOST - 1), SHOAL__META_INCOMPLETE);
    assert_int_equal(kind_of_size(10 * MOST, 10 * MOST), SHOAL__META_MALFORMED);
}

static void test_nul_bytes_end_nothing(void **state) {
    (void)state;
    assert_int_equal(parse_bytes("HD\0\r\n", 5).kind, SHOAL__META_MALFORMED);
    assert_int_equal(parse_bytes("\0HD\r\n", 5).kind, SHOAL__META_MALFORMED);
    assert_int_equal(parse_bytes("HD O1\0\r\n", 8).kind, SHOAL__META_MALFORMED);
    assert_int_equal(parse_bytes("VA 4\0\r\n", 7).kind, SHOAL__META_MALFORMED);
    assert_int_equal(parse_bytes("HD \0\r\n", 6).kind, SHOAL__META_DONE);
    struct shoal__meta_line line = parse_bytes("VALUE a\0b 0 4\r\n", 15);
    assert_int_equal(line.kind, SHOAL__META_ITEM);
    assert_int_equal(line.text_size, 3);
    assert_memory_equal(words, "a\0b", 3);
}

/* --- Flags --- */

static void test_flags_not_told_are_not_known(void **state) {
    (void)state;
    struct shoal__meta_line line = parse("HD");
    assert_false(line.has_opaque);
    assert_int_equal(line.flags, 0);
    assert_int_equal(line.cas, 0);
    assert_true(line.ttl_s == SHOAL_UNKNOWN && line.idle_s == SHOAL_UNKNOWN);
    assert_int_equal(line.was_read, -1);
    assert_null(line.text);
}

static void assert_all_flags(const char *text) {
    struct shoal__meta_line line = parse(text);
    assert_int_equal(line.kind, SHOAL__META_VALUE);
    assert_int_equal(line.value_size, 12);
    assert_int_equal(line.flags, 3);
    assert_int_equal(line.cas, 44);
    assert_true(line.has_opaque);
    assert_int_equal(line.opaque, 7);
    assert_int_equal(line.ttl_s, 60);
    assert_int_equal(line.idle_s, 5);
    assert_int_equal(line.was_read, 1);
}

static void test_flags_come_in_any_order(void **state) {
    (void)state;
    assert_all_flags("VA 12 f3 c44 O7 t60 l5 h1");
    assert_all_flags("VA 12 h1 l5 t60 O7 c44 f3");
    assert_all_flags("VA 12 O7 h1 c44 l5 f3 t60");
}

static void test_spaces_may_be_doubled(void **state) {
    (void)state;
    assert_all_flags("VA 12  f3 c44  O7 t60 l5 h1");
    assert_all_flags("VA  12 f3   c44 O7 t60 l5 h1 ");
    assert_int_equal(parse("HD  O9").opaque, 9);
    assert_int_equal(parse("HD ").kind, SHOAL__META_DONE);
}

static void test_unknown_flags_are_passed_over(void **state) {
    (void)state;
    assert_all_flags("VA 12 kkey s12 b f3 c44 W O7 Z t60 X l5 h1 N?");
    assert_int_equal(kind_of("HD q k\x01\xff"), SHOAL__META_DONE);
}

static const struct {
    const char *text;
    bool fits;
} bounds[] = {
    {"HD O0", true},
    {"HD O4294967295", true},
    {"HD O4294967296", false},
    {"HD O99999999999999999999999", false},
    {"HD O", false},
    {"HD O-1", false},
    {"HD O+1", false},
    {"HD O1a", false},
    {"HD O0x1", false},
    {"HD O00000000000000000000000001", true},
    {"VA 1 f4294967295", true},
    {"VA 1 f4294967296", false},
    {"VA 1 f", false},
    {"VA 1 c18446744073709551615", true},
    {"VA 1 c18446744073709551616", false},
    {"VA 1 c18446744073709551625", false},
    {"VA 1 c28446744073709551615", false},
    {"VA 1 c", false},
    {"VA 1 t-1", true},
    {"VA 1 t-2", false},
    {"VA 1 t-", false},
    {"VA 1 t-10", false},
    {"VA 1 t9223372036854775807", true},
    {"VA 1 t9223372036854775808", false},
    {"VA 1 l9223372036854775807", true},
    {"VA 1 l9223372036854775808", false},
    {"VA 1 l", false},
    {"VA 1 h0", true},
    {"VA 1 h2", false},
    {"VA 1 h", false},
    {"VA 0", true},
    {"VA 1073741824", true},
    {"VA 1073741825", false},
    {"VA 18446744073709551616", false},
    {"VA 99999999999999999999999999999999", false},
    {"VA -1", false},
    {"VA", false},
    {"VA ", false},
    {"VA f1", false},
    {"VALUE k 4294967295 1", true},
    {"VALUE k 4294967296 1", false},
    {"VALUE k 0 1073741824", true},
    {"VALUE k 0 1073741825", false},
    {"VALUE k 0 1 18446744073709551615", true},
    {"VALUE k 0 1 18446744073709551616", false},
    {"VALUE k 0 1 2 3", false},
    {"VALUE k 0 1 x", false},
    {"VALUE k 0 -1", false},
    {"VALUE k 0", false},
    {"VALUE k", false},
    {"VALUE ", false},
};

static void test_numbers_are_taken_up_to_their_bounds(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++)
        if ((kind_of(bounds[i].text) != SHOAL__META_MALFORMED) != bounds[i].fits)
            fail_msg("'%s' is %staken", bounds[i].text, bounds[i].fits ? "not " : "");
}

static void test_numbers_are_read_to_their_last_digit(void **state) {
    (void)state;
    assert_int_equal(parse("HD O4294967295").opaque, UINT32_MAX);
    assert_int_equal(parse("VA 1 f4294967295").flags, UINT32_MAX);
    assert_true(parse("VA 1 c18446744073709551615").cas == UINT64_MAX);
    assert_true(parse("VA 1 t9223372036854775807").ttl_s == INT64_MAX);
    assert_int_equal(parse("VA 1 t-1").ttl_s, -1);
    assert_int_equal(parse("VA 1 l0").idle_s, 0);
    assert_int_equal(parse("VA 1 h0").was_read, 0);
    assert_int_equal(parse("VA 1073741824").value_size, SHOAL__META_VALUE_MAX);
}

/* --- Items and words --- */

static void test_an_item_has_key_flags_size_and_cas(void **state) {
    (void)state;
    struct shoal__meta_line line = parse("VALUE some:key 5 40 99");
    assert_string_equal(words, "some:key");
    assert_int_equal(line.flags, 5);
    assert_int_equal(line.value_size, 40);
    assert_int_equal(line.cas, 99);
    assert_false(line.has_opaque);
    assert_int_equal(parse("VALUE k 5 40").cas, 0);
}

static void test_words_are_all_behind_the_first_space(void **state) {
    (void)state;
    assert_int_equal(parse("SERVER_ERROR object too large for cache").text_size, 26);
    assert_string_equal(words, "object too large for cache");
    parse("CLIENT_ERROR  two  spaces ");
    assert_string_equal(words, " two  spaces ");
    parse("STAT curr_items 0");
    assert_string_equal(words, "curr_items 0");
    parse("VERSION 1.6.18");
    assert_string_equal(words, "1.6.18");
    assert_int_equal(parse("ERROR").text_size, 0);
    assert_int_equal(parse("ERROR ").text_size, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kind_of_line_is_known),
        cmocka_unit_test(test_a_line_is_incomplete_until_its_last_byte),
        cmocka_unit_test(test_bytes_behind_the_line_are_left_alone),
        cmocka_unit_test(test_other_words_are_no_lines),
        cmocka_unit_test(test_words_without_anything_behind_them_have_nothing),
        cmocka_unit_test(test_a_line_ends_with_both_bytes),
        cmocka_unit_test(test_a_line_has_an_end_in_time),
        cmocka_unit_test(test_nul_bytes_end_nothing),
        cmocka_unit_test(test_flags_not_told_are_not_known),
        cmocka_unit_test(test_flags_come_in_any_order),
        cmocka_unit_test(test_spaces_may_be_doubled),
        cmocka_unit_test(test_unknown_flags_are_passed_over),
        cmocka_unit_test(test_numbers_are_taken_up_to_their_bounds),
        cmocka_unit_test(test_numbers_are_read_to_their_last_digit),
        cmocka_unit_test(test_an_item_has_key_flags_size_and_cas),
        cmocka_unit_test(test_words_are_all_behind_the_first_space),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
