/* What a new connection is asked, and what the answers say of the server: which of them speak meta, which leave misses
 * unmarked, and how large an item may be.
 * May include: the core's internals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "logic/meta_greeting.h"

#include <string.h>

#define SETTINGS "STAT maxbytes 67108864\r\nSTAT item_size_max 1048576\r\nSTAT evictions on\r\nEND\r\n"

static struct shoal__greeting greeting;

/* Gives an answer at most so many bytes at a time, as it would be received; what is left over stays for the next. */
static enum shoal__greeted greet(const char *text, size_t most) {
    enum shoal__greeted greeted = SHOAL__GREETED_PARTLY;
    size_t size = strlen(text);
    size_t given = 0;
    greeting = (struct shoal__greeting){0};
    for (size_t at = 0; greeted == SHOAL__GREETED_PARTLY && given < size;) {
        size_t taken = 0;
        given = most < size - given ? given + most : size;
        greeted = shoal__greeting_take(&greeting, text + at, given - at, &taken);
        at += taken;
        assert_true(at <= given);
    }
    return greeted;
}

static void test_what_is_asked(void **state) {
    (void)state;
    assert_string_equal(SHOAL__GREETING, "version\r\nmn\r\nstats settings\r\n");
}

static const struct {
    const char *text;
    enum shoal__greeted greeted;
} answers[] = {
    {"VERSION 1.6.18\r\nMN\r\n" SETTINGS, SHOAL__GREETED_META},
    {"VERSION 1.6.10\r\nMN\r\n" SETTINGS, SHOAL__GREETED_META},
    {"VERSION 1.6.45_1_gabcdef\r\nMN\r\n" SETTINGS, SHOAL__GREETED_META},
    {"VERSION 1.7.0\r\nMN\r\n" SETTINGS, SHOAL__GREETED_META},
    {"VERSION proxy\r\nMN\r\n" SETTINGS, SHOAL__GREETED_META},
    {"VERSION 1.6.18\r\nMN\r\nEND\r\n", SHOAL__GREETED_META},
    {"VERSION 1.6.18\r\nMN\r\nERROR\r\n", SHOAL__GREETED_META},
    {"VERSION 1.6.18\r\nMN\r\nSTAT pid 1\r\n", SHOAL__GREETED_PARTLY},
    {"VERSION 1.6.18\r\nMN\r\n", SHOAL__GREETED_PARTLY},
    {"VERSION 1.6.18\r\n", SHOAL__GREETED_PARTLY},
    {"VERSION 1.6.9\r\nMN\r\n", SHOAL__GREETED_OTHER},
    {"VERSION 1.6.6\r\nMN\r\n", SHOAL__GREETED_OTHER},
    {"VERSION 1.6.18\r\nERROR\r\n", SHOAL__GREETED_OTHER},
    {"VERSION 1.6.18\r\nEN\r\n", SHOAL__GREETED_OTHER},
    {"VERSION 1.6.18\r\ngarbage\r\n", SHOAL__GREETED_STRANGE},
    {"VERSION 1.6.18\r\nVERSION 1.6.18\r\nMN\r\nMN\r\n", SHOAL__GREETED_STRANGE},
    {"VERSION 1.6.18\r\nMN\r\ngarbage\r\n", SHOAL__GREETED_STRANGE},
    {"ERROR\r\n", SHOAL__GREETED_OTHER},
    {"SERVER_ERROR no\r\n", SHOAL__GREETED_OTHER},
    {"MN\r\n", SHOAL__GREETED_STRANGE},
    {"STORED\r\n", SHOAL__GREETED_STRANGE},
    {"garbage\r\n", SHOAL__GREETED_STRANGE},
    {"CLIENT_ERROR unauthenticated\r\nCLIENT_ERROR unauthenticated\r\n", SHOAL__GREETED_LOCKED},
    {"CLIENT_ERROR unauthentic\r\n", SHOAL__GREETED_OTHER},
    {"\x15\x03\x03", SHOAL__GREETED_TLS},
    {"\x15", SHOAL__GREETED_PARTLY},
    {"VERSION 1.6.18\r\n\x15\x03\r\n", SHOAL__GREETED_STRANGE},
};

static void test_the_answers_tell_what_is_spoken(void **state) {
    (void)state;
    static const size_t sizes[] = {1, 2, 7, SIZE_MAX};
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
        for (size_t j = 0; j < sizeof(sizes) / sizeof(sizes[0]); j++)
            if (greet(answers[i].text, sizes[j]) != answers[i].greeted)
                fail_msg("%zu bytes at a time: %s", sizes[j], answers[i].text);
}

static void test_misses_are_marked_since_1_6_18(void **state) {
    (void)state;
    greet("VERSION 1.6.18\r\nMN\r\nEND\r\n", SIZE_MAX);
    assert_false(greeting.misses_unmarked);
    greet("VERSION 1.6.40\r\nMN\r\nEND\r\n", SIZE_MAX);
    assert_false(greeting.misses_unmarked);
    greet("VERSION 1.6.17\r\nMN\r\nEND\r\n", SIZE_MAX);
    assert_true(greeting.misses_unmarked);
    greet("VERSION 1.6.10\r\nMN\r\nEND\r\n", SIZE_MAX);
    assert_true(greeting.misses_unmarked);
}

static size_t item_max_of(const char *settings) {
    char text[256] = "VERSION 1.6.18\r\nMN\r\n";
    strncat(text, settings, sizeof(text) - strlen(text) - 1);
    assert_int_equal(greet(text, 3), SHOAL__GREETED_META);
    return greeting.item_max;
}

static void test_the_settings_tell_how_large_an_item_may_be(void **state) {
    (void)state;
    assert_int_equal(item_max_of(SETTINGS), 1048576);
    assert_int_equal(item_max_of("STAT item_size_max 1024\r\nEND\r\n"), 1024);
    assert_int_equal(item_max_of("END\r\n"), 0);
    assert_int_equal(item_max_of("ERROR\r\n"), 0);
    assert_int_equal(item_max_of("STAT item_size_max\r\nEND\r\n"), 0);
    assert_int_equal(item_max_of("STAT item_size_max \r\nEND\r\n"), 0);
    assert_int_equal(item_max_of("STAT item_size_max -1\r\nEND\r\n"), 0);
    assert_int_equal(item_max_of("STAT item_size_max 1048577x\r\nEND\r\n"), 0);
    assert_int_equal(item_max_of("STAT item_size_max 1073741825\r\nEND\r\n"), 0);
    assert_int_equal(item_max_of("STAT item_size_maximum 5\r\nEND\r\n"), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_asked),
        cmocka_unit_test(test_the_answers_tell_what_is_spoken),
        cmocka_unit_test(test_misses_are_marked_since_1_6_18),
        cmocka_unit_test(test_the_settings_tell_how_large_an_item_may_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
