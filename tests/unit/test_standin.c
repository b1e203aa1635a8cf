/* Who stands in for a node: any that may, evenly, and always the same.
 * May include: the core's internals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "logic/standin.h"

#include <stdio.h>
#include <string.h>

#define NODES 5
#define KEYS 20000

static uint64_t figures[NODES];

static int name_nodes(void **state) {
    (void)state;
    for (int i = 0; i < NODES; i++) {
        char name[32];
        snprintf(name, sizeof(name), "10.0.0.%d:11211", i);
        figures[i] = shoal__standin_figure(name, strlen(name));
    }
    return 0;
}

/* Which nodes may take a key, a bit each. */
static bool is_up(void *context, size_t node) {
    return *(const unsigned *)context >> node & 1;
}

static size_t choose(int key, unsigned up) {
    char text[32];
    snprintf(text, sizeof(text), "key-%d", key);
    return shoal__standin_choose(text, strlen(text), figures, NODES, is_up, &up);
}

static void test_nobody_stands_in_where_all_are_down(void **state) {
    (void)state;
    assert_int_equal(choose(1, 0), SHOAL__NOBODY);
    assert_int_equal(choose(1, 1U << 3), 3);
}

static void test_those_that_are_left_share_the_keys_evenly(void **state) {
    (void)state;
    int share[NODES] = {0};
    for (int key = 0; key < KEYS; key++)
        share[choose(key, 0x1d)]++;
    assert_int_equal(share[1], 0);
    for (int node = 0; node < NODES; node++)
        if (node != 1)
            assert_in_range(share[node], KEYS / 4 * 9 / 10, KEYS / 4 * 11 / 10);
}

static void test_another_that_falls_moves_its_own_keys_alone(void **state) {
    (void)state;
    for (int key = 0; key < KEYS; key++) {
        size_t before = choose(key, 0x1e);
        size_t after = choose(key, 0x1c);
        if (before != 1)
            assert_int_equal(after, before);
        else
            assert_int_not_equal(after, 1);
    }
}

/* Processes of other versions and languages have to choose alike. */
static void test_the_choice_is_for_good(void **state) {
    (void)state;
    static const size_t chosen[] = {3, 0, 1, 1, 2, 4, 3, 2, 1, 0, 3, 1, 0, 3, 1, 2};
    for (int key = 0; key < (int)(sizeof(chosen) / sizeof(chosen[0])); key++)
        assert_int_equal(choose(key, 0x1f), chosen[key]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nobody_stands_in_where_all_are_down),
        cmocka_unit_test(test_those_that_are_left_share_the_keys_evenly),
        cmocka_unit_test(test_another_that_falls_moves_its_own_keys_alone),
        cmocka_unit_test(test_the_choice_is_for_good),
    };
    return cmocka_run_group_tests(tests, name_nodes, NULL);
}
