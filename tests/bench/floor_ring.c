/* libcrypto's MD5 through EVP, with the digest fetched once and one context for all keys; a binary search.
 * May include: floor_load, floor_ring, openssl/. Called by floor_peer.c. */
#include "floor_ring.h"

#include "floor_load.h"

#include <openssl/evp.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define DIGESTS_PER_NODE 40
#define POINTS_PER_DIGEST 4

struct point {
    uint32_t place;
    uint32_t node;
};

struct ring {
    EVP_MD *md5;
    EVP_MD_CTX *context;
    size_t point_count;
    struct point points[];
};

static void digest(const struct ring *ring, const char *bytes, size_t size, unsigned char out[EVP_MAX_MD_SIZE]) {
    if (EVP_DigestInit_ex2(ring->context, ring->md5, NULL) != 1 || EVP_DigestUpdate(ring->context, bytes, size) != 1 ||
        EVP_DigestFinal_ex(ring->context, out, NULL) != 1)
        give_up("no MD5");
}

static uint32_t little_endian_u32(const unsigned char *bytes) {
    return (uint32_t)bytes[3] << 24 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[1] << 8 | bytes[0];
}

static int compare_points(const void *left, const void *right) {
    const struct point *a = left, *b = right;
    return a->place < b->place ? -1 : a->place > b->place;
}

static void add_node(struct ring *ring, const char *name, size_t node) {
    for (int i = 0; i < DIGESTS_PER_NODE; i++) {
        char text[64];
        unsigned char out[EVP_MAX_MD_SIZE];
        digest(ring, text, (size_t)snprintf(text, sizeof(text), "%s-%d", name, i), out);
        for (size_t part = 0; part < POINTS_PER_DIGEST; part++)
            ring->points[ring->point_count++] = (struct point){little_endian_u32(out + 4 * part), (uint32_t)node};
    }
}

struct ring *ring_new(const char *const *names, size_t count) {
    struct ring *ring = calloc(1, sizeof(*ring) + count * DIGESTS_PER_NODE * POINTS_PER_DIGEST * sizeof(struct point));
    if (ring == NULL)
        give_up("out of memory");
    ring->md5 = EVP_MD_fetch(NULL, "MD5", NULL);
    ring->context = EVP_MD_CTX_new();
    if (ring->md5 == NULL || ring->context == NULL)
        give_up("libcrypto has no MD5");
    for (size_t i = 0; i < count; i++)
        add_node(ring, names[i], i);
    qsort(ring->points, ring->point_count, sizeof(struct point), compare_points);
    return ring;
}

size_t ring_route(const struct ring *ring, const char *key, size_t size) {
    unsigned char out[EVP_MAX_MD_SIZE];
    digest(ring, key, size, out);
    uint32_t place = little_endian_u32(out);
    size_t low = 0, high = ring->point_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ring->points[middle].place < place)
            low = middle + 1;
        else
            high = middle;
    }
    return ring->points[low == ring->point_count ? 0 : low].node;
}
