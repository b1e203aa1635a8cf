/* The distributions. Each formula is that of its incumbent client, so that no key moves on migration.
 * May include: base/. */
#include "logic/ring.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct point {
    uint32_t position;
    uint32_t node;
};

struct shoal__ring {
    const struct shoal__distribution *distribution;
    shoal__hash_function hash;
    size_t node_count;
    struct point *points; /* sorted; NULL where the distribution has none */
    size_t point_count;
};

/* --- ketama_weighted: libmemcached's MEMCACHED_BEHAVIOR_KETAMA_WEIGHTED, php-memcached's OPT_LIBKETAMA_COMPATIBLE ---
 */

#define KETAMA_POINTS_PER_NODE 160
#define KETAMA_POINTS_PER_DIGEST 4
#define KETAMA_BARE_PORT 11211 /* the port that libmemcached leaves out of a node's name */

/* The float arithmetic of libmemcached's hosts.cc, rounding included: a double gives other counts for some weights. */
static size_t ketama_digest_count(uint32_t weight, uint64_t total_weight, size_t node_count) {
    float share = (float)weight / (float)total_weight;
    float digests = share * KETAMA_POINTS_PER_NODE / KETAMA_POINTS_PER_DIGEST * (float)node_count;
    return (size_t)floorf((float)((double)digests + 1e-10));
}

static void ketama_node_name(const struct shoal__ring_node *node, char *name, size_t size) {
    if (node->port == KETAMA_BARE_PORT)
        snprintf(name, size, "%s", node->host);
    else
        snprintf(name, size, "%s:%u", node->host, node->port);
}

static uint32_t little_endian_u32(const uint8_t *bytes) {
    return (uint32_t)bytes[3] << 24 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[1] << 8 | bytes[0];
}

static void ketama_add_points(struct shoal__ring *ring, const struct shoal__ring_node *node, uint32_t index,
                              size_t digest_count) {
    char name[300];
    char point_name[sizeof(name) + 24];
    ketama_node_name(node, name, sizeof(name));
    for (size_t i = 0; i < digest_count; i++) {
        uint8_t digest[SHOAL__MD5_SIZE];
        int length = snprintf(point_name, sizeof(point_name), "%s-%zu", name, i);
        shoal__md5(point_name, (size_t)length, digest);
        for (size_t part = 0; part < KETAMA_POINTS_PER_DIGEST; part++)
            ring->points[ring->point_count++] =
                (struct point){.position = little_endian_u32(digest + part * 4), .node = index};
    }
}

static int compare_points(const void *left, const void *right) {
    const struct point *a = left;
    const struct point *b = right;
    if (a->position != b->position)
        return a->position < b->position ? -1 : 1;
    return a->node < b->node ? -1 : a->node > b->node;
}

static bool ketama_build(struct shoal__ring *ring, const struct shoal__ring_node *nodes, size_t count) {
    uint64_t total_weight = 0;
    for (size_t i = 0; i < count; i++)
        total_weight += nodes[i].weight;
    size_t digests = 0;
    for (size_t i = 0; i < count; i++)
        digests += ketama_digest_count(nodes[i].weight, total_weight, count);
    ring->points = calloc(digests * KETAMA_POINTS_PER_DIGEST + 1, sizeof(*ring->points));
    if (ring->points == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        ketama_add_points(ring, &nodes[i], (uint32_t)i, ketama_digest_count(nodes[i].weight, total_weight, count));
    qsort(ring->points, ring->point_count, sizeof(*ring->points), compare_points);
    return ring->point_count > 0;
}

/* The first point at or after the key's, wrapping around. */
static size_t ketama_route(const struct shoal__ring *ring, const char *key, size_t key_len) {
    uint32_t position = ring->hash(key, key_len);
    size_t low = 0;
    size_t high = ring->point_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ring->points[middle].position < position)
            low = middle + 1;
        else
            high = middle;
    }
    return ring->points[low == ring->point_count ? 0 : low].node;
}

/* --- modula: libmemcached's MEMCACHED_DISTRIBUTION_MODULA. The order of the list matters, weights do not. --- */

static bool modula_build(struct shoal__ring *ring, const struct shoal__ring_node *nodes, size_t count) {
    (void)ring;
    (void)nodes;
    return count > 0;
}

static size_t modula_route(const struct shoal__ring *ring, const char *key, size_t key_len) {
    return ring->hash(key, key_len) % ring->node_count;
}

static const struct shoal__distribution distributions[] = {
    {"ketama_weighted", "md5", false, ketama_build, ketama_route},
    {"modula", "one_at_a_time", false, modula_build, modula_route},
};

const struct shoal__distribution *shoal__distribution_find(const char *name) {
    for (size_t i = 0; i < sizeof(distributions) / sizeof(distributions[0]); i++)
        if (strcmp(distributions[i].name, name) == 0)
            return &distributions[i];
    return NULL;
}

struct shoal__ring *shoal__ring_new(const struct shoal__distribution *distribution, shoal__hash_function hash,
                                    const struct shoal__ring_node *nodes, size_t count) {
    struct shoal__ring *ring = calloc(1, sizeof(*ring));
    if (ring == NULL)
        return NULL;
    ring->distribution = distribution;
    ring->hash = hash ? hash : shoal__hash_find(distribution->own_hash);
    ring->node_count = count;
    if (count == 0 || !distribution->build(ring, nodes, count)) {
        shoal__ring_free(ring);
        return NULL;
    }
    return ring;
}

size_t shoal__ring_route(const struct shoal__ring *ring, const char *key, size_t key_len) {
    return ring->node_count == 1 ? 0 : ring->distribution->route(ring, key, key_len);
}

void shoal__ring_free(struct shoal__ring *ring) {
    if (ring == NULL)
        return;
    free(ring->points);
    free(ring);
}
