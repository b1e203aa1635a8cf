/* ElastiCache Serverless: one endpoint with TLS and without a list, known by its name or by what it answers, which
 * refuses what Amazon's guide says.
 * May include: the public headers, support/. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/certificates.h"
#include "support/fleets.h"
#include "support/names.h"
#include "support/serverless.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATIENT "connect_timeout_ms=10000&operation_timeout_ms=60000&discovery_timeout_ms=15000&"
#define NAME "cache-a1b2c3.serverless.use1.cache.amazonaws.com"
#define ITEMS 10000
#define KEY_SIZE 251
#define VALUE_MAX ((size_t)1024 * 1024 - 400) /* an item of 1 MiB, with the longest key and what memcached adds */

static struct test_serverless *serverless;

static int start(void **state) {
    (void)state;
    test_certificates_make_usual();
    test_certificate_make(&(struct test_certificate){.name = "amazon",
                                                     .issuer = "ca",
                                                     .hosts = "DNS:*.serverless.use1.cache.amazonaws.com",
                                                     .from_days = -1,
                                                     .until_days = 2});
    serverless = test_serverless_start(NULL, TEST_SERVERLESS_GET_MAX);
    return 0;
}

static int stop(void **state) {
    (void)state;
    test_serverless_stop(serverless);
    return 0;
}

static shoal_client *client_of(const char *scheme, const struct test_serverless *server, const char *options) {
    char endpoint[64];
    char all[512];
    snprintf(endpoint, sizeof(endpoint), "%s%s", scheme, test_serverless_name(server));
    snprintf(all, sizeof(all), "%s%s", test_tls_options(PATIENT), options);
    return test_client(endpoint, all);
}

/* --- How it is found --- */

static void its_name_is_enough(void **state) {
    (void)state;
    static const char *const schemes[] = {"", "elasticache://", "elasticaches://", "static://"};
    if (!test_names_are_private())
        skip();
    test_names_set("127.0.0.1 " NAME "\n");
    struct test_serverless *named = test_serverless_start("amazon", TEST_SERVERLESS_GET_MAX);
    const char *port = strchr(test_serverless_name(named), ':');
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        char endpoint[128];
        char options[512];
        char nodes[TEST_NODES_SIZE];
        snprintf(endpoint, sizeof(endpoint), "%s" NAME "%s", schemes[i], port);
        snprintf(options, sizeof(options), PATIENT "tls_ca_file=%s", test_certificate_path("ca", "pem"));
        shoal_client *client = test_client(endpoint, options);
        assert_true(test_works(client));
        test_nodes(client, nodes);
        assert_string_equal(nodes, strstr(endpoint, NAME));
        shoal_client_free(client);
    }
    test_serverless_stop(named);
}

/* By another name it answers as a memcached without discovery does. */
static void by_another_name_its_answers_tell(void **state) {
    (void)state;
    char message[TEST_MESSAGE_SIZE];
    shoal_client *client = client_of("", serverless, "");
    assert_true(test_works(client));
    assert_int_equal(test_version(client), 0);
    shoal_client_free(client);
    client = client_of("elasticaches://", serverless, "discovery_fallback=single");
    assert_true(test_works(client));
    shoal_client_free(client);
    client = client_of("elasticaches://", serverless, "");
    assert_int_equal(test_read(client, "key", message), SHOAL_E_DISCOVERY);
    assert_non_null(
        strstr(message, "ElastiCache Serverless by another name than its own, set discovery_fallback=single"));
    shoal_client_free(client);
}

/* --- Batches --- */

/* Keys of 1 to 250 bytes, and small values among which some are of any size up to the largest. */
struct item {
    char key[KEY_SIZE];
    size_t size;
};

static struct item *make_items(void) {
    struct item *items = calloc(ITEMS, sizeof(*items));
    assert_non_null(items);
    for (size_t i = 0; i < ITEMS; i++) {
        int size = snprintf(items[i].key, KEY_SIZE, "%zx", i);
        size_t longer = i % 3 == 0 ? 250 - (size_t)size : 0;
        memset(items[i].key + size, 'k', longer);
        items[i].size = i % 1000 == 999 ? VALUE_MAX - i : i % 100 == 50 ? i * 20 : i % 300;
    }
    return items;
}

static void many_items_of_all_sizes_come_back(void **state) {
    (void)state;
    struct item *items = make_items();
    char *bytes = malloc(VALUE_MAX + ITEMS);
    shoal_batch *batch = NULL;
    shoal_client *client = client_of("", serverless, "");
    for (size_t i = 0; i < VALUE_MAX + ITEMS; i++)
        bytes[i] = (char)(i * 31 % 251);
    assert_int_equal(shoal_batch_new(client, &batch, NULL), SHOAL_OK);
    for (size_t i = 0; i < ITEMS; i++)
        shoal_batch_store(batch, SHOAL_SET, items[i].key, strlen(items[i].key), bytes + i, items[i].size, 0, 0, 0,
                          NULL);
    assert_int_equal(shoal_batch_run(batch, NULL), SHOAL_OK);
    shoal_batch_clear(batch);
    for (size_t i = 0; i < ITEMS; i++)
        shoal_batch_get(batch, items[i].key, strlen(items[i].key), NULL);
    assert_int_equal(shoal_batch_run(batch, NULL), SHOAL_OK);
    for (size_t i = 0; i < ITEMS; i++) {
        const void *data = NULL;
        size_t size = 0;
        assert_int_equal(shoal_batch_value(batch, i, &data, &size, NULL, NULL), SHOAL_OK);
        assert_int_equal(size, items[i].size);
        assert_memory_equal(data, bytes + i, size);
    }
    shoal_batch_free(batch);
    shoal_client_free(client);
    free(bytes);
    free(items);
}

/* The spaces between are half of such a line. */
static void lines_of_the_shortest_keys_are_not_too_long(void **state) {
    (void)state;
    shoal_batch *batch = NULL;
    shoal_client *client = client_of("", serverless, "");
    assert_int_equal(test_set(client, "s", "short"), SHOAL_OK);
    assert_int_equal(shoal_batch_new(client, &batch, NULL), SHOAL_OK);
    for (size_t i = 0; i < 2 * (size_t)ITEMS; i++)
        shoal_batch_get(batch, "s", 1, NULL);
    assert_int_equal(shoal_batch_run(batch, NULL), SHOAL_OK);
    for (size_t i = 0; i < 2 * (size_t)ITEMS; i++)
        assert_int_equal(shoal_batch_status(batch, i), SHOAL_OK);
    assert_in_range(test_serverless_longest_get(serverless), 8000, 9000);
    assert_int_equal(test_serverless_refused_gets(serverless), 0);
    shoal_batch_free(batch);
    shoal_client_free(client);
}

/* --- What it refuses --- */

static void a_value_over_its_maximum_is_told_and_harms_no_other(void **state) {
    (void)state;
    enum { COUNT = 20, LARGE = 10 };
    char key[16];
    char *bytes = calloc(1, 2 * VALUE_MAX);
    shoal_batch *batch = NULL;
    shoal_client *client = client_of("", serverless, "");
    assert_int_equal(shoal_batch_new(client, &batch, NULL), SHOAL_OK);
    for (int i = 0; i < COUNT; i++) {
        snprintf(key, sizeof(key), "large-%d", i);
        shoal_batch_store(batch, SHOAL_SET, key, strlen(key), bytes, i == LARGE ? 2 * VALUE_MAX : 10, 0, 0, 0, NULL);
    }
    assert_int_equal(shoal_batch_run(batch, NULL), SHOAL_PARTIAL);
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(shoal_batch_status(batch, i), i == LARGE ? SHOAL_E_TOO_LARGE : SHOAL_OK);
    assert_non_null(strstr(shoal_error_message(shoal_batch_error(batch, LARGE)), "larger than the server takes"));
    shoal_batch_free(batch);
    shoal_client_free(client);
    free(bytes);
}

/* Its settings are not told, the largest item among them: stores that must not delete what was there go classic. */
static void stores_of_all_modes_work(void **state) {
    (void)state;
    char *bytes = calloc(1, 2 * VALUE_MAX);
    shoal_client *client = client_of("", serverless, "");
    assert_int_equal(test_set(client, "mode", "old"), SHOAL_OK);
    assert_int_equal(shoal_store(client, SHOAL_REPLACE, "mode", 4, bytes, 2 * VALUE_MAX, 0, 0, 0, NULL, NULL),
                     SHOAL_E_TOO_LARGE);
    assert_true(test_holds(client, "mode", "old"));
    assert_int_equal(shoal_store(client, SHOAL_REPLACE, "mode", 4, bytes, VALUE_MAX, 0, 0, 0, NULL, NULL), SHOAL_OK);
    assert_int_equal(shoal_store(client, SHOAL_ADD, "mode", 4, bytes, 5000, 0, 0, 0, NULL, NULL), SHOAL_NOT_STORED);
    assert_int_equal(shoal_flush_all(client, NULL), SHOAL_OK); /* at once, as it takes no other */
    shoal_client_free(client);
    free(bytes);
}

static void only_the_plain_counters_are_told(void **state) {
    (void)state;
    shoal_stats *stats = NULL;
    shoal_error *error = NULL;
    shoal_client *client = client_of("", serverless, "");
    assert_int_equal(shoal_stats_read(client, NULL, &stats, NULL), SHOAL_OK);
    assert_true(shoal_stats_count(stats, 0) > 10);
    shoal_stats_free(stats);
    stats = NULL;
    shoal_stats_read(client, "slabs", &stats, &error);
    assert_int_equal(shoal_stats_node_status(stats, 0), SHOAL_E_UNSUPPORTED);
    assert_true(test_works(client));
    shoal_stats_free(stats);
    shoal_error_free(error);
    shoal_client_free(client);
}

/* Were its limit lower than what Shoal keeps to, each key would be told, and nothing would be taken for a miss. */
static void a_line_that_is_refused_is_told(void **state) {
    (void)state;
    struct test_serverless *strict = test_serverless_start(NULL, 100);
    shoal_batch *batch = NULL;
    shoal_client *client = client_of("", strict, "retry_attempts=0");
    assert_int_equal(shoal_batch_new(client, &batch, NULL), SHOAL_OK);
    for (int i = 0; i < 60; i++)
        shoal_batch_get(batch, "key", 3, NULL);
    assert_int_equal(shoal_batch_run(batch, NULL), SHOAL_PARTIAL);
    assert_int_equal(shoal_batch_status(batch, 0), SHOAL_NOT_FOUND); /* asked singly */
    for (size_t i = 1; i < 60; i++) {
        const char *told = shoal_error_message(shoal_batch_error(batch, i));
        assert_int_equal(shoal_batch_status(batch, i), SHOAL_E_SERVER);
        if (strstr(told, test_serverless_name(strict)) == NULL ||
            strstr(told, "the server refused the command") == NULL)
            fail_msg("%s", told);
    }
    assert_int_equal(test_serverless_refused_gets(strict), 1);
    assert_true(test_works(client));
    shoal_batch_free(batch);
    shoal_client_free(client);
    test_serverless_stop(strict);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_name_is_enough),
        cmocka_unit_test(by_another_name_its_answers_tell),
        cmocka_unit_test(many_items_of_all_sizes_come_back),
        cmocka_unit_test(lines_of_the_shortest_keys_are_not_too_long),
        cmocka_unit_test(a_value_over_its_maximum_is_told_and_harms_no_other),
        cmocka_unit_test(stores_of_all_modes_work),
        cmocka_unit_test(only_the_plain_counters_are_told),
        cmocka_unit_test(a_line_that_is_refused_is_told),
    };
    test_names_make_private();
    return cmocka_run_group_tests(tests, start, stop);
}
