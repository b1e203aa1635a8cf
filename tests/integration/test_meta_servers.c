/* One server that speaks meta badly, and single calls to it: each ends in time, with the status that fits and never
 * with a wrong value; reads go on on a fresh connection, and what must not be done twice is not.
 * May include: the public headers, support/. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/fleets.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_MS 1500
#define SLACK_MS test_patience_ms(1500)
#define ONCE                                                                                                          \
    "operation_timeout_ms=1500&attempt_timeout_ms=1500&connect_timeout_ms=1500&failure_threshold=1000&protocol=meta&" \
    "retry_attempts=0"
#define AGAIN "operation_timeout_ms=20000&failure_threshold=1000&protocol=meta"

/* What the server does with the first command. '#' is the opaque number of what was asked, '+' the next,
 * '~' is 5000 bytes. */
struct manners {
    const char *says;
    enum test_answer then;
    int pause_ms; /* before every byte; 0: all at once */
    shoal_status status;
};

static const struct manners *manners;
static const char *version;
static atomic_bool misbehaves; /* until the first command */
static atomic_uint commands;   /* that the server saw */
static struct test_script *script;

/* The text with its numbers put in. */
static size_t number(char *bytes, size_t room, const char *text, unsigned opaque) {
    size_t size = 0;
    for (const char *at = text; *at != '\0'; at++)
        if (*at == '#' || *at == '+')
            size += (size_t)snprintf(bytes + size, room - size, "O%u", opaque + (*at == '+'));
        else
            for (size_t i = 0; i < (*at == '~' ? 5000 : 1); i++)
                bytes[size++] = *at;
    return size;
}

static enum test_answer say(struct test_script *to, const char *text, unsigned opaque, int pause_ms) {
    char bytes[8192];
    size_t size = number(bytes, sizeof(bytes), text, opaque);
    if (pause_ms > 0)
        test_script_say_slowly(to, bytes, size, 1, pause_ms);
    else
        test_script_say(to, bytes, size);
    return TEST_ANSWERED;
}

static const char *good_answer(const char *line) {
    if (strncmp(line, "mg", 2) == 0)
        return "VA 4 f5 c9 #\r\ngood\r\n";
    return strncmp(line, "ma", 2) == 0 ? "VA 1 #\r\n7\r\n" : "HD #\r\n";
}

static enum test_answer answer(struct test_script *to, const char *line, void *context) {
    (void)context;
    if (strcmp(line, "version") == 0)
        return say(to, version, 0, 0);
    if (strcmp(line, "mn") == 0)
        return say(to, "MN\r\n", 0, 0);
    if (strcmp(line, "stats settings") == 0)
        return say(to, "STAT item_size_max 1048576\r\nEND\r\n", 0, 0);
    const char *opaque = strrchr(line, 'O');
    if (line[0] != 'm' || opaque == NULL)
        return TEST_ANSWERED; /* a value */
    atomic_fetch_add(&commands, 1);
    unsigned given = (unsigned)strtoul(opaque + 1, NULL, 10);
    if (!atomic_exchange(&misbehaves, false))
        return say(to, good_answer(line), given, 0);
    say(to, manners->says, given, manners->pause_ms);
    return manners->then;
}

static shoal_client *begin(const char *options, const struct manners *next) {
    char endpoint[64];
    version = "VERSION 1.6.18\r\n";
    manners = next;
    atomic_store(&misbehaves, true);
    atomic_store(&commands, 0);
    script = test_script_start(answer, NULL);
    snprintf(endpoint, sizeof(endpoint), "static://%s", test_script_name(script));
    return test_client(endpoint, options);
}

static void end(shoal_client *client) {
    shoal_client_free(client);
    test_script_stop(script);
}

/* --- Reads --- */

static const struct manners to_reads[] = {
    {"garbage\r\n", TEST_ANSWERED, 0, SHOAL_E_PROTOCOL},
    {"\r\n", TEST_ANSWERED, 0, SHOAL_E_PROTOCOL},
    {"STORED\r\n", TEST_ANSWERED, 0, SHOAL_E_PROTOCOL},
    {"HTTP/1.1 400 Bad Request\r\n\r\n", TEST_ANSWERED, 0, SHOAL_E_PROTOCOL},
    {"VA 3 f0 c1 +\r\nbad\r\n", TEST_ANSWERED, 0, SHOAL_E_PROTOCOL},
    {"VA 3 f0 c1\r\nbad\r\n", TEST_ANSWERED, 0, SHOAL_E_PROTOCOL},
    {"VA 3 f0 c1 +\r\nbad\r\nVA 3 f0 c1 #\r\nbad\r\n", TEST_ANSWERED, 0, SHOAL_E_PROTOCOL},
    {"VALUE key 0 3 1\r\nbad\r\nEND\r\n", TEST_ANSWERED, 0, SHOAL_E_PROTOCOL},
    {"VA 2 f0 c1 #\r\nbad\r\n", TEST_ANSWERED, 0, SHOAL_E_PROTOCOL},
    {"VA 99999999999 #\r\nbad\r\n", TEST_ANSWERED, 0, SHOAL_E_PROTOCOL},
    {"HD #\r\n", TEST_ANSWERED, 0, SHOAL_E_PROTOCOL},
    {"MN\r\n", TEST_ANSWERED, 0, SHOAL_E_PROTOCOL},
    {"EN\r\n", TEST_ANSWERED, 0, SHOAL_E_PROTOCOL},
    {"EN +\r\n", TEST_ANSWERED, 0, SHOAL_E_PROTOCOL},
    {"~", TEST_ANSWERED, 0, SHOAL_E_PROTOCOL}, /* a line without an end */
    {"ERROR\r\n", TEST_ANSWERED, 0, SHOAL_E_UNSUPPORTED},
    {"CLIENT_ERROR bad command line format\r\n", TEST_ANSWERED, 0, SHOAL_E_SERVER},
    {"SERVER_ERROR out of sorts\r\n", TEST_ANSWERED, 0, SHOAL_E_SERVER},
    {"EN #\r\n", TEST_ANSWERED, 0, SHOAL_NOT_FOUND},
    {"", TEST_CLOSE, 0, SHOAL_E_NODE_DOWN},
    {"VA", TEST_CLOSE, 0, SHOAL_E_NODE_DOWN},
    {"VA 3 #\r\n", TEST_CLOSE, 0, SHOAL_E_NODE_DOWN},
    {"VA 3 #\r\nba", TEST_CLOSE, 0, SHOAL_E_NODE_DOWN},
    {"VA 3 #\r\nbad", TEST_CLOSE, 0, SHOAL_E_NODE_DOWN},
    {"VA 3 #\r\nbad\r", TEST_CLOSE, 0, SHOAL_E_NODE_DOWN},
    {"VA 20000 #\r\nbad", TEST_CLOSE, 0, SHOAL_E_NODE_DOWN},
    {"", TEST_HANG, 0, SHOAL_E_TIMEOUT},
    {"VA 3 #\r\nba", TEST_HANG, 0, SHOAL_E_TIMEOUT},
    {"VA 20000 #\r\nbad", TEST_HANG, 0, SHOAL_E_TIMEOUT},
    {"VA 20 f0 c1 #\r\n01234567890123456789\r\n", TEST_ANSWERED, 50, SHOAL_E_TIMEOUT},
};

#define READS (sizeof(to_reads) / sizeof(to_reads[0]))

/* Whatever the server did, the next call is answered well, by this connection or another. */
static bool is_good_again(shoal_client *client) {
    for (int tries = 0; tries < 10; tries++)
        if (test_holds(client, "key", "good"))
            return true;
    return false;
}

static void a_bad_answer_to_a_read_is_told_in_time(void **state) {
    (void)state;
    for (size_t i = 0; i < READS; i++) {
        shoal_value *value = NULL;
        shoal_client *client = begin(ONCE, &to_reads[i]);
        int64_t began_ms = test_now_ms();
        shoal_status status = shoal_get(client, "key", 3, &value, NULL);
        if (status != to_reads[i].status || value != NULL || test_now_ms() - began_ms > TIMEOUT_MS + SLACK_MS)
            fail_msg("manners %zu: %s after %d ms", i, shoal_status_name(status), (int)(test_now_ms() - began_ms));
        assert_true(is_good_again(client));
        end(client);
    }
}

/* Its first half is the answer; the other may be seen with it or be the next command's trouble. */
static void a_doubled_answer_is_nobody_elses(void **state) {
    (void)state;
    static const struct manners doubled = {"VA 4 c1 #\r\ngood\r\nVA 4 c1 #\r\ngood\r\n", TEST_ANSWERED, 0, SHOAL_OK};
    shoal_client *client = begin(AGAIN "&retry_attempts=0", &doubled);
    shoal_status status = test_get(client, "key");
    assert_true(status == SHOAL_OK || status == SHOAL_E_PROTOCOL);
    assert_true(test_get(client, "key") == SHOAL_OK || status == SHOAL_OK);
    for (uint64_t number = 0, i = 0; i < 3; i++, number = 0)
        if (shoal_increment(client, "other", 5, 1, NULL, 0, &number, NULL) == SHOAL_OK)
            assert_int_equal(number, 7);
    assert_true(is_good_again(client));
    end(client);
}

static void a_read_is_asked_again_on_a_fresh_connection(void **state) {
    (void)state;
    static const struct manners losses[] = {
        {"", TEST_CLOSE, 0, SHOAL_OK},
        {"VA 4 #\r\ngo", TEST_CLOSE, 0, SHOAL_OK},
        {"VA 3 +\r\nbad\r\n", TEST_ANSWERED, 0, SHOAL_OK},
    };
    for (size_t i = 0; i < sizeof(losses) / sizeof(losses[0]); i++) {
        shoal_client *client = begin(AGAIN, &losses[i]);
        assert_true(test_holds(client, "key", "good"));
        assert_int_equal(atomic_load(&commands), 2);
        assert_int_equal(test_script_connections(script), 2);
        end(client);
    }
}

/* --- Writes --- */

static shoal_status increment(shoal_client *client, shoal_error **error) {
    return shoal_increment(client, "key", 3, 1, NULL, 0, NULL, error);
}

static shoal_status append(shoal_client *client, shoal_error **error) {
    return shoal_store(client, SHOAL_APPEND, "key", 3, "v", 1, 0, 0, 0, NULL, error);
}

static shoal_status add(shoal_client *client, shoal_error **error) {
    return shoal_store(client, SHOAL_ADD, "key", 3, "v", 1, 0, 0, 0, NULL, error);
}

static void what_must_not_be_done_twice_is_sent_once(void **state) {
    (void)state;
    static const struct manners losses[] = {
        {"", TEST_CLOSE, 0, SHOAL_E_NODE_DOWN},
        {"HD", TEST_CLOSE, 0, SHOAL_E_NODE_DOWN},
        {"HD +\r\n", TEST_ANSWERED, 0, SHOAL_E_PROTOCOL},
        {"garbage\r\n", TEST_ANSWERED, 0, SHOAL_E_PROTOCOL},
    };
    static shoal_status (*const calls[])(shoal_client * client, shoal_error * *error) = {increment, append, add};
    for (size_t i = 0; i < 4 * 3; i++) {
        shoal_error *error = NULL;
        shoal_client *client = begin(AGAIN, &losses[i % 4]);
        assert_int_equal(calls[i / 4](client, &error), losses[i % 4].status);
        assert_true(shoal_error_is_outcome_unknown(error));
        assert_int_equal(atomic_load(&commands), 1);
        shoal_error_free(error);
        assert_true(is_good_again(client));
        end(client);
    }
}

static void a_plain_store_is_sent_again(void **state) {
    (void)state;
    static const struct manners closes = {"", TEST_CLOSE, 0, SHOAL_OK};
    shoal_client *client = begin(AGAIN, &closes);
    assert_int_equal(test_set(client, "key", "text"), SHOAL_OK);
    assert_int_equal(atomic_load(&commands), 2);
    end(client);
}

/* --- Older servers --- */

static void a_miss_of_1_6_12_has_no_number(void **state) {
    (void)state;
    static const struct manners missing = {"EN\r\n", TEST_ANSWERED, 0, SHOAL_NOT_FOUND};
    shoal_client *client = begin(ONCE, &missing);
    version = "VERSION 1.6.12\r\n";
    assert_int_equal(test_get(client, "key"), SHOAL_NOT_FOUND);
    assert_int_equal(test_script_connections(script), 1);
    assert_true(test_holds(client, "key", "good"));
    assert_int_equal(test_script_connections(script), 1);
    end(client);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bad_answer_to_a_read_is_told_in_time),
        cmocka_unit_test(a_doubled_answer_is_nobody_elses),
        cmocka_unit_test(a_read_is_asked_again_on_a_fresh_connection),
        cmocka_unit_test(what_must_not_be_done_twice_is_sent_once),
        cmocka_unit_test(a_plain_store_is_sent_again),
        cmocka_unit_test(a_miss_of_1_6_12_has_no_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
