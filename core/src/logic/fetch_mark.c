/* Companions of an item.
 * May include: base/, text. */
#include "logic/fetch_mark.h"

#include "base/hash.h"
#include "logic/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

void shoal__companion_name(enum shoal__companion companion, const char *key, size_t key_len,
                           char name[SHOAL__COMPANION_NAME_SIZE]) {
    static const char digits[] = "0123456789abcdef";
    uint8_t digest[SHOAL__MD5_SIZE];
    shoal__md5(key, key_len, digest);
    memcpy(name, companion == SHOAL__COMPANION_CLAIM ? "shoal:claim:" : "shoal:fresh:", 12);
    for (size_t i = 0; i < sizeof(digest); i++) {
        name[12 + 2 * i] = digits[digest[i] >> 4];
        name[13 + 2 * i] = digits[digest[i] & 15];
    }
}

size_t shoal__fetch_mark_write(const struct shoal__fetch_mark *mark, char text[SHOAL__FETCH_MARK_SIZE]) {
    return (size_t)snprintf(text, SHOAL__FETCH_MARK_SIZE, "1 %" PRId64 " %" PRId64 " %" PRId64, mark->fresh_until_ms,
                            mark->ttl_ms, mark->cost_ms);
}

bool shoal__fetch_mark_read(const char *text, size_t size, struct shoal__fetch_mark *mark) {
    struct shoal__slice rest = {text, size}, version;
    uint64_t numbers[3];
    if (!shoal__slice_next(&rest, ' ', &version) || !shoal__slice_equals(version, "1"))
        return false;
    for (size_t i = 0; i < 3; i++) {
        struct shoal__slice digits;
        if (!shoal__slice_next(&rest, ' ', &digits) || !shoal__slice_number(digits, INT64_MAX, &numbers[i]))
            return false;
    }
    *mark = (struct shoal__fetch_mark){(int64_t)numbers[0], (int64_t)numbers[1], (int64_t)numbers[2]};
    return rest.bytes == NULL;
}

bool shoal__fetch_is_early(const struct shoal__fetch_mark *mark, double beta, int64_t wall_now_ms,
                           struct shoal__random *random) {
    if (beta <= 0 || mark->fresh_until_ms == 0)
        return false;
    double left_ms = (double)mark->fresh_until_ms - (double)wall_now_ms;
    /* The mark is there, so the server holds the value for fresh: a clock that says otherwise is wrong. */
    if (left_ms < 0 || left_ms > (double)mark->ttl_ms)
        return false;
    return -log(1 - shoal__random_unit(random)) * beta * (double)mark->cost_ms >= left_ms;
}
