/* Conditions with monotonic deadlines.
 * May include: base/ and libc. */
#include "base/condition.h"

#include "base/clock.h"

#include <errno.h>
#include <time.h>

void shoal__condition_init(pthread_cond_t *condition) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

bool shoal__condition_wait(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t deadline_ns) {
    struct timespec until = {
        .tv_sec = (time_t)(deadline_ns / SHOAL__NS_PER_S),
        .tv_nsec = (long)(deadline_ns % SHOAL__NS_PER_S),
    };
    return pthread_cond_timedwait(condition, lock, &until) != ETIMEDOUT;
}
