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
