/* Numbers shortened for the eye: three digits or so, and a unit.
 * May include: libc. Called by status/table. */
#ifndef SHOAL_CLI_STATUS_HUMAN_H
#define SHOAL_CLI_STATUS_HUMAN_H

#include <stdint.h>

/* Room for any of them. */
struct human {
    char text[24];
};

struct human human_count(uint64_t count);  /* 99999, 123k, 4.5M: steps of 1000 */
struct human human_bytes(uint64_t bytes);  /* 512B, 1.2M, 64M: steps of 1024 */
struct human human_time(uint64_t time_us); /* 118 us, 1.18 ms, 2.1 s */
struct human human_share(double share);    /* 98.7%; - below 0 */

#endif
