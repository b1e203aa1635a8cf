/* Discovery over TLS: lists as ElastiCache gives them with encryption in transit, and endpoints that cannot be trusted.
 * May include: the public headers, support/. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/certificates.h"
#include "support/fleets.h"
#include "support/tls_front.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATIENT "connect_timeout_ms=10000&operation_timeout_ms=20000&discovery_timeout_ms=15000&address_family=ipv4&"

static struct test_memcached node; /* whose certificate has its name alone */
static struct test_endpoint *endpoint;
static struct test_front *front; /* of the endpoint */

static int start(void **state) {
    (void)state;
    test_certificates_make_usual();
    test_certificate_make(&(struct test_certificate){
        .name = "named", .issuer = "ca", .hosts = "DNS:localhost", .from_days = -1, .until_days = 2});
    test_certificate_make(&(struct test_certificate){
        .name = "expired", .issuer = "ca", .hosts = "IP:127.0.0.1", .from_days = -9, .until_days = -3});
    node = test_memcached_start_tls(0, &(struct test_tls_server){.certificate = "named"});
    endpoint = test_endpoint_start();
    uint16_t port = (uint16_t)strtol(strchr(test_endpoint_name(endpoint), ':') + 1, NULL, 10);
    front = test_front_start(&(struct test_front_options){.target = port});
    return 0;
}

static int stop(void **state) {
    (void)state;
    test_front_stop(front);
    test_endpoint_stop(endpoint);
    test_memcached_stop(&node);
    return 0;
}

static shoal_client *client_of(const char *scheme, const char *name, const char *options) {
    char text[512];
    snprintf(text, sizeof(text), "%s%s", scheme, name);
    return test_client(text, options);
}

/* --- Lists --- */

/* The host's name is what the certificate must bear, and what is resolved where the list has no address. */
static void lists_of_names_lead_to_nodes_that_bear_them(void **state) {
    (void)state;
    static const char *const columns[] = {"", "localhost", "127.0.0.1"};
    for (size_t i = 0; i < 3; i++) {
        char nodes[64];
        snprintf(nodes, sizeof(nodes), "localhost|%s|%u", columns[i], node.port);
        test_endpoint_set_nodes(endpoint, i + 1, nodes);
        shoal_client *client =
            client_of(i % 2 == 0 ? "elasticaches://" : "", test_front_name(front), test_tls_options(PATIENT));
        assert_true(test_works(client));
        assert_int_equal(test_version(client), i + 1);
        shoal_client_free(client);
    }
}

static void a_memcached_with_tls_is_its_own_endpoint(void **state) {
    (void)state;
    char name[64];
    snprintf(name, sizeof(name), "localhost:%u", node.port);
    shoal_client *client = client_of("", name, test_tls_options(PATIENT));
    assert_true(test_works(client));
    assert_int_equal(test_version(client), 0);
    shoal_client_free(client);

    char list[64];
    snprintf(list, sizeof(list), "12\nlocalhost||%u", node.port);
    client = client_of("static://", name, test_tls_options(PATIENT));
    assert_int_equal(test_set(client, "AmazonElastiCache:cluster", list), SHOAL_OK);
    shoal_client *discovering = client_of("elasticaches://", name, test_tls_options(PATIENT));
    assert_true(test_works(discovering));
    assert_int_equal(test_version(discovering), 12);
    shoal_client_free(discovering);
    shoal_client_free(client);
}

/* Some are there already when the socket has nothing more to tell. */
static void a_long_list_comes_in_many_records(void **state) {
    (void)state;
    enum { COUNT = 6000 };
    char *nodes = malloc(COUNT * 32);
    size_t used = 0;
    for (int i = 0; i < COUNT; i++)
        used +=
            (size_t)sprintf(nodes + used, "%s127.1.%d.%d|127.0.0.1|%d", i > 0 ? " " : "", i / 200, i % 200 + 1, 11211);
    test_endpoint_set_nodes(endpoint, 77, nodes);
    shoal_client *client = client_of("elasticaches://", test_front_name(front), test_tls_options(PATIENT));
    assert_int_equal(test_version(client), 77);
    shoal_client_free(client);
    free(nodes);
}

/* --- Endpoints that will not do --- */

static void assert_discovers_nothing(const char *name, const char *options, const char *complaint) {
    char message[TEST_MESSAGE_SIZE];
    char whole[512];
    snprintf(whole, sizeof(whole), "%s&" PATIENT, options);
    shoal_client *client = client_of("", name, whole);
    shoal_status status = test_read(client, "key", message);
    if (status != SHOAL_E_DISCOVERY || strstr(message, "discovery at ") == NULL || strstr(message, complaint) == NULL)
        fail_msg("%s: %d %s", options, status, message);
    shoal_client_free(client);
}

static void an_endpoint_that_cannot_be_trusted_is_not_believed(void **state) {
    (void)state;
    char nodes[64];
    snprintf(nodes, sizeof(nodes), "localhost||%u", node.port);
    test_endpoint_set_nodes(endpoint, 1, nodes);
    unsigned polls = test_endpoint_polls(endpoint);
    assert_discovers_nothing(test_front_name(front), "tls=true", "certificate verify failed");
    assert_discovers_nothing(test_front_name(front), test_tls_options("tls_server_name=other.example"),
                             "not for other.example");
    assert_discovers_nothing(test_endpoint_name(endpoint), test_tls_options(""), "the server speaks no TLS");
    assert_discovers_nothing(node.name, "tls=false", "where it wants TLS, set tls=true");
    assert_int_equal(test_endpoint_polls(endpoint), polls); /* nothing was asked of whom was not trusted */
}

static void the_next_endpoint_is_asked(void **state) {
    (void)state;
    struct test_front *expired =
        test_front_start(&(struct test_front_options){.target = node.port, .certificate = "expired"});
    char names[128];
    char nodes[64];
    snprintf(nodes, sizeof(nodes), "localhost||%u", node.port);
    test_endpoint_set_nodes(endpoint, 4, nodes);
    snprintf(names, sizeof(names), "%s,%s", test_front_name(expired), test_front_name(front));
    shoal_client *client = client_of("elasticaches://", names, test_tls_options(PATIENT));
    assert_int_equal(test_version(client), 4);
    shoal_client_free(client);
    test_front_stop(expired);
}

static enum test_answer hang(struct test_script *script, const char *line, void *context) {
    (void)script;
    (void)line;
    (void)context;
    return TEST_HANG;
}

static void a_handshake_that_hangs_ends_in_time(void **state) {
    (void)state;
    struct test_script *silent = test_script_start(hang, NULL);
    char message[TEST_MESSAGE_SIZE];
    shoal_client *client = client_of("", test_script_name(silent),
                                     test_tls_options("discovery_timeout_ms=200&operation_timeout_ms=10000"));
    int64_t begin_ms = test_now_ms();
    assert_int_equal(test_read(client, "key", message), SHOAL_E_DISCOVERY);
    assert_in_range(test_now_ms() - begin_ms, 190, test_patience_ms(3000));
    assert_non_null(strstr(message, "the TLS handshake was not finished in time"));
    shoal_client_free(client);
    test_script_stop(silent);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_of_names_lead_to_nodes_that_bear_them),
        cmocka_unit_test(a_memcached_with_tls_is_its_own_endpoint),
        cmocka_unit_test(a_long_list_comes_in_many_records),
        cmocka_unit_test(an_endpoint_that_cannot_be_trusted_is_not_believed),
        cmocka_unit_test(the_next_endpoint_is_asked),
        cmocka_unit_test(a_handshake_that_hangs_ends_in_time),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
