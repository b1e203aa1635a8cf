/* Times to live on the wire.
 * May include: libc. */
#include "logic/expiry.h"

int64_t shoal__expiry_on_wire(int64_t ttl_s, int64_t wall_now_s) {
    if (ttl_s < 0)
        return -1;
    if (ttl_s <= SHOAL__EXPIRY_RELATIVE_MAX_S)
        return ttl_s;
    if (ttl_s >= INT32_MAX - wall_now_s)
        return INT32_MAX;
    return wall_now_s + ttl_s;
}

int64_t shoal__expiry_capped(int64_t expiry, int64_t most_s, int64_t wall_now_s) {
    int64_t left_s = expiry <= SHOAL__EXPIRY_RELATIVE_MAX_S ? expiry : expiry - wall_now_s;
    if (expiry < 0)
        return expiry;
    if (expiry == 0 || left_s > most_s)
        return most_s;
    return left_s > 0 ? left_s : -1;
}
