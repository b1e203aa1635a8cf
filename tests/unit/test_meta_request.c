/* Commands in the words of the meta protocol: the exact bytes of each verb and of each thing that it may ask for.
 * May include: the core's internals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "logic/key.h"
#include "logic/meta_request.h"

#include <shoal/operations.h>

#include <string.h>

static struct shoal__buffer out;

static int stop(void **state) {
    (void)state;
    shoal__buffer_clear(&out);
    out = (struct shoal__buffer){0};
    return 0;
}

static void assert_out(const char *wanted) {
    assert_int_equal(out.size, strlen(wanted));
    assert_memory_equal(out.bytes, wanted, out.size);
    out.size = 0;
}

static struct shoal__command command_of(enum shoal__verb verb) {
    return (struct shoal__command){.verb = verb, .key = "key", .key_len = 3};
}

static void assert_line(struct shoal__command command, const char *wanted) {
    assert_true(shoal__meta_write(&out, &command, 7));
    assert_out(wanted);
}

static void assert_quiet(struct shoal__command command, const char *wanted) {
    assert_true(shoal__meta_write_quiet(&out, &command));
    assert_out(wanted);
}

/* --- Reads --- */

static void test_reads(void **state) {
    (void)state;
    struct shoal__command command = command_of(SHOAL__VERB_GET);
    assert_line(command, "mg key v f c k O7\r\n");
    command.wants_metadata = true;
    assert_line(command, "mg key v f c k t l h O7\r\n");
    command = command_of(SHOAL__VERB_GET_AND_TOUCH);
    command.expiry = 60;
    assert_line(command, "mg key T60 v f c k O7\r\n");
    command.expiry = 0;
    assert_line(command, "mg key T0 v f c k O7\r\n");
    command.expiry = -1;
    assert_line(command, "mg key T-1 v f c k O7\r\n");
}

static void test_touches_and_deletions(void **state) {
    (void)state;
    struct shoal__command command = command_of(SHOAL__VERB_TOUCH);
    assert_line(command, "mg key T0 O7\r\n");
    command.expiry = 1900000000;
    assert_line(command, "mg key T1900000000 O7\r\n");
    command.expiry = -1;
    assert_line(command, "mg key T-1 O7\r\n");
    assert_line(command_of(SHOAL__VERB_DELETE), "md key O7\r\n");
}

/* --- Stores --- */

static struct shoal__command store_of(int mode) {
    struct shoal__command command = command_of(SHOAL__VERB_STORE);
    command.mode = mode;
    command.value = "value";
    command.value_len = 5;
    return command;
}

static void test_every_mode_of_a_store(void **state) {
    (void)state;
    assert_line(store_of(SHOAL_SET), "ms key 5 O7\r\n");
    assert_line(store_of(SHOAL_ADD), "ms key 5 ME O7\r\n");
    assert_line(store_of(SHOAL_REPLACE), "ms key 5 MR O7\r\n");
    assert_line(store_of(SHOAL_APPEND), "ms key 5 MA O7\r\n");
    assert_line(store_of(SHOAL_PREPEND), "ms key 5 MP O7\r\n");
    assert_line(store_of(SHOAL_CAS), "ms key 5 C0 O7\r\n");
}

static void test_what_a_store_has_beside_its_value(void **state) {
    (void)state;
    struct shoal__command command = store_of(SHOAL_CAS);
    command.cas = UINT64_MAX;
    command.flags = UINT32_MAX;
    command.expiry = 60;
    command.wants_new_cas = true;
    assert_line(command, "ms key 5 C18446744073709551615 F4294967295 T60 c O7\r\n");
    command = store_of(SHOAL_SET);
    command.flags = 1;
    assert_line(command, "ms key 5 F1 O7\r\n");
    command.flags = 0;
    command.expiry = -1;
    assert_line(command, "ms key 5 T-1 O7\r\n");
    command.expiry = 0;
    command.cas = 9; /* is of SHOAL_CAS alone */
    assert_line(command, "ms key 5 O7\r\n");
    command.value_len = 0;
    assert_line(command, "ms key 0 O7\r\n");
    command.value_len = (size_t)1 << 30;
    assert_line(command, "ms key 1073741824 O7\r\n");
}

static void test_quiet_stores_have_no_number(void **state) {
    (void)state;
    struct shoal__command command = store_of(SHOAL_SET);
    assert_quiet(command, "ms key 5 q\r\n");
    command.flags = 3;
    command.expiry = 60;
    assert_quiet(command, "ms key 5 F3 T60 q\r\n");
}

/* --- Counters --- */

static struct shoal__command increment_by(int64_t delta) {
    struct shoal__command command = command_of(SHOAL__VERB_INCREMENT);
    command.delta = delta;
    return command;
}

static void test_deltas_have_a_direction(void **state) {
    (void)state;
    assert_line(increment_by(1), "ma key v D1 O7\r\n");
    assert_line(increment_by(0), "ma key v D0 O7\r\n");
    assert_line(increment_by(-1), "ma key v MD D1 O7\r\n");
    assert_line(increment_by(INT64_MAX), "ma key v D9223372036854775807 O7\r\n");
    assert_line(increment_by(INT64_MIN), "ma key v MD D9223372036854775808 O7\r\n");
}

static void test_a_counter_may_begin_with_a_number(void **state) {
    (void)state;
    uint64_t initial = UINT64_MAX;
    struct shoal__command command = increment_by(5);
    command.expiry = 60; /* counts with an initial number alone */
    assert_line(command, "ma key v D5 O7\r\n");
    command.initial = &initial;
    assert_line(command, "ma key v D5 N60 J18446744073709551615 O7\r\n");
    initial = 0;
    command.expiry = -1;
    assert_line(command, "ma key v D5 N-1 J0 O7\r\n");
}

/* --- Keys --- */

/* "a b" is YSBi. */
static struct shoal__command binary(struct shoal__command command) {
    command.key = "a b";
    command.key_is_binary = true;
    return command;
}

static void test_binary_keys_are_marked_in_every_verb(void **state) {
    (void)state;
    assert_line(binary(command_of(SHOAL__VERB_GET)), "mg YSBi b v f c k O7\r\n");
    assert_line(binary(command_of(SHOAL__VERB_TOUCH)), "mg YSBi b T0 O7\r\n");
    assert_line(binary(command_of(SHOAL__VERB_GET_AND_TOUCH)), "mg YSBi b T0 v f c k O7\r\n");
    assert_line(binary(command_of(SHOAL__VERB_DELETE)), "md YSBi b O7\r\n");
    assert_line(binary(store_of(SHOAL_SET)), "ms YSBi 5 b O7\r\n");
    assert_line(binary(store_of(SHOAL_ADD)), "ms YSBi 5 b ME O7\r\n");
    assert_line(binary(increment_by(-2)), "ma YSBi b v MD D2 O7\r\n");
    assert_quiet(binary(store_of(SHOAL_SET)), "ms YSBi 5 b q\r\n");
}

static void test_any_byte_may_stand_in_a_binary_key(void **state) {
    (void)state;
    struct shoal__command command = binary(command_of(SHOAL__VERB_DELETE));
    command.key = "\0\r\n\xff";
    command.key_len = 4;
    assert_line(command, "md AA0K/w== b O7\r\n");
    command.key_len = 2;
    assert_line(command, "md AA0= b O7\r\n");
    command.key_len = 1;
    assert_line(command, "md AA== b O7\r\n");
}

/* All that a line can have, at its longest, behind bytes that are there already. */
static void test_the_longest_line_finds_its_room(void **state) {
    (void)state;
    char key[SHOAL__KEY_MAX];
    uint64_t initial = UINT64_MAX;
    struct shoal__command command = increment_by(INT64_MIN);
    memset(key, 'k', sizeof(key));
    command.key = key;
    command.key_len = sizeof(key);
    command.initial = &initial;
    command.expiry = INT64_MAX;
    for (size_t i = 0; i < 50; i++)
        assert_true(shoal__meta_write(&out, &command, UINT32_MAX));
    static const char tail[] = " v MD D9223372036854775808 N9223372036854775807 J18446744073709551615 O4294967295\r\n";
    size_t size = 3 + sizeof(key) + sizeof(tail) - 1;
    assert_int_equal(out.size, 50 * size);
    assert_memory_equal(out.bytes + 49 * size, "ma kkk", 6);
    assert_memory_equal(out.bytes + out.size - sizeof(tail) + 1, tail, sizeof(tail) - 1);
    out.size = 0;
    command.key_len = 186;
    command.key_is_binary = true;
    assert_true(shoal__meta_write(&out, &command, UINT32_MAX));
    assert_int_equal(out.size, 3 + 248 + 2 + sizeof(tail) - 1);
    out.size = 0;
}

static void test_opaque_numbers_have_all_32_bits(void **state) {
    (void)state;
    struct shoal__command command = command_of(SHOAL__VERB_DELETE);
    assert_true(shoal__meta_write(&out, &command, 0));
    assert_out("md key O0\r\n");
    assert_true(shoal__meta_write(&out, &command, UINT32_MAX));
    assert_out("md key O4294967295\r\n");
}

/* --- Classic lines --- */

static void assert_classic(struct shoal__command command, const char *wanted) {
    assert_true(shoal__meta_write_classic(&out, &command));
    assert_out(wanted);
}

static void test_classic_commands_have_no_number(void **state) {
    (void)state;
    assert_classic((struct shoal__command){.verb = SHOAL__VERB_FLUSH_ALL}, "flush_all\r\n");
    assert_classic((struct shoal__command){.verb = SHOAL__VERB_STATS}, "stats\r\n");
    assert_classic((struct shoal__command){.verb = SHOAL__VERB_STATS, .value = "items", .value_len = 5},
                   "stats items\r\n");
}

static void test_stores_have_classic_verbs(void **state) {
    (void)state;
    assert_classic(store_of(SHOAL_SET), "set key 0 0 5\r\n");
    assert_classic(store_of(SHOAL_ADD), "add key 0 0 5\r\n");
    assert_classic(store_of(SHOAL_REPLACE), "replace key 0 0 5\r\n");
    assert_classic(store_of(SHOAL_APPEND), "append key 0 0 5\r\n");
    assert_classic(store_of(SHOAL_PREPEND), "prepend key 0 0 5\r\n");
    assert_classic(store_of(SHOAL_CAS), "cas key 0 0 5 0\r\n");
}

static void test_a_classic_store_says_all_that_a_store_has(void **state) {
    (void)state;
    struct shoal__command command = store_of(SHOAL_CAS);
    command.cas = UINT64_MAX;
    command.flags = UINT32_MAX;
    command.expiry = 60;
    command.value_len = (size_t)1 << 30;
    assert_classic(command, "cas key 4294967295 60 1073741824 18446744073709551615\r\n");
    command.mode = SHOAL_ADD;
    command.expiry = -1;
    assert_classic(command, "add key 4294967295 -1 1073741824\r\n");
}

static void test_a_line_of_keys_is_written_key_by_key(void **state) {
    (void)state;
    struct shoal__command command = command_of(SHOAL__VERB_GET);
    struct shoal__command other = {.verb = SHOAL__VERB_GET, .key = "another", .key_len = 7};
    assert_true(shoal__meta_write_gets(&out) && shoal__meta_write_key(&out, &command) &&
                shoal__meta_write_key(&out, &other) && shoal__meta_write_line_end(&out) &&
                shoal__meta_write_noop(&out));
    assert_out("gets key another\r\nmn\r\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads),
        cmocka_unit_test(test_touches_and_deletions),
        cmocka_unit_test(test_every_mode_of_a_store),
        cmocka_unit_test(test_what_a_store_has_beside_its_value),
        cmocka_unit_test(test_quiet_stores_have_no_number),
        cmocka_unit_test(test_deltas_have_a_direction),
        cmocka_unit_test(test_a_counter_may_begin_with_a_number),
        cmocka_unit_test(test_binary_keys_are_marked_in_every_verb),
        cmocka_unit_test(test_any_byte_may_stand_in_a_binary_key),
        cmocka_unit_test(test_the_longest_line_finds_its_room),
        cmocka_unit_test(test_opaque_numbers_have_all_32_bits),
        cmocka_unit_test(test_classic_commands_have_no_number),
        cmocka_unit_test(test_stores_have_classic_verbs),
        cmocka_unit_test(test_a_classic_store_says_all_that_a_store_has),
        cmocka_unit_test(test_a_line_of_keys_is_written_key_by_key),
    };
    return cmocka_run_group_tests(tests, NULL, stop);
}
