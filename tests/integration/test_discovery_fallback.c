/* discovery_fallback: what is used where the endpoint is no discovery endpoint, and what must never lead to it.
 * May include: the public headers, support/, cmocka. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <shoal/shoal.h>
#include <stdio.h>
#include <string.h>

#include "support/clients.h"

#define OPTIONS "discovery_interval_ms=50&discovery_timeout_ms=200&operation_timeout_ms=3000"

static void a_plain_memcached_is_used_as_the_only_node(void **state) {
    (void)state;
    struct test_memcached server = test_memcached_start(0);
    shoal_client *client = test_client(server.name, OPTIONS);
    char message[TEST_MESSAGE_SIZE];
    assert_true(test_works(client));
    assert_true(test_sees_nodes(client, server.name));
    assert_int_equal(test_version(client), 0);
    assert_true(test_meets_event(client, SHOAL_EVENT_WARNING, message));
    assert_non_null(strstr(message, "discovery_fallback=single"));
    shoal_client_free(client);
    test_memcached_stop(&server);
}

static void an_endpoint_that_knows_neither_question_is_used(void **state) {
    (void)state;
    static const char *const answers[][2] = {
        {"ERROR\r\n", "END\r\n"}, {"ERROR\r\n", "ERROR\r\n"}, {NULL, "END\r\n"}, {NULL, "ERROR\r\n"}};
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        struct test_endpoint *endpoint = test_endpoint_start();
        test_endpoint_set_config(endpoint, answers[i][0]);
        test_endpoint_set_legacy(endpoint, answers[i][1]);
        shoal_client *client = test_client(test_endpoint_name(endpoint), OPTIONS);
        assert_true(test_sees_nodes(client, test_endpoint_name(endpoint)));
        shoal_client_free(client);
        test_endpoint_stop(endpoint);
    }
}

static void check_strict(const char *endpoint, const char *options) {
    shoal_client *client = test_client(endpoint, options);
    char message[TEST_MESSAGE_SIZE], names[TEST_NODES_SIZE];
    assert_int_equal(test_read(client, "key", message), SHOAL_E_DISCOVERY);
    assert_non_null(strstr(message, "discovery_fallback=single"));
    test_nodes(client, names);
    assert_string_equal(names, "");
    shoal_client_free(client);
}

static void strict_fails_and_says_what_to_do(void **state) {
    (void)state;
    struct test_memcached server = test_memcached_start(0);
    char elasticache[64], memorystore[64];
    snprintf(elasticache, sizeof(elasticache), "elasticache://%s", server.name);
    snprintf(memorystore, sizeof(memorystore), "memorystore://%s", server.name);
    check_strict(server.name, OPTIONS "&discovery_fallback=strict");
    check_strict(elasticache, OPTIONS);
    check_strict(memorystore, OPTIONS);
    test_memcached_stop(&server);
}

static void an_explicit_single_holds_for_elasticache_too(void **state) {
    (void)state;
    struct test_memcached server = test_memcached_start(0);
    char elasticache[64];
    snprintf(elasticache, sizeof(elasticache), "elasticache://%s", server.name);
    shoal_client *client = test_client(elasticache, OPTIONS "&discovery_fallback=single");
    assert_true(test_works(client));
    shoal_client_free(client);
    test_memcached_stop(&server);
}

static void a_static_fallback_is_the_list_it_names(void **state) {
    (void)state;
    struct test_memcached first = test_memcached_start(0), second = test_memcached_start(0);
    struct test_endpoint *endpoint = test_endpoint_start();
    char options[256], names[80];
    snprintf(options, sizeof(options), OPTIONS "&discovery_fallback=static:%s,%s", first.name, second.name);
    snprintf(names, sizeof(names), "%s %s", first.name, second.name);
    shoal_client *client = test_client(test_endpoint_name(endpoint), options);
    assert_true(test_works(client));
    assert_true(test_sees_nodes(client, names));
    assert_true(test_memcached_stat(&first, "curr_items") > 0);
    assert_true(test_memcached_stat(&second, "curr_items") > 0);
    shoal_client_free(client);
    test_endpoint_stop(endpoint);
    test_memcached_stop(&first);
    test_memcached_stop(&second);
}

static void polling_goes_on_and_a_list_replaces_the_fallback(void **state) {
    (void)state;
    struct test_endpoint *endpoint = test_endpoint_start();
    shoal_client *client = test_client(test_endpoint_name(endpoint), OPTIONS);
    assert_true(test_sees_nodes(client, test_endpoint_name(endpoint)));
    assert_true(test_polled(endpoint, 3));
    test_endpoint_set_nodes(endpoint, 1, "a|127.0.0.1|1 b|127.0.0.1|2");
    assert_true(test_sees_nodes(client, "a:1 b:2"));
    test_endpoint_set_config(endpoint, "ERROR\r\n"); /* and does not come back */
    assert_true(test_polled(endpoint, 3));
    assert_true(test_sees_nodes(client, "a:1 b:2"));
    assert_int_equal(test_version(client), 1);
    shoal_client_free(client);
    test_endpoint_stop(endpoint);
}

/* Through several polls, with the fallback that is the easiest to get. */
static void check_never_falls_back(struct test_endpoint *endpoint, const char *what) {
    shoal_client *client = test_client(test_endpoint_name(endpoint), OPTIONS "&discovery_fallback=single");
    char names[TEST_NODES_SIZE], message[TEST_MESSAGE_SIZE];
    for (int i = 0; i < 3; i++) {
        shoal_status status = test_read(client, "key", message);
        if (status != SHOAL_E_DISCOVERY || strstr(message, test_endpoint_name(endpoint)) == NULL)
            fail_msg("%s: %s: %s", what, shoal_status_name(status), message);
        assert_true(test_polled(endpoint, 1));
    }
    test_nodes(client, names);
    assert_string_equal(names, "");
    shoal_client_free(client);
}

static void a_timeout_never_falls_back(void **state) {
    (void)state;
    struct test_endpoint *endpoint = test_endpoint_start();
    test_endpoint_set_hang(endpoint, true);
    check_never_falls_back(endpoint, "hanging");
    test_endpoint_stop(endpoint);
}

static void a_bad_answer_never_falls_back(void **state) {
    (void)state;
    static const char *const answers[][2] = {
        {"HELLO\r\n", "END\r\n"},
        {"VALUE something 0 1\r\nx\r\nEND\r\n", "END\r\n"},
        {"CONFIG cluster 0 9\r\n1\na|b\n\r\nEND\r\n", "END\r\n"},
        {"CONFIG cluster 0 2\r\n1\n\r\nEND\r\n", "END\r\n"},
        {"HTTP/1.1 400 Bad Request\r\n\r\n", "END\r\n"},
        {"END\r\n", "END\r\n"},
        {"ERROR\r\n", "HELLO\r\n"},
        {"ERROR\r\n", "VALUE AmazonElastiCache:cluster 0 9\r\n1\na|b\n\r\nEND\r\n"},
        {"ERROR\r\n", NULL}, /* closes */
        {NULL, NULL},
        {"ERROR\r\n", ""}, /* hangs */
        {"ERR", "END\r\n"},
    };
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        struct test_endpoint *endpoint = test_endpoint_start();
        test_endpoint_set_config(endpoint, answers[i][0]);
        test_endpoint_set_legacy(endpoint, answers[i][1]);
        check_never_falls_back(endpoint, answers[i][0] ? answers[i][0] : "closed");
        test_endpoint_stop(endpoint);
    }
}

static void a_refused_connection_never_falls_back(void **state) {
    (void)state;
    char name[32], message[TEST_MESSAGE_SIZE];
    snprintf(name, sizeof(name), "127.0.0.1:%u", test_free_port());
    shoal_client *client = test_client(name, OPTIONS "&discovery_fallback=single");
    for (int i = 0; i < 5; i++) {
        assert_int_equal(test_read(client, "key", message), SHOAL_E_DISCOVERY);
        assert_non_null(strstr(message, name));
        test_sleep_ms(60);
    }
    shoal_client_free(client);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_memcached_is_used_as_the_only_node),
        cmocka_unit_test(an_endpoint_that_knows_neither_question_is_used),
        cmocka_unit_test(strict_fails_and_says_what_to_do),
        cmocka_unit_test(an_explicit_single_holds_for_elasticache_too),
        cmocka_unit_test(a_static_fallback_is_the_list_it_names),
        cmocka_unit_test(polling_goes_on_and_a_list_replaces_the_fallback),
        cmocka_unit_test(a_timeout_never_falls_back),
        cmocka_unit_test(a_bad_answer_never_falls_back),
        cmocka_unit_test(a_refused_connection_never_falls_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
