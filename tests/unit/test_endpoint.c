/* Endpoint strings: every form, every part that can be wrong, and what an error says and does not say.
 * May include: logic/endpoint. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "logic/endpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* host:port*weight of each node, with blanks between. */
static void describe(const struct shoal__node_list *nodes, char *text, size_t size) {
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < nodes->count; i++) {
        const struct shoal__node_spec *node = &nodes->nodes[i];
        assert_string_equal(node->address, "");
        used += (size_t)snprintf(text + used, size - used, "%s%s:%u*%u", i ? " " : "", node->host, node->port,
                                 node->weight);
    }
}

static void assert_zeroed(const struct shoal__endpoint *endpoint) {
    static const struct shoal__endpoint zero;
    assert_memory_equal(endpoint, &zero, sizeof(zero));
}

static const char *refusal(const char *text) {
    static struct shoal__fault fault;
    struct shoal__endpoint endpoint;
    memset(&endpoint, 0x5a, sizeof(endpoint));
    memset(&fault, 0, sizeof(fault));
    if (shoal__endpoint_parse(text, &endpoint, &fault) != SHOAL_E_BAD_ENDPOINT)
        fail_msg("\"%s\" was not refused", text);
    assert_int_equal(fault.status, SHOAL_E_BAD_ENDPOINT);
    assert_zeroed(&endpoint);
    assert_int_equal(shoal__endpoint_parse(text, &endpoint, NULL), SHOAL_E_BAD_ENDPOINT);
    return fault.text;
}

static void assert_refused(const char *text, const char *part, const char *advice) {
    const char *told = refusal(text);
    if (strstr(told, part) == NULL || strstr(told, advice) == NULL)
        fail_msg("%s", told);
}

static void reads_every_form(void **state) {
    (void)state;
    static const struct {
        const char *text;
        enum shoal__endpoint_kind kind;
        enum shoal__service service;
        bool tls;
        const char *nodes;
    } cases[] = {
        {"a", SHOAL__ENDPOINT_DISCOVER, SHOAL__SERVICE_ANY, false, "a:11211*1"},
        {"cfg.example:11212", SHOAL__ENDPOINT_DISCOVER, SHOAL__SERVICE_ANY, false, "cfg.example:11212*1"},
        {"under_score-x.internal", SHOAL__ENDPOINT_DISCOVER, SHOAL__SERVICE_ANY, false,
         "under_score-x.internal:11211*1"},
        {"localhost:1", SHOAL__ENDPOINT_DISCOVER, SHOAL__SERVICE_ANY, false, "localhost:1*1"},
        {"127.0.0.1:65535", SHOAL__ENDPOINT_DISCOVER, SHOAL__SERVICE_ANY, false, "127.0.0.1:65535*1"},
        {"[::1]", SHOAL__ENDPOINT_DISCOVER, SHOAL__SERVICE_ANY, false, "::1:11211*1"},
        {"[2001:db8::7]:11213", SHOAL__ENDPOINT_DISCOVER, SHOAL__SERVICE_ANY, false, "2001:db8::7:11213*1"},
        {"elasticache://c.cfg.use1:11211", SHOAL__ENDPOINT_DISCOVER, SHOAL__SERVICE_ELASTICACHE, false,
         "c.cfg.use1:11211*1"},
        {"ElastiCache://a", SHOAL__ENDPOINT_DISCOVER, SHOAL__SERVICE_ELASTICACHE, false, "a:11211*1"},
        {"elasticache://a,b:2", SHOAL__ENDPOINT_DISCOVER, SHOAL__SERVICE_ELASTICACHE, false, "a:11211*1 b:2*1"},
        {"elasticaches://a", SHOAL__ENDPOINT_DISCOVER, SHOAL__SERVICE_ELASTICACHE, true, "a:11211*1"},
        {"memorystore://10.0.0.3", SHOAL__ENDPOINT_DISCOVER, SHOAL__SERVICE_MEMORYSTORE, false, "10.0.0.3:11211*1"},
        {"memorystore://[::1]:1,[::2]", SHOAL__ENDPOINT_DISCOVER, SHOAL__SERVICE_MEMORYSTORE, false,
         "::1:1*1 ::2:11211*1"},
        {"a:1,b:2", SHOAL__ENDPOINT_STATIC, SHOAL__SERVICE_ANY, false, "a:1*1 b:2*1"},
        {"a,a", SHOAL__ENDPOINT_STATIC, SHOAL__SERVICE_ANY, false, "a:11211*1"},
        {"a:1:3,b:2:65535,[::1]:11211:4", SHOAL__ENDPOINT_STATIC, SHOAL__SERVICE_ANY, false,
         "a:1*3 b:2*65535 ::1:11211*4"},
        {"/a,/b,c", SHOAL__ENDPOINT_STATIC, SHOAL__SERVICE_ANY, false, "/a:0*1 /b:0*1 c:11211*1"},
        {"static://a", SHOAL__ENDPOINT_STATIC, SHOAL__SERVICE_ANY, false, "a:11211*1"},
        {"static://a:1:2", SHOAL__ENDPOINT_STATIC, SHOAL__SERVICE_ANY, false, "a:1*2"},
        {"static:///run/m,b", SHOAL__ENDPOINT_STATIC, SHOAL__SERVICE_ANY, false, "/run/m:0*1 b:11211*1"},
        {"/run/m.sock", SHOAL__ENDPOINT_STATIC, SHOAL__SERVICE_ANY, false, "/run/m.sock:0*1"},
        {"/run/a:b://c@d", SHOAL__ENDPOINT_STATIC, SHOAL__SERVICE_ANY, false, "/run/a:b://c@d:0*1"},
        {"unix:///run/m", SHOAL__ENDPOINT_STATIC, SHOAL__SERVICE_ANY, false, "/run/m:0*1"},
        {"unix:/run/m", SHOAL__ENDPOINT_STATIC, SHOAL__SERVICE_ANY, false, "/run/m:0*1"},
        {"unix:1", SHOAL__ENDPOINT_DISCOVER, SHOAL__SERVICE_ANY, false, "unix:1*1"},
        {"dns://m.example:11300", SHOAL__ENDPOINT_DNS, SHOAL__SERVICE_ANY, false, "m.example:11300*1"},
        {"dns://m.example", SHOAL__ENDPOINT_DNS, SHOAL__SERVICE_ANY, false, "m.example:11211*1"},
        /* ElastiCache Serverless: its name means TLS, and no list, in every form that holds hosts. */
        {"c-a1.serverless.use1.cache.amazonaws.com:11211", SHOAL__ENDPOINT_STATIC, SHOAL__SERVICE_SERVERLESS, true,
         "c-a1.serverless.use1.cache.amazonaws.com:11211*1"},
        {"elasticache://C.Serverless.use1.cache.AmazonAWS.com.", SHOAL__ENDPOINT_STATIC, SHOAL__SERVICE_SERVERLESS,
         true, "C.Serverless.use1.cache.AmazonAWS.com.:11211*1"},
        {"elasticaches://c.serverless.cnn1.cache.amazonaws.com.cn", SHOAL__ENDPOINT_STATIC, SHOAL__SERVICE_SERVERLESS,
         true, "c.serverless.cnn1.cache.amazonaws.com.cn:11211*1"},
        {"static://c.serverless.use1.cache.amazonaws.com:1", SHOAL__ENDPOINT_STATIC, SHOAL__SERVICE_SERVERLESS, true,
         "c.serverless.use1.cache.amazonaws.com:1*1"},
        {"static:///c.serverless.use1.cache.amazonaws.com", SHOAL__ENDPOINT_STATIC, SHOAL__SERVICE_ANY, false,
         "/c.serverless.use1.cache.amazonaws.com:0*1"},
        {"serverless.a1b2c3.cfg.use1.cache.amazonaws.com", SHOAL__ENDPOINT_DISCOVER, SHOAL__SERVICE_ANY, false,
         "serverless.a1b2c3.cfg.use1.cache.amazonaws.com:11211*1"},
        {"c.serverless.use1.cache.amazonaws.com.example", SHOAL__ENDPOINT_DISCOVER, SHOAL__SERVICE_ANY, false,
         "c.serverless.use1.cache.amazonaws.com.example:11211*1"},
        {"c.serverless.cache.amazonaws.com,b", SHOAL__ENDPOINT_STATIC, SHOAL__SERVICE_ANY, false,
         "c.serverless.cache.amazonaws.com:11211*1 b:11211*1"},
        {"srv://_memcached._tcp.m.example", SHOAL__ENDPOINT_SRV, SHOAL__SERVICE_ANY, false,
         "_memcached._tcp.m.example:0*1"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct shoal__endpoint endpoint;
        struct shoal__fault fault;
        char nodes[256];
        if (shoal__endpoint_parse(cases[i].text, &endpoint, &fault) != SHOAL_OK)
            fail_msg("%s", fault.text);
        describe(&endpoint.nodes, nodes, sizeof(nodes));
        assert_string_equal(nodes, cases[i].nodes);
        assert_int_equal(endpoint.kind, cases[i].kind);
        assert_int_equal(endpoint.service, cases[i].service);
        assert_int_equal(endpoint.tls, cases[i].tls);
        assert_int_equal(endpoint.option_count, 0);
        shoal__endpoint_clear(&endpoint);
        assert_zeroed(&endpoint);
    }
}

static void names_the_wrong_part(void **state) {
    (void)state;
    static const char port[] = "is not a number from 1 to 65535";
    static const char brackets[] = "brackets, as in [::1]:11211";
    static const struct {
        const char *text;
        const char *part;
        const char *advice;
    } cases[] = {
        {"a:99999", "endpoint \"a:99999\": port \"99999\"", port},
        {"a:0", "port \"0\"", port},
        {"a:65536", "port \"65536\"", port},
        {"a:", "port \"\"", port},
        {"a:-1", "port \"-1\"", port},
        {"a:+1", "port \"+1\"", port},
        {"a:0x10", "port \"0x10\"", port},
        {"a:18446744073709551617", "port \"18446744073709551617\"", port},
        {"a:11211/", "port \"11211/\"", port},
        {"[::1]:", "port \"\"", port},
        {"elasticache://a,b:x", "port \"x\"", port},
        {"a,b:1:0", "weight \"0\"", port},
        {"a,b:1:65536", "weight \"65536\"", port},
        {"a,b:1:", "weight \"\"", port},
        {"static://a:1:x", "weight \"x\"", port},
        {"", "endpoint \"\"", "is empty: write host:port"},
        {"?hash=md5", "endpoint \"\"", "is empty: write host:port"},
        {"elasticache://", "endpoint \"elasticache://\"", "empty element"},
        {"unix://", "endpoint \"unix://\"", "empty element"},
        {"a,,b", "endpoint \"a,,b\"", "empty element"},
        {"a,b,", "endpoint \"a,b,\"", "empty element"},
        {",a", "endpoint \",a\"", "empty element"},
        {"a,", "endpoint \"a,\"", "empty element"},
        {":11211", "element \":11211\"", "names no host"},
        {"a b", "endpoint \"a b\"", "whitespace"},
        {" a", "endpoint \" a\"", "whitespace"},
        {"a\n", "endpoint \"a\\x0a\"", "whitespace"},
        {"a,\tb", "endpoint \"a,\\x09b\"", "whitespace"},
        {"/run/a b", "endpoint \"/run/a b\"", "whitespace"},
        {"::1", "host \"::1\"", brackets},
        {"2001:db8::1", "host \"2001:db8::1\"", brackets},
        {"fe80::1,b", "host \"fe80::1\"", brackets},
        {"::1:11211,b", "element \"::1:11211\"", brackets},
        {"elasticache://::1", "host \"::1\"", brackets},
        {"a:1:2", "element \"a:1:2\"", brackets},
        {"a:1:2", "element \"a:1:2\"", "weights are for lists"},
        {"elasticache://a:1:2", "element \"a:1:2\"", brackets},
        {"a:1:2:3,b", "element \"a:1:2:3\"", brackets},
        {"[::1]:1:2:3,b", "element \"[::1]:1:2:3\"", brackets},
        {"[::1]:1:2", "element \"[::1]:1:2\"", brackets},
        {"[::1", "element \"[::1\"", "no closing bracket"},
        {"[::1]1", "element \"[::1]1\"", "goes on after the bracket"},
        {"[]:1", "host \"\"", "is not an IPv6 address"},
        {"[a]:1", "host \"a\"", "is not an IPv6 address"},
        {"[127.0.0.1]:1", "host \"127.0.0.1\"", "is not an IPv6 address"},
        {"[[::1]]:1", "host \"[::1\"", "is not an IPv6 address"},
        {"a$b", "host \"a$b\"", "is no host name"},
        {"m\xc3\xbc:1", "host \"m\\xc3\\xbc\"", "is no host name"},
        {"a\x01", "host \"a\\x01\"", "is no host name"},
        {"a/b:1", "host \"a/b\"", "is no host name"},
        {"a;b:1", "host \"a;b\"", "is no host name"},
        {"memcached://a", "scheme \"memcached\"",
         "use elasticache, elasticaches, memorystore, static, unix, dns or srv"},
        {"://a", "scheme \"\"", "is unknown"},
        {"a:1,static://b", "scheme \"a:1,static\"", "is unknown"},
        {"elasticache:///run/m", "element \"/run/m\"", "is a path"},
        {"dns:///run/m", "element \"/run/m\"", "is a path"},
        {"unix://run/m", "path \"run/m\"", "does not start with '/'"},
        {"unix:///a,/b", "path \"/a,/b\"", "write several paths as /a,/b"},
        {"/a\x01", "path \"/a\\x01\"", "control character"},
        {"dns://a,b", "endpoint \"dns://a,b\"", "takes one name"},
        {"srv://a,b", "endpoint \"srv://a,b\"", "takes one name"},
        {"srv://a:1", "element \"a:1\"", "write the name alone"},
        {"dns://a:x", "port \"x\"", port},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_refused(cases[i].text, cases[i].part, cases[i].advice);
}

static void holds_names_and_paths_to_their_size(void **state) {
    (void)state;
    struct shoal__endpoint endpoint;
    char text[400];
    memset(text, 'a', sizeof(text));
    for (size_t size = 1; size <= 253; size++) {
        text[size] = '\0';
        assert_int_equal(shoal__endpoint_parse(text, &endpoint, NULL), SHOAL_OK);
        assert_int_equal(strlen(endpoint.nodes.nodes[0].host), size);
        shoal__endpoint_clear(&endpoint);
        text[size] = 'a';
    }
    text[254] = '\0';
    assert_refused(text, "host \"aaa", "at most 253");
    text[0] = '/';
    text[107] = '\0';
    assert_int_equal(shoal__endpoint_parse(text, &endpoint, NULL), SHOAL_OK);
    shoal__endpoint_clear(&endpoint);
    text[107] = 'a';
    text[108] = '\0';
    assert_refused(text, "path \"/aaa", "too long for a Unix socket");
}

/* However long the parts are, the end of the sentence, which says what to do, is there. */
static void cuts_the_parts_and_not_the_advice(void **state) {
    (void)state;
    char text[2000];
    memset(text, '\xff', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    assert_refused(text, "...\": host \"\\xff", "at most 253 of them");
    memset(text, 'a', sizeof(text) - 1);
    strcpy(text + 1000, "://aaa");
    assert_refused(text, "...\": scheme \"aaa", "or host:port alone");
    strcpy(text + 200, ":1:2");
    assert_refused(text, "...\": element \"aaa", "as in static://host:port:weight");
    strcpy(text + 200, ":1:2:3");
    assert_refused(text, "...\": element \"aaa", "as in [::1]:11211");
}

static void keeps_credentials_to_itself(void **state) {
    (void)state;
    static const char *const cases[] = {
        "user:hunter2@a:1",         "elasticache://user:hunter2@a", "hunter2@a",     "a,user:hunter2@b",
        "static://user:hunter2@a?", "unix://user:hunter2@/run/m",   "u:hunter2?@a",  "u:hun?ter2@a",
        "/a,u:hunter2@b",           "hunter2://u:hunter2@b",        "u:hunter2@a b",
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *told = refusal(cases[i]);
        if (strstr(told, "hun") != NULL)
            fail_msg("told: %s", told);
    }
    assert_refused("user:hunter2@a:1", "credentials", "write host:port");
    assert_refused("elasticache://user:hunter2@a", "credentials", "write host:port");
}

static void reads_options(void **state) {
    (void)state;
    struct shoal__endpoint endpoint;
    assert_int_equal(
        shoal__endpoint_parse("a:1?hash=md5&x%3Dy=%41%2b+%26%39%6F%09&hash=&path=/a:b?c=d@e", &endpoint, NULL),
        SHOAL_OK);
    static const char *const wanted[][2] = {{"hash", "md5"}, {"x=y", "A++&9o\t"}, {"hash", ""}, {"path", "/a:b?c=d@e"}};
    assert_int_equal(endpoint.option_count, COUNT_OF(wanted));
    for (size_t i = 0; i < COUNT_OF(wanted); i++) {
        assert_string_equal(endpoint.options[i].name, wanted[i][0]);
        assert_string_equal(endpoint.options[i].value, wanted[i][1]);
    }
    assert_string_equal(endpoint.nodes.nodes[0].host, "a");
    shoal__endpoint_clear(&endpoint);
    static const char *const forms[] = {"elasticache://a?o=1", "a,b:1:2?o=1", "/run/m?o=1",      "unix:/run/m?o=1",
                                        "dns://a?o=1",         "srv://a?o=1", "[::1]:11211?o=1", "static://a?o=1"};
    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        assert_int_equal(shoal__endpoint_parse(forms[i], &endpoint, NULL), SHOAL_OK);
        assert_int_equal(endpoint.option_count, 1);
        assert_string_equal(endpoint.options[0].name, "o");
        assert_string_equal(endpoint.options[0].value, "1");
        shoal__endpoint_clear(&endpoint);
    }
}

static void refuses_options_without_quoting_them(void **state) {
    (void)state;
    static const struct {
        const char *text;
        const char *part;
        const char *advice;
    } cases[] = {
        {"a:1?", "endpoint \"a:1\": option 1", "has no name"},
        {"a:1?=secret", "option 1", "has no name"},
        {"a:1?x=secret&", "option 2", "has no name"},
        {"a:1?&x=secret", "option 1", "has no name"},
        {"a:1?x=secret&secret", "option 2", "has no '='"},
        {"a:1?secret=%", "option 1", "bad %-sequence"},
        {"a:1?x=1&secret=%4", "option 2", "bad %-sequence"},
        {"a:1?secret=%4g", "option 1", "bad %-sequence"},
        {"a:1?secret=%g4", "option 1", "bad %-sequence"},
        {"a:1?secret%zz=1", "option 1", "bad %-sequence"},
        {"a:1?secret=%00", "option 1", "other than %00"},
        {"a:1?secret=a b", "follows the \"?\"", "holds whitespace"},
        {"a:1?secret=\n", "follows the \"?\"", "holds whitespace"},
        {"a:x?password=secret", "port \"x\"", "is not a number"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_refused(cases[i].text, cases[i].part, cases[i].advice);
        assert_null(strstr(refusal(cases[i].text), "secret"));
    }
}

static void copies_deeply(void **state) {
    (void)state;
    struct shoal__endpoint endpoint, copy, again;
    assert_int_equal(shoal__endpoint_parse("elasticaches://a,b:2?x=1&y=2", &endpoint, NULL), SHOAL_OK);
    assert_true(shoal__endpoint_copy(&copy, &endpoint));
    shoal__endpoint_clear(&endpoint);
    assert_int_equal(copy.service, SHOAL__SERVICE_ELASTICACHE);
    assert_true(copy.tls);
    assert_int_equal(copy.nodes.count, 2);
    assert_string_equal(copy.nodes.nodes[1].host, "b");
    assert_int_equal(copy.option_count, 2);
    assert_string_equal(copy.options[1].name, "y");
    assert_string_equal(copy.options[1].value, "2");
    shoal__endpoint_clear(&copy);
    assert_true(shoal__endpoint_copy(&again, &copy));
    assert_zeroed(&again);
}

static void reads_lists_for_other_options(void **state) {
    (void)state;
    struct shoal__node_list nodes;
    struct shoal__fault fault;
    char text[100];
    assert_int_equal(shoal__endpoint_parse_list("some_option", "a,[::1]:2:3,/run/m", &nodes, &fault), SHOAL_OK);
    describe(&nodes, text, sizeof(text));
    assert_string_equal(text, "a:11211*1 ::1:2*3 /run/m:0*1");
    shoal__node_list_clear(&nodes);
    static const char *const bad[][2] = {
        {"", "is empty"},         {"a,b:x", "port \"x\""},     {"a,", "empty element"},
        {"u:p@a", "credentials"}, {"a?x=1", "host \"a?x=1\""}, {"static://a", "port \"//a\""}};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_int_equal(shoal__endpoint_parse_list("some_option", bad[i][0], &nodes, &fault), SHOAL_E_BAD_ENDPOINT);
        assert_int_equal(strncmp(fault.text, "some_option", 11), 0);
        assert_non_null(strstr(fault.text, bad[i][1]));
        assert_int_equal(nodes.count, 0);
        assert_null(nodes.nodes);
    }
}

static uint32_t next_random(uint32_t *state) {
    *state = *state * UINT32_C(1664525) + UINT32_C(1013904223);
    return *state >> 8;
}

/* Whatever the bytes: a status that is meant, an endpoint that holds a node or is zeroed, a message in ASCII. */
static void survives_anything(void **state) {
    (void)state;
    static const char *const seeds[] = {"elasticache://a.example:11211,b?operation_timeout_ms=100&key_prefix=%41",
                                        "a:1:2,[::1]:11211:3,/run/m",
                                        "unix:///run/m?x=1",
                                        "dns://name:1",
                                        "user:pw@host",
                                        "[2001:db8::1]:80?a=%2f%2F"};
    static const char alphabet[] = ":/?,[]@%&=.a0-_ \n\x01\xff*";
    uint32_t random = 20240117;
    for (unsigned round = 0; round < 60000; round++) {
        char text[128];
        snprintf(text, sizeof(text), "%s", seeds[round % COUNT_OF(seeds)]);
        size_t size = strlen(text);
        for (uint32_t edits = next_random(&random) % 5; edits > 0; edits--)
            text[next_random(&random) % size] = alphabet[next_random(&random) % (sizeof(alphabet) - 1)];
        if (next_random(&random) % 4 == 0)
            text[next_random(&random) % size] = '\0';
        char *exact = strdup(text);
        struct shoal__endpoint endpoint;
        struct shoal__fault fault = {0};
        shoal_status status = shoal__endpoint_parse(exact, &endpoint, &fault);
        free(exact);
        if (status == SHOAL_OK) {
            assert_true(endpoint.nodes.count > 0);
            shoal__endpoint_clear(&endpoint);
            continue;
        }
        assert_int_equal(status, SHOAL_E_BAD_ENDPOINT);
        assert_zeroed(&endpoint);
        assert_true(strlen(fault.text) < sizeof(fault.text) - 1);
        for (const char *byte = fault.text; *byte; byte++)
            assert_in_range((unsigned char)*byte, 0x20, 0x7e);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_form),
        cmocka_unit_test(names_the_wrong_part),
        cmocka_unit_test(holds_names_and_paths_to_their_size),
        cmocka_unit_test(cuts_the_parts_and_not_the_advice),
        cmocka_unit_test(keeps_credentials_to_itself),
        cmocka_unit_test(reads_options),
        cmocka_unit_test(refuses_options_without_quoting_them),
        cmocka_unit_test(copies_deeply),
        cmocka_unit_test(reads_lists_for_other_options),
        cmocka_unit_test(survives_anything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
