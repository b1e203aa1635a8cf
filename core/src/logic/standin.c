/* Rendezvous among the nodes that are left.
 * May include: base/. */
#include "logic/standin.h"

#include "base/hash.h"

/* The finaliser of splitmix64: every bit of the result hangs on every bit of the input. */
static uint64_t mix(uint64_t bits) {
    bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9;
    bits = (bits ^ (bits >> 27)) * 0x94d049bb133111eb;
    return bits ^ (bits >> 31);
}

uint64_t shoal__standin_figure(const char *name, size_t size) {
    return mix(shoal__hash_murmur3_32(name, size) + UINT64_C(0x9e3779b97f4a7c15));
}

size_t shoal__standin_choose(const char *key, size_t key_len, const uint64_t *figures, size_t count,
                             bool (*may_take)(void *context, size_t node), void *context) {
    uint64_t key_hash = mix(shoal__hash_murmur3_32(key, key_len));
    size_t best = SHOAL__NOBODY;
    uint64_t best_score = 0;
    for (size_t node = 0; node < count; node++) {
        uint64_t score = mix(key_hash ^ figures[node]);
        if ((best != SHOAL__NOBODY && score <= best_score) || !may_take(context, node))
            continue;
        best = node;
        best_score = score;
    }
    return best;
}
