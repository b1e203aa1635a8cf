/* What a change of the list does to keys, connections and calls under way. Nodes are real; nothing may fail.
 * May include: the public headers, support/, cmocka. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <shoal/shoal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "support/clients.h"

#define OPTIONS "discovery_interval_ms=50&operation_timeout_ms=8000&connect_timeout_ms=4000"
#define KEYS 600

/* Three nodes, of which the endpoint lists some. */
struct scene {
    struct test_memcached nodes[3];
    long connections_at_rest[3];
    struct test_endpoint *endpoint;
    uint64_t version;
    shoal_client *client;
};

/* which: "ab" for the first two. */
static void list_nodes(struct scene *scene, const char *which) {
    char text[256];
    size_t size = 0;
    for (const char *at = which; *at != '\0'; at++)
        size += (size_t)snprintf(text + size, sizeof(text) - size, "%s%c.internal|127.0.0.1|%u", size ? " " : "", *at,
                                 scene->nodes[*at - 'a'].port);
    test_endpoint_set_nodes(scene->endpoint, ++scene->version, text);
}

static void open_scene(struct scene *scene, const char *which, const char *options) {
    *scene = (struct scene){.endpoint = test_endpoint_start()};
    for (int i = 0; i < 3; i++) {
        scene->nodes[i] = test_memcached_start(0);
        scene->connections_at_rest[i] = test_memcached_stat(&scene->nodes[i], "curr_connections");
    }
    list_nodes(scene, which);
    scene->client = test_client(test_endpoint_name(scene->endpoint), options);
    assert_true(test_sees_version(scene->client, 1));
}

static void close_scene(struct scene *scene) {
    shoal_client_free(scene->client);
    test_endpoint_stop(scene->endpoint);
    for (int i = 0; i < 3; i++)
        test_memcached_stop(&scene->nodes[i]);
}

static void change_to(struct scene *scene, const char *which) {
    list_nodes(scene, which);
    assert_true(test_sees_version(scene->client, scene->version));
}

/* The letter of the node of each key. */
static void route_all(shoal_client *client, char letters[KEYS]) {
    for (int i = 0; i < KEYS; i++) {
        char key[32], name[300];
        snprintf(key, sizeof(key), "route-%d", i);
        test_route(client, key, name);
        letters[i] = name[0];
    }
}

static int count_letters(const char letters[KEYS], char letter) {
    int count = 0;
    for (int i = 0; i < KEYS; i++)
        count += letters[i] == letter;
    return count;
}

static void an_added_node_gets_its_share_and_moves_nothing_else(void **state) {
    (void)state;
    struct scene scene;
    char before[KEYS], after[KEYS];
    open_scene(&scene, "ab", OPTIONS);
    route_all(scene.client, before);
    assert_int_equal(count_letters(before, 'a') + count_letters(before, 'b'), KEYS);
    change_to(&scene, "abc");
    route_all(scene.client, after);
    assert_in_range(count_letters(after, 'c'), KEYS / 6, KEYS / 2);
    for (int i = 0; i < KEYS; i++)
        assert_true(after[i] == before[i] || after[i] == 'c');
    assert_true(test_works(scene.client));
    assert_true(test_memcached_stat(&scene.nodes[2], "curr_items") > 0);
    close_scene(&scene);
}

static void a_removed_node_is_gone_and_moves_nothing_else(void **state) {
    (void)state;
    struct scene scene;
    char before[KEYS], after[KEYS];
    open_scene(&scene, "abc", OPTIONS);
    assert_true(test_works(scene.client));
    route_all(scene.client, before);
    change_to(&scene, "ab");
    test_memcached_stop(&scene.nodes[2]);
    route_all(scene.client, after);
    assert_int_equal(count_letters(after, 'c'), 0);
    for (int i = 0; i < KEYS; i++)
        assert_true(after[i] == before[i] || before[i] == 'c');
    assert_true(test_works(scene.client));
    close_scene(&scene);
}

struct rest {
    const struct test_memcached *node;
    long connections;
};

static bool is_at_rest(void *context) {
    struct rest *rest = context;
    return test_memcached_stat(rest->node, "curr_connections") <= rest->connections;
}

static void the_connections_of_a_removed_node_are_closed(void **state) {
    (void)state;
    struct scene scene;
    open_scene(&scene, "abc", OPTIONS);
    assert_true(test_works(scene.client));
    struct rest rest = {&scene.nodes[2], scene.connections_at_rest[2]};
    assert_false(is_at_rest(&rest));
    change_to(&scene, "ab");
    assert_true(test_eventually(is_at_rest, &rest, 5000));
    assert_true(test_memcached_stat(&scene.nodes[0], "curr_connections") > scene.connections_at_rest[0]);
    close_scene(&scene);
}

static void a_node_that_comes_back_serves_again(void **state) {
    (void)state;
    struct scene scene;
    char before[KEYS], after[KEYS];
    open_scene(&scene, "abc", OPTIONS);
    route_all(scene.client, before);
    change_to(&scene, "ab");
    change_to(&scene, "cba"); /* the order is not the ring's concern */
    route_all(scene.client, after);
    assert_memory_equal(after, before, KEYS);
    assert_true(test_works(scene.client));
    close_scene(&scene);
}

/* --- Under load --- */

struct load {
    shoal_client *client;
    atomic_bool ends;
    atomic_uint calls;
    atomic_uint failures;
    char message[TEST_MESSAGE_SIZE];
};

static void note_call(struct load *load, shoal_status status, shoal_error *error) {
    atomic_fetch_add(&load->calls, 1);
    if (status < 0 && atomic_fetch_add(&load->failures, 1) == 0)
        snprintf(load->message, sizeof(load->message), "%s at %s", shoal_error_message(error),
                 shoal_error_node(error) ? shoal_error_node(error) : "no node");
}

static void *call_and_call(void *context) {
    struct load *load = context;
    shoal_error *error = NULL;
    for (unsigned i = 0; !atomic_load(&load->ends); i++) {
        char key[32];
        shoal_value *value = NULL;
        snprintf(key, sizeof(key), "load-%u", i % 500);
        note_call(load, shoal_set(load->client, key, strlen(key), "x", 1, 0, &error), error);
        note_call(load, shoal_get(load->client, key, strlen(key), &value, &error), error);
        shoal_value_free(value);
    }
    shoal_error_free(error);
    return NULL;
}

static void *batch_and_batch(void *context) {
    struct load *load = context;
    shoal_error *error = NULL;
    char keys[100][32]; /* borrowed by the batch */
    for (int i = 0; i < 100; i++)
        snprintf(keys[i], sizeof(keys[i]), "load-%d", i);
    while (!atomic_load(&load->ends)) {
        shoal_batch *batch = NULL;
        shoal_batch_new(load->client, &batch, NULL);
        for (int i = 0; i < 100; i++)
            shoal_batch_get(batch, keys[i], strlen(keys[i]), NULL);
        shoal_status status = shoal_batch_run(batch, &error);
        note_call(load, status == SHOAL_PARTIAL ? SHOAL_E_NODE_DOWN : status, error);
        shoal_batch_free(batch);
    }
    shoal_error_free(error);
    return NULL;
}

static void run_changes_under_load(struct scene *scene, void *(*worker)(void *)) {
    static const char *const lists[] = {"abc", "ac", "abc", "ba", "cba", "a", "ab"};
    struct load load = {.client = scene->client};
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, worker, &load), 0);
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        change_to(scene, lists[i]);
        test_sleep_ms(60);
    }
    atomic_store(&load.ends, true);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    if (atomic_load(&load.failures) > 0)
        fail_msg("%u of %u calls failed, the first: %s", atomic_load(&load.failures), atomic_load(&load.calls),
                 load.message);
    assert_true(atomic_load(&load.calls) > 50);
}

static void no_call_fails_while_nodes_come_and_go(void **state) {
    (void)state;
    struct scene scene;
    open_scene(&scene, "ab", OPTIONS);
    run_changes_under_load(&scene, call_and_call);
    assert_int_equal(test_count_events(scene.client, SHOAL_EVENT_NODE_FAILED), 0);
    close_scene(&scene);
}

static void no_batch_fails_while_nodes_come_and_go(void **state) {
    (void)state;
    struct scene scene;
    open_scene(&scene, "ab", OPTIONS);
    run_changes_under_load(&scene, batch_and_batch);
    close_scene(&scene);
}

/* With one connection a node, any that is made anew can be counted. */
static void a_node_that_stays_keeps_its_connection(void **state) {
    (void)state;
    struct scene scene;
    open_scene(&scene, "ab", OPTIONS "&lanes_per_node=1");
    assert_true(test_works(scene.client));
    long before = test_memcached_stat(&scene.nodes[0], "total_connections");
    run_changes_under_load(&scene, call_and_call);
    long after = test_memcached_stat(&scene.nodes[0], "total_connections");
    assert_int_equal(after - before, 1); /* the question itself */
    close_scene(&scene);
}

static void at_most_a_connection_a_thread_is_made(void **state) {
    (void)state;
    struct scene scene;
    open_scene(&scene, "ab", OPTIONS);
    long before = test_memcached_stat(&scene.nodes[0], "total_connections");
    run_changes_under_load(&scene, call_and_call);
    long after = test_memcached_stat(&scene.nodes[0], "total_connections");
    assert_in_range(after - before - 1, 1, 4);
    close_scene(&scene);
}

/* --- A node that returns with what it held --- */

static void write_all(struct scene *scene, const char *text) {
    for (int i = 0; i < KEYS; i++) {
        char key[32];
        snprintf(key, sizeof(key), "route-%d", i);
        assert_int_equal(shoal_set(scene->client, key, strlen(key), text, strlen(text), 0, NULL), SHOAL_OK);
    }
}

/* Every second key is written anew: half of those one by one, the other half in a batch. */
static void write_half(struct scene *scene, const char *text) {
    static char keys[KEYS][32];
    shoal_batch *batch = NULL;
    assert_int_equal(shoal_batch_new(scene->client, &batch, NULL), SHOAL_OK);
    for (int i = 0; i < KEYS; i += 2) {
        snprintf(keys[i], sizeof(keys[i]), "route-%d", i);
        size_t size = strlen(keys[i]);
        if (i % 4 == 0)
            assert_int_equal(shoal_set(scene->client, keys[i], size, text, strlen(text), 0, NULL), SHOAL_OK);
        else
            shoal_batch_store(batch, SHOAL_SET, keys[i], size, text, strlen(text), 0, 0, 0, NULL);
    }
    assert_int_equal(shoal_batch_run(batch, NULL), SHOAL_OK);
    shoal_batch_free(batch);
}

static int count_keys(struct scene *scene, const char *text, int from) {
    int count = 0;
    for (int i = from; i < KEYS; i += 2) {
        char key[32];
        shoal_value *value = NULL;
        snprintf(key, sizeof(key), "route-%d", i);
        shoal_get(scene->client, key, strlen(key), &value, NULL);
        count += value != NULL && shoal_value_size(value) == strlen(text) &&
                 memcmp(shoal_value_data(value), text, strlen(text)) == 0;
        shoal_value_free(value);
    }
    return count;
}

static void what_was_written_while_a_node_was_off_the_list_is_not_read_from_it(void **state) {
    (void)state;
    struct scene scene;
    char letters[KEYS];
    open_scene(&scene, "abc", OPTIONS "&on_node_failure=failover");
    route_all(scene.client, letters);
    write_all(&scene, "before");
    change_to(&scene, "ab");
    write_half(&scene, "newer");
    change_to(&scene, "abc");
    assert_int_equal(count_keys(&scene, "before", 0), 0);
    test_sleep_ms(500);
    assert_int_equal(count_keys(&scene, "before", 0), 0);
    assert_int_equal(count_keys(&scene, "before", 1), KEYS / 2); /* these are as they were */
    write_half(&scene, "again");
    assert_int_equal(count_keys(&scene, "again", 0), KEYS / 2);
    close_scene(&scene);
}

static void it_is_so_through_further_changes(void **state) {
    (void)state;
    struct scene scene;
    open_scene(&scene, "abc", OPTIONS "&on_node_failure=failover");
    write_all(&scene, "before");
    change_to(&scene, "ab");
    change_to(&scene, "a");
    write_half(&scene, "newer");
    change_to(&scene, "ac");
    assert_int_equal(count_keys(&scene, "before", 0), 0);
    change_to(&scene, "abc");
    assert_int_equal(count_keys(&scene, "before", 0), 0);
    close_scene(&scene);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_added_node_gets_its_share_and_moves_nothing_else),
        cmocka_unit_test(a_removed_node_is_gone_and_moves_nothing_else),
        cmocka_unit_test(the_connections_of_a_removed_node_are_closed),
        cmocka_unit_test(a_node_that_comes_back_serves_again),
        cmocka_unit_test(no_call_fails_while_nodes_come_and_go),
        cmocka_unit_test(no_batch_fails_while_nodes_come_and_go),
        cmocka_unit_test(a_node_that_stays_keeps_its_connection),
        cmocka_unit_test(at_most_a_connection_a_thread_is_made),
        cmocka_unit_test(what_was_written_while_a_node_was_off_the_list_is_not_read_from_it),
        cmocka_unit_test(it_is_so_through_further_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
