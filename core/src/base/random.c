/* SplitMix64 (Steele, Lea, Flood 2014), seeded by the system.
 * May include: base/ and libc. */
#include "base/random.h"

#include "base/clock.h"

#include <sys/random.h>

struct shoal__random shoal__random_seeded(void) {
    struct shoal__random random;
    if (getrandom(&random.state, sizeof(random.state), GRND_NONBLOCK) != (long)sizeof(random.state))
        random.state = (uint64_t)shoal__now_ns() ^ (uint64_t)(uintptr_t)&random;
    return random;
}

double shoal__random_unit(struct shoal__random *random) {
    uint64_t mixed = (random->state += UINT64_C(0x9e3779b97f4a7c15));
    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    mixed ^= mixed >> 31;
    return (double)(mixed >> 11) * 0x1.0p-53;
}
