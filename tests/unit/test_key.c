/* Keys: what is refused, what is sent, what is hashed.
 * May include: the core's internals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "logic/key.h"

#include <string.h>

static const struct shoal__key_rule plain = {.prefix = ""};
static const struct shoal__key_rule prefixed = {.prefix = "app:", .prefix_len = 4};
static const struct shoal__key_rule hashing = {.prefix = "app:", .prefix_len = 4, .hash_long = true};

static char room[SHOAL__KEY_MAX];
static struct shoal__key key;
static struct shoal__fault fault;

static shoal_status make(const struct shoal__key_rule *rule, const char *bytes, size_t size) {
    memset(&fault, 0, sizeof(fault));
    return shoal__key_make(rule, bytes, size, room, &key, &fault);
}

static void test_a_plain_key_is_not_copied(void **state) {
    (void)state;
    const char *bytes = "user:1";
    assert_int_equal(make(&plain, bytes, 6), SHOAL_OK);
    assert_ptr_equal(key.bytes, bytes);
    assert_int_equal(key.size, 6);
}

static void test_a_prefix_is_sent_and_hashed_only_where_the_rule_says_so(void **state) {
    (void)state;
    assert_int_equal(make(&prefixed, "k", 1), SHOAL_OK);
    assert_memory_equal(key.bytes, "app:k", 5);
    assert_int_equal(key.size, 5);
    assert_int_equal(key.routed_from, 4);
    struct shoal__key_rule whole = prefixed;
    whole.routes_prefix = true;
    assert_int_equal(make(&whole, "k", 1), SHOAL_OK);
    assert_int_equal(key.routed_from, 0);
}

static void test_lengths(void **state) {
    (void)state;
    char bytes[300];
    memset(bytes, 'k', sizeof(bytes));
    assert_int_equal(make(&plain, bytes, 0), SHOAL_E_BAD_KEY);
    assert_int_equal(make(&plain, NULL, 5), SHOAL_E_BAD_KEY);
    assert_int_equal(make(&plain, bytes, 250), SHOAL_OK);
    assert_int_equal(make(&plain, bytes, 251), SHOAL_E_BAD_KEY);
    assert_int_equal(make(&prefixed, bytes, 246), SHOAL_OK);
    assert_int_equal(key.size, 250);
    assert_int_equal(make(&prefixed, bytes, 247), SHOAL_E_BAD_KEY);
    assert_non_null(strstr(fault.text, "247"));
    assert_non_null(strstr(fault.text, "long_keys=hash"));
}

static void test_each_forbidden_byte_is_refused_wherever_it_stands(void **state) {
    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        bool forbidden = byte <= 0x20 || byte == 0x7f;
        for (size_t at = 0; at < 3; at++) {
            char bytes[3] = {'a', 'b', 'c'};
            bytes[at] = (char)byte;
            assert_int_equal(make(&plain, bytes, 3), forbidden ? SHOAL_E_BAD_KEY : SHOAL_OK);
        }
    }
}

static void test_a_refusal_tells_the_place_and_never_the_key(void **state) {
    (void)state;
    assert_int_equal(make(&plain, "secret key", 10), SHOAL_E_BAD_KEY);
    assert_null(strstr(fault.text, "secret"));
    assert_non_null(strstr(fault.text, "0x20 at 6"));
}

/* The digest is that of the key without its prefix: md5("kkk...") of 260 bytes, by md5sum. */
static void test_a_long_key_becomes_prefix_mark_and_digest(void **state) {
    (void)state;
    char bytes[260];
    memset(bytes, 'k', sizeof(bytes));
    assert_int_equal(make(&hashing, bytes, sizeof(bytes)), SHOAL_OK);
    assert_int_equal(key.size, 4 + 5 + 32);
    assert_memory_equal(key.bytes, "app::md5:1c7363d84adc3ea07574e963707d009d", key.size);
    assert_int_equal(make(&hashing, bytes, 246), SHOAL_OK);
    assert_int_equal(key.size, 250);
}

static void test_a_long_key_with_a_forbidden_byte_is_refused_all_the_same(void **state) {
    (void)state;
    char bytes[260];
    memset(bytes, 'k', sizeof(bytes));
    bytes[200] = '\n';
    assert_int_equal(make(&hashing, bytes, sizeof(bytes)), SHOAL_E_BAD_KEY);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_plain_key_is_not_copied),
        cmocka_unit_test(test_a_prefix_is_sent_and_hashed_only_where_the_rule_says_so),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_each_forbidden_byte_is_refused_wherever_it_stands),
        cmocka_unit_test(test_a_refusal_tells_the_place_and_never_the_key),
        cmocka_unit_test(test_a_long_key_becomes_prefix_mark_and_digest),
        cmocka_unit_test(test_a_long_key_with_a_forbidden_byte_is_refused_all_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
