/* The format of a topology_cache file, a header and then records:
 *     shoal-topology 1 MD5-OF-ALL-THAT-FOLLOWS-THIS-LINE
 *     KEY BOOT ASKED_NS SIZE
 *     SIZE bytes of payload, and a line's end
 * May include: base/, node_list, text. */
#include "logic/topology_file.h"

#include "base/hash.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define HEADER "shoal-topology 1 "
#define HEADER_SIZE (strlen(HEADER) + SHOAL__TOPOLOGY_KEY_SIZE + 1)
#define BOOT_MAX 63

void shoal__topology_file_digest(const char *bytes, size_t size, char digest[SHOAL__TOPOLOGY_KEY_SIZE + 1]) {
    uint8_t md5[SHOAL__MD5_SIZE];
    shoal__md5(bytes, size, md5);
    for (size_t i = 0; i < sizeof(md5); i++)
        snprintf(digest + 2 * i, 3, "%02x", md5[i]);
}

/* --- Reading --- */

/* Cuts the header off; what follows it is what was written, or false. */
static bool open_records(struct shoal__slice file, struct shoal__slice *records) {
    char digest[SHOAL__TOPOLOGY_KEY_SIZE + 1];
    if (file.size < HEADER_SIZE || file.size > SHOAL__TOPOLOGY_FILE_MAX ||
        memcmp(file.bytes, HEADER, strlen(HEADER)) != 0 || file.bytes[HEADER_SIZE - 1] != '\n')
        return false;
    *records = (struct shoal__slice){file.bytes + HEADER_SIZE, file.size - HEADER_SIZE};
    shoal__topology_file_digest(records->bytes, records->size, digest);
    return memcmp(file.bytes + strlen(HEADER), digest, SHOAL__TOPOLOGY_KEY_SIZE) == 0;
}

/* Cuts the next record off. False at the end, and where the rest is none, which its digest does not allow. */
static bool next_record(struct shoal__slice *rest, struct shoal__topology_record *record) {
    struct shoal__slice line, asked, size;
    uint64_t payload_size;
    if (!shoal__slice_cut(*rest, '\n', &line, rest) || !shoal__slice_next(&line, ' ', &record->key) ||
        !shoal__slice_next(&line, ' ', &record->boot) || !shoal__slice_next(&line, ' ', &asked) ||
        !shoal__slice_next(&line, ' ', &size) || line.bytes != NULL)
        return false;
    if (record->key.size != SHOAL__TOPOLOGY_KEY_SIZE || record->boot.size == 0 || record->boot.size > BOOT_MAX ||
        !shoal__slice_number(asked, INT64_MAX, &record->asked_ns) ||
        !shoal__slice_number(size, SHOAL__TOPOLOGY_FILE_MAX, &payload_size) || payload_size >= rest->size ||
        rest->bytes[payload_size] != '\n')
        return false;
    record->payload = (struct shoal__slice){rest->bytes, (size_t)payload_size};
    *rest = (struct shoal__slice){rest->bytes + payload_size + 1, rest->size - (size_t)payload_size - 1};
    return true;
}

static bool is_of(const struct shoal__topology_record *record, struct shoal__slice key) {
    return key.size == record->key.size && memcmp(key.bytes, record->key.bytes, key.size) == 0;
}

enum shoal__topology_file_answer shoal__topology_file_find(struct shoal__slice file, struct shoal__slice key,
                                                           struct shoal__topology_record *record) {
    struct shoal__slice rest;
    if (!open_records(file, &rest))
        return SHOAL__TOPOLOGY_FILE_DAMAGED;
    while (next_record(&rest, record))
        if (is_of(record, key))
            return SHOAL__TOPOLOGY_FILE_FOUND;
    return rest.size == 0 ? SHOAL__TOPOLOGY_FILE_ABSENT : SHOAL__TOPOLOGY_FILE_DAMAGED;
}

/* --- Writing --- */

static bool append_record(struct shoal__buffer *file, const struct shoal__topology_record *record) {
    char numbers[48];
    int count = snprintf(numbers, sizeof(numbers), " %" PRIu64 " %zu\n", record->asked_ns, record->payload.size);
    size_t size = record->key.size + 1 + record->boot.size + (size_t)count + record->payload.size + 1;
    if (file->size + size > SHOAL__TOPOLOGY_FILE_MAX)
        return false;
    return shoal__buffer_append(file, record->key.bytes, record->key.size) && shoal__buffer_append(file, " ", 1) &&
           shoal__buffer_append(file, record->boot.bytes, record->boot.size) &&
           shoal__buffer_append(file, numbers, (size_t)count) &&
           shoal__buffer_append(file, record->payload.bytes, record->payload.size) &&
           shoal__buffer_append(file, "\n", 1);
}

bool shoal__topology_file_compose(struct shoal__buffer *file, struct shoal__slice old,
                                  const struct shoal__topology_record *record) {
    char header[sizeof(HEADER) + SHOAL__TOPOLOGY_KEY_SIZE + 1] = HEADER;
    struct shoal__topology_record other;
    struct shoal__slice rest;
    if (!shoal__buffer_append(file, header, HEADER_SIZE) || !append_record(file, record))
        return false;
    if (open_records(old, &rest))
        while (next_record(&rest, &other))
            if (!is_of(&other, record->key) && !append_record(file, &other))
                break;
    shoal__topology_file_digest(file->bytes + HEADER_SIZE, file->size - HEADER_SIZE, header + strlen(HEADER));
    header[HEADER_SIZE - 1] = '\n';
    memcpy(file->bytes, header, HEADER_SIZE);
    return true;
}

bool shoal__topology_file_list(struct shoal__buffer *payload, uint64_t version, const struct shoal__node_list *list) {
    char text[24];
    if (!shoal__buffer_append(payload, text, (size_t)snprintf(text, sizeof(text), "%" PRIu64 "\n", version)))
        return false;
    for (size_t i = 0; i < list->count; i++) {
        const struct shoal__node_spec *node = &list->nodes[i];
        int size = snprintf(text, sizeof(text), "|%u%c", node->port, i + 1 < list->count ? ' ' : '\n');
        if (!shoal__buffer_append(payload, node->host, strlen(node->host)) || !shoal__buffer_append(payload, "|", 1) ||
            !shoal__buffer_append(payload, node->address, strlen(node->address)) ||
            !shoal__buffer_append(payload, text, (size_t)size))
            return false;
    }
    return true;
}
