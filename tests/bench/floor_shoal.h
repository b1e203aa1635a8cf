/* The same through Shoal's public API, as a program would write it.
 * May include: floor_load. Used by floor.c and calls.c. */
#ifndef TESTS_BENCH_FLOOR_SHOAL_H
#define TESTS_BENCH_FLOOR_SHOAL_H

#include "floor_load.h"

struct ours;

/* A client of an endpoint. protocol: the option's value. The caller's: ours_free. */
struct ours *ours_new(const char *endpoint, const char *protocol);
void ours_free(struct ours *ours);

/* The first key of the load. */
void ours_get(struct ours *ours, struct load *load);
void ours_set(struct ours *ours, struct load *load);

/* All keys of the load as a batch, used again each time. */
void ours_get_many(struct ours *ours, struct load *load);
void ours_set_many(struct ours *ours, struct load *load);

/* Gives up unless a read of all keys, not measured, finds their values. */
void ours_check(struct ours *ours, const struct load *load);

#endif
