/* A build without TLS and without libmemcached: what they were for is refused with the reason, the rest works.
 * May include: the public headers, support/. labels: bare */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/fleets.h"

#include <string.h>

static void tls_is_refused_when_a_client_is_made(void **state) {
    (void)state;
    static const char *const endpoints[] = {"elasticaches://127.0.0.1", "127.0.0.1:1?tls=true",
                                            "c.serverless.use1.cache.amazonaws.com"};
    for (size_t i = 0; i < sizeof(endpoints) / sizeof(endpoints[0]); i++) {
        shoal_config *config = test_config(endpoints[i]);
        shoal_client *client = NULL;
        shoal_error *error = NULL;
        assert_int_equal(shoal_client_new(config, &client, &error), SHOAL_E_UNSUPPORTED);
        assert_non_null(strstr(shoal_error_message(error), "built without TLS (SHOAL_TLS=OFF)"));
        assert_null(client);
        shoal_error_free(error);
        shoal_config_free(config);
    }
}

static void assert_needs_the_classic_protocol(const char *name, const char *options) {
    char message[TEST_MESSAGE_SIZE];
    shoal_client *client = test_client(name, options);
    assert_int_equal(test_read(client, "key", message), SHOAL_E_UNSUPPORTED);
    assert_non_null(strstr(message, name));
    assert_non_null(strstr(message, "built without it (SHOAL_LIBMEMCACHED=OFF)"));
    shoal_client_free(client);
}

static enum test_answer know_no_meta(struct test_script *script, const char *line, void *context) {
    (void)context;
    const char *said = strcmp(line, "version") == 0 ? "VERSION 1.4.33\r\n" : "ERROR\r\n";
    test_script_say(script, said, strlen(said));
    return TEST_ANSWERED;
}

static void the_classic_protocol_is_refused_by_a_call(void **state) {
    (void)state;
    struct test_memcached server = test_memcached_start(0);
    struct test_script *old = test_script_start(know_no_meta, NULL);
    assert_needs_the_classic_protocol(server.name, "protocol=libmemcached&operation_timeout_ms=5000");
    assert_needs_the_classic_protocol(test_script_name(old), "protocol=auto&operation_timeout_ms=5000");
    test_script_stop(old);
    test_memcached_stop(&server);
}

static void the_meta_protocol_works(void **state) {
    (void)state;
    struct test_memcached server = test_memcached_start(0);
    shoal_client *client = test_client(server.name, "operation_timeout_ms=5000");
    assert_true(test_works(client));
    shoal_client_free(client);
    test_memcached_stop(&server);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tls_is_refused_when_a_client_is_made),
        cmocka_unit_test(the_classic_protocol_is_refused_by_a_call),
        cmocka_unit_test(the_meta_protocol_works),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
