/* A node whose name stays and whose address changes: its keys stay its own, and calls go to the new place.
 * May include: the public headers, support/, cmocka. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <shoal/shoal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "support/clients.h"

#define OPTIONS "discovery_interval_ms=30&operation_timeout_ms=5000"
#define KEYS 500

/* A node that holds nothing, and counts what it is asked. */
static enum test_answer answer_reads(struct test_script *script, const char *line, void *context) {
    atomic_fetch_add((atomic_uint *)context, 1);
    return test_script_say_miss(script, line);
}

static void set_address(struct test_endpoint *endpoint, uint64_t version, const char *address, unsigned port) {
    char nodes[128];
    snprintf(nodes, sizeof(nodes), "a.internal|%s|%u b.internal|127.0.0.3|1 c.internal|127.0.0.4|1", address, port);
    test_endpoint_set_nodes(endpoint, version, nodes);
}

/* How many of the keys have another node after a's address has changed. */
static int count_moved(const char *options) {
    struct test_endpoint *endpoint = test_endpoint_start();
    char before[KEYS];
    int moved = 0;
    set_address(endpoint, 1, "127.0.0.1", 1);
    shoal_client *client = test_client(test_endpoint_name(endpoint), options);
    for (int pass = 0; pass < 2; pass++) {
        set_address(endpoint, (uint64_t)pass + 1, pass ? "127.0.0.2" : "127.0.0.1", 1);
        assert_true(test_sees_version(client, (uint64_t)pass + 1));
        for (int i = 0; i < KEYS; i++) {
            char key[32], name[300];
            snprintf(key, sizeof(key), "key-%d", i);
            test_route(client, key, name);
            moved += pass == 1 && name[0] != before[i];
            before[i] = name[0];
        }
    }
    shoal_client_free(client);
    test_endpoint_stop(endpoint);
    return moved;
}

static void by_host_name_no_key_moves_with_an_address(void **state) {
    (void)state;
    assert_int_equal(count_moved(OPTIONS), 0);
    assert_int_equal(count_moved(OPTIONS "&ring_identity=hostname"), 0);
}

static void by_address_keys_move_with_it(void **state) {
    (void)state;
    assert_in_range(count_moved(OPTIONS "&ring_identity=ip"), KEYS / 10, KEYS / 2);
}

static void calls_follow_the_address(void **state) {
    (void)state;
    atomic_uint old_reads = 0, new_reads = 0;
    struct test_script *old_node = test_script_start(answer_reads, &old_reads);
    struct test_script *new_node =
        test_script_start_at("127.0.0.2", test_script_port(old_node), answer_reads, &new_reads);
    if (new_node == NULL)
        skip();
    struct test_endpoint *endpoint = test_endpoint_start();
    char nodes[64];
    snprintf(nodes, sizeof(nodes), "a.internal|127.0.0.1|%u", test_script_port(old_node));
    test_endpoint_set_nodes(endpoint, 1, nodes);
    shoal_client *client = test_client(test_endpoint_name(endpoint), OPTIONS);
    assert_int_equal(test_read(client, "key", NULL), SHOAL_NOT_FOUND);
    assert_int_equal(atomic_load(&new_reads), 0);
    snprintf(nodes, sizeof(nodes), "a.internal|127.0.0.2|%u", test_script_port(old_node));
    test_endpoint_set_nodes(endpoint, 2, nodes);
    assert_true(test_sees_version(client, 2));
    unsigned reads = atomic_load(&old_reads);
    for (int i = 0; i < 10; i++)
        assert_int_equal(test_read(client, "key", NULL), SHOAL_NOT_FOUND);
    assert_true(atomic_load(&new_reads) >= 10);
    assert_true(atomic_load(&old_reads) <= reads + 1); /* it may be told to quit */
    shoal_client_free(client);
    test_endpoint_stop(endpoint);
    test_script_stop(old_node);
    test_script_stop(new_node);
}

static void a_dead_address_is_no_end_where_the_name_still_leads_on(void **state) {
    (void)state;
    struct test_memcached server = test_memcached_start(0);
    struct test_endpoint *endpoint = test_endpoint_start();
    char nodes[64];
    snprintf(nodes, sizeof(nodes), "localhost|127.0.0.9|%u", server.port);
    test_endpoint_set_nodes(endpoint, 1, nodes);
    shoal_client *client = test_client(test_endpoint_name(endpoint), OPTIONS);
    assert_true(test_works(client));
    shoal_client_free(client);
    test_endpoint_stop(endpoint);
    test_memcached_stop(&server);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_host_name_no_key_moves_with_an_address),
        cmocka_unit_test(by_address_keys_move_with_it),
        cmocka_unit_test(calls_follow_the_address),
        cmocka_unit_test(a_dead_address_is_no_end_where_the_name_still_leads_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
