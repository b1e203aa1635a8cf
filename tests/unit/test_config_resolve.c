/* The configuration a client works with: what the `?` part fills in, and what makes two configurations the same.
 * May include: <shoal/config.h>, logic/config. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "logic/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static shoal_config *fresh(void) {
    shoal_config *config;
    shoal_error *error = NULL;
    assert_int_equal(shoal_config_new(&config, &error), SHOAL_OK);
    assert_null(error);
    return config;
}

static void set(shoal_config *config, const char *name, const char *value) {
    shoal_error *error = NULL;
    if (shoal_config_set(config, name, value, &error) != SHOAL_OK)
        fail_msg("%s", shoal_error_message(error));
    assert_null(error);
}

static shoal_config *resolved(const shoal_config *config) {
    shoal_config *copy;
    struct shoal__fault fault;
    if (shoal__config_resolve(config, &copy, &fault) != SHOAL_OK)
        fail_msg("%s", fault.text);
    return copy;
}

static void resolves_what_was_not_set(void **state) {
    (void)state;
    shoal_config *config = fresh();
    set(config, "operation_timeout_ms", "500");
    set(config, "endpoint",
        "a:1?operation_timeout_ms=100&connect_timeout_ms=50&key_prefix=p%3A&tcp_keepalive=off&"
        "discovery_jitter=0.5&discovery_fallback=static:b:2,c:3:4&connect_timeout_ms=050");
    shoal_config *copy = resolved(config);
    assert_int_equal(shoal__config_integer(copy, SHOAL__OPTION_operation_timeout_ms), 500);
    assert_int_equal(shoal__config_integer(copy, SHOAL__OPTION_connect_timeout_ms), 50);
    assert_string_equal(shoal__config_text(copy, SHOAL__OPTION_key_prefix), "p:");
    assert_false(shoal__config_boolean(copy, SHOAL__OPTION_tcp_keepalive));
    assert_true(shoal__config_number(copy, SHOAL__OPTION_discovery_jitter) == 0.5);
    const struct shoal__node_list *nodes;
    assert_int_equal(shoal__config_fallback(copy, &nodes), SHOAL__FALLBACK_STATIC);
    assert_int_equal(nodes->count, 2);
    assert_int_equal(nodes->nodes[1].weight, 4);
    assert_string_equal(shoal__config_text(config, SHOAL__OPTION_connect_timeout_ms), "200");
    assert_string_equal(shoal__config_text(config, SHOAL__OPTION_key_prefix), "");
    /* The copy stands alone, and resolving it again changes nothing. */
    char *identity = shoal__config_identity(copy, true);
    shoal_config *again = resolved(copy);
    shoal_config_free(config);
    shoal_config_free(copy);
    char *identity_again = shoal__config_identity(again, true);
    assert_string_equal(identity, identity_again);
    assert_string_equal(shoal__config_endpoint(again)->nodes.nodes[0].host, "a");
    free(identity);
    free(identity_again);
    shoal_config_free(again);
}

static void refuses_to_resolve_contradictions(void **state) {
    (void)state;
    static const char *const bad[] = {"a?connect_timeout_ms=1&connect_timeout_ms=2",
                                      "a?tcp_keepalive=on&hash=md5&tcp_keepalive=0",
                                      "a?discovery_jitter=0.1&discovery_jitter=0.2",
                                      "a?key_prefix=a&key_prefix=", "a?operation_timeout_ms=1&operation_timeout_ms=2"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        shoal_config *config = fresh(), *copy = config;
        struct shoal__fault fault = {0};
        set(config, "operation_timeout_ms", "3");
        set(config, "endpoint", bad[i]);
        assert_int_equal(shoal__config_resolve(config, &copy, &fault), SHOAL_E_BAD_OPTION);
        assert_null(copy);
        assert_int_equal(fault.status, SHOAL_E_BAD_OPTION);
        assert_non_null(strstr(fault.text, "stands twice"));
        assert_int_equal(strncmp(fault.text, bad[i] + 2, 4), 0);
        assert_int_equal(shoal__config_resolve(config, &copy, NULL), SHOAL_E_BAD_OPTION);
        shoal_config_free(config);
    }
    shoal_config *config = fresh();
    set(config, "endpoint", "a?tcp_keepalive=on&tcp_keepalive=1&discovery_jitter=0.5&discovery_jitter=5e-1");
    shoal_config_free(resolved(config));
    shoal_config_free(config);
}

static const struct {
    const char *endpoint;
    const char *complaint; /* NULL: it is fine */
} wires[] = {
    {"elasticaches://a", NULL},
    {"elasticaches://a?tls=true", NULL},
    {"elasticaches://a?tls=false", "tls is false and the endpoint is elasticaches://"},
    {"c.serverless.use1.cache.amazonaws.com?tls_ca_file=/ca", NULL},
    {"c.serverless.use1.cache.amazonaws.com?tls=false", "a name of ElastiCache Serverless, which mean TLS"},
    {"c.serverless.use1.cache.amazonaws.com?protocol=libmemcached", "libmemcached, which has no TLS"},
    {"a?tls=true&tls_ca_file=/ca", NULL},
    {"a?tls=false&tls_ca_file=/ca", NULL},
    {"a?tls_ca_file=/ca", "tls_ca_file is set and tls is not"},
    {"a?tls_server_name=b", "tls_server_name is set and tls is not"},
    {"a?tls=true&tls_cert_file=/cert", NULL},
    {"a?tls=true&tls_key_file=/key", "tls_key_file is set and tls_cert_file is not"},
    {"a?tls=true&protocol=meta", NULL},
    {"a?tls=true&protocol=libmemcached", "libmemcached, which has no TLS"},
    {"elasticaches://a?protocol=libmemcached", "libmemcached, which has no TLS"},
    {"/run/m?tls=true", "path of a Unix socket"},
    {"a:1,/run/m?tls=true", "path of a Unix socket"},
    {"a?user=u&password=p", NULL},
    {"a?user=u", "user is set and password is not"},
    {"a?password=p", "password is set and user is not"},
    {"a?user=u&password=p&protocol=libmemcached", "libmemcached, which cannot log in"},
};

static void tls_and_login_make_sense_together(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(wires); i++) {
        shoal_config *config = fresh(), *copy = NULL;
        struct shoal__fault fault = {0};
        set(config, "endpoint", wires[i].endpoint);
        shoal_status status = shoal__config_resolve(config, &copy, &fault);
        if (status != (wires[i].complaint ? SHOAL_E_BAD_OPTION : SHOAL_OK) ||
            (wires[i].complaint && strstr(fault.text, wires[i].complaint) == NULL))
            fail_msg("%s: %d %s", wires[i].endpoint, status, fault.text);
        if (shoal__config_endpoint(config)->tls && copy != NULL)
            assert_true(shoal__config_boolean(copy, SHOAL__OPTION_tls));
        shoal_config_free(copy);
        shoal_config_free(config);
    }
}

static void a_password_is_never_shown(void **state) {
    (void)state;
    shoal_config *config = fresh();
    const char *value = NULL;
    assert_int_equal(shoal_config_get(config, "password", &value, NULL), SHOAL_OK);
    assert_string_equal(value, "");
    set(config, "password", "hush");
    assert_int_equal(shoal_config_get(config, "password", &value, NULL), SHOAL_OK);
    assert_string_equal(value, "***");
    assert_string_equal(shoal__config_text(config, SHOAL__OPTION_password), "hush");
    shoal_error *error = NULL;
    assert_int_equal(shoal_config_set(config, "password", "hu sh", &error), SHOAL_E_BAD_OPTION);
    assert_non_null(strstr(shoal_error_message(error), "byte 3 is 0x20"));
    assert_null(strstr(shoal_error_message(error), "hu sh"));
    shoal_error_free(error);
    shoal_config_free(config);
}

/* Who differs in the password is another fleet, and the file of topology_cache, which others may read, tells nothing of
 * it. */
static void a_password_is_no_part_of_what_others_may_read(void **state) {
    (void)state;
    shoal_config *one = fresh(), *other = fresh();
    set(one, "password", "hush");
    set(other, "password", "psst");
    char *texts[] = {shoal__config_identity(one, false), shoal__config_identity(other, false),
                     shoal__config_public_identity(one), shoal__config_public_identity(other)};
    assert_string_not_equal(texts[0], texts[1]);
    assert_string_equal(texts[2], texts[3]);
    assert_null(strstr(texts[2], "hush"));
    assert_non_null(strstr(texts[2], "tls=5 false;"));
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        free(texts[i]);
    shoal_config_free(one);
    shoal_config_free(other);
}

static void refuses_to_resolve_without_an_endpoint(void **state) {
    (void)state;
    shoal_config *config = fresh(), *copy = config;
    struct shoal__fault fault;
    assert_int_equal(shoal__config_resolve(config, &copy, &fault), SHOAL_E_BAD_ENDPOINT);
    assert_null(copy);
    assert_non_null(strstr(fault.text, "set the option endpoint"));
    char *identity = shoal__config_identity(config, false);
    assert_non_null(identity);
    free(identity);
    shoal_config_free(config);
}

static void completes_the_fallback(void **state) {
    (void)state;
    static const struct {
        const char *endpoint;
        const char *fallback;
        enum shoal__fallback wanted;
    } cases[] = {
        {"a", "", SHOAL__FALLBACK_SINGLE},
        {"a", "strict", SHOAL__FALLBACK_STRICT},
        {"a", "single", SHOAL__FALLBACK_SINGLE},
        {"elasticache://a", "", SHOAL__FALLBACK_STRICT},
        {"memorystore://a", "", SHOAL__FALLBACK_STRICT},
        {"elasticache://a", "single", SHOAL__FALLBACK_SINGLE},
        {"memorystore://a", "static:b", SHOAL__FALLBACK_STATIC},
        {"a", "static:b", SHOAL__FALLBACK_STATIC},
        {"a", "static://b", SHOAL__FALLBACK_STATIC},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        shoal_config *config = fresh();
        const struct shoal__node_list *nodes = (const struct shoal__node_list *)config;
        set(config, "endpoint", cases[i].endpoint);
        set(config, "discovery_fallback", cases[i].fallback);
        assert_int_equal(shoal__config_fallback(config, &nodes), cases[i].wanted);
        assert_int_equal(nodes != NULL, cases[i].wanted == SHOAL__FALLBACK_STATIC);
        if (nodes != NULL)
            assert_string_equal(nodes->nodes[0].host, "b");
        shoal_config_free(config);
    }
}

/* Up to five `name=value` settings, the endpoint among them. */
static char *identity_of(const char *const settings[], bool whole) {
    shoal_config *config = fresh();
    for (size_t i = 0; i < 5 && settings[i] != NULL; i++) {
        char name[64];
        const char *equals = strchr(settings[i], '=');
        snprintf(name, sizeof(name), "%.*s", (int)(equals - settings[i]), settings[i]);
        set(config, name, equals + 1);
    }
    shoal_config *copy = resolved(config);
    char *identity = shoal__config_identity(copy, whole);
    assert_non_null(identity);
    shoal_config_free(copy);
    shoal_config_free(config);
    return identity;
}

static void tells_configurations_apart(void **state) {
    (void)state;
    enum { SAME, OTHER_CLIENT, OTHER_FLEET };
    static const struct {
        const char *a[6];
        const char *b[6];
        int wanted;
    } cases[] = {
        {{"endpoint=a:11211"}, {"endpoint=a:11211"}, SAME},
        {{"endpoint=a"}, {"endpoint=a:11211"}, SAME},
        {{"endpoint=a,b"}, {"endpoint=static://a:11211,b:11211:1"}, SAME},
        {{"endpoint=/m"}, {"endpoint=unix:///m"}, SAME},
        {{"endpoint=a:11211?operation_timeout_ms=100"}, {"endpoint=a:11211", "operation_timeout_ms=0100"}, SAME},
        {{"endpoint=a?connect_timeout_ms=100&hash=md5"}, {"endpoint=a?hash=md5&connect_timeout_ms=100"}, SAME},
        {{"endpoint=a?connect_timeout_ms=7", "connect_timeout_ms=100"}, {"endpoint=a", "connect_timeout_ms=100"}, SAME},
        {{"endpoint=a", "connect_timeout_ms=200"}, {"endpoint=a"}, SAME},
        {{"endpoint=a", "tcp_keepalive=on"}, {"endpoint=a"}, SAME},
        {{"endpoint=a", "discovery_jitter=0.20"}, {"endpoint=a"}, SAME},
        {{"endpoint=a", "discovery_jitter=-0"}, {"endpoint=a", "discovery_jitter=0"}, SAME},
        {{"endpoint=a", "discovery_fallback=single"}, {"endpoint=a"}, SAME},
        {{"endpoint=elasticache://a", "discovery_fallback=strict"}, {"endpoint=elasticache://a"}, SAME},
        {{"endpoint=a", "discovery_fallback=static:b"}, {"endpoint=a", "discovery_fallback=static:b:11211:1"}, SAME},
        {{"endpoint=a", "key_prefix=x"}, {"endpoint=a"}, OTHER_CLIENT},
        {{"endpoint=a", "operation_timeout_ms=7"}, {"endpoint=a"}, OTHER_CLIENT},
        {{"endpoint=a", "long_keys=hash"}, {"endpoint=a"}, OTHER_CLIENT},
        {{"endpoint=a"}, {"endpoint=b"}, OTHER_FLEET},
        {{"endpoint=a:1"}, {"endpoint=a:11"}, OTHER_FLEET},
        {{"endpoint=a"}, {"endpoint=elasticache://a"}, OTHER_FLEET},
        {{"endpoint=memorystore://a"}, {"endpoint=elasticache://a"}, OTHER_FLEET},
        {{"endpoint=a"}, {"endpoint=static://a"}, OTHER_FLEET},
        {{"endpoint=a,b"}, {"endpoint=b,a"}, OTHER_FLEET},
        {{"endpoint=a,b:11211:2"}, {"endpoint=a,b"}, OTHER_FLEET},
        {{"endpoint=a,b"}, {"endpoint=a,b,c"}, OTHER_FLEET},
        {{"endpoint=a", "connect_timeout_ms=201"}, {"endpoint=a"}, OTHER_FLEET},
        {{"endpoint=a", "tcp_keepalive=off"}, {"endpoint=a"}, OTHER_FLEET},
        {{"endpoint=a", "discovery_jitter=0.3"}, {"endpoint=a"}, OTHER_FLEET},
        {{"endpoint=a", "discovery_fallback=strict"}, {"endpoint=a"}, OTHER_FLEET},
        {{"endpoint=a", "discovery_fallback=static:b"}, {"endpoint=a", "discovery_fallback=static:c"}, OTHER_FLEET},
        {{"endpoint=a", "allow_nodes=b"}, {"endpoint=a"}, OTHER_FLEET},
        {{"endpoint=a", "hash=md5"}, {"endpoint=a"}, OTHER_FLEET},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        for (int whole = 0; whole < 2; whole++) {
            char *a = identity_of(cases[i].a, whole), *b = identity_of(cases[i].b, whole);
            bool wanted = cases[i].wanted == SAME || (cases[i].wanted == OTHER_CLIENT && !whole);
            if ((strcmp(a, b) == 0) != wanted)
                fail_msg("case %zu: %s and %s", i, a, b);
            free(a);
            free(b);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resolves_what_was_not_set),
        cmocka_unit_test(refuses_to_resolve_contradictions),
        cmocka_unit_test(tls_and_login_make_sense_together),
        cmocka_unit_test(a_password_is_never_shown),
        cmocka_unit_test(a_password_is_no_part_of_what_others_may_read),
        cmocka_unit_test(refuses_to_resolve_without_an_endpoint),
        cmocka_unit_test(completes_the_fallback),
        cmocka_unit_test(tells_configurations_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
