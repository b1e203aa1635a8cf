/* Topologies: what they tell, who keeps them alive. And values, which live and die in the same way.
 * May include: the core's internals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "logic/topology.h"
#include "logic/value.h"

#include <string.h>

static struct shoal__node_list list;

static int set_up(void **state) {
    (void)state;
    memset(&list, 0, sizeof(list));
    assert_true(shoal__node_list_add(&list, "a.example", 9, "10.0.0.1", 8, 11211, 1));
    assert_true(shoal__node_list_add(&list, "b.example", 9, "10.0.0.2", 8, 11212, 2));
    assert_true(shoal__node_list_add(&list, "::1", 3, "", 0, 11213, 1));
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    shoal__node_list_clear(&list);
    return 0;
}

static shoal_topology *make(uint64_t version, bool by_address) {
    struct shoal__placement placement = {.distribution = shoal__distribution_find("ketama_weighted"),
                                         .by_address = by_address};
    shoal_topology *topology = shoal__topology_new(version, &list, &placement);
    assert_non_null(topology);
    return topology;
}

static void test_a_topology_tells_its_nodes(void **state) {
    (void)state;
    shoal_topology *topology = make(12, false);
    assert_int_equal(shoal_topology_version(topology), 12);
    assert_int_equal(shoal_topology_node_count(topology), 3);
    const shoal_node *node = shoal_topology_node_at(topology, 1);
    assert_string_equal(shoal_node_name(node), "b.example:11212");
    assert_string_equal(shoal_node_host(node), "b.example");
    assert_string_equal(shoal_node_address(node), "10.0.0.2");
    assert_int_equal(shoal_node_port(node), 11212);
    assert_int_equal(shoal_node_weight(node), 2);
    assert_string_equal(shoal_node_name(shoal_topology_node_at(topology, 2)), "[::1]:11213");
    assert_null(shoal_topology_node_at(topology, 3));
    shoal_topology_free(topology);
}

static void test_a_shared_node_keeps_its_topology_alive(void **state) {
    (void)state;
    shoal_topology *topology = make(1, false);
    shoal_node *node = shoal__topology_share_node(topology, 0);
    shoal_topology_free(topology);
    assert_string_equal(shoal_node_host(node), "a.example");
    shoal_node_free(node);
}

static void test_a_topology_matches_what_it_was_made_of_alone(void **state) {
    (void)state;
    shoal_topology *topology = make(1, false);
    assert_true(shoal__topology_matches(topology, &list));
    struct shoal__node_list other = {0};
    assert_true(shoal__node_list_copy(&other, &list));
    other.nodes[1].address[7] = '9';
    assert_false(shoal__topology_matches(topology, &other));
    other.count--;
    assert_false(shoal__topology_matches(topology, &other));
    other.count++;
    shoal__node_list_clear(&other);
    shoal_topology_free(topology);
}

/* A new address moves keys where addresses place nodes, and none where names do. */
static void test_the_ring_identity_is_the_name_or_the_address(void **state) {
    (void)state;
    shoal_topology *by_name = make(1, false);
    shoal_topology *by_address = make(1, true);
    list.nodes[0].address[7] = '9';
    shoal_topology *by_name_after = make(2, false);
    shoal_topology *by_address_after = make(2, true);
    size_t moved = 0;
    for (int i = 0; i < 1000; i++) {
        char key[8] = {'k', (char)('a' + i % 26), (char)('a' + i / 26 % 26), (char)('a' + i / 676)};
        assert_int_equal(shoal__topology_route(by_name, key, 4), shoal__topology_route(by_name_after, key, 4));
        moved += shoal__topology_route(by_address, key, 4) != shoal__topology_route(by_address_after, key, 4);
    }
    assert_true(moved > 50);
    shoal_topology_free(by_name);
    shoal_topology_free(by_address);
    shoal_topology_free(by_name_after);
    shoal_topology_free(by_address_after);
}

static void test_nothing_is_told_of_nothing(void **state) {
    (void)state;
    struct shoal__node_list empty = {0};
    struct shoal__placement placement = {.distribution = shoal__distribution_find("modula")};
    assert_null(shoal__topology_new(1, &empty, &placement));
    assert_int_equal(shoal_topology_node_count(NULL), 0);
    assert_int_equal(shoal_topology_version(NULL), 0);
    assert_null(shoal_topology_node_at(NULL, 0));
    assert_string_equal(shoal_node_name(NULL), "");
    assert_string_equal(shoal_node_host(NULL), "");
    assert_string_equal(shoal_node_address(NULL), "");
    assert_int_equal(shoal_node_port(NULL), 0);
    assert_int_equal(shoal_node_weight(NULL), 0);
    shoal_node_free(NULL);
    shoal_topology_free(NULL);
}

static void test_a_freed_value_is_used_again_and_never_too_small(void **state) {
    (void)state;
    for (size_t size = 0; size < 10000; size += 37) {
        shoal_value *value = shoal__value_new(size, (uint32_t)size, size + 1);
        assert_non_null(value);
        memset(shoal__value_bytes(value), 0x5a, size);
        assert_int_equal(shoal_value_size(value), size);
        assert_int_equal(shoal_value_flags(value), size);
        assert_int_equal(shoal_value_cas(value), size + 1);
        assert_non_null(shoal_value_data(value));
        shoal_value_free(value);
    }
    shoal_value *first = shoal__value_new(10, 0, 0);
    shoal_value_free(first);
    shoal_value *second = shoal__value_new(20, 0, 0);
    shoal_value_free(second);
    shoal_value *third = shoal__value_new(30, 0, 0);
    assert_ptr_equal(second, third);
    shoal_value_free(third);
}

static void test_no_value_is_nothing(void **state) {
    (void)state;
    assert_null(shoal_value_data(NULL));
    assert_int_equal(shoal_value_size(NULL), 0);
    assert_int_equal(shoal_value_flags(NULL), 0);
    assert_int_equal(shoal_value_cas(NULL), 0);
    shoal_value_free(NULL);
    assert_null(shoal__value_new(SIZE_MAX - 8, 0, 0));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_topology_tells_its_nodes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_shared_node_keeps_its_topology_alive, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_topology_matches_what_it_was_made_of_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_ring_identity_is_the_name_or_the_address, set_up, tear_down),
        cmocka_unit_test(test_nothing_is_told_of_nothing),
        cmocka_unit_test(test_a_freed_value_is_used_again_and_never_too_small),
        cmocka_unit_test(test_no_value_is_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
