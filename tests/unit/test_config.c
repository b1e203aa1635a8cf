/* Options: the table, what each type takes, and what errors say.
 * May include: <shoal/config.h>, logic/config. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "logic/config.h"

#include <locale.h>
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

static const char *get(const shoal_config *config, const char *name) {
    const char *value;
    assert_int_equal(shoal_config_get(config, name, &value, NULL), SHOAL_OK);
    return value;
}

/* A refusal says each of the parts and not the secret, and leaves the option as it was. */
static void assert_refused(const char *name, const char *value, shoal_status wanted, const char *part,
                           const char *other_part, const char *secret) {
    shoal_config *config = fresh();
    shoal_error *error = NULL;
    const shoal_option *option = shoal_option_find(name);
    if (shoal_config_set(config, name, value, &error) != wanted)
        fail_msg("%s = \"%s\": %s", name, value, shoal_error_message(error));
    assert_int_equal(shoal_error_status(error), wanted);
    assert_false(shoal_error_is_retriable(error));
    const char *told = shoal_error_message(error);
    if (strstr(told, part) == NULL || strstr(told, other_part) == NULL || (secret && strstr(told, secret) != NULL))
        fail_msg("%s = \"%s\": %s", name, value, told);
    if (option != NULL)
        assert_string_equal(get(config, name), shoal_option_default(option));
    assert_int_equal(shoal_config_set(config, name, value, NULL), wanted);
    shoal_error_free(error);
    shoal_config_free(config);
}

static void describes_every_option(void **state) {
    (void)state;
    static const char *const types[] = {"string", "integer", "number", "span", "boolean", "choice"};
    assert_int_equal(shoal_option_count(), SHOAL__OPTION_COUNT);
    for (size_t i = 0; i < shoal_option_count(); i++) {
        const shoal_option *option = shoal_option_at(i);
        bool known = false;
        for (size_t type = 0; type < COUNT_OF(types); type++)
            known = known || strcmp(shoal_option_type(option), types[type]) == 0;
        assert_true(known);
        assert_ptr_equal(shoal_option_find(shoal_option_name(option)), option);
        assert_true(strlen(shoal_option_description(option)) > 10);
        assert_string_equal(shoal_option_since(option), "0.1");
    }
    assert_null(shoal_option_at(shoal_option_count()));
    assert_null(shoal_option_at(SIZE_MAX));
    assert_null(shoal_option_find("nothing"));
    assert_null(shoal_option_find(""));
    assert_null(shoal_option_find(NULL));
    const shoal_option *timeout = shoal_option_at(SHOAL__OPTION_operation_timeout_ms);
    assert_string_equal(shoal_option_name(timeout), "operation_timeout_ms");
    assert_string_equal(shoal_option_type(timeout), "integer");
    assert_string_equal(shoal_option_unit(timeout), "ms");
    assert_string_equal(shoal_option_range(timeout), "1..86400000");
    assert_string_equal(shoal_option_default(timeout), "500");
    assert_string_equal(shoal_option_type(shoal_option_find("endpoint")), "string");
    assert_string_equal(shoal_option_type(shoal_option_find("discovery_fallback")), "string");
    assert_string_equal(shoal_option_type(shoal_option_find("allow_nodes")), "string");
    assert_string_equal(shoal_option_type(shoal_option_find("key_prefix")), "string");
    assert_string_equal(shoal_option_type(shoal_option_find("discovery_jitter")), "number");
    assert_string_equal(shoal_option_type(shoal_option_find("tcp_keepalive")), "boolean");
    assert_string_equal(shoal_option_type(shoal_option_find("hash")), "choice");
}

static void describes_nothing_as_nothing(void **state) {
    (void)state;
    const char *(*const functions[])(const shoal_option *) = {
        shoal_option_name,    shoal_option_type,  shoal_option_unit,       shoal_option_range,
        shoal_option_default, shoal_option_since, shoal_option_description};
    for (size_t i = 0; i < COUNT_OF(functions); i++)
        assert_string_equal(functions[i](NULL), "");
}

/* The table's defaults and bounds are themselves values that it takes. */
static void takes_its_own_defaults_and_bounds(void **state) {
    (void)state;
    shoal_config *config = fresh();
    for (size_t i = 0; i < shoal_option_count(); i++) {
        const shoal_option *option = shoal_option_at(i);
        const char *name = shoal_option_name(option), *type = shoal_option_type(option);
        char range[200];
        snprintf(range, sizeof(range), "%s", shoal_option_range(option));
        assert_string_equal(get(config, name), shoal_option_default(option));
        if (strcmp(name, "endpoint") != 0)
            set(config, name, shoal_option_default(option));
        assert_string_equal(get(config, name), shoal_option_default(option));
        if (strcmp(type, "integer") == 0 || strcmp(type, "number") == 0) {
            char *dots = strstr(range, "..");
            assert_non_null(dots);
            *dots = '\0';
            set(config, name, range);
            assert_string_equal(get(config, name), range);
            set(config, name, dots + 2);
            assert_string_equal(get(config, name), dots + 2);
        }
        if (strcmp(type, "choice") == 0) {
            for (char *choice = strtok(range, "|"); choice; choice = strtok(NULL, "|"))
                set(config, name, choice);
        }
    }
    shoal_config_free(config);
}

static void gives_defaults_by_type(void **state) {
    (void)state;
    shoal_config *config = fresh();
    assert_int_equal(shoal__config_integer(config, SHOAL__OPTION_discovery_interval_ms), 60000);
    assert_int_equal(shoal__config_integer(config, SHOAL__OPTION_lanes_per_node), 0);
    assert_true(shoal__config_number(config, SHOAL__OPTION_discovery_jitter) == 0.2);
    assert_true(shoal__config_boolean(config, SHOAL__OPTION_tcp_keepalive));
    assert_string_equal(shoal__config_text(config, SHOAL__OPTION_distribution), "ketama_weighted");
    assert_string_equal(shoal__config_text(config, SHOAL__OPTION_key_prefix), "");
    assert_null(shoal__config_endpoint(config));
    shoal_config_free(config);
}

static void reads_values_by_type(void **state) {
    (void)state;
    shoal_config *config = fresh();
    set(config, "operation_timeout_ms", "00250");
    assert_int_equal(shoal__config_integer(config, SHOAL__OPTION_operation_timeout_ms), 250);
    assert_string_equal(get(config, "operation_timeout_ms"), "250");
    set(config, "lane_idle_s", "-0");
    assert_string_equal(get(config, "lane_idle_s"), "0");
    static const struct {
        const char *text;
        double wanted;
    } numbers[] = {{"0.25", 0.25},
                   {"1", 1},
                   {"0", 0},
                   {"-0.0", 0},
                   {".5", 0.5},
                   {"1.", 1},
                   {"0.9", 0.9},
                   {"1e-40", 1e-40},
                   {"0e40", 0},
                   {"5e-1", 0.5},
                   {"0.05E1", 0.5},
                   {"1e-05", 1e-5},
                   {"0.30000000000000004", 0.30000000000000004},
                   {"0.00000000000000000000000125", 1.25e-24},
                   {"1.000000000000000000000", 1}};
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        set(config, "discovery_jitter", numbers[i].text);
        assert_float_equal(shoal__config_number(config, SHOAL__OPTION_discovery_jitter), numbers[i].wanted,
                           numbers[i].wanted * 1e-15);
    }
    static const char *const words[][2] = {{"true", "true"}, {"FALSE", "false"}, {"1", "true"},  {"0", "false"},
                                           {"Yes", "true"},  {"no", "false"},    {"ON", "true"}, {"Off", "false"}};
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        set(config, "tcp_keepalive", words[i][0]);
        assert_string_equal(get(config, "tcp_keepalive"), words[i][1]);
        assert_int_equal(shoal__config_boolean(config, SHOAL__OPTION_tcp_keepalive), words[i][1][0] == 't');
    }
    set(config, "distribution", "modula");
    assert_string_equal(shoal__config_text(config, SHOAL__OPTION_distribution), "modula");
    set(config, "key_prefix", "caf\xc3\xa9:");
    assert_string_equal(get(config, "key_prefix"), "caf\xc3\xa9:");
    set(config, "endpoint", "a:1?hash=md5");
    assert_string_equal(get(config, "endpoint"), "a:1?hash=md5");
    assert_string_equal(shoal__config_endpoint(config)->nodes.nodes[0].host, "a");
    shoal_config_free(config);
}

static void reads_numbers_whatever_the_locale(void **state) {
    (void)state;
    static const char *const locales[] = {"de_DE.UTF-8", "de_DE", "fr_FR.UTF-8", "C.UTF-8"};
    for (size_t i = 0; i < COUNT_OF(locales); i++)
        if (setlocale(LC_ALL, locales[i]) != NULL)
            break;
    shoal_config *config = fresh();
    assert_true(shoal__config_number(config, SHOAL__OPTION_discovery_jitter) == 0.2);
    assert_int_equal(shoal_config_set(config, "discovery_jitter", "0,2", NULL), SHOAL_E_BAD_OPTION);
    shoal_config_free(config);
    setlocale(LC_ALL, "C");
}

static void refuses_wrong_values(void **state) {
    (void)state;
    static const char *const integers[] = {
        "", " 1", "1 ", "1x", "0x10", "1.0", "1e3", "+1", "-", "-1", "0", "86400001", "99999999999999999999", "\n1"};
    for (size_t i = 0; i < COUNT_OF(integers); i++)
        assert_refused("operation_timeout_ms", integers[i], SHOAL_E_BAD_OPTION, "operation_timeout_ms \"",
                       "whole number in 1..86400000 ms", NULL);
    assert_refused("operation_timeout_ms", "12\x01", SHOAL_E_BAD_OPTION, "\"12\\x01\"", "1..86400000", NULL);
    assert_refused("lanes_per_node", "4097", SHOAL_E_BAD_OPTION, "lanes_per_node \"4097\"", "in 0..4096", "4096 ");
    static const char *const numbers[] = {"",   "1.1", "-0.1", "nan",  "inf",           "0x1",  ".",   "e",
                                          "1e", "e1",  "0.2 ", "0..2", "1e-9999999999", "1e41", "--0", "0,2"};
    for (size_t i = 0; i < COUNT_OF(numbers); i++)
        assert_refused("discovery_jitter", numbers[i], SHOAL_E_BAD_OPTION, "discovery_jitter \"", "number in 0..1",
                       "whole");
    static const char *const booleans[] = {"", "2", "t", "yess", " true", "enabled"};
    for (size_t i = 0; i < COUNT_OF(booleans); i++)
        assert_refused("tcp_keepalive", booleans[i], SHOAL_E_BAD_OPTION, "tcp_keepalive \"", "true or false", NULL);
    static const char *const choices[] = {"", "Modula", "ketam", "modula ", "ketama_weighted|ketama", "|"};
    for (size_t i = 0; i < COUNT_OF(choices); i++)
        assert_refused("distribution", choices[i], SHOAL_E_BAD_OPTION, "distribution \"",
                       "one of ketama_weighted|ketama|modula|dalli|rendezvous", NULL);
    assert_refused("allow_nodes", "a,10.0.0.0/64", SHOAL_E_BAD_OPTION, "allow_nodes: \"10.0.0.0/64\"", "0 to 32", NULL);
    assert_refused("endpoint", "", SHOAL_E_BAD_ENDPOINT, "endpoint \"\"", "is empty", NULL);
    assert_refused("endpoint", "a:99999", SHOAL_E_BAD_ENDPOINT, "port \"99999\"", "1 to 65535", NULL);
}

static void refuses_prefixes_unfit_for_keys(void **state) {
    (void)state;
    char prefix[202];
    memset(prefix, 'p', sizeof(prefix));
    prefix[201] = '\0';
    assert_refused("key_prefix", prefix, SHOAL_E_BAD_OPTION, "key_prefix: is 201 bytes", "200 are allowed", "ppp");
    prefix[200] = '\0';
    shoal_config *config = fresh();
    set(config, "key_prefix", prefix);
    shoal_config_free(config);
    assert_refused("key_prefix", "pass word", SHOAL_E_BAD_OPTION, "byte 5 is 0x20", "no spaces", "pass");
    assert_refused("key_prefix", "a\x7f", SHOAL_E_BAD_OPTION, "byte 2 is 0x7f", "no control", NULL);
    assert_refused("key_prefix", "\r\n", SHOAL_E_BAD_OPTION, "byte 1 is 0x0d", "no control", NULL);
}

static void names_the_nearest_option(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"operation_timout_ms", "did you mean operation_timeout_ms?"},
        {"operation_timeout", "did you mean operation_timeout_ms?"},
        {"Operation-Timeout-MS", "did you mean operation_timeout_ms?"},
        {"conect_timeout_ms", "did you mean connect_timeout_ms?"},
        {"prefix", "did you mean key_prefix?"},
        {"endpoints", "did you mean endpoint?"},
        {"hsah", "did you mean hash?"},
        {"discovery_interval", "did you mean discovery_interval_ms?"},
        {"lanes", "`shoal config` lists"},
        {"zzz", "`shoal config` lists"},
        {"", "`shoal config` lists"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char quoted[64];
        snprintf(quoted, sizeof(quoted), "unknown option \"%s\"", cases[i][0]);
        assert_refused(cases[i][0], "1", SHOAL_E_BAD_OPTION, quoted, cases[i][1], NULL);
    }
    char name[1000];
    memset(name, 'e', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    assert_refused(name, "1", SHOAL_E_BAD_OPTION, "eee...\"", "`shoal config` lists", NULL);
    shoal_config *config = fresh();
    shoal_error *error = NULL;
    const char *value = "x";
    assert_int_equal(shoal_config_get(config, "hahs", &value, &error), SHOAL_E_BAD_OPTION);
    assert_null(value);
    assert_non_null(strstr(shoal_error_message(error), "did you mean hash?"));
    shoal_error_free(error);
    shoal_config_free(config);
}

static void refuses_null(void **state) {
    (void)state;
    shoal_config *config = fresh();
    shoal_error *error = NULL;
    const char *value = "x";
    assert_int_equal(shoal_config_new(NULL, &error), SHOAL_E_INVALID);
    assert_string_equal(shoal_error_message(error), "shoal_config_new: config is NULL");
    assert_int_equal(shoal_config_set(NULL, "hash", "md5", &error), SHOAL_E_INVALID);
    assert_string_equal(shoal_error_message(error), "shoal_config_set: config is NULL");
    assert_int_equal(shoal_config_set(config, NULL, "md5", &error), SHOAL_E_INVALID);
    assert_string_equal(shoal_error_message(error), "shoal_config_set: name is NULL");
    assert_int_equal(shoal_config_set(config, "hash", NULL, &error), SHOAL_E_INVALID);
    assert_string_equal(shoal_error_message(error), "shoal_config_set: value is NULL");
    assert_int_equal(shoal_config_get(NULL, "hash", &value, &error), SHOAL_E_INVALID);
    assert_null(value);
    assert_string_equal(shoal_error_message(error), "shoal_config_get: config is NULL");
    assert_int_equal(shoal_config_get(config, NULL, &value, &error), SHOAL_E_INVALID);
    assert_string_equal(shoal_error_message(error), "shoal_config_get: name is NULL");
    assert_int_equal(shoal_config_get(config, "hash", NULL, &error), SHOAL_E_INVALID);
    assert_string_equal(shoal_error_message(error), "shoal_config_get: value is NULL");
    assert_int_equal(shoal_config_set(config, "hash", "md5", &error), SHOAL_OK);
    assert_null(error);
    shoal_config_free(config);
    shoal_config_free(NULL);
}

static void keeps_the_old_value_when_it_refuses(void **state) {
    (void)state;
    shoal_config *config = fresh();
    set(config, "endpoint", "a:1");
    set(config, "operation_timeout_ms", "7");
    set(config, "discovery_fallback", "static:b:2");
    assert_int_equal(shoal_config_set(config, "endpoint", "b:1?hash=x", NULL), SHOAL_E_BAD_OPTION);
    assert_int_equal(shoal_config_set(config, "operation_timeout_ms", "x", NULL), SHOAL_E_BAD_OPTION);
    assert_int_equal(shoal_config_set(config, "discovery_fallback", "static:b:x", NULL), SHOAL_E_BAD_OPTION);
    assert_string_equal(get(config, "endpoint"), "a:1");
    assert_string_equal(shoal__config_endpoint(config)->nodes.nodes[0].host, "a");
    assert_string_equal(get(config, "operation_timeout_ms"), "7");
    assert_string_equal(get(config, "discovery_fallback"), "static:b:2");
    /* An option's own text may be given back to it. */
    set(config, "endpoint", get(config, "endpoint"));
    set(config, "endpoint", "c:1");
    assert_string_equal(shoal__config_endpoint(config)->nodes.nodes[0].host, "c");
    shoal_config_free(config);
}

static void refuses_what_is_not_built_in(void **state) {
    (void)state;
    assert_refused("endpoint", "dns://m.example", SHOAL_E_UNSUPPORTED, "dns:// is not built in yet", "static://", NULL);
    assert_refused("endpoint", "srv://m.example", SHOAL_E_UNSUPPORTED, "srv:// is not built in yet", "static://", NULL);
    assert_refused("endpoint", "dns://a:x", SHOAL_E_BAD_ENDPOINT, "port \"x\"", "", NULL);
}

static void checks_the_query_at_once_and_quotes_none_of_it(void **state) {
    (void)state;
    static const struct {
        const char *endpoint;
        const char *part;
        const char *other_part;
    } cases[] = {
        {"a?hash=md5&operation_timout_ms=9174", "option 2 after the endpoint's \"?\" is unknown",
         "did you mean operation_timeout_ms?"},
        {"a?x9174=9174", "option 1 after the endpoint's \"?\" is unknown", "`shoal config` lists"},
        {"a?endpoint=9174", "option 1 after", "is endpoint itself"},
        {"a?operation_timeout_ms=9174x", "operation_timeout_ms after the endpoint's \"?\"", "1..86400000 ms"},
        {"a?discovery_jitter=9174", "discovery_jitter after the endpoint's \"?\"", "number in 0..1"},
        {"a?tcp_keepalive=9174", "tcp_keepalive after the endpoint's \"?\"", "true or false"},
        {"a?hash=9174", "hash after the endpoint's \"?\"", "one of default|md5"},
        {"a?discovery_fallback=9174", "discovery_fallback after the endpoint's \"?\"", "strict|single|static:"},
        {"a?discovery_fallback=static:a:91740", "discovery_fallback after the endpoint's \"?\"", "host:port:weight"},
        {"a?allow_nodes=9174*", "allow_nodes after the endpoint's \"?\"", "networks"},
        {"a?key_prefix=9174%20", "key_prefix", "byte 5 is 0x20"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_refused("endpoint", cases[i].endpoint, SHOAL_E_BAD_OPTION, cases[i].part, cases[i].other_part, "9174");
}

static void refuses_wrong_fallbacks(void **state) {
    (void)state;
    static const char *const bad[][2] = {
        {"static", "strict|single|static:"}, {"Strict", "strict|single|static:"}, {"static:", "is empty"},
        {"static:a:x", "port \"x\""},        {"static:a,,b", "empty element"},    {"static:u:p@a", "credentials"}};
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_refused("discovery_fallback", bad[i][0], SHOAL_E_BAD_OPTION, "discovery_fallback", bad[i][1], NULL);
}

static uint32_t next_random(uint32_t *state) {
    *state = *state * UINT32_C(1664525) + UINT32_C(1013904223);
    return *state >> 8;
}

/* Any text for any option: taken, and then readable, or refused in ASCII. */
static void survives_anything(void **state) {
    (void)state;
    static const char *const seeds[] = {"a:1?connect_timeout_ms=1&hash=md5",
                                        "static:a:1:2,[::1]",
                                        "10.0.0.0/8,*.b",
                                        "86400000",
                                        "0.25e-1",
                                        "true",
                                        "ketama_weighted"};
    static const char alphabet[] = "0192.-+e,:/?&=%*[]aZ_ \n\x7f\xff";
    uint32_t random = 20240121;
    shoal_config *config = fresh();
    for (unsigned round = 0; round < 40000; round++) {
        char text[64];
        snprintf(text, sizeof(text), "%s", seeds[next_random(&random) % COUNT_OF(seeds)]);
        size_t size = strlen(text);
        for (uint32_t edits = next_random(&random) % 4; edits > 0; edits--)
            text[next_random(&random) % size] = alphabet[next_random(&random) % (sizeof(alphabet) - 1)];
        const char *name = shoal_option_name(shoal_option_at(next_random(&random) % shoal_option_count()));
        shoal_error *error = NULL;
        shoal_status status = shoal_config_set(config, name, text, &error);
        assert_int_equal(shoal_error_status(error), status);
        for (const char *byte = shoal_error_message(error); *byte; byte++)
            assert_in_range((unsigned char)*byte, 0x20, 0x7e);
        shoal_error_free(error);
        if (status == SHOAL_OK)
            assert_true(strlen(get(config, name)) > 0);
    }
    shoal_config_free(config);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(describes_every_option),
        cmocka_unit_test(describes_nothing_as_nothing),
        cmocka_unit_test(takes_its_own_defaults_and_bounds),
        cmocka_unit_test(gives_defaults_by_type),
        cmocka_unit_test(reads_values_by_type),
        cmocka_unit_test(reads_numbers_whatever_the_locale),
        cmocka_unit_test(refuses_wrong_values),
        cmocka_unit_test(refuses_prefixes_unfit_for_keys),
        cmocka_unit_test(names_the_nearest_option),
        cmocka_unit_test(refuses_null),
        cmocka_unit_test(keeps_the_old_value_when_it_refuses),
        cmocka_unit_test(refuses_what_is_not_built_in),
        cmocka_unit_test(checks_the_query_at_once_and_quotes_none_of_it),
        cmocka_unit_test(refuses_wrong_fallbacks),
        cmocka_unit_test(survives_anything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
