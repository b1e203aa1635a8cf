/* Random numbers for jitter and backoff; not for secrets. The state is the caller's, so that tests can repeat a run.
 * May include: libc. */
#ifndef SHOAL_BASE_RANDOM_H
#define SHOAL_BASE_RANDOM_H

#include <stdint.h>

struct shoal__random {
    uint64_t state;
};

/* A state that differs in every process and at every call. */
struct shoal__random shoal__random_seeded(void);

/* Uniform in [0, 1). */
double shoal__random_unit(struct shoal__random *random);

#endif
