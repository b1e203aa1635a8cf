/* TLS: whom a client trusts, whom it does not, and what it says then.
 * May include: the public headers, support/. labels: valgrind */
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

static struct test_memcached server; /* with the usual certificate */
static struct test_memcached plain;

static int start(void **state) {
    (void)state;
    static const struct test_certificate more[] = {
        {.name = "other-ca", .from_days = -1, .until_days = 2},
        {.name = "elsewhere",
         .issuer = "ca",
         .hosts = "DNS:cache.example,IP:192.0.2.1",
         .from_days = -1,
         .until_days = 2},
        {.name = "expired", .issuer = "ca", .hosts = "IP:127.0.0.1", .from_days = -9, .until_days = -3},
        {.name = "early", .issuer = "ca", .hosts = "IP:127.0.0.1", .from_days = 3, .until_days = 9},
        {.name = "pattern", .issuer = "ca", .hosts = "DNS:*.cluster.example", .from_days = -1, .until_days = 2},
        {.name = "named", .issuer = "ca", .hosts = "DNS:localhost", .from_days = -1, .until_days = 2},
        {.name = "client", .issuer = "other-ca", .from_days = -1, .until_days = 2},
        {.name = "stranger", .issuer = "ca", .from_days = -1, .until_days = 2},
    };
    test_certificates_make_usual();
    for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++)
        test_certificate_make(&more[i]);
    server = test_memcached_start_tls(0, NULL);
    plain = test_memcached_start(0);
    return 0;
}

static int stop(void **state) {
    (void)state;
    test_memcached_stop(&server);
    test_memcached_stop(&plain);
    return 0;
}

/* --- One read, from a client made for it --- */

static shoal_status read_by(const char *name, const char *options, char message[TEST_MESSAGE_SIZE]) {
    char endpoint[64];
    char patient[1024];
    snprintf(endpoint, sizeof(endpoint), "static://%s", name);
    snprintf(patient, sizeof(patient), "operation_timeout_ms=%d&connect_timeout_ms=%d&%s", test_patience_ms(5000),
             test_patience_ms(2000), options);
    shoal_client *client = test_client(endpoint, patient);
    shoal_status status = test_read(client, "key", message);
    shoal_client_free(client);
    return status;
}

static void assert_lets_in(const char *name, const char *options) {
    char message[TEST_MESSAGE_SIZE];
    if (read_by(name, options, message) != SHOAL_NOT_FOUND)
        fail_msg("%s: %s", options, message);
}

/* It fails as it has to, names the node, and says all of this. */
static void assert_refuses(const char *name, const char *options, const char *part, const char *advice) {
    char message[TEST_MESSAGE_SIZE];
    shoal_status status = read_by(name, options, message);
    if (status != SHOAL_E_NODE_DOWN || strstr(message, name) == NULL || strstr(message, part) == NULL ||
        strstr(message, advice) == NULL)
        fail_msg("%s: %d %s", options, status, message);
}

/* --- Whom a client trusts --- */

static void a_server_of_the_right_authority_is_trusted(void **state) {
    (void)state;
    char endpoint[64];
    assert_lets_in(server.name, test_tls_options("protocol=auto"));
    assert_lets_in(server.name, test_tls_options("protocol=meta"));
    snprintf(endpoint, sizeof(endpoint), "localhost:%u", server.port);
    assert_lets_in(endpoint, test_tls_options("address_family=ipv4"));
}

static void a_server_of_another_authority_is_not(void **state) {
    (void)state;
    char options[256];
    snprintf(options, sizeof(options), "tls=true&tls_ca_file=%s", test_certificate_path("other-ca", "pem"));
    assert_refuses(server.name, options, "certificate verify failed: unable to get local issuer certificate",
                   "set tls_ca_file");
    assert_refuses(server.name, "tls=true", "certificate verify failed", "set tls_ca_file"); /* the system's store */
}

/* The system's store is where OpenSSL finds it, which its own variable may say. */
static void without_a_file_the_systems_authorities_are_asked(void **state) {
    (void)state;
    setenv("SSL_CERT_FILE", test_certificate_path("ca", "pem"), 1);
    assert_lets_in(server.name, "tls=true");
    setenv("SSL_CERT_FILE", test_certificate_path("other-ca", "pem"), 1);
    assert_refuses(server.name, "tls=true", "certificate verify failed", "set tls_ca_file");
    unsetenv("SSL_CERT_FILE");
}

/* Amazon's documents give its PHP client the certificate's pattern as the name. */
static void the_name_may_be_the_certificates_pattern(void **state) {
    (void)state;
    struct test_front *front =
        test_front_start(&(struct test_front_options){.target = plain.port, .certificate = "pattern"});
    char name[32];
    snprintf(name, sizeof(name), "localhost:%u", test_front_port(front));
    assert_lets_in(name, test_tls_options("address_family=ipv4&tls_server_name=*.cluster.example"));
    assert_string_equal(test_front_asked_name(front), "localhost");
    assert_refuses(name, test_tls_options("address_family=ipv4&tls_server_name=*.example"), "not for *.example",
                   "set tls_server_name");
    test_front_stop(front);
}

static void the_name_must_be_in_the_certificate(void **state) {
    (void)state;
    struct test_memcached elsewhere =
        test_memcached_start_tls(0, &(struct test_tls_server){.certificate = "elsewhere"});
    assert_refuses(elsewhere.name, test_tls_options(""),
                   "the certificate is for cache.example, 192.0.2.1, not for 127.0.0.1", "set tls_server_name");
    assert_lets_in(elsewhere.name, test_tls_options("tls_server_name=cache.example"));
    assert_lets_in(elsewhere.name, test_tls_options("tls_server_name=192.0.2.1"));
    assert_refuses(elsewhere.name, test_tls_options("tls_server_name=other.example"), "not for other.example",
                   "set tls_server_name");
    test_memcached_stop(&elsewhere);
}

/* As a server of many names needs to know. An address is no name. */
static void a_server_is_told_which_name_is_wanted(void **state) {
    (void)state;
    char endpoint[64];
    struct test_front *front = test_front_start(&(struct test_front_options){.target = plain.port});
    snprintf(endpoint, sizeof(endpoint), "localhost:%u", test_front_port(front));
    assert_lets_in(endpoint, test_tls_options("address_family=ipv4"));
    assert_string_equal(test_front_asked_name(front), "localhost");
    assert_lets_in(test_front_name(front), test_tls_options(""));
    assert_string_equal(test_front_asked_name(front), "");
    assert_lets_in(test_front_name(front), test_tls_options("tls_server_name=localhost"));
    assert_string_equal(test_front_asked_name(front), "localhost");
    test_front_stop(front);
}

/* The address is where a node is, not who it is. */
static void a_node_is_known_by_its_host_name_whatever_its_address(void **state) {
    (void)state;
    char endpoint[64];
    struct test_memcached named = test_memcached_start_tls(0, &(struct test_tls_server){.certificate = "named"});
    assert_refuses(named.name, test_tls_options(""), "the certificate is for localhost, not for 127.0.0.1", "");
    snprintf(endpoint, sizeof(endpoint), "localhost:%u", named.port);
    assert_lets_in(endpoint, test_tls_options("address_family=ipv4"));
    test_memcached_stop(&named);
}

static void an_old_or_early_certificate_is_told_with_its_date(void **state) {
    (void)state;
    struct test_memcached expired = test_memcached_start_tls(0, &(struct test_tls_server){.certificate = "expired"});
    struct test_memcached early = test_memcached_start_tls(0, &(struct test_tls_server){.certificate = "early"});
    assert_refuses(expired.name, test_tls_options(""), "the certificate expired on 20", "renewed");
    assert_refuses(early.name, test_tls_options(""), "the certificate is valid only from 20", "clock");
    test_memcached_stop(&expired);
    test_memcached_stop(&early);
}

static void without_verification_anybody_is_trusted_and_that_is_told_once(void **state) {
    (void)state;
    struct test_memcached expired = test_memcached_start_tls(0, &(struct test_tls_server){.certificate = "expired"});
    char endpoint[64];
    char message[TEST_MESSAGE_SIZE];
    snprintf(endpoint, sizeof(endpoint), "static://%s", expired.name);
    shoal_client *client = test_client(endpoint, "tls=true&tls_verify=false&connect_timeout_ms=5000&"
                                                 "operation_timeout_ms=20000&tls_server_name=nobody");
    assert_int_equal(test_get(client, "key"), SHOAL_NOT_FOUND);
    assert_true(test_meets_event(client, SHOAL_EVENT_WARNING, message));
    assert_non_null(strstr(message, "tls_verify=false"));
    assert_int_equal(test_get(client, "key"), SHOAL_NOT_FOUND);
    assert_int_equal(test_count_events(client, SHOAL_EVENT_WARNING), 0);
    shoal_client_free(client);
    test_memcached_stop(&expired);
}

/* --- Client certificates --- */

static char *with_client(const char *cert, const char *key) {
    static char options[512];
    snprintf(options, sizeof(options), "%s", test_tls_options("tls_cert_file="));
    snprintf(options + strlen(options), sizeof(options) - strlen(options), "%s", test_certificate_path(cert, "pem"));
    if (key != NULL)
        snprintf(options + strlen(options), sizeof(options) - strlen(options), "&tls_key_file=%s",
                 test_certificate_path(key, "key"));
    return options;
}

static void a_client_shows_its_certificate_where_it_is_demanded(void **state) {
    (void)state;
    struct test_memcached guarded = test_memcached_start_tls(0, &(struct test_tls_server){.client_ca = "other-ca"});
    assert_lets_in(guarded.name, with_client("client", "client"));
    assert_refuses(guarded.name, test_tls_options(""), "", "tls_cert_file");
    test_memcached_stop(&guarded);
}

static void a_client_whose_certificate_is_not_accepted_says_so(void **state) {
    (void)state;
    for (int is_tls_12 = 0; is_tls_12 < 2; is_tls_12++) {
        struct test_front *guarded = test_front_start(
            &(struct test_front_options){.target = plain.port, .client_ca = "other-ca", .is_tls_12 = is_tls_12});
        assert_lets_in(test_front_name(guarded), with_client("client", "client"));
        assert_refuses(test_front_name(guarded), with_client("stranger", "stranger"),
                       "the server does not accept the certificate", "tls_cert_file");
        assert_refuses(test_front_name(guarded), test_tls_options(""), "client certificate", "tls_cert_file");
        test_front_stop(guarded);
    }
}

/* --- Files --- */

static void assert_makes_no_client(const char *option, const char *path, const char *complaint) {
    shoal_config *config = test_config("static://127.0.0.1:1");
    shoal_client *client = NULL;
    shoal_error *error = NULL;
    assert_int_equal(shoal_config_set(config, "tls", "true", NULL), SHOAL_OK);
    if (strcmp(option, "tls_key_file") == 0)
        assert_int_equal(shoal_config_set(config, "tls_cert_file", test_certificate_path("client", "pem"), NULL),
                         SHOAL_OK);
    assert_int_equal(shoal_config_set(config, option, path, NULL), SHOAL_OK);
    shoal_status status = shoal_client_new(config, &client, &error);
    const char *told = shoal_error_message(error);
    if (status != SHOAL_E_BAD_OPTION || strstr(told, option) == NULL || strstr(told, path) == NULL ||
        strstr(told, complaint) == NULL)
        fail_msg("%s=%s: %d %s", option, path, status, told);
    assert_null(client);
    shoal_error_free(error);
    shoal_config_free(config);
}

static void files_that_do_not_do_are_told_when_a_client_is_made(void **state) {
    (void)state;
    const char *key = test_certificate_path("client", "key");
    assert_makes_no_client("tls_ca_file", "/nowhere/ca.pem", "No such file");
    assert_makes_no_client("tls_ca_file", "/tmp", "no file in PEM form");
    assert_makes_no_client("tls_ca_file", "/dev/null", "no file in PEM form");
    assert_makes_no_client("tls_ca_file", key, "holds no certificate");
    assert_makes_no_client("tls_cert_file", "/nowhere/cert.pem", "No such file");
    assert_makes_no_client("tls_cert_file", key, "holds no certificate");
    assert_makes_no_client("tls_cert_file", test_certificate_path("client", "pem"), "holds no private key");
    assert_makes_no_client("tls_key_file", "/nowhere/key.pem", "No such file");
    assert_makes_no_client("tls_key_file", test_certificate_path("stranger", "key"), "does not belong to");
    assert_makes_no_client("tls_key_file", test_certificate_path("client", "pem"), "holds no private key");
}

/* A child may have lost the right to read them, and a key file may be gone once it has been read. */
static void files_are_read_once(void **state) {
    (void)state;
    char options[256];
    char copy[TEST_CERTIFICATE_PATH_SIZE + 8];
    char endpoint[64];
    char bytes[4096];
    snprintf(copy, sizeof(copy), "%s.copy", test_certificate_path("ca", "pem"));
    FILE *from = fopen(test_certificate_path("ca", "pem"), "r");
    FILE *to = fopen(copy, "w");
    fwrite(bytes, 1, fread(bytes, 1, sizeof(bytes), from), to);
    fclose(from);
    fclose(to);
    snprintf(options, sizeof(options), "tls=true&operation_timeout_ms=20000&connect_timeout_ms=5000&tls_ca_file=%s",
             copy);
    snprintf(endpoint, sizeof(endpoint), "static://%s", server.name);
    shoal_client *client = test_client(endpoint, options);
    assert_int_equal(remove(copy), 0);
    assert_int_equal(test_set(client, "once", "x"), SHOAL_OK);
    shoal_client_free(client);
}

/* --- Who speaks no TLS, and who speaks nothing else --- */

static void a_plain_server_is_told_from_one_with_tls(void **state) {
    (void)state;
    assert_refuses(plain.name, test_tls_options(""), "the server speaks no TLS", "tls=false");
}

/* As servers do that are more polite than memcached, which closes without a word. */
static enum test_answer alert(struct test_script *script, const char *line, void *context) {
    (void)line;
    (void)context;
    test_script_say(script, "\x15\x03\x01\x00\x02\x02\x46", 7);
    return TEST_CLOSE;
}

static void a_server_with_tls_is_told_by_a_plain_client(void **state) {
    (void)state;
    struct test_script *polite = test_script_start(alert, NULL);
    assert_refuses(server.name, "protocol=meta", "closed the connection at once", "tls=true");
    assert_refuses(server.name, "protocol=auto", "is memcached running there?", "tls=true");
    assert_refuses(test_script_name(polite), "protocol=meta", "the server speaks TLS", "tls=true");
    test_script_stop(polite);
}

static enum test_answer know_no_meta(struct test_script *script, const char *line, void *context) {
    (void)context;
    const char *said = strcmp(line, "version") == 0 ? "VERSION 1.4.33\r\n" : "ERROR\r\n";
    test_script_say(script, said, strlen(said));
    return TEST_ANSWERED;
}

/* What cannot be done over TLS is not done without: protocol=auto has no other choice here. */
static void a_server_without_meta_is_told_and_not_spoken_to_plain(void **state) {
    (void)state;
    static const char *const options[] = {"protocol=auto", "protocol=meta"};
    struct test_script *old = test_script_start(know_no_meta, NULL);
    struct test_front *front = test_front_start(&(struct test_front_options){.target = test_script_port(old)});
    for (size_t i = 0; i < 2; i++) {
        char message[TEST_MESSAGE_SIZE];
        shoal_status status = read_by(test_front_name(front), test_tls_options(options[i]), message);
        if (status != SHOAL_E_UNSUPPORTED || strstr(message, "which TLS and authentication need") == NULL)
            fail_msg("%s: %d %s", options[i], status, message);
        assert_int_equal(test_front_handshakes(front), i + 1);
    }
    test_front_stop(front);
    test_script_stop(old);
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
    char endpoint[64];
    char message[TEST_MESSAGE_SIZE];
    snprintf(endpoint, sizeof(endpoint), "static://%s", test_script_name(silent));
    shoal_client *client =
        test_client(endpoint, test_tls_options("operation_timeout_ms=300&connect_timeout_ms=100&retry_attempts=0"));
    int64_t begin_ms = test_now_ms();
    assert_int_equal(test_read(client, "key", message), SHOAL_E_TIMEOUT);
    assert_in_range(test_now_ms() - begin_ms, 90, test_patience_ms(2000));
    assert_non_null(strstr(message, "the TLS handshake was not finished in time: see connect_timeout_ms"));
    shoal_client_free(client);
    test_script_stop(silent);
}

static void a_node_with_a_bad_certificate_is_used_once_it_has_a_good_one(void **state) {
    (void)state;
    struct test_memcached node = test_memcached_start_tls(0, &(struct test_tls_server){.certificate = "expired"});
    char endpoint[64];
    snprintf(endpoint, sizeof(endpoint), "static://%s", node.name);
    shoal_client *client = test_client(
        endpoint, test_tls_options("operation_timeout_ms=20000&connect_timeout_ms=5000&probe_interval_ms=20"));
    assert_int_equal(test_get(client, "key"), SHOAL_E_NODE_DOWN);
    test_sleep_ms(200); /* probes do not accept it either */
    assert_int_equal(test_get(client, "key"), SHOAL_E_NODE_DOWN);
    assert_int_equal(test_count_events(client, SHOAL_EVENT_NODE_RECOVERED), 0);
    test_memcached_stop(&node);
    node = test_memcached_start_tls(node.port, NULL);
    assert_true(test_meets_event(client, SHOAL_EVENT_NODE_RECOVERED, NULL));
    assert_int_equal(test_get(client, "key"), SHOAL_NOT_FOUND);
    shoal_client_free(client);
    test_memcached_stop(&node);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_of_the_right_authority_is_trusted),
        cmocka_unit_test(a_server_of_another_authority_is_not),
        cmocka_unit_test(without_a_file_the_systems_authorities_are_asked),
        cmocka_unit_test(the_name_must_be_in_the_certificate),
        cmocka_unit_test(a_server_is_told_which_name_is_wanted),
        cmocka_unit_test(the_name_may_be_the_certificates_pattern),
        cmocka_unit_test(a_node_is_known_by_its_host_name_whatever_its_address),
        cmocka_unit_test(an_old_or_early_certificate_is_told_with_its_date),
        cmocka_unit_test(without_verification_anybody_is_trusted_and_that_is_told_once),
        cmocka_unit_test(a_client_shows_its_certificate_where_it_is_demanded),
        cmocka_unit_test(a_client_whose_certificate_is_not_accepted_says_so),
        cmocka_unit_test(files_that_do_not_do_are_told_when_a_client_is_made),
        cmocka_unit_test(files_are_read_once),
        cmocka_unit_test(a_plain_server_is_told_from_one_with_tls),
        cmocka_unit_test(a_server_with_tls_is_told_by_a_plain_client),
        cmocka_unit_test(a_server_without_meta_is_told_and_not_spoken_to_plain),
        cmocka_unit_test(a_handshake_that_hangs_ends_in_time),
        cmocka_unit_test(a_node_with_a_bad_certificate_is_used_once_it_has_a_good_one),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
