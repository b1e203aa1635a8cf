/* What is usual, and what is far too slow.
 * May include: base/. */
#include "logic/pace.h"

#include <stdlib.h>

#define SLOWER_THAN_PEERS 10
#define PATIENCE_PARTS 4

/* An average of some eight answers. What took very long counts as no more than twice the average, as one pause of a
 * server says little about it. */
int64_t shoal__pace_learn(int64_t usual_ns, int64_t took_ns) {
    if (usual_ns == 0)
        return took_ns > 0 ? took_ns : 1;
    int64_t most_ns = usual_ns * 2;
    int64_t learnt_ns = usual_ns + ((took_ns < most_ns ? took_ns : most_ns) - usual_ns) / 8;
    return learnt_ns > 0 ? learnt_ns : 1;
}

int64_t shoal__pace_patience_ns(int64_t attempt_timeout_ns) {
    return attempt_timeout_ns / PATIENCE_PARTS;
}

static int compare(const void *a, const void *b) {
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

int64_t shoal__pace_limit_ns(int64_t patience_ns, int64_t *usual_ns, size_t count) {
    size_t unknown = 0;
    qsort(usual_ns, count, sizeof(*usual_ns), compare);
    while (unknown < count && usual_ns[unknown] == 0)
        unknown++;
    if (unknown == count)
        return INT64_MAX; /* nobody to compare it with */
    int64_t median_ns = usual_ns[unknown + (count - unknown) / 2];
    int64_t limit_ns = median_ns * SLOWER_THAN_PEERS;
    return limit_ns > patience_ns ? limit_ns : patience_ns;
}

bool shoal__pace_may_eject(size_t out, size_t count, double max_down_share) {
    return (double)(out + 1) <= (double)count * max_down_share;
}
