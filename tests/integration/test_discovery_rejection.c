/* Answers that are not believed: bad ones, older ones, lists with forbidden nodes. Nothing may change by them.
 * May include: the public headers, support/, cmocka. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <shoal/shoal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/clients.h"

#define OPTIONS "discovery_interval_ms=20&discovery_jitter=0&discovery_timeout_ms=200&operation_timeout_ms=5000"

struct scene {
    struct test_endpoint *endpoint;
    shoal_client *client;
};

static struct scene open_scene(uint64_t version, const char *nodes, const char *options) {
    struct scene scene = {.endpoint = test_endpoint_start()};
    test_endpoint_set_nodes(scene.endpoint, version, nodes);
    scene.client = test_client(test_endpoint_name(scene.endpoint), options);
    assert_true(test_sees_version(scene.client, version));
    return scene;
}

static void close_scene(struct scene *scene) {
    shoal_client_free(scene->client);
    test_endpoint_stop(scene->endpoint);
}

/* The reply is refused for several polls, which is told once; then discovery recovers, which is told once. */
static void check_changes_nothing(const char *reply, const char *what) {
    struct scene scene = open_scene(12, "a|127.0.0.1|1 b|127.0.0.1|2", OPTIONS);
    char names[TEST_NODES_SIZE], message[TEST_MESSAGE_SIZE];
    test_count_events(scene.client, 0);
    test_endpoint_set_config(scene.endpoint, reply);
    if (!test_meets_event(scene.client, SHOAL_EVENT_DISCOVERY_FAILED, message))
        fail_msg("%s: not told as a failure", what);
    assert_non_null(strstr(message, test_endpoint_name(scene.endpoint)));
    assert_true(test_polled(scene.endpoint, 3));
    test_nodes(scene.client, names);
    assert_string_equal(names, "a:1 b:2");
    assert_int_equal(test_version(scene.client), 12);
    assert_int_equal(test_count_events(scene.client, SHOAL_EVENT_DISCOVERY_FAILED), 0);
    test_endpoint_set_nodes(scene.endpoint, 12, "a|127.0.0.1|1 b|127.0.0.1|2");
    assert_true(test_meets_event(scene.client, SHOAL_EVENT_DISCOVERY_RECOVERED, NULL));
    assert_true(test_polled(scene.endpoint, 2));
    assert_int_equal(test_count_events(scene.client, SHOAL_EVENT_DISCOVERY_RECOVERED), 0);
    close_scene(&scene);
}

static void a_malformed_list_changes_nothing(void **state) {
    (void)state;
    static const char *const payloads[] = {
        "13\na|127.0.0.1\n",               /* a pipe missing */
        "13\na|127.0.0.1|1|2\n",           /* one too many */
        "13\na:11211\n",                   /* no pipes at all */
        "13\na|127.0.0.1|0\n",             /* ports */
        "13\na|127.0.0.1|65536\n",         /**/
        "13\na|127.0.0.1|x\n",             /**/
        "13\na|127.0.0.1|\n",              /**/
        "13\na|127.0.0.1|-1\n",            /**/
        "13\n||1\n",                       /* neither host nor address */
        "13\nc|127.0.0.1|3 a|127.0.0.1\n", /* one good node does not save the other */
        "x\na|127.0.0.1|1\n",              /* versions */
        "\na|127.0.0.1|1\n",               /**/
        "-1\na|127.0.0.1|1\n",             /**/
        "13 \na|127.0.0.1|1\n",            /**/
        "99999999999999999999\nc|127.0.0.1|3\n",
        "13\n",   /* no nodes */
        "13\n\n", /**/
        "13\nc|/run/docker.sock|3\n",
    };
    for (size_t i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++) {
        char reply[256];
        snprintf(reply, sizeof(reply), "CONFIG cluster 0 %zu\r\n%s\r\nEND\r\n", strlen(payloads[i]), payloads[i]);
        check_changes_nothing(reply, payloads[i]);
    }
}

static void what_is_no_reply_changes_nothing(void **state) {
    (void)state;
    static const char *const replies[] = {
        "HELLO\r\n",
        "\r\n",
        "STAT pid 1\r\nEND\r\n",
        "CONFIG cluster\r\n13\nc|127.0.0.1|3\n\r\nEND\r\n",
        "CONFIG cluster 0 x\r\n13\nc|127.0.0.1|3\n\r\nEND\r\n",
        "CONFIG other 0 17\r\n13\nc|127.0.0.1|3\n\r\nEND\r\n",
        "VALUE other 0 17\r\n13\nc|127.0.0.1|3\n\r\nEND\r\n",
        "CONFIG cluster 0 17\r\n13\nc|127.0.0.1|3\n\r\n", /* and then silence */
        "CONFIG cluster 0 17\r\n13\nc|127",
        "CONFIG",
    };
    for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++)
        check_changes_nothing(replies[i], replies[i]);
}

static void silence_changes_nothing(void **state) {
    (void)state;
    struct scene scene = open_scene(12, "a|127.0.0.1|1", OPTIONS);
    test_endpoint_set_hang(scene.endpoint, true);
    assert_true(test_meets_event(scene.client, SHOAL_EVENT_DISCOVERY_FAILED, NULL));
    assert_int_equal(test_version(scene.client), 12);
    test_endpoint_set_hang(scene.endpoint, false);
    assert_true(test_meets_event(scene.client, SHOAL_EVENT_DISCOVERY_RECOVERED, NULL));
    close_scene(&scene);
}

/* head, then filler up to 1.25 MiB, then tail. */
static void check_oversize(const char *head, char filler, const char *tail, const char *what) {
    size_t size = 5 * 256 * 1024;
    char *reply = malloc(size + strlen(head) + strlen(tail) + 1);
    assert_non_null(reply);
    size_t at = strlen(head);
    memcpy(reply, head, at);
    memset(reply + at, filler, size);
    memcpy(reply + at + size, tail, strlen(tail) + 1);
    check_changes_nothing(reply, what);
    free(reply);
}

static void a_reply_over_one_mebibyte_changes_nothing(void **state) {
    (void)state;
    check_oversize("CONFIG cluster 0 1310737\r\n13\nc|127.0.0.1|3", ' ', "\n\r\nEND\r\n", "many spaces");
    check_oversize("CONFIG cluster 0 17\r\n13\nc|127.0.0.1|3\n", '\n', "END\r\n", "many lines");
}

static void a_line_without_end_changes_nothing(void **state) {
    (void)state;
    check_oversize("CONFIG cluster 0 ", '1', "", "first line");
    check_oversize("CONFIG cluster 0 17\r\n", '1', "", "version");
    check_oversize("CONFIG cluster 0 17\r\n13\n", 'a', "", "nodes");
}

static void the_same_version_with_another_text_is_applied(void **state) {
    (void)state;
    struct scene scene = open_scene(12, "a|127.0.0.1|1 b|127.0.0.1|2", OPTIONS);
    test_endpoint_set_nodes(scene.endpoint, 12, "a|127.0.0.1|1 c|127.0.0.1|3");
    assert_true(test_sees_nodes(scene.client, "a:1 c:3"));
    assert_int_equal(test_version(scene.client), 12);
    test_endpoint_set_nodes(scene.endpoint, 12, "a|127.0.0.2|1 c|127.0.0.1|3"); /* an address alone */
    test_count_events(scene.client, 0);
    assert_true(test_meets_event(scene.client, SHOAL_EVENT_TOPOLOGY_CHANGED, NULL));
    close_scene(&scene);
}

static void the_same_text_is_no_change(void **state) {
    (void)state;
    struct scene scene = open_scene(12, "a|127.0.0.1|1 b|127.0.0.1|2", OPTIONS);
    assert_int_equal(test_count_events(scene.client, SHOAL_EVENT_TOPOLOGY_CHANGED), 1);
    assert_true(test_polled(scene.endpoint, 4));
    assert_int_equal(test_count_events(scene.client, SHOAL_EVENT_TOPOLOGY_CHANGED), 0);
    close_scene(&scene);
}

/* Version 5 once, then for each poll what the test has put there: two versions in turn. */
struct flicker {
    atomic_uint polls;
    unsigned first;
    unsigned second;
};

static enum test_answer answer_flickering(struct test_script *script, const char *line, void *context) {
    struct flicker *flicker = context;
    char reply[128];
    (void)line;
    unsigned poll = atomic_fetch_add(&flicker->polls, 1);
    unsigned version = poll == 0 ? 5 : poll % 2 == 1 ? flicker->first : flicker->second;
    int size =
        snprintf(reply, sizeof(reply), "CONFIG cluster 0 16\r\n%u\nv%u|127.0.0.1|1\n\r\nEND\r\n", version, version);
    test_script_say(script, reply, (size_t)size);
    return TEST_ANSWERED;
}

static bool polled_ten_times(void *context) {
    struct flicker *flicker = context;
    return atomic_load(&flicker->polls) >= 10;
}

static void older_versions_that_disagree_are_never_believed(void **state) {
    (void)state;
    struct flicker flicker = {.first = 3, .second = 4};
    struct test_script *script = test_script_start(answer_flickering, &flicker);
    shoal_client *client = test_client(test_script_name(script), OPTIONS);
    assert_int_equal(test_version(client), 5);
    assert_true(test_eventually(polled_ten_times, &flicker, 10000));
    assert_int_equal(test_version(client), 5);
    assert_int_equal(test_count_events(client, SHOAL_EVENT_TOPOLOGY_CHANGED), 1);
    shoal_client_free(client);
    test_script_stop(script);
}

static void an_older_version_between_current_ones_is_never_believed(void **state) {
    (void)state;
    struct flicker flicker = {.first = 3, .second = 5};
    struct test_script *script = test_script_start(answer_flickering, &flicker);
    shoal_client *client = test_client(test_script_name(script), OPTIONS);
    assert_int_equal(test_version(client), 5);
    assert_true(test_eventually(polled_ten_times, &flicker, 10000));
    assert_int_equal(test_count_events(client, SHOAL_EVENT_TOPOLOGY_CHANGED), 1);
    shoal_client_free(client);
    test_script_stop(script);
}

static void an_older_version_is_believed_at_its_third_poll(void **state) {
    (void)state;
    struct flicker flicker = {.first = 3, .second = 3};
    struct test_script *script = test_script_start(answer_flickering, &flicker);
    shoal_client *client = test_client(test_script_name(script), OPTIONS "&discovery_interval_ms=300");
    assert_int_equal(test_version(client), 5);
    while (test_version(client) == 5 && atomic_load(&flicker.polls) < 10)
        test_sleep_ms(1);
    unsigned polls = atomic_load(&flicker.polls);
    assert_int_equal(test_version(client), 3);
    assert_in_range(polls, 4, 5); /* version 5, three times version 3, and one more if this thread was late */
    shoal_client_free(client);
    test_script_stop(script);
}

static void a_list_with_a_forbidden_node_is_refused_whole(void **state) {
    (void)state;
    struct scene scene = open_scene(12, "a.internal|127.0.0.1|1", OPTIONS "&allow_nodes=*.internal,10.0.0.0/8");
    char message[TEST_MESSAGE_SIZE];
    test_endpoint_set_nodes(scene.endpoint, 13, "a.internal|127.0.0.1|1 evil.example|127.0.0.1|2");
    assert_true(test_meets_event(scene.client, SHOAL_EVENT_DISCOVERY_FAILED, message));
    assert_non_null(strstr(message, "evil.example:2"));
    assert_non_null(strstr(message, "allow_nodes"));
    assert_int_equal(test_version(scene.client), 12);
    test_endpoint_set_nodes(scene.endpoint, 13, "a.internal|127.0.0.1|1 other|10.1.2.3|2");
    assert_true(test_sees_version(scene.client, 13));
    close_scene(&scene);
}

static void a_first_list_with_a_forbidden_node_is_a_clear_error(void **state) {
    (void)state;
    struct test_endpoint *endpoint = test_endpoint_start();
    char message[TEST_MESSAGE_SIZE];
    test_endpoint_set_nodes(endpoint, 1, "evil.example|127.0.0.1|2");
    shoal_client *client = test_client(test_endpoint_name(endpoint), OPTIONS "&allow_nodes=*.internal");
    assert_int_equal(test_read(client, "key", message), SHOAL_E_DISCOVERY);
    assert_non_null(strstr(message, "evil.example:2"));
    assert_non_null(strstr(message, test_endpoint_name(endpoint)));
    shoal_client_free(client);
    test_endpoint_stop(endpoint);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_malformed_list_changes_nothing),
        cmocka_unit_test(what_is_no_reply_changes_nothing),
        cmocka_unit_test(silence_changes_nothing),
        cmocka_unit_test(a_reply_over_one_mebibyte_changes_nothing),
        cmocka_unit_test(a_line_without_end_changes_nothing),
        cmocka_unit_test(the_same_version_with_another_text_is_applied),
        cmocka_unit_test(the_same_text_is_no_change),
        cmocka_unit_test(older_versions_that_disagree_are_never_believed),
        cmocka_unit_test(an_older_version_between_current_ones_is_never_believed),
        cmocka_unit_test(an_older_version_is_believed_at_its_third_poll),
        cmocka_unit_test(a_list_with_a_forbidden_node_is_refused_whole),
        cmocka_unit_test(a_first_list_with_a_forbidden_node_is_a_clear_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
