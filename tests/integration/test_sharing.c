/* Clients that share: those of one endpoint and the same connection options have one discovery and one set of
 * connections, and shoal_client_shared gives the process's own client.
 * labels: valgrind
 * May include: the public headers, support/. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/fleets.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define OPTIONS "operation_timeout_ms=60000"

static struct test_fleet fleet;
static struct test_endpoint *endpoint;

static int start(void **state) {
    (void)state;
    test_fleet_start(&fleet, 1);
    endpoint = test_endpoint_start();
    test_fleet_announce(&fleet, endpoint, 1);
    return 0;
}

static int stop(void **state) {
    (void)state;
    test_endpoint_stop(endpoint);
    test_fleet_stop(&fleet);
    return 0;
}

/* How many connections two clients make when they take turns: one where they share, else two. */
static int connections_of(shoal_client *one, shoal_client *other) {
    assert_int_equal(test_set(one, "key", "x"), SHOAL_OK);
    assert_int_equal(test_set(other, "key", "x"), SHOAL_OK);
    return test_connections_to(fleet.nodes[0].port);
}

static void assert_share(const char *options, const char *other_options, bool expected) {
    shoal_client *one = test_client(fleet.endpoint, options);
    shoal_client *other = test_client(fleet.endpoint, other_options);
    int count = connections_of(one, other);
    if (count != (expected ? 1 : 2))
        fail_msg("%s and %s: %d connections", options, other_options, count);
    shoal_client_close(one);
    assert_int_equal(test_connections_to(fleet.nodes[0].port), 1);
    assert_true(test_holds(other, "key", "x"));
    shoal_client_close(other);
    assert_int_equal(test_connections_to(fleet.nodes[0].port), 0);
    shoal_client_free(one);
    shoal_client_free(other);
}

static void options_of_the_client_alone_share(void **state) {
    (void)state;
    assert_share(OPTIONS, OPTIONS, true);
    assert_share(OPTIONS "&key_prefix=a:", OPTIONS "&key_prefix=b:", true);
    assert_share(OPTIONS, "operation_timeout_ms=59999", true);
    assert_share(OPTIONS, OPTIONS "&long_keys=hash", true);
}

static void options_of_the_fleet_do_not_share(void **state) {
    (void)state;
    assert_share(OPTIONS, OPTIONS "&distribution=modula", false);
    assert_share(OPTIONS, OPTIONS "&lanes_per_node=3", false);
    assert_share(OPTIONS, OPTIONS "&connect_timeout_ms=201", false);
}

static void a_prefix_keeps_apart_those_that_share(void **state) {
    (void)state;
    shoal_client *one = test_client(fleet.endpoint, OPTIONS "&key_prefix=a:");
    shoal_client *other = test_client(fleet.endpoint, OPTIONS "&key_prefix=b:");
    assert_int_equal(test_set(one, "k", "of one"), SHOAL_OK);
    assert_int_equal(test_set(other, "k", "of the other"), SHOAL_OK);
    assert_true(test_holds(one, "k", "of one") && test_holds(other, "k", "of the other"));
    shoal_client_free(one);
    shoal_client_free(other);
}

static void ten_clients_make_one_discovery(void **state) {
    (void)state;
    shoal_client *clients[10];
    unsigned polls = test_endpoint_polls(endpoint);
    for (int i = 0; i < 10; i++) {
        char options[64];
        snprintf(options, sizeof(options), OPTIONS "&key_prefix=%d:", i);
        clients[i] = test_client(test_endpoint_name(endpoint), options);
        assert_int_equal(test_set(clients[i], "key", "x"), SHOAL_OK);
    }
    assert_int_equal(test_endpoint_polls(endpoint) - polls, 1);
    assert_int_equal(test_connections_to(fleet.nodes[0].port), 1);
    for (int i = 0; i < 10; i++)
        shoal_client_free(clients[i]);
}

static void a_query_is_the_same_as_options(void **state) {
    (void)state;
    char queried[400];
    snprintf(queried, sizeof(queried), "%s?connect_timeout_ms=1234&operation_timeout_ms=60000", fleet.endpoint);
    shoal_client *one = test_client(queried, "tcp_keepalive=true");
    shoal_client *other = test_client(fleet.endpoint, OPTIONS "&connect_timeout_ms=1234");
    assert_int_equal(connections_of(one, other), 1);
    shoal_client_free(one);
    shoal_client_free(other);
}

static void a_fleet_whose_clients_are_all_closed_begins_anew(void **state) {
    (void)state;
    for (int i = 0; i < 3; i++) {
        unsigned polls = test_endpoint_polls(endpoint);
        shoal_client *client = test_client(test_endpoint_name(endpoint), OPTIONS);
        assert_int_equal(test_set(client, "key", "x"), SHOAL_OK);
        assert_int_equal(test_endpoint_polls(endpoint) - polls, 1);
        shoal_client_free(client);
        assert_int_equal(test_connections_to(fleet.nodes[0].port), 0);
    }
}

/* --- The process's own client --- */

static shoal_client *shared(const char *options) {
    char text[400];
    shoal_client *client = NULL;
    snprintf(text, sizeof(text), "%s?%s", fleet.endpoint, options);
    shoal_config *config = test_config(text);
    assert_int_equal(shoal_client_shared(config, &client, NULL), SHOAL_OK);
    shoal_config_free(config);
    return client;
}

static void a_shared_client_is_always_the_same(void **state) {
    (void)state;
    shoal_client *one = shared(OPTIONS);
    shoal_client *other = shared(OPTIONS);
    shoal_client *prefixed = shared(OPTIONS "&key_prefix=p:");
    assert_ptr_equal(one, other);
    assert_true(one != prefixed);
    assert_int_equal(connections_of(one, prefixed), 1);
    shoal_client_free(one);
    shoal_client_free(other);
    assert_ptr_equal(shared(OPTIONS "&key_prefix=p:"), prefixed);
    shoal_client_free(prefixed);
    shoal_client_free(prefixed);
}

static void a_shared_client_survives_its_release(void **state) {
    (void)state;
    shoal_client *first = shared(OPTIONS);
    assert_int_equal(test_set(first, "key", "x"), SHOAL_OK);
    shoal_client_free(first);
    assert_int_equal(test_connections_to(fleet.nodes[0].port), 1);
    shoal_client *again = shared(OPTIONS);
    assert_ptr_equal(again, first);
    assert_true(test_holds(again, "key", "x"));
    assert_int_equal(test_connections_to(fleet.nodes[0].port), 1);
    shoal_client_free(again);
}

static void a_closed_shared_client_is_replaced(void **state) {
    (void)state;
    shoal_client *closed = shared(OPTIONS);
    shoal_client_close(closed);
    shoal_client *fresh = shared(OPTIONS);
    assert_true(fresh != closed);
    assert_int_equal(test_set(fresh, "key", "x"), SHOAL_OK);
    assert_int_equal(test_set(closed, "key", "x"), SHOAL_E_CLOSED);
    shoal_client_free(closed);
    assert_true(test_holds(fresh, "key", "x"));
    assert_ptr_equal(shared(OPTIONS), fresh);
    shoal_client_free(fresh);
    shoal_client_free(fresh);
}

static void a_query_finds_the_same_shared_client(void **state) {
    (void)state;
    shoal_client *by_options = NULL;
    shoal_client *by_query = shared(OPTIONS "&key_prefix=q:");
    shoal_config *config = test_config(fleet.endpoint);
    assert_int_equal(shoal_config_set(config, "operation_timeout_ms", "60000", NULL), SHOAL_OK);
    assert_int_equal(shoal_config_set(config, "key_prefix", "q:", NULL), SHOAL_OK);
    assert_int_equal(shoal_client_shared(config, &by_options, NULL), SHOAL_OK);
    assert_ptr_equal(by_options, by_query);
    shoal_config_free(config);
    shoal_client_free(by_options);
    shoal_client_free(by_query);
}

/* A child's own client is its own: it does not take what its parent holds apart. */
static void a_child_has_shared_clients_of_its_own(void **state) {
    (void)state;
    shoal_client *client = shared(OPTIONS);
    int status = -1;
    assert_int_equal(test_set(client, "key", "x"), SHOAL_OK);
    pid_t child = fork();
    if (child == 0) {
        shoal_client *own = shared(OPTIONS);
        bool fine = test_holds(own, "key", "x") && shared(OPTIONS) == own && test_holds(client, "key", "x");
        shoal_client_close(own);
        _exit(!(fine && test_get(own, "key") == SHOAL_E_CLOSED));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_true(test_holds(client, "key", "x"));
    shoal_client_free(client);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_of_the_client_alone_share),
        cmocka_unit_test(options_of_the_fleet_do_not_share),
        cmocka_unit_test(a_prefix_keeps_apart_those_that_share),
        cmocka_unit_test(ten_clients_make_one_discovery),
        cmocka_unit_test(a_query_is_the_same_as_options),
        cmocka_unit_test(a_fleet_whose_clients_are_all_closed_begins_anew),
        cmocka_unit_test(a_shared_client_is_always_the_same),
        cmocka_unit_test(a_shared_client_survives_its_release),
        cmocka_unit_test(a_closed_shared_client_is_replaced),
        cmocka_unit_test(a_query_finds_the_same_shared_client),
        cmocka_unit_test(a_child_has_shared_clients_of_its_own),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
