/* What a topology_cache file says: the last good list of each fleet of a host, one record each. Pure.
 * May include: base/, node_list, text. Read and written by net/topology_cache; drawn in core/doc/DISCOVERY.md. */
#ifndef SHOAL_LOGIC_TOPOLOGY_FILE_H
#define SHOAL_LOGIC_TOPOLOGY_FILE_H

#include "base/buffer.h"
#include "logic/node_list.h"
#include "logic/text.h"

/* No larger file is read or written. */
#define SHOAL__TOPOLOGY_FILE_MAX (4 * 1024 * 1024)

/* An MD5 in hexadecimal digits. */
#define SHOAL__TOPOLOGY_KEY_SIZE 32

struct shoal__topology_record {
    struct shoal__slice key;     /* of the fleet, SHOAL__TOPOLOGY_KEY_SIZE bytes */
    struct shoal__slice boot;    /* which start of the host the moment belongs to: 1 to 63 bytes without a space */
    uint64_t asked_ns;           /* when the endpoint was asked, by the monotonic clock of that start */
    struct shoal__slice payload; /* a list as discovery gives it: for cluster_parse */
};

/* What keys and files are told apart by: the key of a fleet is that of its identity. */
void shoal__topology_file_digest(const char *bytes, size_t size, char digest[SHOAL__TOPOLOGY_KEY_SIZE + 1]);

enum shoal__topology_file_answer {
    SHOAL__TOPOLOGY_FILE_FOUND,
    SHOAL__TOPOLOGY_FILE_ABSENT,  /* the file is fine, and has no record with this key */
    SHOAL__TOPOLOGY_FILE_DAMAGED, /* not a file of this version, cut short, or changed by somebody */
};

/* Looks a fleet up. The record's slices lie in the file. */
enum shoal__topology_file_answer shoal__topology_file_find(struct shoal__slice file, struct shoal__slice key,
                                                           struct shoal__topology_record *record);

/* Writes a file with this record first, and behind it those of other fleets that an old file has: the one longest not
 * renewed goes where there is no room. A damaged old file, or an empty one, adds nothing. False where memory ran out,
 * or the record alone is too large. */
bool shoal__topology_file_compose(struct shoal__buffer *file, struct shoal__slice old,
                                  const struct shoal__topology_record *record);

/* Writes a list as discovery gives it. False where memory ran out. */
bool shoal__topology_file_list(struct shoal__buffer *payload, uint64_t version, const struct shoal__node_list *list);

#endif
