/* Single operations on real servers: every function and mode does what its comment in <shoal/operations.h> says.
 * labels: valgrind transports tls
 * May include: the public headers, support/. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/fleets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define THIRTY_DAYS_S (30 * 24 * 3600)
#define LARGE_SIZE ((size_t)1024 * 1024 - 200) /* close to the largest that memcached takes by default */

static struct test_fleet fleet;
static shoal_client *client;

static int start(void **state) {
    (void)state;
    test_fleet_start(&fleet, 3);
    client = test_client(fleet.endpoint, "operation_timeout_ms=20000");
    return 0;
}

static int stop(void **state) {
    (void)state;
    shoal_client_free(client);
    test_fleet_stop(&fleet);
    return 0;
}

static shoal_status store(int mode, const char *key, const char *text, uint32_t flags, uint64_t cas,
                          uint64_t *new_cas) {
    return shoal_store(client, mode, key, strlen(key), text, strlen(text), flags, 0, cas, new_cas, NULL);
}

static shoal_status set_for(const char *key, int64_t ttl_s) {
    return shoal_set(client, key, strlen(key), "v", 1, ttl_s, NULL);
}

static uint16_t port_of(const char *key) {
    return fleet.nodes[test_fleet_place(&fleet, client, key)].port;
}

static shoal_value *get(const char *key) {
    shoal_value *value = NULL;
    shoal_error *error = NULL;
    if (shoal_get(client, key, strlen(key), &value, &error) != SHOAL_OK)
        fail_msg("%s: %s", key, error ? shoal_error_message(error) : "not found");
    return value;
}

static bool lives_for(const char *key, long least_s, long most_s) {
    long left_s = test_node_ttl(port_of(key), key);
    return left_s >= least_s && left_s <= most_s;
}

static uint64_t cas_of(const char *key) {
    shoal_value *value = get(key);
    uint64_t cas = shoal_value_cas(value);
    shoal_value_free(value);
    return cas;
}

static uint32_t flags_of(const char *key) {
    shoal_value *value = get(key);
    uint32_t flags = shoal_value_flags(value);
    shoal_value_free(value);
    return flags;
}

/* --- Storing and reading --- */

static void a_missing_key_is_not_found(void **state) {
    (void)state;
    shoal_value *value = (shoal_value *)&fleet;
    shoal_error *error = NULL;
    assert_int_equal(shoal_get(client, "nobody", 6, &value, &error), SHOAL_NOT_FOUND);
    assert_null(value);
    assert_null(error);
    assert_int_equal(shoal_delete(client, "nobody", 6, &error), SHOAL_NOT_FOUND);
    assert_int_equal(shoal_touch(client, "nobody", 6, 10, &error), SHOAL_NOT_FOUND);
    assert_int_equal(shoal_get_and_touch(client, "nobody", 6, 10, &value, &error), SHOAL_NOT_FOUND);
    assert_null(value);
    assert_null(error);
}

static void a_value_comes_back_with_its_flags(void **state) {
    (void)state;
    assert_int_equal(store(SHOAL_SET, "flags", "text", 0xfedcba98, 0, NULL), SHOAL_OK);
    assert_true(test_holds(client, "flags", "text"));
    assert_int_equal(flags_of("flags"), 0xfedcba98);
    assert_int_equal(test_set(client, "flags", "other"), SHOAL_OK);
    assert_true(test_holds(client, "flags", "other"));
    assert_int_equal(flags_of("flags"), 0);
}

static void add_stores_only_where_nothing_was(void **state) {
    (void)state;
    assert_int_equal(store(SHOAL_ADD, "add", "first", 1, 0, NULL), SHOAL_OK);
    assert_int_equal(store(SHOAL_ADD, "add", "second", 2, 0, NULL), SHOAL_NOT_STORED);
    assert_true(test_holds(client, "add", "first"));
}

static void replace_stores_only_where_something_was(void **state) {
    (void)state;
    assert_int_equal(store(SHOAL_REPLACE, "replace", "first", 1, 0, NULL), SHOAL_NOT_STORED);
    assert_int_equal(test_get(client, "replace"), SHOAL_NOT_FOUND);
    assert_int_equal(test_set(client, "replace", "first"), SHOAL_OK);
    assert_int_equal(store(SHOAL_REPLACE, "replace", "second", 2, 0, NULL), SHOAL_OK);
    assert_true(test_holds(client, "replace", "second"));
    assert_int_equal(flags_of("replace"), 2);
}

static void append_and_prepend_leave_flags_and_lifetime(void **state) {
    (void)state;
    assert_int_equal(store(SHOAL_APPEND, "middle", "c", 9, 0, NULL), SHOAL_NOT_STORED);
    assert_int_equal(store(SHOAL_PREPEND, "middle", "a", 9, 0, NULL), SHOAL_NOT_STORED);
    assert_int_equal(shoal_store(client, SHOAL_SET, "middle", 6, "b", 1, 7, 1000, 0, NULL, NULL), SHOAL_OK);
    assert_int_equal(store(SHOAL_APPEND, "middle", "c", 9, 0, NULL), SHOAL_OK);
    assert_int_equal(store(SHOAL_PREPEND, "middle", "a", 9, 0, NULL), SHOAL_OK);
    assert_true(test_holds(client, "middle", "abc"));
    assert_int_equal(flags_of("middle"), 7);
    assert_true(lives_for("middle", 900, 1000));
}

static void cas_stores_only_over_the_item_of_the_token(void **state) {
    (void)state;
    assert_int_equal(store(SHOAL_CAS, "cas", "x", 0, 1, NULL), SHOAL_NOT_FOUND);
    assert_int_equal(test_set(client, "cas", "first"), SHOAL_OK);
    uint64_t cas = cas_of("cas");
    assert_int_equal(store(SHOAL_CAS, "cas", "second", 5, cas, NULL), SHOAL_OK);
    assert_int_equal(store(SHOAL_CAS, "cas", "third", 6, cas, NULL), SHOAL_EXISTS);
    assert_true(test_holds(client, "cas", "second"));
    assert_int_equal(flags_of("cas"), 5);
}

static void new_cas_is_the_token_of_what_was_stored(void **state) {
    (void)state;
    uint64_t token = 0;
    assert_int_equal(store(SHOAL_SET, "token", "1", 0, 0, &token), SHOAL_OK);
    assert_true(token != 0 && token == cas_of("token"));
    assert_int_equal(store(SHOAL_CAS, "token", "2", 0, token, &token), SHOAL_OK);
    assert_true(token != 0 && token == cas_of("token"));
    assert_int_equal(store(SHOAL_APPEND, "token", "3", 0, 0, &token), SHOAL_OK);
    assert_true(token != 0 && token == cas_of("token"));
    assert_int_equal(store(SHOAL_PREPEND, "token", "1", 0, 0, &token), SHOAL_OK);
    assert_true(token != 0 && token == cas_of("token"));
    assert_int_equal(store(SHOAL_REPLACE, "token", "", 3, 0, &token), SHOAL_OK);
    assert_true(token != 0 && token == cas_of("token"));
    assert_int_equal(store(SHOAL_ADD, "token", "1", 0, 0, &token), SHOAL_NOT_STORED);
    assert_true(token == 0);
}

static void a_deleted_item_is_gone(void **state) {
    (void)state;
    assert_int_equal(test_set(client, "delete", "x"), SHOAL_OK);
    assert_int_equal(shoal_delete(client, "delete", 6, NULL), SHOAL_OK);
    assert_int_equal(test_get(client, "delete"), SHOAL_NOT_FOUND);
}

/* --- Times to live --- */

static void a_negative_time_to_live_has_ended(void **state) {
    (void)state;
    shoal_value *value = NULL;
    assert_int_equal(set_for("ended", -1), SHOAL_OK);
    assert_int_equal(test_get(client, "ended"), SHOAL_NOT_FOUND);
    assert_int_equal(set_for("ended", 0), SHOAL_OK);
    assert_int_equal(shoal_touch(client, "ended", 5, INT64_MIN, NULL), SHOAL_OK);
    assert_int_equal(test_get(client, "ended"), SHOAL_NOT_FOUND);
    assert_int_equal(set_for("ended", 0), SHOAL_OK);
    assert_int_equal(shoal_get_and_touch(client, "ended", 5, -1, &value, NULL), SHOAL_OK);
    assert_int_equal(shoal_value_size(value), 1);
    shoal_value_free(value);
    assert_int_equal(test_get(client, "ended"), SHOAL_NOT_FOUND);
}

static bool is_gone(void *key) {
    return test_get(client, key) == SHOAL_NOT_FOUND;
}

static void a_second_ends(void **state) {
    (void)state;
    char key[] = "second";
    assert_int_equal(set_for(key, 1), SHOAL_OK);
    assert_true(test_eventually(is_gone, key, 5000));
}

static void long_times_to_live_arrive(void **state) {
    (void)state;
    static const struct {
        int64_t ttl_s;
        int64_t arrives_s; /* -1: for ever, -2: until 2038 */
    } cases[] = {
        {0, -1},
        {1000, 1000},
        {THIRTY_DAYS_S, THIRTY_DAYS_S},
        {THIRTY_DAYS_S + 1, THIRTY_DAYS_S + 1},
        {365 * 24 * 3600, 365 * 24 * 3600},
        {(int64_t)100 * 365 * 24 * 3600, -2},
        {INT64_MAX, -2},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t expected_s = cases[i].arrives_s == -2 ? INT32_MAX - (int64_t)time(NULL) : cases[i].arrives_s;
        assert_int_equal(set_for("long", cases[i].ttl_s), SHOAL_OK);
        assert_int_equal(test_get(client, "long"), SHOAL_OK);
        if (!lives_for("long", expected_s - 60, expected_s + 2))
            fail_msg("%lld s became %ld s", (long long)cases[i].ttl_s, test_node_ttl(port_of("long"), "long"));
    }
}

static void touch_gives_a_new_time_to_live(void **state) {
    (void)state;
    shoal_value *value = NULL;
    assert_int_equal(store(SHOAL_SET, "touch", "abc", 3, 0, NULL), SHOAL_OK);
    assert_int_equal(shoal_touch(client, "touch", 5, 500, NULL), SHOAL_OK);
    assert_true(lives_for("touch", 400, 500));
    assert_int_equal(shoal_get_and_touch(client, "touch", 5, 2000, &value, NULL), SHOAL_OK);
    assert_int_equal(shoal_value_size(value), 3);
    assert_memory_equal(shoal_value_data(value), "abc", 3);
    assert_int_equal(shoal_value_flags(value), 3);
    assert_true(shoal_value_cas(value) != 0);
    shoal_value_free(value);
    assert_true(lives_for("touch", 1900, 2000));
}

/* --- Values --- */

static void every_size_comes_back(void **state) {
    (void)state;
    static const size_t sizes[] = {0, 1, 1023, 4095, 4096, 4097, 8191, 8192, 8193, 65536, 500000, LARGE_SIZE};
    char *bytes = malloc(LARGE_SIZE);
    for (size_t i = 0; i < LARGE_SIZE; i++)
        bytes[i] = (char)(i * 31 % 251);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        assert_int_equal(shoal_set(client, "size", 4, bytes, sizes[i], 0, NULL), SHOAL_OK);
        shoal_value *value = get("size");
        assert_int_equal(shoal_value_size(value), sizes[i]);
        assert_non_null(shoal_value_data(value));
        assert_true(memcmp(shoal_value_data(value), bytes, sizes[i]) == 0);
        shoal_value_free(value);
    }
    free(bytes);
}

static void a_value_may_be_null_where_it_is_empty(void **state) {
    (void)state;
    assert_int_equal(shoal_set(client, "null", 4, NULL, 0, 0, NULL), SHOAL_OK);
    assert_true(test_holds(client, "null", ""));
}

static void every_byte_comes_back(void **state) {
    (void)state;
    unsigned char bytes[512];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (unsigned char)(i < 256 ? i : 511 - i);
    assert_int_equal(shoal_set(client, "bytes", 5, bytes, sizeof(bytes), 0, NULL), SHOAL_OK);
    shoal_value *value = get("bytes");
    assert_int_equal(shoal_value_size(value), sizeof(bytes));
    assert_memory_equal(shoal_value_data(value), bytes, sizeof(bytes));
    shoal_value_free(value);
}

static void text_of_the_protocol_is_only_bytes(void **state) {
    (void)state;
    static const char text[] = "x\r\nEND\r\nVALUE protocol 0 1\r\ny\r\nEND\r\nSTORED\r\n";
    assert_int_equal(test_set(client, "protocol", text), SHOAL_OK);
    assert_true(test_holds(client, "protocol", text));
    assert_true(test_holds(client, "protocol", text));
}

static void a_value_too_large_is_told_and_nothing_else_breaks(void **state) {
    (void)state;
    size_t size = (size_t)2 * 1024 * 1024;
    char *bytes = calloc(1, size);
    shoal_error *error = NULL;
    assert_int_equal(test_set(client, "large", "small"), SHOAL_OK);
    long before = test_memcached_stat(&fleet.nodes[test_fleet_place(&fleet, client, "large")], "total_connections");
    assert_int_equal(shoal_set(client, "large", 5, bytes, size, 0, &error), SHOAL_E_TOO_LARGE);
    assert_int_equal(shoal_error_status(error), SHOAL_E_TOO_LARGE);
    assert_false(shoal_error_is_retriable(error));
    assert_false(shoal_error_is_outcome_unknown(error));
    assert_int_equal(test_get(client, "large"), SHOAL_NOT_FOUND);
    assert_int_equal(test_set(client, "large", "small"), SHOAL_OK);
    assert_true(test_holds(client, "large", "small"));
    long after = test_memcached_stat(&fleet.nodes[test_fleet_place(&fleet, client, "large")], "total_connections");
    assert_int_equal(after - before, 1); /* the question's own */
    shoal_error_free(error);
    free(bytes);
}

/* --- Every node, and nodes of another kind --- */

static void flush_all_empties_every_node(void **state) {
    (void)state;
    char key[32];
    for (int i = 0; i < 60; i++) {
        snprintf(key, sizeof(key), "flush-%d", i);
        assert_int_equal(test_set(client, key, "x"), SHOAL_OK);
    }
    assert_int_equal(shoal_flush_all(client, NULL), SHOAL_OK);
    for (int i = 0; i < 60; i++) {
        snprintf(key, sizeof(key), "flush-%d", i);
        assert_int_equal(test_get(client, key), SHOAL_NOT_FOUND);
    }
}

static const char *stat_of(const shoal_stats *stats, size_t node, const char *name) {
    for (size_t i = 0; i < shoal_stats_count(stats, node); i++)
        if (strcmp(shoal_stats_name(stats, node, i), name) == 0)
            return shoal_stats_value(stats, node, i);
    return "";
}

static void stats_come_from_every_node(void **state) {
    (void)state;
    shoal_stats *stats = NULL;
    assert_int_equal(shoal_stats_read(client, NULL, &stats, NULL), SHOAL_OK);
    assert_int_equal(shoal_stats_node_count(stats), 3);
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(shoal_stats_node_name(stats, i), fleet.nodes[i].name);
        assert_int_equal(shoal_stats_node_status(stats, i), SHOAL_OK);
        assert_int_equal(strtol(stat_of(stats, i, "pid"), NULL, 10), fleet.nodes[i].process);
    }
    assert_string_equal(shoal_stats_node_name(stats, 3), "");
    assert_string_equal(shoal_stats_name(stats, 3, 0), "");
    assert_string_equal(shoal_stats_value(stats, 0, 1000000), "");
    shoal_stats_free(stats);
}

static void stats_of_a_group_are_that_groups(void **state) {
    (void)state;
    char port[8];
    shoal_stats *stats = NULL;
    snprintf(port, sizeof(port), "%u", fleet.nodes[1].port);
    assert_int_equal(shoal_stats_read(client, "settings", &stats, NULL), SHOAL_OK);
    assert_string_equal(stat_of(stats, 1, "tcpport"), port);
    assert_string_equal(stat_of(stats, 1, "pid"), "");
    shoal_stats_free(stats);
}

static void a_unix_socket_serves_too(void **state) {
    (void)state;
    if (test_speaks_tls())
        skip(); /* memcached has no TLS there */
    char path[64];
    uint64_t number = 0;
    snprintf(path, sizeof(path), "/tmp/shoal-test-%d.sock", (int)getpid());
    struct test_memcached server = test_memcached_start_local(path);
    shoal_client *local = test_client(path, "operation_timeout_ms=20000");
    assert_int_equal(test_set(local, "key", "1"), SHOAL_OK);
    assert_true(test_holds(local, "key", "1"));
    assert_int_equal(shoal_increment(local, "key", 3, 1, NULL, 0, &number, NULL), SHOAL_OK);
    assert_true(number == 2);
    assert_int_equal(test_get(local, "other"), SHOAL_NOT_FOUND);
    shoal_client_free(local);
    test_memcached_stop(&server);
    unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_missing_key_is_not_found),
        cmocka_unit_test(a_value_comes_back_with_its_flags),
        cmocka_unit_test(add_stores_only_where_nothing_was),
        cmocka_unit_test(replace_stores_only_where_something_was),
        cmocka_unit_test(append_and_prepend_leave_flags_and_lifetime),
        cmocka_unit_test(cas_stores_only_over_the_item_of_the_token),
        cmocka_unit_test(new_cas_is_the_token_of_what_was_stored),
        cmocka_unit_test(a_deleted_item_is_gone),
        cmocka_unit_test(a_negative_time_to_live_has_ended),
        cmocka_unit_test(a_second_ends),
        cmocka_unit_test(long_times_to_live_arrive),
        cmocka_unit_test(touch_gives_a_new_time_to_live),
        cmocka_unit_test(every_size_comes_back),
        cmocka_unit_test(a_value_may_be_null_where_it_is_empty),
        cmocka_unit_test(every_byte_comes_back),
        cmocka_unit_test(text_of_the_protocol_is_only_bytes),
        cmocka_unit_test(a_value_too_large_is_told_and_nothing_else_breaks),
        cmocka_unit_test(flush_all_empties_every_node),
        cmocka_unit_test(stats_come_from_every_node),
        cmocka_unit_test(stats_of_a_group_are_that_groups),
        cmocka_unit_test(a_unix_socket_serves_too),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
