/* The two rings of libmemcached: ketama_weighted (its MEMCACHED_BEHAVIOR_KETAMA_WEIGHTED, php-memcached's
 * OPT_LIBKETAMA_COMPATIBLE) and ketama (its MEMCACHED_DISTRIBUTION_CONSISTENT, pylibmc's `ketama`).
 * May include: base/, ring_private. */
#include "logic/ring_private.h"

#include <math.h>
#include <stdio.h>

#define BARE_PORT 11211 /* the port that libmemcached leaves out of a node's name */

#define POINTS_PER_NODE 100 /* ketama */

#define WEIGHTED_POINTS_PER_NODE 160
#define WEIGHTED_POINTS_PER_DIGEST 4

/* What a point's place is hashed from: the node's name, a hyphen, a number. */
struct point_name {
    char text[SHOAL__RING_NAME_SIZE + 24];
    size_t stem; /* up to where the number begins */
};

static void begin_point_name(struct point_name *name, const struct shoal__ring_node *node) {
    const char *format = node->port == BARE_PORT ? "%.255s-" : "%.255s:%u-";
    name->stem = (size_t)snprintf(name->text, SHOAL__RING_NAME_SIZE, format, node->host, node->port);
}

static size_t number_point_name(struct point_name *name, size_t number) {
    return name->stem + (size_t)snprintf(name->text + name->stem, sizeof(name->text) - name->stem, "%zu", number);
}

/* --- ketama_weighted --- */

/* The float arithmetic of libmemcached's hosts.cc, rounding included: a double gives other counts for some weights. */
static size_t count_digests(uint32_t weight, uint64_t total_weight, size_t node_count) {
    float share = (float)weight / (float)total_weight;
    float digests = share * WEIGHTED_POINTS_PER_NODE / WEIGHTED_POINTS_PER_DIGEST * (float)node_count;
    return (size_t)floorf((float)((double)digests + 1e-10));
}

static uint32_t little_endian_u32(const uint8_t *bytes) {
    return (uint32_t)bytes[3] << 24 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[1] << 8 | bytes[0];
}

static void add_weighted_points(struct shoal__ring *ring, const struct shoal__ring_node *node, size_t index,
                                size_t digest_count) {
    struct point_name name;
    begin_point_name(&name, node);
    for (size_t i = 0; i < digest_count; i++) {
        uint8_t digest[SHOAL__MD5_SIZE];
        shoal__md5(name.text, number_point_name(&name, i), digest);
        for (size_t part = 0; part < WEIGHTED_POINTS_PER_DIGEST; part++)
            shoal__ring_add_point(ring, little_endian_u32(digest + part * 4), index);
    }
}

bool shoal__ketama_weighted_build(struct shoal__ring *ring, const struct shoal__ring_node *nodes, size_t count) {
    uint64_t total_weight = 0;
    for (size_t i = 0; i < count; i++)
        total_weight += nodes[i].weight;
    size_t digests = 0;
    for (size_t i = 0; i < count; i++)
        digests += count_digests(nodes[i].weight, total_weight, count);
    if (!shoal__ring_reserve(ring, digests * WEIGHTED_POINTS_PER_DIGEST))
        return false;
    for (size_t i = 0; i < count; i++)
        add_weighted_points(ring, &nodes[i], i, count_digests(nodes[i].weight, total_weight, count));
    shoal__ring_sort(ring);
    return ring->point_count > 0;
}

/* --- ketama: the hash of the keys places the nodes too --- */

static bool has_weights(const struct shoal__ring_node *nodes, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (nodes[i].weight > 1)
            return true;
    return false;
}

/* The first weight over 1 turns libmemcached's ring into the weighted one, whose points MD5 places; keys are hashed as
 * before. */
bool shoal__ketama_build(struct shoal__ring *ring, const struct shoal__ring_node *nodes, size_t count) {
    if (has_weights(nodes, count))
        return shoal__ketama_weighted_build(ring, nodes, count);
    if (!shoal__ring_reserve(ring, count * POINTS_PER_NODE))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct point_name name;
        begin_point_name(&name, &nodes[i]);
        for (size_t point = 0; point < POINTS_PER_NODE; point++) {
            size_t size = number_point_name(&name, point);
            shoal__ring_add_point(ring, ring->hash(name.text, size), i);
        }
    }
    shoal__ring_sort(ring);
    return true;
}

/* Of both: the first point at or after the key's, wrapping around. */
size_t shoal__ketama_route(const struct shoal__ring *ring, const char *key, size_t key_len) {
    size_t place = shoal__ring_points_before(ring, ring->hash(key, key_len));
    return ring->points[place == ring->point_count ? 0 : place].node;
}
