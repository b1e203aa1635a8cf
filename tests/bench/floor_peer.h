/* The floor: the least C that gives the same result as Shoal, on blocking sockets. It checks what it must in order to
 * find its way through an answer, and gives up at anything else.
 * May include: floor_load, support/. Used by floor.c. */
#ifndef TESTS_BENCH_FLOOR_PEER_H
#define TESTS_BENCH_FLOOR_PEER_H

#include "floor_load.h"

#include "support/servers.h"

struct peer;

/* Connects to each server. Never freed. */
struct peer *peer_new(const struct test_memcached *servers, size_t count);

/* The first key of the load, at the first server. */
void peer_get(struct peer *peer, struct load *load);
void peer_set(struct peer *peer, struct load *load);

/* All keys of the load: a line `get` a node (several where they are more than some thousand, one behind the other), or
 * classic pipelined sets, of a few hundred keys. Sent to every node before one is read. */
void peer_get_many(struct peer *peer, struct load *load);
void peer_set_many(struct peer *peer, struct load *load);

#endif
