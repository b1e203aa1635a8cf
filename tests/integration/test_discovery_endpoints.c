/* What the endpoint itself may be: a name, IPv6, several of them, dead or silent at first.
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

#define OPTIONS "discovery_interval_ms=50&discovery_jitter=0&operation_timeout_ms=8000"

static void set_text(char text[128], const char *format, const char *first, const char *second) {
    snprintf(text, 128, format, first, second);
}

static struct test_endpoint *start_endpoint(uint64_t version, const char *nodes) {
    struct test_endpoint *endpoint = test_endpoint_start();
    test_endpoint_set_nodes(endpoint, version, nodes);
    return endpoint;
}

static const char *port_of(const struct test_endpoint *endpoint) {
    return strrchr(test_endpoint_name(endpoint), ':') + 1;
}

static void check_version_through(const char *endpoint, const char *options, uint64_t version) {
    shoal_client *client = test_client(endpoint, options);
    assert_int_equal(test_version(client), version);
    shoal_client_free(client);
}

static void a_host_name_is_resolved(void **state) {
    (void)state;
    struct test_endpoint *endpoint = start_endpoint(3, "a|127.0.0.1|1");
    char text[128];
    set_text(text, "localhost:%s%s", port_of(endpoint), "");
    check_version_through(text, OPTIONS, 3);
    set_text(text, "memorystore://localhost:%s%s", port_of(endpoint), "");
    check_version_through(text, OPTIONS, 3);
    test_endpoint_stop(endpoint);
}

static void an_ipv6_endpoint_is_asked(void **state) {
    (void)state;
    struct test_endpoint *endpoint = test_endpoint_start_at("::1", 0);
    if (endpoint == NULL)
        skip();
    test_endpoint_set_nodes(endpoint, 3, "a|127.0.0.1|1");
    char text[128];
    check_version_through(test_endpoint_name(endpoint), OPTIONS, 3);
    set_text(text, "elasticache://%s%s", test_endpoint_name(endpoint), "");
    check_version_through(text, OPTIONS, 3);
    test_endpoint_stop(endpoint);
}

static void an_ipv6_endpoint_is_shown_in_brackets(void **state) {
    (void)state;
    struct test_endpoint *endpoint = test_endpoint_start_at("::1", 0);
    if (endpoint == NULL)
        skip();
    char message[TEST_MESSAGE_SIZE];
    test_endpoint_set_config(endpoint, "HELLO\r\n");
    shoal_client *client = test_client(test_endpoint_name(endpoint), OPTIONS);
    assert_int_equal(test_read(client, "key", message), SHOAL_E_DISCOVERY);
    assert_non_null(strstr(message, test_endpoint_name(endpoint)));
    shoal_client_free(client);
    test_endpoint_stop(endpoint);
}

/* Whatever listens there on this machine, it is port 11211 that is asked. */
static void the_port_is_11211_where_none_is_given(void **state) {
    (void)state;
    shoal_client *client = test_client("127.0.0.1", "operation_timeout_ms=8000");
    char names[TEST_NODES_SIZE], message[TEST_MESSAGE_SIZE] = "";
    test_nodes(client, names);
    if (names[0] == '\0')
        test_read(client, "key", message);
    assert_true(names[0] != '\0' || strstr(message, "127.0.0.1:11211") != NULL);
    shoal_client_free(client);
}

static void the_first_endpoint_that_answers_is_enough(void **state) {
    (void)state;
    struct test_endpoint *alive = start_endpoint(3, "a|127.0.0.1|1"), *odd = test_endpoint_start();
    char dead[32], text[128];
    snprintf(dead, sizeof(dead), "127.0.0.1:%u", test_free_port());
    test_endpoint_set_config(odd, "HELLO\r\n");
    set_text(text, "elasticache://%s,%s", dead, test_endpoint_name(alive));
    check_version_through(text, OPTIONS, 3);
    set_text(text, "elasticache://%s,%s", test_endpoint_name(odd), test_endpoint_name(alive));
    check_version_through(text, OPTIONS, 3);
    set_text(text, "elasticache://no-such-name.invalid:1,%s%s", test_endpoint_name(alive), "");
    check_version_through(text, OPTIONS "&discovery_timeout_ms=6000", 3);
    test_endpoint_stop(alive);
    test_endpoint_stop(odd);
}

static void a_silent_endpoint_leaves_time_for_the_next(void **state) {
    (void)state;
    struct test_endpoint *alive = start_endpoint(3, "a|127.0.0.1|1"), *silent = test_endpoint_start();
    char text[128];
    test_endpoint_set_hang(silent, true);
    set_text(text, "elasticache://%s,%s", test_endpoint_name(silent), test_endpoint_name(alive));
    check_version_through(text, OPTIONS "&discovery_timeout_ms=600", 3);
    test_endpoint_stop(alive);
    test_endpoint_stop(silent);
}

static void an_older_list_of_the_second_endpoint_is_not_believed_at_once(void **state) {
    (void)state;
    struct test_endpoint *first = start_endpoint(5, "a|127.0.0.1|1"), *second = start_endpoint(4, "b|127.0.0.1|2");
    char text[128];
    set_text(text, "elasticache://%s,%s", test_endpoint_name(first), test_endpoint_name(second));
    shoal_client *client = test_client(text, OPTIONS "&discovery_interval_ms=200");
    assert_int_equal(test_version(client), 5);
    assert_int_equal(test_endpoint_polls(second), 0);
    test_endpoint_set_config(first, "HELLO\r\n");
    while (test_version(client) == 5 && test_endpoint_polls(second) < 10)
        test_sleep_ms(1);
    assert_int_equal(test_version(client), 4);
    assert_in_range(test_endpoint_polls(second), 3, 4);
    shoal_client_free(client);
    test_endpoint_stop(first);
    test_endpoint_stop(second);
}

static void a_first_discovery_that_failed_heals(void **state) {
    (void)state;
    uint16_t port = test_free_port();
    char name[32];
    snprintf(name, sizeof(name), "127.0.0.1:%u", port);
    shoal_client *client = test_client(name, OPTIONS);
    assert_int_equal(test_read(client, "key", NULL), SHOAL_E_DISCOVERY);
    struct test_endpoint *endpoint = test_endpoint_start_at("127.0.0.1", port);
    assert_non_null(endpoint);
    test_endpoint_set_nodes(endpoint, 3, "a|127.0.0.1|1");
    assert_true(test_sees_version(client, 3));
    assert_true(test_meets_event(client, SHOAL_EVENT_DISCOVERY_FAILED, NULL));
    assert_true(test_meets_event(client, SHOAL_EVENT_DISCOVERY_RECOVERED, NULL));
    shoal_client_free(client);
    test_endpoint_stop(endpoint);
}

static void healing_takes_no_call(void **state) {
    (void)state;
    struct test_endpoint *endpoint = test_endpoint_start();
    test_endpoint_set_config(endpoint, "HELLO\r\n");
    shoal_client *client = test_client(test_endpoint_name(endpoint), OPTIONS);
    assert_int_equal(test_read(client, "key", NULL), SHOAL_E_DISCOVERY);
    assert_true(test_polled(endpoint, 3));
    test_endpoint_set_nodes(endpoint, 3, "a|127.0.0.1|1");
    assert_true(test_meets_event(client, SHOAL_EVENT_TOPOLOGY_CHANGED, NULL));
    shoal_client_free(client);
    test_endpoint_stop(endpoint);
}

/* The failures of a client's life may be few: what it knew must outlive its endpoint. */
static void an_endpoint_that_dies_takes_nothing_away(void **state) {
    (void)state;
    struct test_memcached server = test_memcached_start(0);
    struct test_endpoint *endpoint = test_endpoint_start();
    char nodes[64];
    snprintf(nodes, sizeof(nodes), "localhost|127.0.0.1|%u", server.port);
    test_endpoint_set_nodes(endpoint, 3, nodes);
    shoal_client *client = test_client(test_endpoint_name(endpoint), OPTIONS);
    assert_true(test_works(client));
    test_endpoint_stop(endpoint);
    assert_true(test_meets_event(client, SHOAL_EVENT_DISCOVERY_FAILED, NULL));
    assert_true(test_works(client));
    assert_int_equal(test_version(client), 3);
    shoal_client_free(client);
    test_memcached_stop(&server);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_host_name_is_resolved),
        cmocka_unit_test(an_ipv6_endpoint_is_asked),
        cmocka_unit_test(an_ipv6_endpoint_is_shown_in_brackets),
        cmocka_unit_test(the_port_is_11211_where_none_is_given),
        cmocka_unit_test(the_first_endpoint_that_answers_is_enough),
        cmocka_unit_test(a_silent_endpoint_leaves_time_for_the_next),
        cmocka_unit_test(an_older_list_of_the_second_endpoint_is_not_believed_at_once),
        cmocka_unit_test(a_first_discovery_that_failed_heals),
        cmocka_unit_test(healing_takes_no_call),
        cmocka_unit_test(an_endpoint_that_dies_takes_nothing_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
