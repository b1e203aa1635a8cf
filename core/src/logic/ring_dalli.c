/* The ring of dalli, Ruby's client, which Rails uses too. Nodes are placed by SHA-1, keys by CRC-32.
 * May include: base/, ring_private. */
#include "logic/ring_private.h"

#include <stdio.h>

#define POINTS_PER_NODE 160

/* dalli divides whole numbers in double precision and rounds down. */
static size_t count_points(uint32_t weight, uint64_t total_weight, size_t node_count) {
    return (size_t)((double)(node_count * POINTS_PER_NODE * weight) / (double)total_weight);
}

static uint32_t big_endian_u32(const uint8_t *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static bool add_points(struct shoal__ring *ring, const struct shoal__ring_node *node, size_t index,
                       size_t point_count) {
    char text[SHOAL__RING_NAME_SIZE + 24];
    size_t stem = shoal__ring_node_name(node, text);
    for (size_t i = 0; i < point_count; i++) {
        uint8_t digest[SHOAL__SHA1_SIZE];
        int tail = snprintf(text + stem, sizeof(text) - stem, ":%zu", i);
        if (!shoal__sha1(text, stem + (size_t)tail, digest))
            return false;
        shoal__ring_add_point(ring, big_endian_u32(digest), index);
    }
    return true;
}

bool shoal__dalli_build(struct shoal__ring *ring, const struct shoal__ring_node *nodes, size_t count) {
    uint64_t total_weight = 0;
    for (size_t i = 0; i < count; i++)
        total_weight += nodes[i].weight;
    size_t points = 0;
    for (size_t i = 0; i < count; i++)
        points += count_points(nodes[i].weight, total_weight, count);
    if (!shoal__ring_reserve(ring, points))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!add_points(ring, &nodes[i], i, count_points(nodes[i].weight, total_weight, count)))
            return false;
    shoal__ring_sort(ring);
    return ring->point_count > 0;
}

/* The last point at or before the key's, wrapping around. Of points in one place dalli's sort leaves any in front;
 * ours takes the node that is last in the list. */
size_t shoal__dalli_route(const struct shoal__ring *ring, const char *key, size_t key_len) {
    size_t after = shoal__ring_points_before(ring, (uint64_t)ring->hash(key, key_len) + 1);
    return ring->points[(after == 0 ? ring->point_count : after) - 1].node;
}
