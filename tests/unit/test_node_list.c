/* The list of nodes: what is kept, what is a duplicate, and that a long one stays cheap.
 * May include: logic/node_list. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "logic/node_list.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static bool add(struct shoal__node_list *list, const char *host, const char *address, uint16_t port, uint32_t weight) {
    return shoal__node_list_add(list, host, strlen(host), address, strlen(address), port, weight);
}

static void keeps_what_it_is_given(void **state) {
    (void)state;
    struct shoal__node_list list = {0};
    assert_true(add(&list, "a.example", "10.0.0.1", 11211, 3));
    assert_true(add(&list, "/run/memcached", "", 0, 1));
    assert_int_equal(list.count, 2);
    assert_string_equal(list.nodes[0].host, "a.example");
    assert_string_equal(list.nodes[0].address, "10.0.0.1");
    assert_int_equal(list.nodes[0].port, 11211);
    assert_int_equal(list.nodes[0].weight, 3);
    assert_string_equal(list.nodes[1].host, "/run/memcached");
    assert_string_equal(list.nodes[1].address, "");
    shoal__node_list_clear(&list);
    assert_int_equal(list.count, 0);
    assert_null(list.nodes);
}

/* The strings given are pieces of a larger text, and need no NUL behind them. */
static void copies_pieces(void **state) {
    (void)state;
    struct shoal__node_list list = {0};
    char text[] = "hostaddress";
    assert_true(shoal__node_list_add(&list, text, 4, text + 4, 7, 1, 1));
    memset(text, 'x', sizeof(text));
    assert_string_equal(list.nodes[0].host, "host");
    assert_string_equal(list.nodes[0].address, "address");
    assert_true(shoal__node_list_add(&list, "host and more", 4, "", 0, 1, 1));
    assert_int_equal(list.count, 1);
    shoal__node_list_clear(&list);
}

static void leaves_out_the_same_host_and_port(void **state) {
    (void)state;
    struct shoal__node_list list = {0};
    assert_true(add(&list, "a", "10.0.0.1", 1, 1));
    assert_true(add(&list, "a", "10.0.0.2", 1, 9));
    assert_int_equal(list.count, 1);
    assert_string_equal(list.nodes[0].address, "10.0.0.1");
    assert_int_equal(list.nodes[0].weight, 1);
    assert_true(add(&list, "a", "10.0.0.1", 2, 1));
    assert_true(add(&list, "b", "10.0.0.1", 1, 1));
    assert_true(add(&list, "ab", "", 1, 1));
    assert_true(add(&list, "A", "", 1, 1));
    assert_int_equal(list.count, 5);
    shoal__node_list_clear(&list);
}

static void keeps_the_order(void **state) {
    (void)state;
    struct shoal__node_list list = {0};
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < 1000; i++) {
            char host[16];
            snprintf(host, sizeof(host), "n%u", (i * 7919) % 1000);
            assert_true(add(&list, host, "", 11211, 1));
        }
    }
    assert_int_equal(list.count, 1000);
    for (unsigned i = 0; i < 1000; i++) {
        char host[16];
        snprintf(host, sizeof(host), "n%u", (i * 7919) % 1000);
        assert_string_equal(list.nodes[i].host, host);
    }
    shoal__node_list_clear(&list);
}

/* As many as a discovery reply of 1 MiB can hold: comparing each with each would take minutes. */
static void stays_cheap(void **state) {
    (void)state;
    struct shoal__node_list list = {0};
    clock_t start = clock();
    for (unsigned i = 0; i < 150000; i++) {
        char host[16];
        snprintf(host, sizeof(host), "%x", i);
        assert_true(add(&list, host, "", 1, 1));
    }
    assert_int_equal(list.count, 150000);
    assert_true((double)(clock() - start) / CLOCKS_PER_SEC < 2);
    shoal__node_list_clear(&list);
}

static void copies_deeply(void **state) {
    (void)state;
    struct shoal__node_list list = {0}, copy;
    for (unsigned i = 1; i <= 20; i++)
        assert_true(add(&list, "same", "::1", (uint16_t)i, i));
    assert_true(shoal__node_list_copy(&copy, &list));
    shoal__node_list_clear(&list);
    assert_int_equal(copy.count, 20);
    for (unsigned i = 1; i <= 20; i++) {
        assert_string_equal(copy.nodes[i - 1].host, "same");
        assert_string_equal(copy.nodes[i - 1].address, "::1");
        assert_int_equal(copy.nodes[i - 1].port, i);
        assert_int_equal(copy.nodes[i - 1].weight, i);
    }
    assert_true(add(&copy, "same", "", 1, 1));
    assert_int_equal(copy.count, 20);
    shoal__node_list_clear(&copy);
}

static void copies_and_clears_nothing(void **state) {
    (void)state;
    struct shoal__node_list list = {0}, copy;
    assert_true(shoal__node_list_copy(&copy, &list));
    assert_int_equal(copy.count, 0);
    shoal__node_list_clear(&copy);
    shoal__node_list_clear(&list);
    shoal__node_list_clear(&list);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_what_it_is_given),
        cmocka_unit_test(copies_pieces),
        cmocka_unit_test(leaves_out_the_same_host_and_port),
        cmocka_unit_test(keeps_the_order),
        cmocka_unit_test(stays_cheap),
        cmocka_unit_test(copies_deeply),
        cmocka_unit_test(copies_and_clears_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
