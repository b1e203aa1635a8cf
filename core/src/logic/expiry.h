/* Times to live as memcached takes them. Pure: the wall clock is an argument.
 * May include: libc. Called by api/. */
#ifndef SHOAL_LOGIC_EXPIRY_H
#define SHOAL_LOGIC_EXPIRY_H

#include <stdint.h>

/* What memcached reads as seconds from now; anything larger it takes for a moment in Unix time (doc/protocol.txt). */
#define SHOAL__EXPIRY_RELATIVE_MAX_S (60 * 60 * 24 * 30)

/* 0 for ever, -1 expired at once, relative up to 30 days, else absolute and at most 2^31 - 1: memcached drops what
 * lies beyond that. wall_now_s is looked at only where the time is absolute. */
int64_t shoal__expiry_on_wire(int64_t ttl_s, int64_t wall_now_s);

/* What is on the wire already, but no later than most_s from now: for ever and absolute times included. What is gone at
 * once stays so. */
int64_t shoal__expiry_capped(int64_t expiry, int64_t most_s, int64_t wall_now_s);

#endif
