/* The distributions and what their rings share. Each formula is that of its incumbent client, so that no key moves on
 * migration: those of more than a line stand in ring_ketama.c, ring_dalli.c and ring_rendezvous.c.
 * May include: base/, ring_private. */
#include "logic/ring_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- Points --- */

bool shoal__ring_reserve(struct shoal__ring *ring, size_t point_count) {
    ring->points = calloc(point_count + 1, sizeof(*ring->points));
    return ring->points != NULL;
}

void shoal__ring_add_point(struct shoal__ring *ring, uint32_t position, size_t node) {
    ring->points[ring->point_count++] = (struct shoal__ring_point){.position = position, .node = (uint32_t)node};
}

static int compare_points(const void *left, const void *right) {
    const struct shoal__ring_point *a = left;
    const struct shoal__ring_point *b = right;
    if (a->position != b->position)
        return a->position < b->position ? -1 : 1;
    return a->node < b->node ? -1 : a->node > b->node;
}

void shoal__ring_sort(struct shoal__ring *ring) {
    qsort(ring->points, ring->point_count, sizeof(*ring->points), compare_points);
}

size_t shoal__ring_points_before(const struct shoal__ring *ring, uint64_t position) {
    size_t low = 0;
    size_t high = ring->point_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ring->points[middle].position < position)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

size_t shoal__ring_node_name(const struct shoal__ring_node *node, char name[SHOAL__RING_NAME_SIZE]) {
    const char *format = node->host[0] == '/' ? "%.255s" : "%.255s:%u";
    return (size_t)snprintf(name, SHOAL__RING_NAME_SIZE, format, node->host, node->port);
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
    {"ketama_weighted", "md5", false, shoal__ketama_weighted_build, shoal__ketama_route},
    {"ketama", "one_at_a_time", false, shoal__ketama_build, shoal__ketama_route},
    {"modula", "one_at_a_time", false, modula_build, modula_route},
    {"dalli", "crc32", true, shoal__dalli_build, shoal__dalli_route},
    {"rendezvous", "murmur3_32", false, shoal__rendezvous_build, shoal__rendezvous_route},
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
    free(ring->names);
    free(ring);
}
