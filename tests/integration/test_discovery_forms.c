/* The forms in which a list of nodes comes from an endpoint: all that are legal, and those that services really send.
 * May include: the public headers, support/, cmocka. labels: valgrind */
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

#define OPTIONS "discovery_interval_ms=50&discovery_timeout_ms=8000&operation_timeout_ms=10000"

/* An endpoint that says this, and a client of it. */
struct scene {
    struct test_endpoint *endpoint;
    shoal_client *client;
};

static struct scene open_scene(const char *config_reply) {
    struct scene scene = {.endpoint = test_endpoint_start()};
    test_endpoint_set_config(scene.endpoint, config_reply);
    scene.client = test_client(test_endpoint_name(scene.endpoint), OPTIONS);
    return scene;
}

static void close_scene(struct scene *scene) {
    shoal_client_free(scene->client);
    test_endpoint_stop(scene->endpoint);
}

static void check_nodes(shoal_client *client, const char *wanted) {
    char names[TEST_NODES_SIZE];
    test_nodes(client, names);
    assert_string_equal(names, wanted);
}

static void check_address(shoal_client *client, size_t index, const char *wanted) {
    shoal_topology *topology = NULL;
    assert_int_equal(shoal_client_topology(client, &topology, NULL), SHOAL_OK);
    assert_string_equal(shoal_node_address(shoal_topology_node_at(topology, index)), wanted);
    shoal_topology_free(topology);
}

/* What is the same for each form: version 12 and the two nodes a and b. */
static void a_list_is_understood_in_each_legal_form(void **state) {
    (void)state;
    static const char *const replies[] = {
        "CONFIG cluster 0 33\r\n12\na|127.0.0.1|1 b|127.0.0.1|65535\n\r\nEND\r\n",
        "CONFIG cluster 0 34\r\n12\r\na|127.0.0.1|1 b|127.0.0.1|65535\n\r\nEND\r\n",
        "CONFIG cluster 0 35\r\n12\r\na|127.0.0.1|1 b|127.0.0.1|65535\r\n\r\nEND\r\n",
        "CONFIG cluster 0 36\r\n12\n a|127.0.0.1|1  b|127.0.0.1|65535 \n\r\nEND\r\n",
        "CONFIG cluster 0 56\r\n12\na|127.0.0.1|1 b|127.0.0.1|65535 a|127.0.0.1|1 b||65535\n\r\nEND\r\n",
        "CONFIG cluster 0 9\r\n12\na|127.0.0.1|1 b|127.0.0.1|65535\n\r\nEND\r\n",
        "CONFIG cluster 0 9999999\r\n12\na|127.0.0.1|1 b|127.0.0.1|65535\n\r\nEND\r\n",
        "CONFIG cluster 0 0\r\n12\na|127.0.0.1|1 b|127.0.0.1|65535\n\r\nEND\r\n",
        "CONFIG cluster 0 33\n12\na|127.0.0.1|1 b|127.0.0.1|65535\nEND\n",
    };
    for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
        struct scene scene = open_scene(replies[i]);
        check_nodes(scene.client, "a:1 b:65535");
        check_address(scene.client, 1, "127.0.0.1");
        assert_int_equal(test_version(scene.client), 12);
        assert_int_equal(test_count_events(scene.client, SHOAL_EVENT_DISCOVERY_FAILED), 0);
        close_scene(&scene);
    }
}

static void a_wrong_length_is_told(void **state) {
    (void)state;
    struct scene scene = open_scene("CONFIG cluster 0 9\r\n12\na|127.0.0.1|1\n\r\nEND\r\n");
    char message[TEST_MESSAGE_SIZE];
    check_nodes(scene.client, "a:1");
    assert_true(test_meets_event(scene.client, SHOAL_EVENT_WARNING, message));
    assert_non_null(strstr(message, "length"));
    close_scene(&scene);
}

static void a_right_length_is_not_worth_a_word(void **state) {
    (void)state;
    struct scene scene = open_scene("CONFIG cluster 0 17\r\n12\na|127.0.0.1|1\n\r\nEND\r\n");
    check_nodes(scene.client, "a:1");
    assert_true(test_polled(scene.endpoint, 3));
    assert_int_equal(test_count_events(scene.client, SHOAL_EVENT_WARNING), 0);
    close_scene(&scene);
}

static void a_reply_in_single_bytes_is_put_together(void **state) {
    (void)state;
    struct test_endpoint *endpoint = test_endpoint_start();
    test_endpoint_set_nodes(endpoint, 7, "a|127.0.0.1|1 b|127.0.0.1|2");
    test_endpoint_set_pace(endpoint, 1, 1);
    shoal_client *client = test_client(test_endpoint_name(endpoint), OPTIONS);
    check_nodes(client, "a:1 b:2");
    assert_int_equal(test_version(client), 7);
    shoal_client_free(client);
    test_endpoint_stop(endpoint);
}

static void a_node_without_an_address_is_reached_by_its_name(void **state) {
    (void)state;
    struct test_memcached server = test_memcached_start(0);
    struct test_endpoint *endpoint = test_endpoint_start();
    char nodes[64];
    snprintf(nodes, sizeof(nodes), "localhost||%u", server.port);
    test_endpoint_set_nodes(endpoint, 1, nodes);
    shoal_client *client = test_client(test_endpoint_name(endpoint), OPTIONS);
    assert_true(test_works(client));
    check_address(client, 0, "");
    assert_true(test_memcached_stat(&server, "cmd_set") >= 20);
    shoal_client_free(client);
    test_endpoint_stop(endpoint);
    test_memcached_stop(&server);
}

/* A node that holds nothing, and counts how often it is asked for the key of the test. */
static enum test_answer answer_reads(struct test_script *script, const char *line, void *context) {
    if (strstr(line, "anything") != NULL)
        atomic_fetch_add((atomic_uint *)context, 1);
    return test_script_say_miss(script, line);
}

static void check_ipv6_node(const char *format, const char *name_format) {
    atomic_uint reads = 0;
    struct test_script *node = test_script_start_at("::1", 0, answer_reads, &reads);
    if (node == NULL)
        skip();
    struct test_endpoint *endpoint = test_endpoint_start();
    char nodes[64], name[64];
    snprintf(nodes, sizeof(nodes), format, test_script_port(node));
    snprintf(name, sizeof(name), name_format, test_script_port(node));
    test_endpoint_set_nodes(endpoint, 1, nodes);
    shoal_client *client = test_client(test_endpoint_name(endpoint), OPTIONS);
    check_nodes(client, name);
    check_address(client, 0, "::1");
    assert_int_equal(test_read(client, "anything", NULL), SHOAL_NOT_FOUND);
    assert_int_equal(atomic_load(&reads), 1);
    shoal_client_free(client);
    test_endpoint_stop(endpoint);
    test_script_stop(node);
}

static void an_ipv6_address_of_a_named_node_is_used(void **state) {
    (void)state;
    check_ipv6_node("node.internal|::1|%u", "node.internal:%u");
}

static void an_ipv6_host_is_shown_in_brackets(void **state) {
    (void)state;
    check_ipv6_node("::1|::1|%u", "[::1]:%u");
}

/* All 250 names lead to one memcached. */
static void two_hundred_and_fifty_nodes_work(void **state) {
    (void)state;
    struct test_memcached server = test_memcached_start(0);
    struct test_endpoint *endpoint = test_endpoint_start();
    char nodes[250 * 40];
    size_t size = 0;
    for (int i = 0; i < 250; i++)
        size += (size_t)snprintf(nodes + size, sizeof(nodes) - size, "%sn%03d.internal|127.0.0.1|%u", i ? " " : "", i,
                                 server.port);
    test_endpoint_set_nodes(endpoint, 1, nodes);
    shoal_client *client = test_client(test_endpoint_name(endpoint), OPTIONS);
    for (int i = 0; i < 1000; i++) {
        char key[16];
        snprintf(key, sizeof(key), "key-%d", i);
        assert_int_equal(shoal_set(client, key, strlen(key), "x", 1, 0, NULL), SHOAL_OK);
    }
    assert_int_equal(test_memcached_stat(&server, "curr_items"), 1000);
    assert_true(test_memcached_stat(&server, "curr_connections") > 200); /* a connection a node that has keys */
    shoal_client_free(client);
    test_endpoint_stop(endpoint);
    test_memcached_stop(&server);
}

/* Knows discovery, says nonsense to `version`, and remembers that it was asked something else. */
static enum test_answer answer_as_memorystore(struct test_script *script, const char *line, void *context) {
    static const char reply[] = "CONFIG cluster 0 25\r\n1\n127.0.0.1|127.0.0.1|1\n\r\nEND\r\n";
    if (strcmp(line, "config get cluster") == 0) {
        test_script_say(script, reply, sizeof(reply) - 1);
        return TEST_ANSWERED;
    }
    atomic_store((atomic_bool *)context, true);
    test_script_say(script, "VERSION UNKNOWN\r\n", 17);
    return TEST_ANSWERED;
}

static void the_engines_version_is_never_asked(void **state) {
    (void)state;
    atomic_bool strayed = false;
    struct test_script *script = test_script_start(answer_as_memorystore, &strayed);
    shoal_client *client = test_client(test_script_name(script), OPTIONS);
    check_nodes(client, "127.0.0.1:1");
    shoal_client_free(client);
    assert_false(atomic_load(&strayed));
    test_script_stop(script);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_is_understood_in_each_legal_form),
        cmocka_unit_test(a_wrong_length_is_told),
        cmocka_unit_test(a_right_length_is_not_worth_a_word),
        cmocka_unit_test(a_reply_in_single_bytes_is_put_together),
        cmocka_unit_test(a_node_without_an_address_is_reached_by_its_name),
        cmocka_unit_test(an_ipv6_address_of_a_named_node_is_used),
        cmocka_unit_test(an_ipv6_host_is_shown_in_brackets),
        cmocka_unit_test(two_hundred_and_fifty_nodes_work),
        cmocka_unit_test(the_engines_version_is_never_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
