/* Shortening numbers.
 * May include: libc, status/human. */
#include "status/human.h"

#include <inttypes.h>
#include <stdio.h>

/* One digit behind the point where there would be one digit in all. */
static struct human scale(uint64_t number, uint64_t step, const char *units) {
    struct human human;
    double scaled = (double)number;
    while (scaled >= (double)step - 0.5 && units[1] != '\0') {
        scaled /= (double)step;
        units++;
    }
    int digits = scaled < 9.95 && scaled < (double)number && scaled != (double)(uint64_t)scaled;
    snprintf(human.text, sizeof(human.text), "%.*f%c", digits, scaled, *units);
    return human;
}

struct human human_count(uint64_t count) {
    struct human human;
    if (count >= 100000)
        return scale(count, 1000, " kMGTPE");
    snprintf(human.text, sizeof(human.text), "%" PRIu64, count);
    return human;
}

struct human human_bytes(uint64_t bytes) {
    return scale(bytes, 1024, "BKMGTPE");
}

struct human human_time(uint64_t time_us) {
    struct human human;
    if (time_us < 1000)
        snprintf(human.text, sizeof(human.text), "%" PRIu64 " us", time_us);
    else if (time_us < 1000000)
        snprintf(human.text, sizeof(human.text), "%.*f ms",
                 time_us < 9995    ? 2
                 : time_us < 99950 ? 1
                                   : 0,
                 (double)time_us / 1e3);
    else
        snprintf(human.text, sizeof(human.text), "%.1f s", (double)time_us / 1e6);
    return human;
}

struct human human_share(double share) {
    struct human human;
    if (share < 0)
        snprintf(human.text, sizeof(human.text), "-");
    else
        snprintf(human.text, sizeof(human.text), "%.1f%%", share * 100);
    return human;
}
