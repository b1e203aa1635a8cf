/* The two clocks.
 * May include: base/ and libc. */
#include "base/clock.h"

#include <limits.h>
#include <time.h>

static int64_t read_clock_ns(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * SHOAL__NS_PER_S + now.tv_nsec;
}

int64_t shoal__now_ns(void) {
    return read_clock_ns(CLOCK_MONOTONIC);
}

int64_t shoal__now_coarse_ns(void) {
    return read_clock_ns(CLOCK_MONOTONIC_COARSE);
}

int64_t shoal__wall_now_s(void) {
    return (int64_t)time(NULL);
}

int shoal__remaining_ms(int64_t deadline_ns, int64_t now_ns) {
    if (deadline_ns <= now_ns)
        return 0;
    int64_t left_ns = deadline_ns - now_ns;
    if (left_ns / SHOAL__NS_PER_MS >= INT_MAX)
        return INT_MAX;
    return (int)((left_ns + SHOAL__NS_PER_MS - 1) / SHOAL__NS_PER_MS);
}
