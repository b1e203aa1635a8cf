/* Keys on their way: what bytes they may hold, what is sent for them, and to which node.
 * labels: valgrind transports tls
 * May include: the public headers, support/. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/fleets.h"

#include <stdio.h>
#include <string.h>

static struct test_fleet fleet;
static shoal_client *client;

static int start(void **state) {
    (void)state;
    test_fleet_start(&fleet, 4);
    client = test_client(fleet.endpoint, "operation_timeout_ms=20000");
    return 0;
}

static int stop(void **state) {
    (void)state;
    shoal_client_free(client);
    test_fleet_stop(&fleet);
    return 0;
}

/* Whether exactly one node of the fleet holds an item under this key, and which. */
static bool is_held_once(const char *key, size_t *place) {
    int count = 0;
    for (size_t i = 0; i < fleet.count; i++)
        if (test_node_holds(fleet.nodes[i].port, key)) {
            *place = i;
            count++;
        }
    return count == 1;
}

static void assert_travels(shoal_client *by, const char *key, const char *sent) {
    size_t place = 0;
    assert_int_equal(test_set(by, key, "x"), SHOAL_OK);
    assert_true(test_holds(by, key, "x"));
    assert_true(is_held_once(sent, &place));
}

static void utf_8_is_sent_as_it_is(void **state) {
    (void)state;
    static const char key[] = "schl\xc3\xbcssel-\xe9\x8d\xb5-\xf0\x9f\x94\x91";
    assert_travels(client, key, key);
}

static void any_byte_above_the_controls_is_sent_as_it_is(void **state) {
    (void)state;
    char key[256];
    size_t size = 0;
    for (int byte = 0x21; byte <= 0xff; byte++)
        if (byte != 0x7f)
            key[size++] = (char)byte;
    key[size] = '\0';
    assert_int_equal(size, 222);
    assert_travels(client, key, key);
    assert_travels(client, "\xff", "\xff");
}

static void a_key_may_have_250_bytes_with_its_prefix(void **state) {
    (void)state;
    char key[252] = {0};
    char sent[300];
    shoal_client *prefixed = test_client(fleet.endpoint, "operation_timeout_ms=20000&key_prefix=ten-bytes:");
    memset(key, 'k', 250);
    assert_travels(client, key, key);
    key[240] = '\0';
    snprintf(sent, sizeof(sent), "ten-bytes:%s", key);
    assert_travels(prefixed, key, sent);
    key[240] = 'k';
    assert_int_equal(test_set(prefixed, key, "x"), SHOAL_E_BAD_KEY);
    key[250] = 'k';
    assert_int_equal(test_set(client, key, "x"), SHOAL_E_BAD_KEY);
    shoal_client_free(prefixed);
}

static void a_prefix_goes_before_the_key_in_every_call(void **state) {
    (void)state;
    uint64_t initial = 5;
    size_t place = 0;
    shoal_client *prefixed = test_client(fleet.endpoint, "operation_timeout_ms=20000&key_prefix=p:");
    assert_travels(prefixed, "key", "p:key");
    assert_int_equal(test_get(client, "key"), SHOAL_NOT_FOUND);
    assert_int_equal(shoal_increment(prefixed, "count", 5, 1, &initial, 0, NULL, NULL), SHOAL_OK);
    assert_true(is_held_once("p:count", &place));
    assert_int_equal(shoal_touch(prefixed, "key", 3, 1000, NULL), SHOAL_OK);
    assert_true(is_held_once("p:key", &place));
    assert_true(test_node_ttl(fleet.nodes[place].port, "p:key") > 900);
    assert_int_equal(shoal_delete(prefixed, "key", 3, NULL), SHOAL_OK);
    assert_false(is_held_once("p:key", &place));
    shoal_client_free(prefixed);
}

/* What libmemcached's own client does with OPT_PREFIX_KEY: an item keeps its place when a prefix comes. */
static void a_prefix_does_not_move_a_key(void **state) {
    (void)state;
    char key[32];
    shoal_client *prefixed = test_client(fleet.endpoint, "operation_timeout_ms=20000&key_prefix=other:");
    for (int i = 0; i < 50; i++) {
        snprintf(key, sizeof(key), "place-%d", i);
        assert_int_equal(test_fleet_place(&fleet, client, key), test_fleet_place(&fleet, prefixed, key));
    }
    shoal_client_free(prefixed);
}

static void a_long_key_is_hashed_where_asked(void **state) {
    (void)state;
    char key[301] = {0};
    shoal_client *hashing = test_client(fleet.endpoint, "operation_timeout_ms=20000&key_prefix=p:&long_keys=hash");
    memset(key, 'a', 300);
    assert_travels(hashing, key, "p::md5:4e5475d125a33c6190718e75adc1b704");
    key[248] = '\0';
    char sent[400];
    snprintf(sent, sizeof(sent), "p:%s", key);
    assert_travels(hashing, key, sent);
    key[248] = 'a';
    key[249] = ' ';
    assert_int_equal(test_set(hashing, key, "x"), SHOAL_E_BAD_KEY);
    shoal_client_free(hashing);
}

static void assert_route_tells_the_holder(shoal_client *by, const char *name) {
    char key[32];
    size_t used[TEST_FLEET_MAX] = {0};
    for (int i = 0; i < test_rounds(300); i++) {
        size_t place = 0;
        snprintf(key, sizeof(key), "%s-%d", name, i);
        assert_int_equal(test_set(by, key, "x"), SHOAL_OK);
        assert_true(is_held_once(key, &place));
        assert_int_equal(test_fleet_place(&fleet, by, key), place);
        used[place]++;
    }
    for (size_t i = 0; i < fleet.count && test_rounds(300) >= 100; i++)
        assert_true(used[i] > 0);
}

static void route_tells_the_node_that_holds_the_item(void **state) {
    (void)state;
    assert_route_tells_the_holder(client, "ketama");
}

static void route_tells_it_with_modula_too(void **state) {
    (void)state;
    shoal_client *modula = test_client(fleet.endpoint, "operation_timeout_ms=20000&distribution=modula");
    assert_route_tells_the_holder(modula, "modula");
    shoal_client_free(modula);
}

static void a_topology_is_the_list_in_its_order(void **state) {
    (void)state;
    shoal_topology *topology = NULL;
    assert_int_equal(shoal_client_topology(client, &topology, NULL), SHOAL_OK);
    assert_int_equal(shoal_topology_version(topology), 0);
    assert_int_equal(shoal_topology_node_count(topology), fleet.count);
    for (size_t i = 0; i < fleet.count; i++) {
        const shoal_node *node = shoal_topology_node_at(topology, i);
        assert_string_equal(shoal_node_name(node), fleet.nodes[i].name);
        assert_string_equal(shoal_node_host(node), "127.0.0.1");
        assert_int_equal(shoal_node_port(node), fleet.nodes[i].port);
        assert_int_equal(shoal_node_weight(node), 1);
    }
    assert_null(shoal_topology_node_at(topology, fleet.count));
    shoal_topology_free(topology);
}

/* A garbage collector frees in any order. */
static void a_node_and_a_topology_outlive_their_client(void **state) {
    (void)state;
    shoal_node *node = NULL;
    shoal_topology *topology = NULL;
    shoal_client *brief = test_client(fleet.endpoint, "operation_timeout_ms=19999");
    assert_int_equal(shoal_route(brief, "key", 3, &node, NULL), SHOAL_OK);
    assert_int_equal(shoal_client_topology(brief, &topology, NULL), SHOAL_OK);
    shoal_client_free(brief);
    assert_string_equal(shoal_node_host(node), "127.0.0.1");
    assert_int_equal(shoal_topology_node_count(topology), fleet.count);
    shoal_topology_free(topology);
    assert_string_equal(shoal_node_host(node), "127.0.0.1");
    shoal_node_free(node);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf_8_is_sent_as_it_is),
        cmocka_unit_test(any_byte_above_the_controls_is_sent_as_it_is),
        cmocka_unit_test(a_key_may_have_250_bytes_with_its_prefix),
        cmocka_unit_test(a_prefix_goes_before_the_key_in_every_call),
        cmocka_unit_test(a_prefix_does_not_move_a_key),
        cmocka_unit_test(a_long_key_is_hashed_where_asked),
        cmocka_unit_test(route_tells_the_node_that_holds_the_item),
        cmocka_unit_test(route_tells_it_with_modula_too),
        cmocka_unit_test(a_topology_is_the_list_in_its_order),
        cmocka_unit_test(a_node_and_a_topology_outlive_their_client),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
