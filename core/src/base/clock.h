/* Monotonic time in nanoseconds, and deadlines. The wall clock is read for absolute times to live alone.
 * May include: libc. Read by L2 and L3; L1 is given the time as an argument. */
#ifndef SHOAL_BASE_CLOCK_H
#define SHOAL_BASE_CLOCK_H

#include <stdint.h>

#define SHOAL__NS_PER_MS INT64_C(1000000)
#define SHOAL__NS_PER_S INT64_C(1000000000)
#define SHOAL__NEVER INT64_MAX

int64_t shoal__now_ns(void);
int64_t shoal__wall_now_s(void);

/* The same clock as shoal__now_ns up to some milliseconds ago, at a fraction of the price. */
int64_t shoal__now_coarse_ns(void);

/* What is left until a deadline, in whole milliseconds rounded up; 0 where it has passed. Fit for poll(). */
int shoal__remaining_ms(int64_t deadline_ns, int64_t now_ns);

#endif
