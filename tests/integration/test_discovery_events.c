/* The events that discovery leaves for each client's owner: in order, once, and none lost without a count.
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

#define OPTIONS "discovery_interval_ms=30&operation_timeout_ms=5000"

static void events_come_in_their_order(void **state) {
    (void)state;
    static const int wanted[] = {SHOAL_EVENT_TOPOLOGY_CHANGED, SHOAL_EVENT_DISCOVERY_FAILED,
                                 SHOAL_EVENT_DISCOVERY_RECOVERED, SHOAL_EVENT_TOPOLOGY_CHANGED,
                                 SHOAL_EVENT_TOPOLOGY_CHANGED};
    static const uint64_t versions[] = {1, 1, 1, 2, 3};
    struct test_endpoint *endpoint = test_endpoint_start();
    test_endpoint_set_nodes(endpoint, 1, "a|127.0.0.1|1");
    shoal_client *client = test_client(test_endpoint_name(endpoint), OPTIONS);
    assert_int_equal(test_version(client), 1);
    test_endpoint_set_config(endpoint, "HELLO\r\n");
    assert_true(test_polled(endpoint, 3));
    for (uint64_t version = 2; version <= 3; version++) {
        test_endpoint_set_nodes(endpoint, version, "b|127.0.0.1|2");
        assert_true(test_sees_version(client, version));
    }
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        shoal_event *event = NULL;
        assert_int_equal(shoal_client_next_event(client, &event, NULL), SHOAL_OK);
        assert_int_equal(shoal_event_kind(event), wanted[i]);
        assert_int_equal(shoal_event_version(event), versions[i]);
        assert_int_equal(shoal_event_dropped(event), 0);
        assert_true(strlen(shoal_event_message(event)) > 0);
        shoal_event_free(event);
    }
    assert_int_equal(test_count_events(client, 0), 0);
    shoal_client_free(client);
    test_endpoint_stop(endpoint);
}

/* More than the 256 that are kept. */
static void what_a_slow_reader_misses_is_counted(void **state) {
    (void)state;
    struct test_endpoint *endpoint = test_endpoint_start();
    const char *options = "discovery_interval_ms=10&discovery_jitter=0&operation_timeout_ms=5000";
    shoal_client *client = test_client(test_endpoint_name(endpoint), options);
    for (uint64_t version = 1; version <= 300; version++) {
        test_endpoint_set_nodes(endpoint, version, "a|127.0.0.1|1");
        assert_true(test_sees_version(client, version));
    }
    shoal_event *event = NULL;
    assert_int_equal(shoal_client_next_event(client, &event, NULL), SHOAL_OK);
    uint64_t dropped = shoal_event_dropped(event), version = shoal_event_version(event);
    shoal_event_free(event);
    assert_in_range(dropped, 300 - 256, 310 - 256); /* more where a poll failed by chance */
    assert_in_range(version, 300 - 256 - 10, 300 - 256 + 1);
    unsigned left = 0;
    for (; shoal_client_next_event(client, &event, NULL) == SHOAL_OK; left++) {
        assert_int_equal(shoal_event_dropped(event), 0);
        assert_true(shoal_event_version(event) >= version);
        version = shoal_event_version(event);
        shoal_event_free(event);
    }
    assert_int_equal(left, 255);
    assert_int_equal(version, 300);
    shoal_client_free(client);
    test_endpoint_stop(endpoint);
}

static void each_client_of_a_fleet_reads_all_events(void **state) {
    (void)state;
    struct test_endpoint *endpoint = test_endpoint_start();
    test_endpoint_set_nodes(endpoint, 1, "a|127.0.0.1|1");
    shoal_client *one = test_client(test_endpoint_name(endpoint), OPTIONS "&key_prefix=one:");
    shoal_client *two = test_client(test_endpoint_name(endpoint), OPTIONS "&key_prefix=two:");
    assert_int_equal(test_version(one), 1);
    assert_int_equal(test_count_events(one, SHOAL_EVENT_TOPOLOGY_CHANGED), 1);
    assert_int_equal(test_count_events(two, SHOAL_EVENT_TOPOLOGY_CHANGED), 1);
    assert_int_equal(test_count_events(one, SHOAL_EVENT_TOPOLOGY_CHANGED), 0);
    shoal_client_free(one);
    shoal_client_free(two);
    test_endpoint_stop(endpoint);
}

static void a_nodes_failure_is_told_once(void **state) {
    (void)state;
    struct test_endpoint *endpoint = test_endpoint_start();
    char nodes[64], name[64], message[TEST_MESSAGE_SIZE];
    uint16_t port = test_free_port();
    snprintf(nodes, sizeof(nodes), "127.0.0.1|127.0.0.1|%u", port);
    snprintf(name, sizeof(name), "127.0.0.1:%u", port);
    test_endpoint_set_nodes(endpoint, 1, nodes);
    shoal_client *client = test_client(test_endpoint_name(endpoint), OPTIONS);
    for (int i = 0; i < 20; i++)
        assert_int_equal(test_read(client, "key", NULL), SHOAL_E_NODE_DOWN);
    assert_true(test_meets_event(client, SHOAL_EVENT_NODE_FAILED, message));
    assert_non_null(strstr(message, name));
    assert_int_equal(test_count_events(client, SHOAL_EVENT_NODE_FAILED), 0);
    shoal_client_free(client);
    test_endpoint_stop(endpoint);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_come_in_their_order),
        cmocka_unit_test(what_a_slow_reader_misses_is_counted),
        cmocka_unit_test(each_client_of_a_fleet_reads_all_events),
        cmocka_unit_test(a_nodes_failure_is_told_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
