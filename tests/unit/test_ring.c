/* The ring: the predecessors' placement key by key, balance, and what a change of nodes moves.
 * May include: the core's internals, and libmemcached as the oracle of the three distributions that come from it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "logic/ring.h"

#include <libmemcached/memcached.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define KEYS 20000
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Those that keep most keys where they are when the list changes. */
static const char *const consistent[] = {"ketama_weighted", "ketama", "dalli", "rendezvous"};

static size_t make_key(size_t i, char key[32]) {
    return (size_t)snprintf(key, 32, "user:%zu:profile", i * 7919);
}

static struct shoal__ring *make_ring(const char *distribution, const char *hash, const struct shoal__ring_node *nodes,
                                     size_t count) {
    const struct shoal__distribution *found = shoal__distribution_find(distribution);
    assert_non_null(found);
    struct shoal__ring *ring = shoal__ring_new(found, hash ? shoal__hash_find(hash) : NULL, nodes, count);
    assert_non_null(ring);
    return ring;
}

/* Nodes whose names all stay while their number grows. */
static struct shoal__ring_node *make_nodes(size_t count, char (*names)[32]) {
    struct shoal__ring_node *nodes = calloc(count, sizeof(*nodes));
    assert_non_null(nodes);
    for (size_t i = 0; i < count; i++) {
        snprintf(names[i], sizeof(names[i]), "10.%zu.%zu.7", i / 200, i % 200);
        nodes[i] = (struct shoal__ring_node){.host = names[i], .port = 11211, .weight = 1};
    }
    return nodes;
}

/* --- The oracle --- */

static memcached_st *make_oracle(const char *distribution, const struct shoal__ring_node *nodes, size_t count) {
    memcached_st *memc = memcached_create(NULL);
    bool weighted = strcmp(distribution, "ketama_weighted") == 0;
    if (weighted)
        memcached_behavior_set(memc, MEMCACHED_BEHAVIOR_KETAMA_WEIGHTED, 1);
    else if (strcmp(distribution, "ketama") == 0)
        memcached_behavior_set(memc, MEMCACHED_BEHAVIOR_DISTRIBUTION, MEMCACHED_DISTRIBUTION_CONSISTENT);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(memcached_server_add_with_weight(memc, nodes[i].host, nodes[i].port, nodes[i].weight),
                         MEMCACHED_SUCCESS);
    return memc;
}

static void check_against_oracle(const char *distribution, const struct shoal__ring_node *nodes, size_t count) {
    struct shoal__ring *ring = make_ring(distribution, NULL, nodes, count);
    memcached_st *memc = make_oracle(distribution, nodes, count);
    for (size_t i = 0; i < KEYS; i++) {
        char key[32];
        size_t size = make_key(i, key);
        assert_int_equal(shoal__ring_route(ring, key, size), memcached_generate_hash(memc, key, size));
    }
    memcached_free(memc);
    shoal__ring_free(ring);
}

static const struct shoal__ring_node mixed_nodes[] = {
    {"cache-a.example", 11211, 1}, {"cache-b.example", 11212, 2}, {"10.0.0.3", 11211, 3},
    {"10.0.0.4", 21211, 1},        {"cache-e.example", 11211, 7},
};

static void test_ketama_weighted_places_keys_as_libmemcached_does(void **state) {
    (void)state;
    check_against_oracle("ketama_weighted", mixed_nodes, 5);
    check_against_oracle("ketama_weighted", mixed_nodes + 1, 3);
    check_against_oracle("ketama_weighted", mixed_nodes, 2);
}

static void test_equal_weights_place_keys_as_libmemcached_does(void **state) {
    (void)state;
    static char names[90][32];
    struct shoal__ring_node *nodes = make_nodes(90, names);
    for (size_t count = 1; count <= 90; count += 13)
        check_against_oracle("ketama_weighted", nodes, count);
    for (size_t count = 1; count <= 90; count += 22)
        check_against_oracle("ketama", nodes, count);
    free(nodes);
}

/* libmemcached goes over to its weighted ring there. */
static void test_a_weight_over_one_makes_ketama_a_weighted_ring(void **state) {
    (void)state;
    check_against_oracle("ketama", mixed_nodes, 5);
    struct shoal__ring *ketama = make_ring("ketama", NULL, mixed_nodes, 5);
    struct shoal__ring *weighted = make_ring("ketama_weighted", "one_at_a_time", mixed_nodes, 5);
    for (size_t i = 0; i < KEYS; i++) {
        char key[32];
        size_t size = make_key(i, key);
        assert_int_equal(shoal__ring_route(ketama, key, size), shoal__ring_route(weighted, key, size));
    }
    shoal__ring_free(ketama);
    shoal__ring_free(weighted);
}

static void test_modula_places_keys_as_libmemcached_does(void **state) {
    (void)state;
    check_against_oracle("modula", mixed_nodes, 5);
    check_against_oracle("modula", mixed_nodes, 3);
}

/* --- Properties --- */

/* How many keys move when a node is added to `count`: *to_others counts those that do not move to the new node. */
static size_t count_moved(const char *distribution, size_t count, size_t *to_others) {
    static char names[64][32];
    struct shoal__ring_node *nodes = make_nodes(64, names);
    struct shoal__ring *before = make_ring(distribution, NULL, nodes, count);
    struct shoal__ring *after = make_ring(distribution, NULL, nodes, count + 1);
    size_t moved = 0;
    *to_others = 0;
    for (size_t i = 0; i < KEYS; i++) {
        char key[32];
        size_t size = make_key(i, key);
        size_t place = shoal__ring_route(after, key, size);
        moved += shoal__ring_route(before, key, size) != place;
        *to_others += place != count && shoal__ring_route(before, key, size) != place;
    }
    shoal__ring_free(before);
    shoal__ring_free(after);
    free(nodes);
    return moved;
}

/* The share of a new node among N varies with its name: 100 or 160 points leave a spread of 8 to 10 %. */
static void check_addition(const char *distribution, size_t count) {
    size_t to_others;
    size_t moved = count_moved(distribution, count, &to_others);
    assert_int_equal(to_others, 0);
    assert_true((double)moved / KEYS <= 1.25 / (double)(count + 1));
}

static void test_an_added_node_takes_its_share_and_nothing_else_moves(void **state) {
    (void)state;
    for (size_t each = 0; each < COUNT_OF(consistent); each++)
        for (size_t count = 1; count <= 20; count += 3)
            check_addition(consistent[each], count);
    for (size_t each = 1; each < COUNT_OF(consistent); each++)
        for (size_t count = 24; count <= 62; count += 36)
            check_addition(consistent[each], count);
}

/* libmemcached counts points in single precision: at 25 equal nodes each has 156 points in place of 160, so the step
 * from 24 moves some keys between old nodes. Incumbents do so too, and the oracle above holds us to it; how much it
 * costs is bounded here. The others count whole points and have no such step. */
static void test_the_incumbents_rounding_moves_a_few_keys_more(void **state) {
    (void)state;
    size_t to_others;
    count_moved("ketama_weighted", 24, &to_others);
    assert_true(to_others > 0 && to_others < KEYS * 4 / 100);
}

static void test_modula_moves_nearly_all(void **state) {
    (void)state;
    size_t to_others;
    size_t moved = count_moved("modula", 4, &to_others);
    assert_true(moved > KEYS * 3 / 4 && moved < KEYS * 17 / 20);
}

static void test_a_removed_node_moves_only_its_own_keys(void **state) {
    (void)state;
    static const struct shoal__ring_node nodes[] = {{"a", 1, 1}, {"b", 1, 1}, {"c", 1, 1}, {"d", 1, 1}};
    for (size_t each = 0; each < COUNT_OF(consistent); each++) {
        struct shoal__ring *before = make_ring(consistent[each], NULL, nodes, 4);
        struct shoal__ring *after = make_ring(consistent[each], NULL, nodes, 3);
        for (size_t i = 0; i < KEYS; i++) {
            char key[32];
            size_t size = make_key(i, key);
            size_t node = shoal__ring_route(before, key, size);
            if (node != 3)
                assert_int_equal(shoal__ring_route(after, key, size), node);
        }
        shoal__ring_free(before);
        shoal__ring_free(after);
    }
}

static void test_equal_nodes_share_equally(void **state) {
    (void)state;
    static char names[10][32];
    struct shoal__ring_node *nodes = make_nodes(10, names);
    for (size_t each = 0; each <= COUNT_OF(consistent); each++) {
        size_t counts[10] = {0};
        const char *distribution = each < COUNT_OF(consistent) ? consistent[each] : "modula";
        struct shoal__ring *ring = make_ring(distribution, NULL, nodes, 10);
        for (size_t i = 0; i < KEYS; i++) {
            char key[32];
            counts[shoal__ring_route(ring, key, make_key(i, key))]++;
        }
        for (size_t i = 0; i < 10; i++)
            assert_true(counts[i] > KEYS * 70 / 1000 && counts[i] < KEYS * 140 / 1000);
        shoal__ring_free(ring);
    }
    free(nodes);
}

/* What part of the keys the second of two nodes has, with three times the weight of the first. */
static double share_of_heavy(const char *distribution) {
    size_t counts[2] = {0};
    struct shoal__ring *ring = make_ring(
        distribution, NULL, (struct shoal__ring_node[]){{"light.example", 11211, 1}, {"heavy.example", 11211, 3}}, 2);
    for (size_t i = 0; i < KEYS; i++) {
        char key[32];
        counts[shoal__ring_route(ring, key, make_key(i, key))]++;
    }
    shoal__ring_free(ring);
    return (double)counts[1] / KEYS;
}

static void test_keys_follow_the_weights_where_the_incumbent_has_any(void **state) {
    (void)state;
    static const char *const weighing[] = {"ketama_weighted", "ketama", "dalli"};
    static const char *const blind[] = {"modula", "rendezvous"};
    for (size_t i = 0; i < COUNT_OF(weighing); i++)
        assert_true(share_of_heavy(weighing[i]) > 0.65 && share_of_heavy(weighing[i]) < 0.85);
    for (size_t i = 0; i < COUNT_OF(blind); i++)
        assert_true(share_of_heavy(blind[i]) > 0.45 && share_of_heavy(blind[i]) < 0.55);
}

/* How many of 1000 keys change their node when the same list comes in another order. */
static size_t count_moved_by_order(const char *distribution) {
    struct shoal__ring_node forward[] = {{"a", 1, 1}, {"b", 1, 2}, {"c", 1, 1}};
    struct shoal__ring_node backward[] = {{"c", 1, 1}, {"b", 1, 2}, {"a", 1, 1}};
    struct shoal__ring *one = make_ring(distribution, NULL, forward, 3);
    struct shoal__ring *other = make_ring(distribution, NULL, backward, 3);
    size_t moved = 0;
    for (size_t i = 0; i < 1000; i++) {
        char key[32];
        size_t size = make_key(i, key);
        moved += shoal__ring_route(one, key, size) != 2 - shoal__ring_route(other, key, size);
    }
    shoal__ring_free(one);
    shoal__ring_free(other);
    return moved;
}

static void test_order_matters_to_modula_alone(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(consistent); i++)
        assert_int_equal(count_moved_by_order(consistent[i]), 0);
    assert_true(count_moved_by_order("modula") > 500);
}

static void test_another_hash_moves_keys(void **state) {
    (void)state;
    struct shoal__ring *own = make_ring("ketama_weighted", NULL, mixed_nodes, 5);
    struct shoal__ring *other = make_ring("ketama_weighted", "fnv1a_32", mixed_nodes, 5);
    size_t differs = 0;
    for (size_t i = 0; i < 1000; i++) {
        char key[32];
        size_t size = make_key(i, key);
        differs += shoal__ring_route(own, key, size) != shoal__ring_route(other, key, size);
    }
    assert_true(differs > 300);
    shoal__ring_free(own);
    shoal__ring_free(other);
}

/* The time is for the reader: what it may be depends on the machine. */
static struct shoal__ring *make_large_ring(const char *distribution, const struct shoal__ring_node *nodes) {
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    struct shoal__ring *ring = make_ring(distribution, NULL, nodes, 1000);
    clock_gettime(CLOCK_MONOTONIC, &after);
    print_message("%s of 1000 nodes: built in %.1f ms\n", distribution,
                  (double)(after.tv_sec - before.tv_sec) * 1e3 + (double)(after.tv_nsec - before.tv_nsec) / 1e6);
    return ring;
}

/* Rendezvous asks every node about every key, and is therefore asked less. */
static void test_a_thousand_nodes_all_get_keys(void **state) {
    (void)state;
    static char names[1000][32];
    struct shoal__ring_node *nodes = make_nodes(1000, names);
    for (size_t each = 0; each < COUNT_OF(consistent); each++) {
        unsigned counts[1000] = {0};
        size_t keys = strcmp(consistent[each], "rendezvous") == 0 ? 2000 : 100000;
        struct shoal__ring *ring = make_large_ring(consistent[each], nodes);
        for (size_t i = 0; i < keys; i++) {
            char key[32];
            counts[shoal__ring_route(ring, key, make_key(i, key))]++;
        }
        size_t empty = 0;
        for (size_t i = 0; i < 1000; i++) {
            empty += counts[i] == 0;
            assert_true(counts[i] < 8 + keys * 3 / 1000);
        }
        assert_true(keys == 2000 ? empty < 200 : empty == 0);
        shoal__ring_free(ring);
    }
    free(nodes);
}

/* --- Keys beyond ASCII --- */

/* From memory of exactly that size, so that a sanitizer sees what is read beyond it. */
static size_t route_copy(const struct shoal__ring *ring, const char *key) {
    size_t size = strlen(key);
    char *copy = malloc(size);
    assert_non_null(copy);
    memcpy(copy, key, size);
    size_t node = shoal__ring_route(ring, copy, size);
    free(copy);
    return node;
}

static void test_non_ascii_keys_have_a_place(void **state) {
    (void)state;
    static const char *const keys[] = {"\xff\xfe\x80", "na\xc3\xafve", "\xc3", "\xe6\x97", "\xf0\x9f\x90", "\x80"};
    for (size_t each = 0; each < COUNT_OF(consistent); each++) {
        struct shoal__ring *ring = make_ring(consistent[each], NULL, mixed_nodes, 5);
        for (size_t i = 0; i < COUNT_OF(keys); i++)
            assert_true(route_copy(ring, keys[i]) < 5);
        shoal__ring_free(ring);
    }
}

/* The node of the highest hash of `host:port-`, followed by these bytes. */
static size_t highest_of(const struct shoal__ring_node *nodes, size_t count, const char *bytes) {
    size_t winner = 0;
    uint32_t highest = 0;
    for (size_t i = 0; i < count; i++) {
        char text[320];
        int size = snprintf(text, sizeof(text), "%s:%u-%s", nodes[i].host, nodes[i].port, bytes);
        uint32_t score = shoal__hash_murmur3_32(text, (size_t)size);
        winner = score > highest ? i : winner;
        highest = score > highest ? score : highest;
    }
    return winner;
}

/* pymemcache's `ord(c) & 0xff`: of text a byte a character; what is no UTF-8 stays as it is, all of it. */
static void test_rendezvous_hashes_the_low_byte_of_each_character(void **state) {
    (void)state;
    static const char *const pairs[][2] = {
        {"na\xc3\xafve", "na\xefve"},                       /* U+00EF */
        {"\xc4\x81\xdf\xbf", "\x01\xff"},                   /* U+0101 U+07FF */
        {"\xe6\x97\xa5\xe6\x9c\xac:1", "\xe5\x2c:1"},       /* U+65E5 U+672C */
        {"x\xf0\x9f\x90\x9f\xf4\x8f\xbf\xbf", "x\x1f\xff"}, /* U+1F41F U+10FFFF */
        {"caf\xe9", "caf\xe9"},                             /* Latin-1 */
        {"\xc3\xa9 and \xc3", "\xc3\xa9 and \xc3"},         /* cut short */
        {"\xc3\xa9\xff", "\xc3\xa9\xff"},                   /* leads nothing */
        {"\xc0\xaf\xc1\x81", "\xc0\xaf\xc1\x81"},           /* overlong */
        {"\xc3\xa9\xe6\x97\x41", "\xc3\xa9\xe6\x97\x41"},   /* broken inside */
    };
    static char names[60][32];
    struct shoal__ring_node *nodes = make_nodes(60, names);
    for (size_t count = 20; count <= 60; count++) {
        struct shoal__ring *ring = make_ring("rendezvous", NULL, nodes, count);
        for (size_t i = 0; i < COUNT_OF(pairs); i++)
            assert_int_equal(route_copy(ring, pairs[i][0]), highest_of(nodes, count, pairs[i][1]));
        shoal__ring_free(ring);
    }
    free(nodes);
}

static void test_dalli_alone_hashes_the_prefix(void **state) {
    (void)state;
    assert_true(shoal__distribution_find("dalli")->hashes_prefix);
    assert_false(shoal__distribution_find("modula")->hashes_prefix);
    assert_false(shoal__distribution_find("ketama_weighted")->hashes_prefix);
    assert_false(shoal__distribution_find("ketama")->hashes_prefix);
    assert_false(shoal__distribution_find("rendezvous")->hashes_prefix);
}

static void test_no_nodes_make_no_ring(void **state) {
    (void)state;
    assert_null(shoal__ring_new(shoal__distribution_find("modula"), NULL, NULL, 0));
    assert_null(shoal__distribution_find("ketchup"));
    shoal__ring_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ketama_weighted_places_keys_as_libmemcached_does),
        cmocka_unit_test(test_equal_weights_place_keys_as_libmemcached_does),
        cmocka_unit_test(test_a_weight_over_one_makes_ketama_a_weighted_ring),
        cmocka_unit_test(test_modula_places_keys_as_libmemcached_does),
        cmocka_unit_test(test_an_added_node_takes_its_share_and_nothing_else_moves),
        cmocka_unit_test(test_the_incumbents_rounding_moves_a_few_keys_more),
        cmocka_unit_test(test_modula_moves_nearly_all),
        cmocka_unit_test(test_a_removed_node_moves_only_its_own_keys),
        cmocka_unit_test(test_equal_nodes_share_equally),
        cmocka_unit_test(test_keys_follow_the_weights_where_the_incumbent_has_any),
        cmocka_unit_test(test_order_matters_to_modula_alone),
        cmocka_unit_test(test_another_hash_moves_keys),
        cmocka_unit_test(test_a_thousand_nodes_all_get_keys),
        cmocka_unit_test(test_non_ascii_keys_have_a_place),
        cmocka_unit_test(test_rendezvous_hashes_the_low_byte_of_each_character),
        cmocka_unit_test(test_dalli_alone_hashes_the_prefix),
        cmocka_unit_test(test_no_nodes_make_no_ring),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
