/* Endpoints that do not know `config get cluster`, or have no list: the legacy key, and what END alone means.
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

#define KEY "AmazonElastiCache:cluster"
#define OPTIONS "discovery_interval_ms=50&operation_timeout_ms=5000&discovery_fallback=strict"
#define LEGACY_REPLY "VALUE AmazonElastiCache:cluster 0 17\r\n12\na|127.0.0.1|1\n\r\nEND\r\n"

struct scene {
    struct test_endpoint *endpoint;
    shoal_client *client;
};

static struct scene open_scene(const char *config_reply, const char *legacy_reply) {
    struct scene scene = {.endpoint = test_endpoint_start()};
    test_endpoint_set_config(scene.endpoint, config_reply);
    test_endpoint_set_legacy(scene.endpoint, legacy_reply);
    scene.client = test_client(test_endpoint_name(scene.endpoint), OPTIONS);
    return scene;
}

static void close_scene(struct scene *scene) {
    shoal_client_free(scene->client);
    test_endpoint_stop(scene->endpoint);
}

/* The list of version 12 stays through some more polls, and nobody complains. */
static void check_list_stays(struct scene *scene) {
    assert_true(test_polled(scene->endpoint, 4));
    assert_int_equal(test_version(scene->client), 12);
    assert_true(test_sees_nodes(scene->client, "a:1"));
    assert_int_equal(test_count_events(scene->client, SHOAL_EVENT_DISCOVERY_FAILED), 0);
}

static void any_refusal_leads_to_the_legacy_key(void **state) {
    (void)state;
    static const char *const refusals[] = {"ERROR\r\n", "CLIENT_ERROR unknown command\r\n", "SERVER_ERROR no\r\n",
                                           "ERROR unknown command\r\n", NULL};
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        struct scene scene = open_scene(refusals[i], LEGACY_REPLY);
        assert_int_equal(test_version(scene.client), 12);
        check_list_stays(&scene);
        close_scene(&scene);
    }
}

struct tally {
    atomic_uint config_questions;
    atomic_uint legacy_questions;
    bool closes;
};

static enum test_answer answer_legacy_only(struct test_script *script, const char *line, void *context) {
    struct tally *tally = context;
    bool is_config = strcmp(line, "config get cluster") == 0;
    atomic_fetch_add(is_config ? &tally->config_questions : &tally->legacy_questions, 1);
    if (is_config && tally->closes)
        return TEST_CLOSE;
    const char *reply = is_config ? "ERROR\r\n" : LEGACY_REPLY;
    test_script_say(script, reply, strlen(reply));
    return TEST_ANSWERED;
}

static unsigned count_connections_of_one_poll(bool closes) {
    struct tally tally = {.closes = closes};
    struct test_script *script = test_script_start(answer_legacy_only, &tally);
    shoal_client *client = test_client(test_script_name(script), "operation_timeout_ms=5000");
    assert_int_equal(test_version(client), 12);
    assert_int_equal(atomic_load(&tally.config_questions), 1);
    assert_int_equal(atomic_load(&tally.legacy_questions), 1);
    unsigned connections = test_script_connections(script);
    shoal_client_free(client);
    test_script_stop(script);
    return connections;
}

static void after_an_error_the_same_connection_is_asked(void **state) {
    (void)state;
    assert_int_equal(count_connections_of_one_poll(false), 1);
}

static void after_a_close_a_new_connection_is_asked(void **state) {
    (void)state;
    assert_int_equal(count_connections_of_one_poll(true), 2);
}

static void a_list_that_anyone_can_plant_is_told_once(void **state) {
    (void)state;
    struct scene scene = open_scene("ERROR\r\n", LEGACY_REPLY);
    char message[TEST_MESSAGE_SIZE];
    assert_int_equal(test_version(scene.client), 12);
    assert_true(test_meets_event(scene.client, SHOAL_EVENT_WARNING, message));
    assert_true(test_polled(scene.endpoint, 3));
    assert_non_null(strstr(message, "allow_nodes"));
    assert_int_equal(test_count_events(scene.client, SHOAL_EVENT_WARNING), 0);
    close_scene(&scene);
}

static void set_list(const struct test_memcached *server, uint64_t version, const char *nodes) {
    char payload[256];
    snprintf(payload, sizeof(payload), "%llu\n%s\n", (unsigned long long)version, nodes);
    char list[64];
    snprintf(list, sizeof(list), "static://%s", server->name);
    shoal_client *writer = test_client(list, "operation_timeout_ms=5000");
    assert_int_equal(shoal_set(writer, KEY, strlen(KEY), payload, strlen(payload), 0, NULL), SHOAL_OK);
    shoal_client_free(writer);
}

static void flush(const struct test_memcached *server) {
    char list[64];
    snprintf(list, sizeof(list), "static://%s", server->name);
    shoal_client *writer = test_client(list, "operation_timeout_ms=5000");
    assert_int_equal(shoal_flush_all(writer, NULL), SHOAL_OK);
    shoal_client_free(writer);
}

struct wanted {
    const struct test_memcached *server;
    long misses;
};

static bool was_asked_again(void *context) {
    struct wanted *wanted = context;
    return test_memcached_stat(wanted->server, "get_misses") >= wanted->misses;
}

static void a_plain_memcached_holding_the_key_is_an_endpoint(void **state) {
    (void)state;
    struct test_memcached server = test_memcached_start(0);
    set_list(&server, 3, "a|127.0.0.1|1 b|127.0.0.1|2");
    shoal_client *client = test_client(server.name, OPTIONS);
    assert_int_equal(test_version(client), 3);
    assert_true(test_sees_nodes(client, "a:1 b:2"));
    set_list(&server, 4, "b|127.0.0.1|2 c|127.0.0.1|3");
    assert_true(test_sees_nodes(client, "b:2 c:3"));
    shoal_client_free(client);
    test_memcached_stop(&server);
}

static void a_flushed_legacy_key_takes_nothing_away(void **state) {
    (void)state;
    struct test_memcached server = test_memcached_start(0);
    set_list(&server, 12, "a|127.0.0.1|1");
    shoal_client *client = test_client(server.name, "discovery_interval_ms=50&operation_timeout_ms=5000");
    assert_int_equal(test_version(client), 12);
    flush(&server);
    struct wanted wanted = {&server, test_memcached_stat(&server, "get_misses") + 4};
    assert_true(test_eventually(was_asked_again, &wanted, 10000));
    assert_int_equal(test_version(client), 12);
    assert_true(test_sees_nodes(client, "a:1"));
    assert_int_equal(test_count_events(client, SHOAL_EVENT_DISCOVERY_FAILED), 0);
    set_list(&server, 13, "b|127.0.0.1|2");
    assert_true(test_sees_version(client, 13));
    shoal_client_free(client);
    test_memcached_stop(&server);
}

static void end_alone_keeps_the_list(void **state) {
    (void)state;
    struct scene scene = open_scene("CONFIG cluster 0 17\r\n12\na|127.0.0.1|1\n\r\nEND\r\n", "ERROR\r\n");
    assert_int_equal(test_version(scene.client), 12);
    test_endpoint_set_config(scene.endpoint, "END\r\n");
    check_list_stays(&scene);
    test_endpoint_set_nodes(scene.endpoint, 13, "b|127.0.0.1|2");
    assert_true(test_sees_version(scene.client, 13));
    close_scene(&scene);
}

static void an_endpoint_that_forgot_discovery_takes_nothing_away(void **state) {
    (void)state;
    struct scene scene = open_scene("CONFIG cluster 0 17\r\n12\na|127.0.0.1|1\n\r\nEND\r\n", "END\r\n");
    assert_int_equal(test_version(scene.client), 12);
    test_endpoint_set_config(scene.endpoint, "ERROR\r\n");
    check_list_stays(&scene);
    test_endpoint_set_legacy(scene.endpoint, "ERROR\r\n");
    check_list_stays(&scene);
    close_scene(&scene);
}

static void end_alone_is_a_clear_error_where_nothing_is_known(void **state) {
    (void)state;
    struct scene scene = open_scene("END\r\n", LEGACY_REPLY);
    char message[TEST_MESSAGE_SIZE];
    assert_int_equal(test_read(scene.client, "key", message), SHOAL_E_DISCOVERY);
    assert_non_null(strstr(message, test_endpoint_name(scene.endpoint)));
    assert_non_null(strstr(message, "no configuration"));
    test_endpoint_set_nodes(scene.endpoint, 5, "a|127.0.0.1|1");
    assert_true(test_sees_version(scene.client, 5));
    close_scene(&scene);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_refusal_leads_to_the_legacy_key),
        cmocka_unit_test(after_an_error_the_same_connection_is_asked),
        cmocka_unit_test(after_a_close_a_new_connection_is_asked),
        cmocka_unit_test(a_list_that_anyone_can_plant_is_told_once),
        cmocka_unit_test(a_plain_memcached_holding_the_key_is_an_endpoint),
        cmocka_unit_test(a_flushed_legacy_key_takes_nothing_away),
        cmocka_unit_test(end_alone_keeps_the_list),
        cmocka_unit_test(an_endpoint_that_forgot_discovery_takes_nothing_away),
        cmocka_unit_test(end_alone_is_a_clear_error_where_nothing_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
