/* A node's tombstones: a bounded set of keys with those that stood in.
 * May include: the core's internals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "logic/tombstones.h"

#include <stdio.h>
#include <string.h>

static bool add(struct shoal__tombstones *set, const char *key, uint16_t standin) {
    return shoal__tombstones_add(set, key, strlen(key), false, standin);
}

static bool holds(const struct shoal__tombstones *set, const char *key) {
    return shoal__tombstones_hold(set, key, strlen(key));
}

static void test_a_key_is_held_once_for_each_stand_in(void **state) {
    (void)state;
    struct shoal__tombstones set = {.most = 10};
    assert_false(holds(&set, "a"));
    assert_true(add(&set, "a", 1));
    assert_true(add(&set, "a", 1));
    assert_true(add(&set, "a", SHOAL__NO_STANDIN));
    assert_int_equal(set.count, 2);
    assert_true(holds(&set, "a"));
    assert_false(holds(&set, "b"));
    assert_memory_equal(shoal__tombstone_key(&set, &set.stones[0]), "a", 1);
    shoal__tombstones_clear(&set);
    assert_false(holds(&set, "a"));
    assert_int_equal(set.most, 10);
}

static void test_it_grows_and_loses_nothing_of_what_it_took(void **state) {
    (void)state;
    struct shoal__tombstones set = {.most = 5000};
    char key[32];
    for (int i = 0; i < 5000; i++) {
        snprintf(key, sizeof(key), "key-%d", i);
        assert_true(add(&set, key, (uint16_t)(i % 3)));
    }
    for (int i = 0; i < 5000; i++) {
        snprintf(key, sizeof(key), "key-%d", i);
        assert_true(holds(&set, key));
    }
    assert_false(holds(&set, "key-5000"));
    assert_int_equal(set.count, 5000);
    shoal__tombstones_clear(&set);
}

static void test_what_has_no_room_is_counted(void **state) {
    (void)state;
    struct shoal__tombstones set = {.most = 2};
    assert_true(add(&set, "a", 0));
    assert_true(add(&set, "b", 0));
    assert_false(add(&set, "c", 0));
    assert_true(add(&set, "a", 0)); /* it is there already */
    assert_int_equal(set.lost, 1);
    shoal__tombstones_clear(&set);
    assert_int_equal(set.lost, 1);
    assert_true(add(&set, "c", 0));
    shoal__tombstones_clear(&set);
}

static void test_those_of_a_failed_replay_join_the_new_ones(void **state) {
    (void)state;
    struct shoal__tombstones waiting = {.most = 10}, failed = {.most = 10};
    add(&waiting, "new", 1);
    add(&waiting, "both", 1);
    add(&failed, "old", 2);
    assert_true(shoal__tombstones_add(&failed, "both", 4, false, 1));
    shoal__tombstones_move(&waiting, &failed);
    assert_int_equal(waiting.count, 3);
    assert_int_equal(failed.count, 0);
    assert_true(holds(&waiting, "old"));
    assert_false(holds(&failed, "old"));
    shoal__tombstones_clear(&waiting);
}

static void test_any_bytes_make_a_key(void **state) {
    (void)state;
    struct shoal__tombstones set = {.most = 10};
    assert_true(shoal__tombstones_add(&set, "a\0b", 3, true, 0));
    assert_false(shoal__tombstones_hold(&set, "a\0c", 3));
    assert_true(shoal__tombstones_hold(&set, "a\0b", 3));
    assert_true(set.stones[0].key_is_binary);
    shoal__tombstones_clear(&set);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_key_is_held_once_for_each_stand_in),
        cmocka_unit_test(test_it_grows_and_loses_nothing_of_what_it_took),
        cmocka_unit_test(test_what_has_no_room_is_counted),
        cmocka_unit_test(test_those_of_a_failed_replay_join_the_new_ones),
        cmocka_unit_test(test_any_bytes_make_a_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
