/* Arguments that cannot be right: each gets a clear status, and nothing crashes, leaks or is told that must not be.
 * labels: valgrind
 * May include: the public headers, support/. Options and endpoints have their own tests in tests/unit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/fleets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct test_fleet fleet;
static shoal_client *client;
static char garbage; /* its address stands in outputs that a failing call must clear */

static int start(void **state) {
    (void)state;
    test_fleet_start(&fleet, 2);
    client = test_client(fleet.endpoint, "operation_timeout_ms=20000");
    return 0;
}

static int stop(void **state) {
    (void)state;
    shoal_client_free(client);
    test_fleet_stop(&fleet);
    return 0;
}

/* --- NULL where a handle should be --- */

/* The calls with a key, on a client that cannot serve them. */
static void assert_operations_fail(shoal_client *bad, shoal_status expected) {
    shoal_error *error = NULL;
    shoal_value *value = (shoal_value *)&garbage;
    uint64_t number = 77;
    assert_int_equal(shoal_get(bad, "k", 1, &value, &error), expected);
    assert_null(value);
    value = (shoal_value *)&garbage;
    assert_int_equal(shoal_get_and_touch(bad, "k", 1, 0, &value, &error), expected);
    assert_null(value);
    assert_int_equal(shoal_set(bad, "k", 1, "v", 1, 0, &error), expected);
    assert_int_equal(shoal_store(bad, SHOAL_ADD, "k", 1, "v", 1, 0, 0, 0, &number, &error), expected);
    assert_true(number == 0);
    number = 77;
    assert_int_equal(shoal_increment(bad, "k", 1, 1, NULL, 0, &number, &error), expected);
    assert_true(number == 0);
    assert_int_equal(shoal_delete(bad, "k", 1, &error), expected);
    assert_int_equal(shoal_touch(bad, "k", 1, 0, &error), expected);
    assert_int_equal(shoal_error_status(error), expected);
    assert_true(strlen(shoal_error_message(error)) > 10);
    assert_null(shoal_error_node(error));
    assert_int_equal(shoal_error_attempts(error), 0);
    shoal_error_free(error);
}

/* Those for the whole fleet. */
static void assert_surveys_fail(shoal_client *bad, shoal_status expected) {
    shoal_error *error = NULL;
    shoal_topology *topology = (shoal_topology *)&garbage;
    shoal_node *node = (shoal_node *)&garbage;
    shoal_stats *stats = (shoal_stats *)&garbage;
    assert_int_equal(shoal_flush_all(bad, &error), expected);
    assert_int_equal(shoal_client_topology(bad, &topology, &error), expected);
    assert_int_equal(shoal_route(bad, "k", 1, &node, &error), expected);
    assert_int_equal(shoal_stats_read(bad, NULL, &stats, &error), expected);
    assert_int_equal(shoal_error_status(error), expected);
    assert_true(topology == NULL && node == NULL && stats == NULL);
    shoal_error_free(error);
}

static void a_null_client_is_invalid(void **state) {
    (void)state;
    shoal_batch *batch = (shoal_batch *)&garbage;
    shoal_event *event = (shoal_event *)&garbage;
    assert_operations_fail(NULL, SHOAL_E_INVALID);
    assert_surveys_fail(NULL, SHOAL_E_INVALID);
    assert_int_equal(shoal_batch_new(NULL, &batch, NULL), SHOAL_E_INVALID);
    assert_null(batch);
    assert_int_equal(shoal_client_next_event(NULL, &event, NULL), SHOAL_E_INVALID);
    assert_null(event);
    shoal_client_close(NULL);
    shoal_client_free(NULL);
}

static void a_null_configuration_is_invalid(void **state) {
    (void)state;
    const char *text = &garbage;
    shoal_config *config = test_config(fleet.endpoint);
    shoal_client *made = (shoal_client *)&garbage;
    assert_int_equal(shoal_config_new(NULL, NULL), SHOAL_E_INVALID);
    assert_int_equal(shoal_config_set(NULL, "hash", "md5", NULL), SHOAL_E_INVALID);
    assert_int_equal(shoal_config_set(config, NULL, "md5", NULL), SHOAL_E_INVALID);
    assert_int_equal(shoal_config_set(config, "hash", NULL, NULL), SHOAL_E_INVALID);
    assert_int_equal(shoal_config_get(NULL, "hash", &text, NULL), SHOAL_E_INVALID);
    assert_null(text);
    assert_int_equal(shoal_config_get(config, NULL, &text, NULL), SHOAL_E_INVALID);
    assert_int_equal(shoal_config_get(config, "hash", NULL, NULL), SHOAL_E_INVALID);
    assert_int_equal(shoal_client_new(NULL, &made, NULL), SHOAL_E_INVALID);
    assert_null(made);
    assert_int_equal(shoal_client_new(config, NULL, NULL), SHOAL_E_INVALID);
    assert_int_equal(shoal_client_shared(NULL, &made, NULL), SHOAL_E_INVALID);
    assert_int_equal(shoal_client_shared(config, NULL, NULL), SHOAL_E_INVALID);
    shoal_config_free(config);
    shoal_config_free(NULL);
}

static void a_null_output_is_invalid(void **state) {
    (void)state;
    shoal_error *error = NULL;
    assert_int_equal(shoal_get(client, "k", 1, NULL, &error), SHOAL_E_INVALID);
    assert_int_equal(shoal_get_and_touch(client, "k", 1, 0, NULL, &error), SHOAL_E_INVALID);
    assert_int_equal(shoal_client_topology(client, NULL, &error), SHOAL_E_INVALID);
    assert_int_equal(shoal_route(client, "k", 1, NULL, &error), SHOAL_E_INVALID);
    assert_int_equal(shoal_stats_read(client, NULL, NULL, &error), SHOAL_E_INVALID);
    assert_int_equal(shoal_batch_new(client, NULL, &error), SHOAL_E_INVALID);
    assert_int_equal(shoal_client_next_event(client, NULL, &error), SHOAL_E_INVALID);
    assert_int_equal(shoal_error_status(error), SHOAL_E_INVALID);
    shoal_error_free(error);
}

static void a_null_batch_is_invalid(void **state) {
    (void)state;
    const void *data = &garbage;
    size_t size = 77;
    uint32_t flags = 77;
    uint64_t cas = 77;
    assert_int_equal(shoal_batch_get(NULL, "k", 1, NULL), SHOAL_E_INVALID);
    assert_int_equal(shoal_batch_store(NULL, SHOAL_SET, "k", 1, "v", 1, 0, 0, 0, NULL), SHOAL_E_INVALID);
    assert_int_equal(shoal_batch_delete(NULL, "k", 1, NULL), SHOAL_E_INVALID);
    assert_int_equal(shoal_batch_touch(NULL, "k", 1, 0, NULL), SHOAL_E_INVALID);
    assert_int_equal(shoal_batch_run(NULL, NULL), SHOAL_E_INVALID);
    assert_int_equal(shoal_batch_count(NULL), 0);
    assert_int_equal(shoal_batch_status(NULL, 0), SHOAL_E_INVALID);
    assert_int_equal(shoal_batch_value(NULL, 0, &data, &size, &flags, &cas), SHOAL_E_INVALID);
    assert_true(data == NULL && size == 0 && flags == 0 && cas == 0);
    assert_int_equal(shoal_batch_value(NULL, 0, NULL, NULL, NULL, NULL), SHOAL_E_INVALID);
    assert_null(shoal_batch_error(NULL, 0));
    shoal_batch_clear(NULL);
    shoal_batch_free(NULL);
}

static void what_reads_a_handle_takes_null(void **state) {
    (void)state;
    assert_null(shoal_value_data(NULL));
    assert_true(shoal_value_size(NULL) == 0 && shoal_value_flags(NULL) == 0 && shoal_value_cas(NULL) == 0);
    assert_true(shoal_topology_version(NULL) == 0 && shoal_topology_node_count(NULL) == 0);
    assert_null(shoal_topology_node_at(NULL, 0));
    assert_string_equal(shoal_node_name(NULL), "");
    assert_string_equal(shoal_node_host(NULL), "");
    assert_string_equal(shoal_node_address(NULL), "");
    assert_true(shoal_node_port(NULL) == 0 && shoal_node_weight(NULL) == 0);
    assert_true(shoal_stats_node_count(NULL) == 0 && shoal_stats_count(NULL, 0) == 0);
    assert_string_equal(shoal_stats_node_name(NULL, 0), "");
    assert_string_equal(shoal_stats_name(NULL, 0, 0), "");
    assert_string_equal(shoal_stats_value(NULL, 0, 0), "");
    assert_true(shoal_stats_node_status(NULL, 0) < 0);
    assert_true(shoal_event_kind(NULL) == 0 && shoal_event_version(NULL) == 0 && shoal_event_dropped(NULL) == 0);
    assert_string_equal(shoal_event_message(NULL), "");
    assert_string_equal(shoal_event_node(NULL), "");
    shoal_value_free(NULL);
    shoal_topology_free(NULL);
    shoal_node_free(NULL);
    shoal_stats_free(NULL);
    shoal_event_free(NULL);
}

static void what_describes_takes_null(void **state) {
    (void)state;
    assert_null(shoal_option_find(NULL));
    assert_null(shoal_option_at(shoal_option_count()));
    assert_string_equal(shoal_option_name(NULL), "");
    assert_string_equal(shoal_option_type(NULL), "");
    assert_string_equal(shoal_option_unit(NULL), "");
    assert_string_equal(shoal_option_range(NULL), "");
    assert_string_equal(shoal_option_default(NULL), "");
    assert_string_equal(shoal_option_since(NULL), "");
    assert_string_equal(shoal_option_description(NULL), "");
    assert_int_equal(shoal_error_status(NULL), SHOAL_OK);
    assert_string_equal(shoal_error_message(NULL), "");
    assert_null(shoal_error_node(NULL));
    assert_int_equal(shoal_error_errno(NULL), 0);
    assert_int_equal(shoal_error_attempts(NULL), 0);
    assert_int_equal(shoal_error_is_retriable(NULL), 0);
    assert_int_equal(shoal_error_is_outcome_unknown(NULL), 0);
    shoal_error_free(NULL);
    assert_string_equal(shoal_status_name(-1000), "SHOAL_E_UNKNOWN");
    assert_string_equal(shoal_status_name(1000), "SHOAL_UNKNOWN");
}

/* --- A closed client --- */

static void a_closed_client_says_so(void **state) {
    (void)state;
    shoal_event *event = NULL;
    shoal_batch *batch = NULL;
    shoal_client *closed = test_client(fleet.endpoint, "operation_timeout_ms=20000");
    assert_int_equal(test_set(closed, "k", "v"), SHOAL_OK);
    shoal_client_close(closed);
    shoal_client_close(closed);
    assert_operations_fail(closed, SHOAL_E_CLOSED);
    assert_surveys_fail(closed, SHOAL_E_CLOSED);
    assert_int_equal(shoal_batch_new(closed, &batch, NULL), SHOAL_OK);
    assert_int_equal(shoal_batch_get(batch, "k", 1, NULL), SHOAL_OK);
    assert_int_equal(shoal_batch_run(batch, NULL), SHOAL_E_CLOSED);
    while (shoal_client_next_event(closed, &event, NULL) == SHOAL_OK) /* what happened before can still be read */
        shoal_event_free(event);
    assert_null(event);
    shoal_client_free(closed);
    shoal_batch_free(batch);
    assert_true(test_holds(client, "k", "v"));
}

/* --- Keys, values, modes --- */

static void a_key_that_cannot_be_sent_is_bad(void **state) {
    (void)state;
    char key[400];
    memset(key, 'k', sizeof(key));
    shoal_error *error = NULL;
    for (int byte = 0; byte <= 0x7f; byte++) {
        bool forbidden = byte <= 0x20 || byte == 0x7f;
        key[1] = (char)byte;
        assert_int_equal(shoal_set(client, key, 3, "v", 1, 0, &error), forbidden ? SHOAL_E_BAD_KEY : SHOAL_OK);
        assert_int_equal(shoal_error_status(error), forbidden ? SHOAL_E_BAD_KEY : SHOAL_OK);
    }
    assert_int_equal(shoal_set(client, "", 0, "v", 1, 0, &error), SHOAL_E_BAD_KEY);
    assert_int_equal(shoal_set(client, NULL, 0, "v", 1, 0, &error), SHOAL_E_BAD_KEY);
    assert_int_equal(shoal_set(client, NULL, 3, "v", 1, 0, &error), SHOAL_E_BAD_KEY);
    assert_int_equal(shoal_set(client, key, 251, "v", 1, 0, &error), SHOAL_E_BAD_KEY);
    assert_int_equal(shoal_set(client, key, sizeof(key), "v", 1, 0, &error), SHOAL_E_BAD_KEY);
    shoal_error_free(error);
}

static void a_command_in_a_key_is_not_executed(void **state) {
    (void)state;
    static const char key[] = "x\r\nset injected 0 0 1\r\n1\r\nget x";
    shoal_value *value = NULL;
    assert_int_equal(shoal_get(client, key, sizeof(key) - 1, &value, NULL), SHOAL_E_BAD_KEY);
    assert_int_equal(test_get(client, "injected"), SHOAL_NOT_FOUND);
    assert_int_equal(shoal_stats_read(client, "items\r\nflush_all", (shoal_stats **)&value, NULL), SHOAL_E_INVALID);
    assert_null(value);
}

static void a_store_that_cannot_be_right_is_invalid(void **state) {
    (void)state;
    shoal_error *error = NULL;
    shoal_batch *batch = NULL;
    assert_int_equal(shoal_store(client, -1, "k", 1, "v", 1, 0, 0, 0, NULL, &error), SHOAL_E_INVALID);
    assert_int_equal(shoal_store(client, 6, "k", 1, "v", 1, 0, 0, 0, NULL, &error), SHOAL_E_INVALID);
    assert_int_equal(shoal_store(client, SHOAL_SET, "k", 1, NULL, 1, 0, 0, 0, NULL, &error), SHOAL_E_INVALID);
    assert_int_equal(shoal_store(client, SHOAL_CAS, "k", 1, "v", 1, 0, 0, 0, NULL, &error), SHOAL_E_INVALID);
    assert_int_equal(shoal_batch_new(client, &batch, NULL), SHOAL_OK);
    assert_int_equal(shoal_batch_store(batch, 6, "k", 1, "v", 1, 0, 0, 0, &error), SHOAL_E_INVALID);
    assert_int_equal(shoal_batch_store(batch, SHOAL_SET, "k", 1, NULL, 1, 0, 0, 0, &error), SHOAL_E_INVALID);
    assert_int_equal(shoal_batch_count(batch), 0);
    shoal_batch_free(batch);
    shoal_error_free(error);
}

/* --- Errors --- */

static void an_error_is_replaced_and_at_last_cleared(void **state) {
    (void)state;
    shoal_error *error = NULL;
    shoal_config *config = NULL;
    for (int i = 0; i < 3; i++)
        assert_int_equal(test_get(NULL, "k"), SHOAL_E_INVALID);
    assert_int_equal(shoal_delete(NULL, "k", 1, &error), SHOAL_E_INVALID);
    assert_int_equal(shoal_error_status(error), SHOAL_E_INVALID);
    assert_int_equal(shoal_delete(client, "", 0, &error), SHOAL_E_BAD_KEY);
    assert_int_equal(shoal_error_status(error), SHOAL_E_BAD_KEY);
    assert_int_equal(shoal_delete(client, "nobody", 6, &error), SHOAL_NOT_FOUND);
    assert_null(error);
    assert_int_equal(shoal_batch_run(NULL, &error), SHOAL_E_INVALID);
    assert_int_equal(shoal_config_new(&config, &error), SHOAL_OK);
    assert_null(error);
    assert_int_equal(shoal_config_set(config, "hash", "none", &error), SHOAL_E_BAD_OPTION);
    assert_int_equal(shoal_config_set(config, "hash", "md5", &error), SHOAL_OK);
    assert_null(error);
    shoal_config_free(config);
}

static void a_mistyped_option_is_told_the_nearest(void **state) {
    (void)state;
    static const char *const names[][2] = {
        {"operation_timeout", "operation_timeout_ms"},
        {"key_prefx", "key_prefix"},
        {"Distribution", "distribution"},
    };
    shoal_error *error = NULL;
    shoal_config *config = test_config(fleet.endpoint);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_int_equal(shoal_config_set(config, names[i][0], "1", &error), SHOAL_E_BAD_OPTION);
        assert_non_null(strstr(shoal_error_message(error), names[i][1]));
    }
    shoal_error_free(error);
    shoal_config_free(config);
}

static void assert_silent_on_data(shoal_status status, shoal_error **error) {
    assert_true(status < 0);
    assert_int_equal(shoal_error_status(*error), status);
    if (strstr(shoal_error_message(*error), "secret") != NULL)
        fail_msg("%s", shoal_error_message(*error));
}

static void an_error_never_holds_a_key_or_a_value(void **state) {
    (void)state;
    char *large = malloc((size_t)2 * 1024 * 1024);
    char long_key[300];
    shoal_error *error = NULL;
    shoal_client *lonely = test_client("static://127.0.0.1:1", "operation_timeout_ms=1000");
    for (size_t i = 0; i < (size_t)2 * 1024 * 1024; i++)
        large[i] = "secret-value"[i % 12];
    memcpy(long_key, large, sizeof(long_key));
    assert_silent_on_data(shoal_set(client, "secret key", 10, "secret-value", 12, 0, &error), &error);
    assert_silent_on_data(shoal_set(client, long_key, 300, "secret-value", 12, 0, &error), &error);
    assert_silent_on_data(shoal_set(client, "secret-key", 10, large, (size_t)2 * 1024 * 1024, 0, &error), &error);
    assert_int_equal(test_set(client, "secret-key", "secret-value"), SHOAL_OK);
    assert_silent_on_data(shoal_increment(client, "secret-key", 10, 1, NULL, 0, NULL, &error), &error);
    assert_silent_on_data(shoal_store(client, 9, "secret-key", 10, "secret-value", 12, 0, 0, 0, NULL, &error), &error);
    assert_silent_on_data(shoal_set(lonely, "secret-key", 10, "secret-value", 12, 0, &error), &error);
    shoal_client_close(lonely);
    assert_silent_on_data(shoal_set(lonely, "secret-key", 10, "secret-value", 12, 0, &error), &error);
    shoal_error_free(error);
    shoal_client_free(lonely);
    free(large);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_null_client_is_invalid),
        cmocka_unit_test(a_null_configuration_is_invalid),
        cmocka_unit_test(a_null_output_is_invalid),
        cmocka_unit_test(a_null_batch_is_invalid),
        cmocka_unit_test(what_reads_a_handle_takes_null),
        cmocka_unit_test(what_describes_takes_null),
        cmocka_unit_test(a_closed_client_says_so),
        cmocka_unit_test(a_key_that_cannot_be_sent_is_bad),
        cmocka_unit_test(a_command_in_a_key_is_not_executed),
        cmocka_unit_test(a_store_that_cannot_be_right_is_invalid),
        cmocka_unit_test(an_error_is_replaced_and_at_last_cleared),
        cmocka_unit_test(a_mistyped_option_is_told_the_nearest),
        cmocka_unit_test(an_error_never_holds_a_key_or_a_value),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
