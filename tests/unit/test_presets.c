/* Presets: the migration table, and what a configuration takes from it.
 * May include: <shoal/config.h>, logic/ring. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "logic/ring.h"

#include <shoal/config.h>

#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static shoal_config *fresh(void) {
    shoal_config *config;
    assert_int_equal(shoal_config_new(&config, NULL), SHOAL_OK);
    return config;
}

static const char *get(const shoal_config *config, const char *name) {
    const char *value;
    assert_int_equal(shoal_config_get(config, name, &value, NULL), SHOAL_OK);
    return value;
}

static void assert_placement(const shoal_config *config, const char *distribution, const char *hash,
                             const char *ring_identity) {
    assert_string_equal(get(config, "distribution"), distribution);
    assert_string_equal(get(config, "hash"), hash);
    assert_string_equal(get(config, "ring_identity"), ring_identity);
}

static const char *const table[][4] = {
    {"django-elasticache", "ketama", "one_at_a_time", "ip"},
    {"django-elasticache-options", "modula", "one_at_a_time", "ip"},
    {"pylibmc", "modula", "one_at_a_time", "hostname"},
    {"pymemcache", "rendezvous", "murmur3_32", "hostname"},
    {"django-elastipymemcache", "rendezvous", "murmur3_32", "ip"},
    {"php-memcached", "modula", "one_at_a_time", "hostname"},
    {"laravel", "modula", "one_at_a_time", "hostname"},
    {"symfony", "ketama_weighted", "md5", "hostname"},
    {"dalli", "dalli", "crc32", "hostname"},
    {"rails", "dalli", "crc32", "hostname"},
    {"dalli-elasticache", "dalli", "crc32", "hostname"},
    {"aws-php", "modula", "one_at_a_time", "hostname"},
};

static void test_each_preset_sets_its_placement(void **state) {
    (void)state;
    shoal_error *error = NULL;
    assert_int_equal(shoal_preset_count(), COUNT_OF(table));
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        shoal_config *config = fresh();
        assert_string_equal(shoal_preset_name(shoal_preset_at(i)), table[i][0]);
        assert_int_equal(shoal_config_set_preset(config, table[i][0], &error), SHOAL_OK);
        assert_null(error);
        assert_placement(config, table[i][1], table[i][2], table[i][3]);
        shoal_config_free(config);
    }
}

static void test_each_preset_can_be_found_and_describes_itself(void **state) {
    (void)state;
    for (size_t i = 0; i < shoal_preset_count(); i++) {
        const shoal_preset *preset = shoal_preset_at(i);
        assert_ptr_equal(shoal_preset_find(shoal_preset_name(preset)), preset);
        assert_non_null(strstr(shoal_preset_description(preset), "Values: codec "));
    }
    assert_null(shoal_preset_at(shoal_preset_count()));
    assert_null(shoal_preset_find(NULL));
    assert_null(shoal_preset_find("Rails"));
    assert_string_equal(shoal_preset_name(NULL), "");
    assert_string_equal(shoal_preset_description(NULL), "");
}

/* Each row takes its hash from the distribution's own client, so that `hash=default` would do as well. */
static void test_hashes_are_those_of_the_distributions(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++)
        assert_string_equal(shoal__distribution_find(table[i][1])->own_hash, table[i][2]);
}

static void test_the_last_word_holds(void **state) {
    (void)state;
    shoal_config *config = fresh();
    assert_int_equal(shoal_config_set_preset(config, "django-elasticache", NULL), SHOAL_OK);
    assert_int_equal(shoal_config_set_preset(config, "symfony", NULL), SHOAL_OK);
    assert_placement(config, "ketama_weighted", "md5", "hostname");
    assert_int_equal(shoal_config_set(config, "ring_identity", "ip", NULL), SHOAL_OK);
    assert_placement(config, "ketama_weighted", "md5", "ip");
    assert_int_equal(shoal_config_set(config, "key_prefix", "app:", NULL), SHOAL_OK);
    assert_int_equal(shoal_config_set_preset(config, "rails", NULL), SHOAL_OK);
    assert_placement(config, "dalli", "crc32", "hostname");
    assert_string_equal(get(config, "key_prefix"), "app:");
    shoal_config_free(config);
}

static void test_an_unknown_preset_changes_nothing_and_names_those_there_are(void **state) {
    (void)state;
    shoal_config *config = fresh();
    shoal_error *error = NULL;
    assert_int_equal(shoal_config_set_preset(config, "dalli-elasticache", NULL), SHOAL_OK);
    assert_int_equal(shoal_config_set_preset(config, "nobody\n", &error), SHOAL_E_BAD_OPTION);
    assert_int_equal(shoal_error_status(error), SHOAL_E_BAD_OPTION);
    assert_non_null(strstr(shoal_error_message(error), "unknown preset \"nobody\\x0a\""));
    for (size_t i = 0; i < shoal_preset_count(); i++)
        assert_non_null(strstr(shoal_error_message(error), shoal_preset_name(shoal_preset_at(i))));
    assert_placement(config, "dalli", "crc32", "hostname");
    assert_int_equal(shoal_config_set_preset(NULL, "rails", &error), SHOAL_E_INVALID);
    assert_int_equal(shoal_config_set_preset(config, NULL, &error), SHOAL_E_INVALID);
    assert_int_equal(shoal_config_set_preset(config, "", NULL), SHOAL_E_BAD_OPTION);
    shoal_error_free(error);
    shoal_config_free(config);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_preset_sets_its_placement),
        cmocka_unit_test(test_each_preset_can_be_found_and_describes_itself),
        cmocka_unit_test(test_hashes_are_those_of_the_distributions),
        cmocka_unit_test(test_the_last_word_holds),
        cmocka_unit_test(test_an_unknown_preset_changes_nothing_and_names_those_there_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
