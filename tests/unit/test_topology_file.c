/* The file of topology_cache: what is written reads back, and what was changed is not believed.
 * May include: logic/topology_file, logic/cluster_parse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "logic/cluster_parse.h"
#include "logic/topology_file.h"

#include <stdio.h>
#include <string.h>

static char keys[3][SHOAL__TOPOLOGY_KEY_SIZE + 1];

static int make_keys(void **state) {
    (void)state;
    shoal__topology_file_digest("one", 3, keys[0]);
    shoal__topology_file_digest("another", 7, keys[1]);
    shoal__topology_file_digest("a third", 7, keys[2]);
    return 0;
}

static struct shoal__slice slice(const struct shoal__buffer *buffer) {
    return (struct shoal__slice){buffer->bytes, buffer->size};
}

static struct shoal__topology_record record_of(size_t key, uint64_t asked_ns, const char *payload) {
    return (struct shoal__topology_record){shoal__slice_of(keys[key]), shoal__slice_of("boot-1"), asked_ns,
                                           shoal__slice_of(payload)};
}

/* Writes a record into a file, in place. */
static void put(struct shoal__buffer *file, size_t key, uint64_t asked_ns, const char *payload) {
    struct shoal__buffer fresh = {0};
    struct shoal__topology_record record = record_of(key, asked_ns, payload);
    assert_true(shoal__topology_file_compose(&fresh, slice(file), &record));
    shoal__buffer_clear(file);
    *file = fresh;
}

static void assert_holds(const struct shoal__buffer *file, size_t key, uint64_t asked_ns, const char *payload) {
    struct shoal__topology_record record;
    assert_int_equal(shoal__topology_file_find(slice(file), shoal__slice_of(keys[key]), &record),
                     SHOAL__TOPOLOGY_FILE_FOUND);
    assert_true(shoal__slice_equals(record.boot, "boot-1"));
    assert_int_equal(record.asked_ns, asked_ns);
    assert_true(shoal__slice_equals(record.payload, payload));
}

static enum shoal__topology_file_answer find(struct shoal__slice file) {
    struct shoal__topology_record record;
    return shoal__topology_file_find(file, shoal__slice_of(keys[0]), &record);
}

static void records_of_several_fleets_stand_side_by_side(void **state) {
    (void)state;
    struct shoal__buffer file = {0};
    put(&file, 0, 10, "1\na||1\n");
    put(&file, 1, 20, "2\nb||2\n\n\n");
    put(&file, 2, 0, "");
    assert_holds(&file, 0, 10, "1\na||1\n");
    put(&file, 0, 30, "3\nc||3\n");
    assert_holds(&file, 0, 30, "3\nc||3\n");
    assert_holds(&file, 1, 20, "2\nb||2\n\n\n");
    assert_holds(&file, 2, 0, "");
    shoal__buffer_clear(&file);
}

static void a_fleet_without_a_record_is_told_from_a_damaged_file(void **state) {
    (void)state;
    struct shoal__buffer file = {0};
    put(&file, 1, 10, "1\na||1\n");
    assert_int_equal(find(slice(&file)), SHOAL__TOPOLOGY_FILE_ABSENT);
    assert_int_equal(find((struct shoal__slice){"", 0}), SHOAL__TOPOLOGY_FILE_DAMAGED);
    assert_int_equal(find(shoal__slice_of("shoal-topology 2 x\n")), SHOAL__TOPOLOGY_FILE_DAMAGED);
    shoal__buffer_clear(&file);
}

static void every_byte_counts(void **state) {
    (void)state;
    struct shoal__buffer file = {0};
    put(&file, 0, 10, "1\na||1\n");
    put(&file, 1, 10, "1\na||1\n");
    for (size_t i = 0; i < file.size; i++) {
        assert_int_equal(find((struct shoal__slice){file.bytes, i}), SHOAL__TOPOLOGY_FILE_DAMAGED);
        file.bytes[i] ^= 1;
        assert_int_equal(find(slice(&file)), SHOAL__TOPOLOGY_FILE_DAMAGED);
        file.bytes[i] ^= 1;
    }
    assert_int_equal(find(slice(&file)), SHOAL__TOPOLOGY_FILE_FOUND);
    shoal__buffer_clear(&file);
}

static void a_damaged_file_is_replaced(void **state) {
    (void)state;
    struct shoal__buffer file = {0};
    put(&file, 1, 10, "1\na||1\n");
    file.bytes[file.size - 2] ^= 1;
    put(&file, 0, 20, "2\nb||2\n");
    assert_holds(&file, 0, 20, "2\nb||2\n");
    struct shoal__topology_record record;
    assert_int_equal(shoal__topology_file_find(slice(&file), shoal__slice_of(keys[1]), &record),
                     SHOAL__TOPOLOGY_FILE_ABSENT);
    shoal__buffer_clear(&file);
}

static void a_file_does_not_grow_without_bound(void **state) {
    (void)state;
    static char payload[SHOAL__TOPOLOGY_FILE_MAX];
    memset(payload, 'x', sizeof(payload) - 1);
    struct shoal__buffer file = {0};
    struct shoal__topology_record record = record_of(0, 1, payload);
    assert_false(shoal__topology_file_compose(&file, (struct shoal__slice){NULL, 0}, &record));
    shoal__buffer_clear(&file);
    payload[SHOAL__TOPOLOGY_FILE_MAX / 2] = '\0';
    put(&file, 0, 1, payload);
    put(&file, 1, 2, "small");
    put(&file, 2, 3, payload); /* room for this and the small one */
    assert_true(file.size <= SHOAL__TOPOLOGY_FILE_MAX);
    assert_holds(&file, 2, 3, payload);
    assert_holds(&file, 1, 2, "small");
    assert_int_equal(find(slice(&file)), SHOAL__TOPOLOGY_FILE_ABSENT);
    shoal__buffer_clear(&file);
}

static void a_list_is_written_as_discovery_gives_it(void **state) {
    (void)state;
    struct shoal__buffer payload = {0};
    struct shoal__cluster cluster, again;
    const char text[] = "12\na.example|10.0.0.1|11211 b.example||11212 fd00::1|fd00::1|11213\n";
    assert_int_equal(shoal__cluster_parse(text, strlen(text), &cluster, NULL), SHOAL_OK);
    assert_true(shoal__topology_file_list(&payload, cluster.version, &cluster.nodes));
    assert_int_equal(payload.size, strlen(text));
    assert_memory_equal(payload.bytes, text, strlen(text));
    assert_int_equal(shoal__cluster_parse(payload.bytes, payload.size, &again, NULL), SHOAL_OK);
    shoal__cluster_clear(&cluster);
    shoal__cluster_clear(&again);
    shoal__buffer_clear(&payload);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_of_several_fleets_stand_side_by_side),
        cmocka_unit_test(a_fleet_without_a_record_is_told_from_a_damaged_file),
        cmocka_unit_test(every_byte_counts),
        cmocka_unit_test(a_damaged_file_is_replaced),
        cmocka_unit_test(a_file_does_not_grow_without_bound),
        cmocka_unit_test(a_list_is_written_as_discovery_gives_it),
    };
    return cmocka_run_group_tests(tests, make_keys, NULL);
}
