/* Waiting for another thread until a monotonic deadline.
 * May include: libc. Used by L2 wherever a call waits for a thread instead of a socket. */
#ifndef SHOAL_BASE_CONDITION_H
#define SHOAL_BASE_CONDITION_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* A condition whose waits are measured by the monotonic clock. */
void shoal__condition_init(pthread_cond_t *condition);

/* With the lock held. False where the deadline passed. As with any condition, true does not mean that it holds. */
bool shoal__condition_wait(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t deadline_ns);

#endif
