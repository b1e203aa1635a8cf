/* The base layer: errors, statuses, clocks, buffers, addresses, hashes, the log, random numbers, times to live.
 * May include: the core's internals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/address.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/random.h"
#include "logic/expiry.h"

#include <errno.h>
#include <shoal/version.h>
#include <stdio.h>
#include <string.h>

/* --- Errors --- */

static void test_an_error_tells_everything(void **state) {
    (void)state;
    struct shoal__fault fault;
    shoal_error *error = NULL;
    assert_int_equal(shoal__fault_set_os(&fault, SHOAL_E_NODE_DOWN, ECONNREFUSED, "cannot connect"), SHOAL_E_NODE_DOWN);
    fault.outcome_unknown = true;
    assert_int_equal(shoal__error_report(&error, &fault, "a:1", 2), SHOAL_E_NODE_DOWN);
    assert_int_equal(shoal_error_status(error), SHOAL_E_NODE_DOWN);
    assert_string_equal(shoal_error_message(error), "a:1: cannot connect: Connection refused");
    assert_string_equal(shoal_error_node(error), "a:1");
    assert_int_equal(shoal_error_errno(error), ECONNREFUSED);
    assert_int_equal(shoal_error_attempts(error), 2);
    assert_true(shoal_error_is_retriable(error));
    assert_true(shoal_error_is_outcome_unknown(error));
    shoal__error_begin(&error);
    assert_null(error);
}

static void test_no_error_tells_nothing(void **state) {
    (void)state;
    assert_int_equal(shoal_error_status(NULL), SHOAL_OK);
    assert_string_equal(shoal_error_message(NULL), "");
    assert_null(shoal_error_node(NULL));
    assert_int_equal(shoal_error_errno(NULL), 0);
    assert_int_equal(shoal_error_attempts(NULL), 0);
    assert_false(shoal_error_is_retriable(NULL));
    assert_false(shoal_error_is_outcome_unknown(NULL));
    shoal_error_free(NULL);
    shoal__error_begin(NULL);
    assert_int_equal(shoal__error_fail(NULL, SHOAL_E_INVALID, "nobody asked"), SHOAL_E_INVALID);
}

static void test_a_long_text_is_cut_and_ended(void **state) {
    (void)state;
    struct shoal__fault fault;
    char text[1000];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    shoal__fault_set_os(&fault, SHOAL_E_SYSTEM, EMFILE, "%s", text);
    assert_int_equal(strlen(fault.text), sizeof(fault.text) - 1);
}

static void test_statuses_have_their_names(void **state) {
    (void)state;
    assert_string_equal(shoal_status_name(SHOAL_OK), "SHOAL_OK");
    assert_string_equal(shoal_status_name(SHOAL_E_TIMEOUT), "SHOAL_E_TIMEOUT");
    assert_string_equal(shoal_status_name(SHOAL_PARTIAL), "SHOAL_PARTIAL");
    assert_string_equal(shoal_status_name(-999), "SHOAL_E_UNKNOWN");
    assert_string_equal(shoal_status_name(999), "SHOAL_UNKNOWN");
}

static void test_only_passing_failures_are_retriable(void **state) {
    (void)state;
    assert_true(shoal__status_is_retriable(SHOAL_E_TIMEOUT));
    assert_true(shoal__status_is_retriable(SHOAL_E_DISCOVERY));
    assert_false(shoal__status_is_retriable(SHOAL_E_BAD_KEY));
    assert_false(shoal__status_is_retriable(SHOAL_E_CLOSED));
    assert_false(shoal__status_is_retriable(SHOAL_NOT_FOUND));
}

static void test_the_version_is_that_of_the_headers(void **state) {
    (void)state;
    char expected[32];
    snprintf(expected, sizeof(expected), "%d.%d.%d", SHOAL_VERSION_MAJOR, SHOAL_VERSION_MINOR, SHOAL_VERSION_PATCH);
    assert_string_equal(shoal_version(), expected);
}

/* --- Time --- */

static void test_remaining_time_is_rounded_up_and_bounded(void **state) {
    (void)state;
    assert_int_equal(shoal__remaining_ms(100, 100), 0);
    assert_int_equal(shoal__remaining_ms(100, 200), 0);
    assert_int_equal(shoal__remaining_ms(101, 100), 1);
    assert_int_equal(shoal__remaining_ms(5 * SHOAL__NS_PER_MS, 0), 5);
    assert_int_equal(shoal__remaining_ms(5 * SHOAL__NS_PER_MS + 1, 0), 6);
    assert_int_equal(shoal__remaining_ms(SHOAL__NEVER, 0), INT32_MAX);
}

static void test_times_to_live_on_the_wire(void **state) {
    (void)state;
    const int64_t now = 1800000000;
    const int64_t month = 60 * 60 * 24 * 30;
    assert_int_equal(shoal__expiry_on_wire(0, now), 0);
    assert_int_equal(shoal__expiry_on_wire(-1, now), -1);
    assert_int_equal(shoal__expiry_on_wire(INT64_MIN, now), -1);
    assert_int_equal(shoal__expiry_on_wire(1, now), 1);
    assert_int_equal(shoal__expiry_on_wire(month, now), month);
    assert_int_equal(shoal__expiry_on_wire(month + 1, now), now + month + 1);
    assert_int_equal(shoal__expiry_on_wire(INT32_MAX - now, now), INT32_MAX);
    assert_int_equal(shoal__expiry_on_wire(INT64_MAX, now), INT32_MAX);
}

static void test_a_lifetime_is_cut_short(void **state) {
    (void)state;
    const int64_t now = 1800000000;
    assert_int_equal(shoal__expiry_capped(0, 60, now), 60);
    assert_int_equal(shoal__expiry_capped(-1, 60, now), -1);
    assert_int_equal(shoal__expiry_capped(30, 60, now), 30);
    assert_int_equal(shoal__expiry_capped(61, 60, now), 60);
    assert_int_equal(shoal__expiry_capped(now + 1000, 60, now), 60);
    assert_int_equal(shoal__expiry_capped(now + 10, 60, now), 10);
    assert_int_equal(shoal__expiry_capped(now - 10, 60, now), -1);
    assert_int_equal(shoal__expiry_capped(INT32_MAX, 60, now), 60);
}

/* --- Buffers --- */

static void test_a_buffer_keeps_what_was_written(void **state) {
    (void)state;
    struct shoal__buffer buffer = {0};
    for (int i = 0; i < 10000; i++) {
        char *room = shoal__buffer_reserve(&buffer, 3);
        assert_non_null(room);
        memcpy(room, "abc", 3);
        buffer.size += 3;
    }
    for (size_t i = 0; i < buffer.size; i++)
        assert_int_equal(buffer.bytes[i], "abc"[i % 3]);
    assert_null(shoal__buffer_reserve(&buffer, SIZE_MAX));
    shoal__buffer_clear(&buffer);
    assert_int_equal(buffer.size, 0);
}

/* --- Addresses --- */

static void check_address(const char *text, int family, const char *printed) {
    struct shoal__address address;
    char again[SHOAL__ADDRESS_TEXT_SIZE];
    assert_true(shoal__address_parse(text, 11211, &address));
    assert_int_equal(address.socket.any.sa_family, family);
    assert_int_equal(shoal__address_port(&address), family == AF_UNIX ? 0 : 11211);
    shoal__address_print(&address, again);
    assert_string_equal(again, printed);
}

static void test_numeric_addresses(void **state) {
    (void)state;
    check_address("10.1.2.3", AF_INET, "10.1.2.3");
    check_address("::1", AF_INET6, "::1");
    check_address("[fd00::7]", AF_INET6, "fd00::7");
    check_address("/run/memcached.sock", AF_UNIX, "unix");
}

static void test_what_is_no_address(void **state) {
    (void)state;
    static const char *const texts[] = {"", "localhost", "10.1.2", "[", "[]", "[::1", "1.2.3.4.5", "::g"};
    struct shoal__address address;
    char path[300];
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_false(shoal__address_parse(texts[i], 1, &address));
    memset(path, '/', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    assert_false(shoal__address_parse(path, 0, &address));
}

static void test_addresses_are_compared_with_their_port(void **state) {
    (void)state;
    struct shoal__address a;
    struct shoal__address b;
    shoal__address_parse("10.0.0.1", 1, &a);
    shoal__address_parse("10.0.0.1", 1, &b);
    assert_true(shoal__address_equals(&a, &b));
    shoal__address_parse("10.0.0.1", 2, &b);
    assert_false(shoal__address_equals(&a, &b));
}

/* --- Hashes: known answers --- */

static void test_hashes_give_known_answers(void **state) {
    (void)state;
    uint8_t digest[SHOAL__MD5_SIZE];
    shoal__md5("abc", 3, digest);
    static const uint8_t rfc1321[] = {0x90, 0x01, 0x50, 0x98, 0x3c, 0xd2, 0x4f, 0xb0,
                                      0xd6, 0x96, 0x3f, 0x7d, 0x28, 0xe1, 0x7f, 0x72};
    assert_memory_equal(digest, rfc1321, sizeof(digest));
    assert_int_equal(shoal__hash_md5("abc", 3), 0x98500190);
    assert_int_equal(shoal__hash_find("fnv1a_32")("a", 1), 0xe40c292c);
    assert_int_equal(shoal__hash_find("one_at_a_time")("a", 1), 0xca2e9442);
    assert_int_equal(shoal__hash_find("murmur")("abc", 3), 0x7b0cc428);
    assert_null(shoal__hash_find("default"));
}

/* The check values that each algorithm is published with. */
static void test_checksums_are_the_published_ones(void **state) {
    (void)state;
    uint8_t digest[SHOAL__SHA1_SIZE];
    static const uint8_t fips180[] = {0xa9, 0x99, 0x3e, 0x36, 0x47, 0x06, 0x81, 0x6a, 0xba, 0x3e,
                                      0x25, 0x71, 0x78, 0x50, 0xc2, 0x6c, 0x9c, 0xd0, 0xd8, 0x9d};
    assert_true(shoal__sha1("abc", 3, digest));
    assert_memory_equal(digest, fips180, sizeof(digest));
    assert_int_equal(shoal__hash_find("crc32")("123456789", 9), 0xcbf43926);
    assert_int_equal(shoal__hash_find("libmemcached_crc")("123456789", 9), 0xcbf43926 >> 16 & 0x7fff);
    assert_int_equal(shoal__hash_murmur3_32("", 0), 0);
    assert_int_equal(shoal__hash_murmur3_32("hello", 5), 0x248bfa47);
    assert_int_equal(shoal__hash_murmur3_32("hello, world", 12), 0x149bbb7f);
    assert_int_equal(shoal__hash_murmur3_32("The quick brown fox jumps over the lazy dog", 43), 0x2e4ff723);
    assert_int_equal(shoal__hash_murmur3_32("\xff\xff\xff\xff", 4), 0x76293b50);
}

/* --- The log --- */

static void test_readers_see_each_entry_once_and_in_order(void **state) {
    (void)state;
    static struct shoal__log log;
    uint64_t seen = 0;
    uint64_t dropped = 0;
    assert_null(shoal__log_next(&log, &seen, &dropped));
    shoal__log_add(&log, 1, 7, "a:1", "first %d", 1);
    shoal__log_add(&log, 2, 8, "", "second");
    const struct shoal__log_entry *entry = shoal__log_next(&log, &seen, &dropped);
    assert_string_equal(entry->message, "first 1");
    assert_string_equal(entry->node, "a:1");
    assert_int_equal(entry->version, 7);
    assert_string_equal(shoal__log_next(&log, &seen, &dropped)->message, "second");
    assert_null(shoal__log_next(&log, &seen, &dropped));
    shoal__log_clear(&log);
}

static void test_a_slow_reader_is_told_what_it_missed(void **state) {
    (void)state;
    static struct shoal__log log;
    uint64_t seen = 0;
    uint64_t dropped = 0;
    for (int i = 0; i < SHOAL__LOG_ENTRIES + 10; i++)
        shoal__log_add(&log, 1, 0, "", "%d", i);
    assert_string_equal(shoal__log_next(&log, &seen, &dropped)->message, "10");
    assert_int_equal(dropped, 10);
    assert_string_equal(shoal__log_next(&log, &seen, &dropped)->message, "11");
    assert_int_equal(dropped, 0);
    shoal__log_clear(&log);
}

/* --- Random numbers --- */

static void test_random_numbers_fill_the_unit_and_repeat_with_their_state(void **state) {
    (void)state;
    struct shoal__random a = {5};
    struct shoal__random b = {5};
    double sum = 0;
    for (int i = 0; i < 10000; i++) {
        double x = shoal__random_unit(&a);
        assert_true(x >= 0 && x < 1 && x == shoal__random_unit(&b));
        sum += x;
    }
    assert_true(sum > 4800 && sum < 5200);
    assert_true(shoal__random_seeded().state != shoal__random_seeded().state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_error_tells_everything),
        cmocka_unit_test(test_no_error_tells_nothing),
        cmocka_unit_test(test_a_long_text_is_cut_and_ended),
        cmocka_unit_test(test_statuses_have_their_names),
        cmocka_unit_test(test_only_passing_failures_are_retriable),
        cmocka_unit_test(test_the_version_is_that_of_the_headers),
        cmocka_unit_test(test_remaining_time_is_rounded_up_and_bounded),
        cmocka_unit_test(test_a_lifetime_is_cut_short),
        cmocka_unit_test(test_times_to_live_on_the_wire),
        cmocka_unit_test(test_a_buffer_keeps_what_was_written),
        cmocka_unit_test(test_numeric_addresses),
        cmocka_unit_test(test_what_is_no_address),
        cmocka_unit_test(test_addresses_are_compared_with_their_port),
        cmocka_unit_test(test_hashes_give_known_answers),
        cmocka_unit_test(test_checksums_are_the_published_ones),
        cmocka_unit_test(test_readers_see_each_entry_once_and_in_order),
        cmocka_unit_test(test_a_slow_reader_is_told_what_it_missed),
        cmocka_unit_test(test_random_numbers_fill_the_unit_and_repeat_with_their_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
