/* A node that answers, but far more slowly than its peers: with failover it is put out of use, and comes back once it
 * is quick again; all alike slow, none is. The slow one is a script that speaks the classic protocol. May include: the
 * public headers, support/. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/fleets.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define SLACK_MS test_patience_ms(3000)
#define ATTEMPT_MS 800
#define SLOW_MS 300 /* more than a quarter of an attempt */

static struct test_fleet fleet;
static atomic_int pause_ms;

/* Reads nothing but misses. */
static enum test_answer answer_late(struct test_script *script, const char *line, void *context) {
    (void)context;
    test_sleep_ms(atomic_load(&pause_ms));
    const char *reply = strncmp(line, "version", 7) == 0 ? "VERSION 1.6.18\r\n" : "END\r\n";
    test_script_say(script, reply, strlen(reply));
    return TEST_ANSWERED;
}

static shoal_client *client_of(const struct test_script *const *scripts, size_t count, const char *options) {
    char endpoint[512], all[256];
    snprintf(endpoint, sizeof(endpoint), "%s", fleet.count > 0 ? fleet.endpoint : "static://");
    for (size_t i = 0; i < count; i++)
        snprintf(endpoint + strlen(endpoint), sizeof(endpoint) - strlen(endpoint), "%s%s",
                 i + fleet.count > 0 ? "," : "", test_script_name(scripts[i]));
    snprintf(all, sizeof(all), "protocol=libmemcached&operation_timeout_ms=4000&attempt_timeout_ms=%d&%s", ATTEMPT_MS,
             options);
    return test_client(endpoint, all);
}

/* A key that belongs to a script. */
static void choose_key(shoal_client *client, const struct test_script *script, char key[32]) {
    char name[300] = "";
    for (int i = 0; strcmp(name, test_script_name(script)) != 0; i++) {
        snprintf(key, 32, "key-%d", i);
        test_route(client, key, name);
    }
}

/* What the real nodes take as a rule becomes known. */
static void warm_up(shoal_client *client) {
    char key[32];
    for (int i = 0; i < 100; i++) {
        snprintf(key, sizeof(key), "warm-%d", i);
        assert_int_equal(test_get(client, key), SHOAL_NOT_FOUND);
    }
}

/* A fleet of which one node, which has that key, has just become slow. */
static shoal_client *slow_one_down(const char *options, struct test_script **script, char key[32]) {
    *script = test_script_start(answer_late, NULL);
    shoal_client *client = client_of((const struct test_script *const *)script, 1, options);
    choose_key(client, *script, key);
    warm_up(client);
    atomic_store(&pause_ms, SLOW_MS);
    return client;
}

static int64_t time_read_ms(shoal_client *client, const char *key) {
    int64_t begun_ms = test_now_ms();
    assert_int_equal(test_get(client, key), SHOAL_NOT_FOUND);
    return test_now_ms() - begun_ms;
}

static void a_node_far_slower_than_its_peers_is_put_out_and_comes_back(void **state) {
    (void)state;
    char key[32], message[TEST_MESSAGE_SIZE];
    struct test_script *script;
    shoal_client *client = slow_one_down("on_node_failure=failover", &script, key);
    for (int i = 0; i < 3; i++)
        assert_in_range(time_read_ms(client, key), SLOW_MS, SLOW_MS + SLACK_MS);
    assert_true(test_meets_event(client, SHOAL_EVENT_NODE_FAILED, message));
    assert_non_null(strstr(message, "far slower"));
    int64_t begun_ms = test_now_ms();
    for (int i = 0; i < 10; i++)
        time_read_ms(client, key);
    assert_true(test_now_ms() - begun_ms < 10 * SLOW_MS);
    test_sleep_ms(1000);
    assert_int_equal(test_count_events(client, SHOAL_EVENT_NODE_RECOVERED), 0); /* its probes are answered, and late */
    atomic_store(&pause_ms, 0);
    assert_true(test_meets_event(client, SHOAL_EVENT_NODE_RECOVERED, NULL));
    shoal_client_free(client);
    test_script_stop(script);
}

static void without_failover_it_is_used_on(void **state) {
    (void)state;
    char key[32];
    struct test_script *script;
    shoal_client *client = slow_one_down("on_node_failure=error", &script, key);
    for (int i = 0; i < 5; i++)
        assert_in_range(time_read_ms(client, key), SLOW_MS, SLOW_MS + SLACK_MS);
    shoal_client_free(client);
    test_script_stop(script);
}

static void no_more_than_a_share_is_put_out(void **state) {
    (void)state;
    char key[32];
    struct test_script *script;
    shoal_client *client = slow_one_down("on_node_failure=failover&max_down_share=0.1", &script, key);
    for (int i = 0; i < 5; i++)
        assert_in_range(time_read_ms(client, key), SLOW_MS, SLOW_MS + SLACK_MS);
    shoal_client_free(client);
    test_script_stop(script);
}

static void where_all_are_slow_none_is_put_out(void **state) {
    (void)state;
    struct test_script *scripts[3];
    char keys[3][32];
    test_fleet_stop(&fleet);
    fleet.count = 0;
    for (int i = 0; i < 3; i++)
        scripts[i] = test_script_start(answer_late, NULL);
    shoal_client *client = client_of((const struct test_script *const *)scripts, 3, "on_node_failure=failover");
    for (int i = 0; i < 3; i++)
        choose_key(client, scripts[i], keys[i]);
    atomic_store(&pause_ms, SLOW_MS);
    for (int round = 0; round < 5; round++)
        for (int i = 0; i < 3; i++)
            time_read_ms(client, keys[i]);
    assert_int_equal(test_count_events(client, SHOAL_EVENT_NODE_FAILED), 0);
    shoal_client_free(client);
    for (int i = 0; i < 3; i++)
        test_script_stop(scripts[i]);
}

static int start(void **state) {
    (void)state;
    atomic_store(&pause_ms, 0);
    test_fleet_start(&fleet, 3);
    return 0;
}

static int stop(void **state) {
    (void)state;
    test_fleet_stop(&fleet);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_node_far_slower_than_its_peers_is_put_out_and_comes_back, start, stop),
        cmocka_unit_test_setup_teardown(without_failover_it_is_used_on, start, stop),
        cmocka_unit_test_setup_teardown(no_more_than_a_share_is_put_out, start, stop),
        cmocka_unit_test_setup_teardown(where_all_are_slow_none_is_put_out, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
