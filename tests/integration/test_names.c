/* Names: of endpoints and of nodes, with one address, several, another than before, or none. Most tests bring their
 * own /etc/hosts and /etc/resolv.conf in a private mount namespace, and are skipped where that is not allowed.
 * May include: the public headers, support/, cmocka. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <shoal/shoal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/clients.h"
#include "support/names.h"

#define OPTIONS "discovery_interval_ms=50&operation_timeout_ms=5000"
#define AT_ONCE_MS 500

static void need_private_names(void) {
    if (!test_names_are_private())
        skip();
}

static enum test_answer answer_reads(struct test_script *script, const char *line, void *context) {
    atomic_fetch_add((atomic_uint *)context, 1);
    return test_script_say_miss(script, line);
}

static uint16_t port_of(const struct test_endpoint *endpoint) {
    return (uint16_t)strtoul(strrchr(test_endpoint_name(endpoint), ':') + 1, NULL, 10);
}

static shoal_client *client_of(const char *format, unsigned port, const char *options) {
    char endpoint[128];
    snprintf(endpoint, sizeof(endpoint), format, port);
    return test_client(endpoint, options);
}

/* --- Names that are there --- */

static void nodes_are_reached_by_name(void **state) {
    (void)state;
    struct test_memcached server = test_memcached_start(0);
    shoal_client *client = client_of("static://localhost:%u", server.port, OPTIONS);
    assert_true(test_works(client));
    shoal_client_free(client);
    client = client_of("localhost:%u", server.port, OPTIONS); /* discovery falls back to it */
    assert_true(test_works(client));
    shoal_client_free(client);
    test_memcached_stop(&server);
}

static bool works(void *context) {
    return test_works(context);
}

static void where_a_name_led_is_kept_for_the_next_connection(void **state) {
    (void)state;
    need_private_names();
    struct test_memcached server = test_memcached_start(0);
    test_names_set("127.0.0.1 node.test\n");
    shoal_client *client = client_of("static://node.test:%u", server.port, OPTIONS);
    assert_true(test_works(client));
    test_names_set("");
    test_memcached_stop(&server);
    server = test_memcached_start(server.port); /* the old connection is lost */
    assert_true(test_eventually(works, client, 5000));
    shoal_client_free(client);
    test_memcached_stop(&server);
}

/* --- Names that are not --- */

static void check_fails_in_time(const char *endpoint, const char *name) {
    shoal_client *client = test_client(endpoint, "operation_timeout_ms=700&discovery_timeout_ms=500");
    char message[TEST_MESSAGE_SIZE];
    int64_t begin_ms = test_now_ms();
    shoal_status status = test_read(client, "key", message);
    assert_true(test_now_ms() - begin_ms < 700 + AT_ONCE_MS);
    assert_true(status == SHOAL_E_NODE_DOWN || status == SHOAL_E_TIMEOUT || status == SHOAL_E_DISCOVERY);
    assert_non_null(strstr(message, name));
    shoal_client_free(client);
}

static void a_name_that_does_not_exist_is_a_clear_error_in_time(void **state) {
    (void)state;
    check_fails_in_time("static://no-such-node.invalid:11211", "no-such-node.invalid");
    check_fails_in_time("no-such-endpoint.invalid:11211", "no-such-endpoint.invalid:11211");
}

static void a_missing_name_server_is_a_clear_error_in_time(void **state) {
    (void)state;
    need_private_names();
    test_names_set("");
    check_fails_in_time("static://node.test:11211", "node.test");
    check_fails_in_time("cfg.test:11211", "cfg.test:11211");
}

/* A name server that takes questions and never answers; -1 where this process may not have one. */
static int listen_as_silent_name_server(void) {
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons(53)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (inet_pton(AF_INET, TEST_NAME_SERVER, &place.sin_addr) == 1 && fd >= 0 &&
        bind(fd, (struct sockaddr *)&place, sizeof(place)) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static void a_silent_name_server_costs_the_calls_own_time(void **state) {
    (void)state;
    need_private_names();
    test_names_set("");
    int fd = listen_as_silent_name_server();
    if (fd < 0)
        skip();
    check_fails_in_time("static://node.test:11211", "node.test");
    check_fails_in_time("cfg.test:11211", "cfg.test:11211");
    close(fd);
}

static void a_silent_name_server_does_not_hold_the_background_up(void **state) {
    (void)state;
    need_private_names();
    test_names_set("");
    int fd = listen_as_silent_name_server();
    if (fd < 0)
        skip();
    struct test_endpoint *endpoint = test_endpoint_start();
    test_endpoint_set_nodes(endpoint, 1, "a|127.0.0.1|1");
    shoal_client *waiting = test_client("cfg.test:11211", "operation_timeout_ms=10&discovery_timeout_ms=60000");
    shoal_client *served = test_client(test_endpoint_name(endpoint), OPTIONS);
    assert_int_equal(test_read(waiting, "key", NULL), SHOAL_E_TIMEOUT);
    int64_t begin_ms = test_now_ms();
    assert_int_equal(test_version(served), 1);
    assert_true(test_now_ms() - begin_ms < AT_ONCE_MS);
    test_endpoint_set_nodes(endpoint, 2, "b|127.0.0.1|2");
    assert_true(test_sees_version(served, 2));
    assert_true(test_now_ms() - begin_ms < 4 * AT_ONCE_MS);
    begin_ms = test_now_ms();
    shoal_quiesce();
    assert_true(test_now_ms() - begin_ms < AT_ONCE_MS);
    shoal_client_free(waiting);
    shoal_client_free(served);
    test_endpoint_stop(endpoint);
    close(fd);
}

/* --- Names with several addresses --- */

/* 127.0.0.2 comes first in the name's addresses, in one order or the other. */
static void check_second_address(struct test_endpoint *alive, const char *hosts, const char *options) {
    test_names_set(hosts);
    shoal_client *client = client_of("cfg.test:%u", port_of(alive), options);
    assert_int_equal(test_version(client), 3);
    shoal_client_free(client);
}

static void each_address_of_an_endpoint_is_tried(void **state) {
    (void)state;
    need_private_names();
    struct test_endpoint *alive = test_endpoint_start();
    test_endpoint_set_nodes(alive, 3, "a|127.0.0.1|1");
    check_second_address(alive, "127.0.0.2 cfg.test\n127.0.0.1 cfg.test\n", OPTIONS);
    check_second_address(alive, "127.0.0.1 cfg.test\n127.0.0.2 cfg.test\n", OPTIONS);
    test_endpoint_stop(alive);
}

static void a_silent_address_leaves_time_for_the_next(void **state) {
    (void)state;
    need_private_names();
    struct test_endpoint *alive = test_endpoint_start();
    struct test_endpoint *silent = test_endpoint_start_at("127.0.0.2", port_of(alive));
    if (silent == NULL)
        skip();
    test_endpoint_set_hang(silent, true);
    test_endpoint_set_nodes(alive, 3, "a|127.0.0.1|1");
    check_second_address(alive, "127.0.0.2 cfg.test\n127.0.0.1 cfg.test\n", OPTIONS "&discovery_timeout_ms=800");
    check_second_address(alive, "127.0.0.1 cfg.test\n127.0.0.2 cfg.test\n", OPTIONS "&discovery_timeout_ms=800");
    test_endpoint_stop(alive);
    test_endpoint_stop(silent);
}

static void each_address_of_a_node_is_tried(void **state) {
    (void)state;
    need_private_names();
    struct test_memcached server = test_memcached_start(0);
    test_names_set("127.0.0.2 node.test\n127.0.0.1 node.test\n");
    shoal_client *client = client_of("static://node.test:%u", server.port, OPTIONS);
    assert_true(test_works(client));
    shoal_client_free(client);
    test_memcached_stop(&server);
}

/* Whichever of its addresses is the one that answers. */
static void a_node_that_was_away_is_found_again_by_each_address(void **state) {
    (void)state;
    need_private_names();
    static const char *const hosts[] = {"127.0.0.2 node.test\n127.0.0.1 node.test\n",
                                        "127.0.0.1 node.test\n127.0.0.2 node.test\n"};
    struct test_memcached server = test_memcached_start(0);
    for (size_t i = 0; i < 2; i++) {
        test_names_set(hosts[i]);
        shoal_client *client = client_of("static://node.test:%u", server.port, OPTIONS);
        assert_true(test_works(client));
        test_memcached_stop(&server);
        assert_true(test_read(client, "key", NULL) < 0);
        server = test_memcached_start(server.port);
        assert_true(test_eventually(works, client, 10000));
        shoal_client_free(client);
    }
    test_memcached_stop(&server);
}

/* The address that refuses is tried first, and last. */
static void what_one_address_says_is_not_hidden_by_another_that_refuses(void **state) {
    (void)state;
    need_private_names();
    static const char *const hosts[] = {"127.0.0.2 node.test\n127.0.0.1 node.test\n",
                                        "127.0.0.1 node.test\n127.0.0.2 node.test\n"};
    static const char *const endpoints[] = {"static://node.test:%u", "node.test:%u"};
    char users[] = "/tmp/shoal-users-XXXXXX";
    int file = mkstemp(users);
    assert_int_equal(write(file, "ann:secret\n", 11), 11);
    close(file);
    struct test_memcached locked = test_memcached_start_with(0, "-Y", users);
    for (size_t i = 0; i < 4; i++) {
        char message[TEST_MESSAGE_SIZE];
        test_names_set(hosts[i / 2]);
        shoal_client *client = client_of(endpoints[i % 2], locked.port, OPTIONS "&user=ann&password=wrong");
        assert_true(test_read(client, "key", message) < 0);
        if (strstr(message, "authentication failed") == NULL)
            fail_msg("%s at %s", message, hosts[i / 2]);
        shoal_client_free(client);
    }
    test_memcached_stop(&locked);
    unlink(users);
}

static void only_the_wanted_family_is_used(void **state) {
    (void)state;
    need_private_names();
    atomic_uint reads_by_ipv4 = 0, reads_by_ipv6 = 0;
    struct test_script *ipv4 = test_script_start(answer_reads, &reads_by_ipv4);
    struct test_script *ipv6 = test_script_start_at("::1", test_script_port(ipv4), answer_reads, &reads_by_ipv6);
    if (ipv6 == NULL)
        skip();
    test_names_set("127.0.0.1 node.test\n::1 node.test\n");
    shoal_client *client = client_of("static://node.test:%u", test_script_port(ipv4), OPTIONS "&address_family=ipv6");
    assert_int_equal(test_read(client, "key", NULL), SHOAL_NOT_FOUND);
    assert_int_equal(atomic_load(&reads_by_ipv4), 0);
    shoal_client_free(client);
    unsigned before = atomic_load(&reads_by_ipv6);
    client = client_of("static://node.test:%u", test_script_port(ipv4), OPTIONS "&address_family=ipv4");
    assert_int_equal(test_read(client, "key", NULL), SHOAL_NOT_FOUND);
    assert_true(atomic_load(&reads_by_ipv4) > 0);
    assert_true(atomic_load(&reads_by_ipv6) <= before + 1); /* the farewell of the first client */
    shoal_client_free(client);
    test_script_stop(ipv4);
    test_script_stop(ipv6);
}

/* --- Names that lead elsewhere than before --- */

static void a_moved_endpoint_may_count_from_one_again(void **state) {
    (void)state;
    need_private_names();
    struct test_endpoint *before = test_endpoint_start();
    struct test_endpoint *after = test_endpoint_start_at("127.0.0.2", port_of(before));
    if (after == NULL)
        skip();
    test_endpoint_set_nodes(before, 50, "a|127.0.0.1|1");
    test_endpoint_set_nodes(after, 1, "b|127.0.0.1|2");
    test_names_set("127.0.0.1 cfg.test\n");
    shoal_client *client = client_of("cfg.test:%u", port_of(before), OPTIONS "&discovery_interval_ms=300");
    assert_int_equal(test_version(client), 50);
    test_names_set("127.0.0.2 cfg.test\n");
    while (test_version(client) == 50 && test_endpoint_polls(after) < 10)
        test_sleep_ms(1);
    assert_int_equal(test_version(client), 1);
    assert_in_range(test_endpoint_polls(after), 1, 2); /* one, and one more if this thread was late */
    shoal_client_free(client);
    test_endpoint_stop(before);
    test_endpoint_stop(after);
}

struct reader {
    shoal_client *client;
    shoal_status wanted;
};

static bool reads_so(void *context) {
    struct reader *reader = context;
    return test_read(reader->client, "key", NULL) == reader->wanted;
}

static void a_node_is_found_again_where_its_name_leads_now(void **state) {
    (void)state;
    need_private_names();
    atomic_uint reads = 0;
    struct test_script *before = test_script_start(answer_reads, &reads);
    struct test_script *after = test_script_start_at("127.0.0.2", test_script_port(before), answer_reads, &reads);
    if (after == NULL)
        skip();
    test_names_set("127.0.0.1 node.test\n");
    struct reader reader = {client_of("static://node.test:%u", test_script_port(before), OPTIONS), SHOAL_NOT_FOUND};
    assert_true(reads_so(&reader));
    test_script_stop(before);
    test_names_set("127.0.0.2 node.test\n");
    assert_true(test_eventually(reads_so, &reader, 5000));
    shoal_client_free(reader.client);
    test_script_stop(after);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_are_reached_by_name),
        cmocka_unit_test(where_a_name_led_is_kept_for_the_next_connection),
        cmocka_unit_test(a_name_that_does_not_exist_is_a_clear_error_in_time),
        cmocka_unit_test(a_missing_name_server_is_a_clear_error_in_time),
        cmocka_unit_test(a_silent_name_server_costs_the_calls_own_time),
        cmocka_unit_test(a_silent_name_server_does_not_hold_the_background_up),
        cmocka_unit_test(each_address_of_an_endpoint_is_tried),
        cmocka_unit_test(a_silent_address_leaves_time_for_the_next),
        cmocka_unit_test(each_address_of_a_node_is_tried),
        cmocka_unit_test(a_node_that_was_away_is_found_again_by_each_address),
        cmocka_unit_test(what_one_address_says_is_not_hidden_by_another_that_refuses),
        cmocka_unit_test(only_the_wanted_family_is_used),
        cmocka_unit_test(a_moved_endpoint_may_count_from_one_again),
        cmocka_unit_test(a_node_is_found_again_where_its_name_leads_now),
    };
    test_names_make_private();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
