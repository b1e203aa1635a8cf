/* Which protocol is spoken: auto takes meta where a server has it, asks each new connection anew, and turns to
 * libmemcached where the server's answer is another. What a script saw proves it.
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

#define OPTIONS "operation_timeout_ms=10000&protocol="

/* What a server says to `version` and `mn`, and whether it tells its settings; NULL: it closes. */
struct greeting {
    const char *version;
    const char *noop;
    bool speaks_meta;
};

static struct greeting greeting;
static atomic_bool closes_classic; /* connections that were made before an upgrade */
static atomic_uint meta_reads;
static atomic_uint classic_reads;
static struct test_script *script;

static enum test_answer say(struct test_script *to, const char *text) {
    if (text == NULL)
        return TEST_CLOSE;
    test_script_say(to, text, strlen(text));
    test_script_say(to, "\r\n", 2);
    return TEST_ANSWERED;
}

static enum test_answer miss(struct test_script *to, const char *line) {
    char text[32];
    const char *number = strrchr(line, 'O');
    atomic_fetch_add(&meta_reads, 1);
    snprintf(text, sizeof(text), "EN %s", number ? number : "");
    return say(to, text);
}

static enum test_answer answer(struct test_script *to, const char *line, void *context) {
    (void)context;
    if (strcmp(line, "version") == 0)
        return say(to, greeting.version);
    if (strcmp(line, "mn") == 0)
        return say(to, greeting.noop);
    if (strcmp(line, "stats settings") == 0)
        return say(to, greeting.speaks_meta ? "STAT item_size_max 1048576\r\nEND" : "ERROR");
    if (strncmp(line, "mg ", 3) == 0)
        return miss(to, line);
    if (strncmp(line, "get", 3) != 0)
        return say(to, "ERROR");
    if (strstr(line, "shoal:hello") == NULL) {
        if (atomic_load(&closes_classic))
            return TEST_CLOSE;
        atomic_fetch_add(&classic_reads, 1);
    }
    return say(to, "END");
}

static shoal_client *begin(struct greeting says, const char *options) {
    char endpoint[96];
    greeting = says;
    atomic_store(&closes_classic, false);
    atomic_store(&meta_reads, 0);
    atomic_store(&classic_reads, 0);
    script = test_script_start(answer, NULL);
    snprintf(endpoint, sizeof(endpoint), "static://%s", test_script_name(script));
    return test_client(endpoint, options);
}

static void end(shoal_client *client) {
    shoal_client_free(client);
    test_script_stop(script);
}

static const struct greeting greetings[] = {
    {"VERSION 1.6.18", "MN", true},
    {"VERSION 1.6.10", "MN", true},
    {"VERSION 1.6.45_1_gabcdef", "MN", true},
    {"VERSION 1.7.0", "MN", true},
    {"VERSION proxy", "MN", true},
    {"VERSION 1.6.9", "MN", false},
    {"VERSION 1.6.6", "MN", false}, /* another meta protocol */
    {"VERSION 1.5.16", "ERROR", false},
    {"VERSION 1.6.18", "ERROR", false},
    {"VERSION 1.6.18", "EN", false},
    {"VERSION 1.6.18", NULL, false},
    {"ERROR", "ERROR", false},
    {"SERVER_ERROR no", "MN", false},
    {NULL, NULL, false},
};

#define GREETINGS (sizeof(greetings) / sizeof(greetings[0]))

static void auto_speaks_what_the_server_does(void **state) {
    (void)state;
    for (size_t i = 0; i < GREETINGS; i++) {
        shoal_client *client = begin(greetings[i], OPTIONS "auto");
        shoal_status status = test_get(client, "key");
        if (status != SHOAL_NOT_FOUND || (atomic_load(&meta_reads) > 0) != greetings[i].speaks_meta ||
            (atomic_load(&classic_reads) > 0) == greetings[i].speaks_meta)
            fail_msg("greeting %zu: %s, %u and %u", i, shoal_status_name(status), atomic_load(&meta_reads),
                     atomic_load(&classic_reads));
        end(client);
    }
}

/* A server that closes on the greeting may just be full, and is told as one. */
static void meta_alone_is_an_error_where_a_server_has_it_not(void **state) {
    (void)state;
    for (size_t i = 0; i < GREETINGS; i++) {
        bool closes = greetings[i].version == NULL || greetings[i].noop == NULL;
        shoal_status wanted = greetings[i].speaks_meta ? SHOAL_NOT_FOUND
                              : closes                 ? SHOAL_E_NODE_DOWN
                                                       : SHOAL_E_UNSUPPORTED;
        shoal_client *client = begin(greetings[i], OPTIONS "meta");
        shoal_status status = test_get(client, "key");
        if (status != wanted)
            fail_msg("greeting %zu: %s", i, shoal_status_name(status));
        assert_int_equal(atomic_load(&classic_reads), 0);
        end(client);
    }
}

/* It says so before it closes; what it speaks is not known. */
static void a_full_server_is_down(void **state) {
    (void)state;
    shoal_client *client = begin((struct greeting){"ERROR Too many open connections", NULL, false}, OPTIONS "meta");
    assert_int_equal(test_get(client, "key"), SHOAL_E_NODE_DOWN);
    assert_int_equal(atomic_load(&classic_reads), 0);
    end(client);
}

static void libmemcached_never_asks_for_meta(void **state) {
    (void)state;
    shoal_client *client = begin(greetings[0], OPTIONS "libmemcached");
    assert_int_equal(test_get(client, "key"), SHOAL_NOT_FOUND);
    assert_int_equal(atomic_load(&meta_reads), 0);
    assert_int_equal(atomic_load(&classic_reads), 1);
    end(client);
}

/* libmemcached may end the process on an answer that it does not expect. */
static void a_stranger_is_not_handed_to_libmemcached(void **state) {
    (void)state;
    static const struct greeting strangers[] = {
        {"VERSION 1.6.18\r\nVERSION 1.6.18", "MN\r\nMN", false}, /* each answer twice */
        {"VERSION 1.6.18", "\x1f\x8b", false},
        {"STORED", "MN", false},
    };
    for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++) {
        shoal_client *client = begin(strangers[i], OPTIONS "auto");
        assert_int_equal(test_get(client, "key"), SHOAL_E_PROTOCOL);
        assert_int_equal(atomic_load(&classic_reads), 0);
        end(client);
    }
}

/* As when a fleet is upgraded a node at a time. */
static void an_upgraded_node_is_asked_anew(void **state) {
    (void)state;
    shoal_client *client = begin((struct greeting){"VERSION 1.5.16", "ERROR", false}, OPTIONS "auto");
    assert_int_equal(test_get(client, "key"), SHOAL_NOT_FOUND);
    assert_int_equal(test_get(client, "key"), SHOAL_NOT_FOUND);
    assert_int_equal(atomic_load(&classic_reads), 2);
    greeting = greetings[0];
    atomic_store(&closes_classic, true);
    assert_int_equal(test_get(client, "key"), SHOAL_NOT_FOUND);
    assert_int_equal(test_get(client, "key"), SHOAL_NOT_FOUND);
    assert_int_equal(atomic_load(&classic_reads), 2);
    assert_int_equal(atomic_load(&meta_reads), 2);
    end(client);
}

static void a_binary_key_needs_a_server_with_meta(void **state) {
    (void)state;
    shoal_value *value = NULL;
    shoal_error *error = NULL;
    shoal_client *client = begin((struct greeting){"VERSION 1.5.16", "ERROR", false}, OPTIONS "auto&binary_keys=true");
    assert_int_equal(shoal_get(client, "a b", 3, &value, &error), SHOAL_E_UNSUPPORTED);
    assert_null(value);
    assert_non_null(strstr(shoal_error_message(error), "meta"));
    shoal_error_free(error);
    assert_int_equal(test_get(client, "plain"), SHOAL_NOT_FOUND);
    end(client);
}

/* A lifetime is told by meta alone. */
static bool is_told_a_lifetime(const char *endpoint, const char *protocol) {
    char options[64];
    shoal_value *value = NULL;
    snprintf(options, sizeof(options), OPTIONS "%s", protocol);
    shoal_client *client = test_client(endpoint, options);
    assert_int_equal(test_set(client, "key", "text"), SHOAL_OK);
    assert_int_equal(shoal_gets(client, "key", 3, &value, NULL), SHOAL_OK);
    bool told = shoal_value_ttl_s(value) != SHOAL_UNKNOWN;
    shoal_value_free(value);
    shoal_client_free(client);
    return told;
}

static void auto_speaks_meta_with_a_memcached(void **state) {
    (void)state;
    struct test_fleet fleet;
    test_fleet_start(&fleet, 1);
    assert_true(is_told_a_lifetime(fleet.endpoint, "auto"));
    assert_true(is_told_a_lifetime(fleet.endpoint, "meta"));
    assert_false(is_told_a_lifetime(fleet.endpoint, "libmemcached"));
    test_fleet_stop(&fleet);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(auto_speaks_what_the_server_does),
        cmocka_unit_test(a_stranger_is_not_handed_to_libmemcached),
        cmocka_unit_test(meta_alone_is_an_error_where_a_server_has_it_not),
        cmocka_unit_test(a_full_server_is_down),
        cmocka_unit_test(libmemcached_never_asks_for_meta),
        cmocka_unit_test(an_upgraded_node_is_asked_anew),
        cmocka_unit_test(a_binary_key_needs_a_server_with_meta),
        cmocka_unit_test(auto_speaks_meta_with_a_memcached),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
