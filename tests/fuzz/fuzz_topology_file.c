/* The file of topology_cache: whatever its records say, under a digest that is right or not, what is found lies within
 * the file, and what is written into it is found again.
 * May include: common, logic/topology_file. */
#include "common.h"

#include "logic/topology_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char key[SHOAL__TOPOLOGY_KEY_SIZE + 1];

/* A file with these records and the digest of them. The caller's. */
static struct shoal__slice sign(const uint8_t *data, size_t size) {
    static const char header[] = "shoal-topology 1 ";
    size_t header_size = strlen(header) + SHOAL__TOPOLOGY_KEY_SIZE + 1;
    char digest[SHOAL__TOPOLOGY_KEY_SIZE + 1];
    char *text = fuzz_copy(data, size);
    char *file = malloc(header_size + size);
    CHECK(file != NULL);
    shoal__topology_file_digest(text, size, digest);
    free(text);
    memcpy(file, header, strlen(header));
    memcpy(file + strlen(header), digest, SHOAL__TOPOLOGY_KEY_SIZE);
    file[header_size - 1] = '\n';
    if (size > 0)
        memcpy(file + header_size, data, size);
    return (struct shoal__slice){file, header_size + size};
}

static bool lies_within(struct shoal__slice part, struct shoal__slice whole) {
    return part.bytes >= whole.bytes && part.bytes + part.size <= whole.bytes + whole.size;
}

static void check_find(struct shoal__slice file) {
    struct shoal__topology_record record;
    if (shoal__topology_file_find(file, shoal__slice_of(key), &record) == SHOAL__TOPOLOGY_FILE_FOUND)
        CHECK(lies_within(record.key, file) && lies_within(record.boot, file) && lies_within(record.payload, file));
}

static void check_compose(struct shoal__slice old) {
    struct shoal__buffer fresh = {0};
    struct shoal__topology_record written = {shoal__slice_of(key), shoal__slice_of("boot"), 5,
                                             shoal__slice_of("payload")};
    struct shoal__topology_record read;
    CHECK(shoal__topology_file_compose(&fresh, old, &written));
    struct shoal__slice file = {fresh.bytes, fresh.size};
    CHECK(shoal__topology_file_find(file, shoal__slice_of(key), &read) == SHOAL__TOPOLOGY_FILE_FOUND);
    CHECK(read.asked_ns == 5 && shoal__slice_equals(read.boot, "boot") && shoal__slice_equals(read.payload, "payload"));
    shoal__buffer_clear(&fresh);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    shoal__topology_file_digest("a fleet", strlen("a fleet"), key);
    char *raw = fuzz_copy(data, size);
    struct shoal__slice signed_file = sign(data, size);
    check_find((struct shoal__slice){raw, size});
    check_find(signed_file);
    check_compose((struct shoal__slice){raw, size});
    check_compose(signed_file);
    free((char *)signed_file.bytes);
    free(raw);
    return 0;
}
