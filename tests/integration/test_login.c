/* user and password: with servers that want them (-Y), and with those that do not know them.
 * May include: the public headers, support/. labels: valgrind */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/fleets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RIGHT "user=bob&password=open:sesame"

static char users[64];
static struct test_memcached locked;
static struct test_memcached open_to_all;

static int start(void **state) {
    (void)state;
    snprintf(users, sizeof(users), "/tmp/shoal-test-users-%d", (int)getpid());
    FILE *file = fopen(users, "w");
    fputs("ann:other\nbob:open:sesame\n", file);
    fclose(file);
    locked = test_memcached_start_with(0, "-Y", users);
    open_to_all = test_memcached_start(0);
    return 0;
}

static int stop(void **state) {
    (void)state;
    test_memcached_stop(&locked);
    test_memcached_stop(&open_to_all);
    unlink(users);
    return 0;
}

static shoal_client *client_of(const char *name, const char *options) {
    char endpoint[64];
    char patient[512];
    snprintf(endpoint, sizeof(endpoint), "static://%s", name);
    snprintf(patient, sizeof(patient), "operation_timeout_ms=20000&connect_timeout_ms=10000&%s", options);
    return test_client(endpoint, patient);
}

static void assert_kept_out(const char *name, const char *options, const char *complaint) {
    char message[TEST_MESSAGE_SIZE];
    shoal_client *client = client_of(name, options);
    shoal_status status = test_read(client, "key", message);
    if (status != SHOAL_E_NODE_DOWN || strstr(message, complaint) == NULL || strstr(message, "sesame") != NULL)
        fail_msg("%s: %d %s", options, status, message);
    shoal_client_free(client);
}

static void who_is_known_is_let_in(void **state) {
    (void)state;
    shoal_client *client = client_of(locked.name, RIGHT);
    assert_true(test_works(client));
    shoal_client_free(client);
    client = client_of(locked.name, "protocol=meta&user=ann&password=other");
    assert_true(test_works(client));
    shoal_client_free(client);
}

static void who_is_not_is_told(void **state) {
    (void)state;
    assert_kept_out(locked.name, "user=bob&password=wrong-sesame", "authentication failed: check user and password");
    assert_kept_out(locked.name, "user=eve&password=open:sesame", "authentication failed");
    assert_kept_out(locked.name, "", "set the options user and password");
    assert_kept_out(locked.name, "protocol=meta", "set the options user and password");
}

/* It sees a store, and keeps nothing of it. */
static void a_server_that_asks_nobody_never_holds_the_password(void **state) {
    (void)state;
    char reply[4096];
    shoal_client *client = client_of(open_to_all.name, RIGHT);
    assert_true(test_works(client));
    test_ask(open_to_all.port, "mg shoal:login v\r\n", reply, sizeof(reply));
    assert_int_equal(strncmp(reply, "EN\r\n", 4), 0);
    shoal_client_free(client);
}

static void each_new_connection_logs_in(void **state) {
    (void)state;
    uint16_t port = locked.port;
    shoal_client *client = client_of(locked.name, RIGHT "&probe_interval_ms=20&lane_idle_s=0");
    assert_int_equal(test_set(client, "key", "x"), SHOAL_OK);
    test_memcached_stop(&locked);
    assert_true(test_get(client, "key") < 0);
    locked = test_memcached_start_with(port, "-Y", users);
    assert_true(test_meets_event(client, SHOAL_EVENT_NODE_RECOVERED, NULL)); /* the prober logs in as well */
    assert_int_equal(test_set(client, "key", "x"), SHOAL_OK);
    shoal_client_free(client);
}

static void discovery_logs_in(void **state) {
    (void)state;
    char question[256];
    char reply[64];
    char payload[64];
    snprintf(payload, sizeof(payload), "7\r\nlocalhost|127.0.0.1|%u\r\n", locked.port);
    snprintf(question, sizeof(question),
             "set x 0 0 15\r\nbob open:sesame\r\nset AmazonElastiCache:cluster 0 0 %zu\r\n%s\r\n", strlen(payload),
             payload);
    test_ask(locked.port, question, reply, sizeof(reply));
    assert_string_equal(reply, "STORED\r\nSTORED\r\n");
    shoal_client *client = test_client(locked.name, RIGHT "&discovery_fallback=strict&operation_timeout_ms=20000&"
                                                          "discovery_timeout_ms=20000&connect_timeout_ms=10000");
    assert_true(test_works(client));
    assert_int_equal(test_version(client), 7);
    shoal_client_free(client);
}

/* --- Answers that are none --- */

static enum test_answer answer_login(struct test_script *script, const char *line, void *context) {
    const char *answer = context;
    if (strcmp(line, "bob open:sesame") != 0)
        return TEST_ANSWERED;
    if (answer == NULL)
        return TEST_HANG;
    test_script_say_slowly(script, answer, strlen(answer), 1, 1);
    return TEST_CLOSE;
}

static void odd_answers_are_told(void **state) {
    (void)state;
    static const struct {
        const char *answer;
        shoal_status status;
        const char *complaint;
    } cases[] = {
        {"ERROR\r\n", SHOAL_E_NODE_DOWN, "did not take user and password"},
        {"STORED\r\nEND\r\n", SHOAL_E_NODE_DOWN, ""},
        {"STO", SHOAL_E_NODE_DOWN, ""},
        {NULL, SHOAL_E_TIMEOUT, "user and password were not answered in time"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char message[TEST_MESSAGE_SIZE];
        union {
            const char *given;
            void *taken;
        } context = {.given = cases[i].answer};
        struct test_script *script = test_script_start(answer_login, context.taken);
        shoal_client *client = test_client(test_script_name(script),
                                           RIGHT "&operation_timeout_ms=2000&connect_timeout_ms=200&retry_attempts=0&"
                                                 "discovery_timeout_ms=500");
        shoal_client *direct = client_of(test_script_name(script), RIGHT "&connect_timeout_ms=200&retry_attempts=0");
        shoal_status status = test_read(direct, "key", message);
        if (status != cases[i].status || strstr(message, cases[i].complaint) == NULL)
            fail_msg("%zu: %d %s", i, status, message);
        assert_int_equal(test_read(client, "key", message), SHOAL_E_DISCOVERY);
        if (strstr(message, cases[i].complaint) == NULL)
            fail_msg("discovery %zu: %s", i, message);
        shoal_client_free(direct);
        shoal_client_free(client);
        test_script_stop(script);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_known_is_let_in),
        cmocka_unit_test(who_is_not_is_told),
        cmocka_unit_test(a_server_that_asks_nobody_never_holds_the_password),
        cmocka_unit_test(each_new_connection_logs_in),
        cmocka_unit_test(discovery_logs_in),
        cmocka_unit_test(odd_answers_are_told),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
