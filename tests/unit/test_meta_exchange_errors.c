/* Errors that a server answers an exchange with: each has the status documented, and tells whether the lane goes on, is
 * used up or ends; what was not decided by then is not SHOAL_OK.
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

typedef void (*asker)(void);

static void ask_two_gets(void) {
    talk_add_many(talk, SHOAL__VERB_GET, 2);
}

static void ask_store(void) {
    talk_set(talk, "k0", "v");
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

static shoal_status answer(asker ask, const char *text) {
    talk_free(talk);
    talk = talk_new();
    ask();
    talk_begin(talk);
    return talk_hear(talk, text);
}

static void test_a_refusal_is_told_and_the_lane_goes_on(void **state) {
    (void)state;
    static const struct {
        asker ask;
        const char *text;
        shoal_status status;
    } refusals[] = {
        {ask_two_gets, "SERVER_ERROR out of memory reading request\r\n", SHOAL_E_SERVER},
        {ask_two_gets, "SERVER_ERROR the backend is away\r\n", SHOAL_E_SERVER},
        {ask_two_gets, "SERVER_ERROR\r\n", SHOAL_E_SERVER},
        {ask_two_gets, "SERVER_ERROR object too large for cache\r\n", SHOAL_E_TOO_LARGE},
        {ask_two_gets, "CLIENT_ERROR cannot increment or decrement non-numeric value\r\n", SHOAL_E_NOT_A_NUMBER},
    };
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        assert_int_equal(answer(refusals[i].ask, refusals[i].text), SHOAL_OK);
        assert_status(talk, 0, refusals[i].status);
        assert_int_equal(talk->refusals, 1);
        assert_false(talk->exchange.is_spent);
        assert_heard(talk, "VA 1 O1\r\nx\r\n");
        assert_found(talk, 1, "x");
        assert_over(talk);
    }
}

/* What is in flight counts where it is answered with its own number; a second error is one too many. */
static void test_a_server_that_lost_its_place_is_believed_no_more(void **state) {
    (void)state;
    static const struct {
        const char *text;
        shoal_status status;
    } losses[] = {{"ERROR\r\n", SHOAL_E_UNSUPPORTED},
                  {"CLIENT_ERROR bad data chunk\r\n", SHOAL_E_SERVER},
                  {"CLIENT_ERROR\r\n", SHOAL_E_SERVER}};
    for (size_t i = 0; i < sizeof(losses) / sizeof(losses[0]); i++) {
        assert_int_equal(answer(ask_store, losses[i].text), SHOAL_OK);
        assert_status(talk, 0, losses[i].status);
        assert_true(talk->exchange.is_spent);
        assert_over(talk);
        assert_int_equal(answer(ask_two_gets, losses[i].text), SHOAL_OK);
        assert_status(talk, 0, losses[i].status);
        assert_true(talk->exchange.is_spent);
        assert_heard(talk, "VA 1 O1\r\nx\r\n");
        assert_found(talk, 1, "x");
        assert_over(talk);
        assert_int_equal(answer(ask_two_gets, losses[i].text), SHOAL_OK);
        assert_int_equal(talk_hear(talk, losses[i].text), SHOAL_E_PROTOCOL);
        assert_status(talk, 1, SHOAL__UNDECIDED);
    }
}

/* What had not been asked is not asked on that lane: a run that is over without being done. */
static void test_a_spent_lane_is_asked_no_more(void **state) {
    (void)state;
    static char large[16 * 1024 + 2];
    talk->exchange.item_max = 1048576;
    memset(large, 'v', sizeof(large) - 1);
    talk_set(talk, "a", large)->mode = SHOAL_ADD;
    talk_set(talk, "b", large)->mode = SHOAL_ADD;
    shoal__exchange_begin(&talk->exchange, &talk->run);
    assert_true(shoal__exchange_ask(&talk->exchange));
    assert_heard(talk, "CLIENT_ERROR bad command line format\r\n");
    assert_status(talk, 0, SHOAL_E_SERVER);
    assert_false(shoal__exchange_is_over(&talk->exchange));
    talk_send(talk, SIZE_MAX);
    assert_over(talk);
    assert_int_equal(talk->run.next, 1);
    assert_status(talk, 1, SHOAL__UNDECIDED);
}

static void test_an_error_on_a_line_ends_it_and_finds_no_more(void **state) {
    (void)state;
    static const struct {
        const char *text;
        shoal_status status;
    } errors[] = {
        {"SERVER_ERROR out of memory\r\n", SHOAL_E_SERVER},
        {"CLIENT_ERROR line too long\r\n", SHOAL_E_SERVER},
        {"ERROR\r\n", SHOAL_E_UNSUPPORTED},
    };
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        char text[128];
        snprintf(text, sizeof(text), OPENED ITEM("k1", "x") "%s", errors[i].text);
        assert_int_equal(answer(ask_line, text), errors[i].status);
        assert_status(talk, 0, SHOAL_NOT_FOUND);
        assert_found(talk, 1, "x");
        assert_statuses(talk, 2, 5, SHOAL__UNDECIDED);
        assert_int_equal(answer(ask_line, errors[i].text), errors[i].status);
        assert_statuses(talk, 1, 5, SHOAL__UNDECIDED);
    }
}

static void test_any_error_among_quiet_stores_has_them_asked_again(void **state) {
    (void)state;
    static const char *const errors[] = {"SERVER_ERROR no\r\n", "CLIENT_ERROR bad data chunk\r\n", "ERROR\r\n"};
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        assert_int_equal(answer(ask_quiet, errors[i]), SHOAL_OK);
        assert_heard(talk, "HD O4\r\nMN\r\n");
        assert_statuses(talk, 0, 5, SHOAL__UNDECIDED);
        assert_int_equal(talk->refusals, 0);
        talk_send(talk, SIZE_MAX);
        assert_heard(talk, "HD O5\r\nHD O6\r\nHD O7\r\nHD O8\r\nHD O9\r\n");
        assert_statuses(talk, 0, 5, SHOAL_OK);
        assert_over(talk);
    }
}

/* The words of a server are not ours: whatever bytes they have, the message is one that a log and a binding can take.
 */
static void test_the_words_of_an_error_may_hold_any_byte(void **state) {
    (void)state;
    static const char text[] = "SERVER_ERROR \0\x01\xff too large\r\nSERVER_ERROR \x1b[31m\xff\x7f away\r\n";
    ask_two_gets();
    talk_begin(talk);
    assert_int_equal(talk_hear_bytes(talk, text, sizeof(text) - 1), SHOAL_OK);
    assert_status(talk, 0, SHOAL_E_TOO_LARGE);
    assert_status(talk, 1, SHOAL_E_SERVER);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_refusal_is_told_and_the_lane_goes_on, start, stop),
        cmocka_unit_test_setup_teardown(test_a_server_that_lost_its_place_is_believed_no_more, start, stop),
        cmocka_unit_test_setup_teardown(test_a_spent_lane_is_asked_no_more, start, stop),
        cmocka_unit_test_setup_teardown(test_an_error_on_a_line_ends_it_and_finds_no_more, start, stop),
        cmocka_unit_test_setup_teardown(test_any_error_among_quiet_stores_has_them_asked_again, start, stop),
        cmocka_unit_test_setup_teardown(test_the_words_of_an_error_may_hold_any_byte, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
