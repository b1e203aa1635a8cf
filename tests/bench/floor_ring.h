/* Where a key goes, for the floor: the points of ketama_weighted for nodes of equal weight, by MD5.
 * May include: libc. Used by floor_peer.c. */
#ifndef TESTS_BENCH_FLOOR_RING_H
#define TESTS_BENCH_FLOOR_RING_H

#include <stddef.h>

struct ring;

/* names: host:port of each node. Never freed. */
struct ring *ring_new(const char *const *names, size_t count);
size_t ring_route(const struct ring *ring, const char *key, size_t size);

#endif
