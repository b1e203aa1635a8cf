/* Servers that answer what they should not: an error is told, no wrong value is given, and the next call works. What
 * libmemcached itself does not survive (a doubled reply, a key over 250 bytes, none) is not asked of it here.
 * labels: valgrind
 * May include: the public headers, support/. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/fleets.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

/* What the server says to a read of "key" and to writes, once; afterwards it is a good one. */
struct manners {
    const char *to_get;
    const char *to_others;
    bool closes;
};

static struct manners manners;
static atomic_bool misbehaves; /* until that once */
static struct test_script *script;
static shoal_client *client;

static enum test_answer answer(struct test_script *to, const char *line, void *context) {
    (void)context;
    bool is_get = strncmp(line, "get", 3) == 0;
    bool is_of_key = is_get && strstr(line, " key") != NULL;
    if (strcmp(line, "value") == 0) /* the second line of a store */
        return TEST_ANSWERED;
    const char *said = is_of_key ? "VALUE key 5 4 99\r\ngood\r\nEND\r\n" : is_get ? "END\r\n" : "STORED\r\n";
    bool closes = false;
    if ((is_of_key || !is_get) && atomic_load(&misbehaves)) {
        said = is_get ? manners.to_get : manners.to_others;
        closes = manners.closes;
        atomic_store(&misbehaves, false);
    }
    test_script_say(to, said, strlen(said));
    return closes ? TEST_CLOSE : TEST_ANSWERED;
}

static int start(void **state) {
    (void)state;
    char endpoint[64];
    script = test_script_start(answer, NULL);
    snprintf(endpoint, sizeof(endpoint), "static://%s", test_script_name(script));
    client = test_client(endpoint, "operation_timeout_ms=1000&retry_attempts=0&protocol=libmemcached");
    return 0;
}

static int stop(void **state) {
    (void)state;
    shoal_client_free(client);
    test_script_stop(script);
    return 0;
}

static void misbehave(struct manners next) {
    manners = next;
    atomic_store(&misbehaves, true);
}

static shoal_status read_with(const char *reply, bool closes) {
    misbehave((struct manners){.to_get = reply, .closes = closes});
    return test_get(client, "key");
}

static void assert_good_again(void) {
    assert_true(test_holds(client, "key", "good"));
}

static void a_reply_that_is_not_the_protocol_is_told(void **state) {
    (void)state;
    static const char *const replies[] = {
        "garbage\r\n",
        "HTTP/1.1 400 Bad Request\r\n\r\n",
        "\r\n",
        "VALUE other 0 4 1\r\ntext\r\nEND\r\n",
        "VALUE kex 0 4 1\r\ntext\r\nEND\r\n",
        "VALUE key 0 4 1\r\ntext\r\nVALUE key 0 4 1\r\ntext\r\nEND\r\n",
    };
    for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
        shoal_status status = read_with(replies[i], false);
        if (status != SHOAL_E_PROTOCOL && status != SHOAL_E_NODE_DOWN && status != SHOAL_E_TIMEOUT)
            fail_msg("reply %zu: %s", i, shoal_status_name(status));
        assert_good_again();
    }
}

static void a_connection_closed_in_mid_reply_is_no_miss(void **state) {
    (void)state;
    static const char *const replies[] = {"",
                                          "VAL",
                                          "VALUE key 0 4 1\r\n",
                                          "VALUE key 0 4 1\r\nte",
                                          "VALUE key 0 4 1\r\ntext\r\n",
                                          "VALUE key 0 4 1\r\ntext\r\nEN"};
    for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
        shoal_status status = read_with(replies[i], true);
        if (status >= 0)
            fail_msg("reply %zu: %s", i, shoal_status_name(status));
        assert_good_again();
    }
}

static void an_error_of_the_servers_is_told_in_its_words(void **state) {
    (void)state;
    shoal_error *error = NULL;
    shoal_value *value = NULL;
    misbehave((struct manners){.to_get = "SERVER_ERROR the backend is away\r\n"});
    assert_int_equal(shoal_get(client, "key", 3, &value, &error), SHOAL_E_SERVER);
    assert_non_null(strstr(shoal_error_message(error), "the backend is away"));
    assert_null(strstr(shoal_error_message(error), "libmemcached"));
    assert_null(strstr(shoal_error_message(error), "0x"));
    assert_true(shoal_error_is_retriable(error));
    shoal_error_free(error);
    assert_good_again();
}

static void a_write_closed_before_its_reply_has_an_unknown_outcome(void **state) {
    (void)state;
    shoal_error *error = NULL;
    misbehave((struct manners){.to_others = "", .closes = true});
    assert_int_equal(shoal_set(client, "key", 3, "value", 5, 0, &error), SHOAL_E_NODE_DOWN);
    assert_true(shoal_error_is_outcome_unknown(error));
    assert_int_equal(shoal_error_attempts(error), 1);
    assert_int_equal(shoal_set(client, "key", 3, "value", 5, 0, &error), SHOAL_OK);
    assert_null(error);
}

static void a_batch_with_a_foreign_item_is_told(void **state) {
    (void)state;
    shoal_batch *batch = NULL;
    assert_int_equal(shoal_batch_new(client, &batch, NULL), SHOAL_OK);
    misbehave((struct manners){.to_get = "VALUE key 0 4 1\r\ntext\r\nVALUE foreign 0 4 1\r\ntext\r\nEND\r\n"});
    assert_int_equal(shoal_batch_get(batch, "key", 3, NULL), SHOAL_OK);
    assert_int_equal(shoal_batch_get(batch, "key2", 4, NULL), SHOAL_OK);
    assert_int_equal(shoal_batch_run(batch, NULL), SHOAL_PARTIAL);
    assert_int_equal(shoal_batch_status(batch, 1), SHOAL_E_PROTOCOL);
    assert_non_null(shoal_batch_error(batch, 1));
    shoal_batch_free(batch);
    assert_good_again();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reply_that_is_not_the_protocol_is_told),
        cmocka_unit_test(a_connection_closed_in_mid_reply_is_no_miss),
        cmocka_unit_test(an_error_of_the_servers_is_told_in_its_words),
        cmocka_unit_test(a_write_closed_before_its_reply_has_an_unknown_outcome),
        cmocka_unit_test(a_batch_with_a_foreign_item_is_told),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
