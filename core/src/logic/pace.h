/* Whether a node answers far more slowly than its peers. Pure: what was measured goes in.
 * May include: base/. Kept by net/pool for each node; asked by api/failover. The drawing is in core/doc/FAILOVER.md. */
#ifndef SHOAL_LOGIC_PACE_H
#define SHOAL_LOGIC_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* So many answers in a row, each far too slow, make a node an outlier. */
#define SHOAL__PACE_STREAK 3

/* What a node takes as a rule, after one more answer; 0: nothing is known yet. */
int64_t shoal__pace_learn(int64_t usual_ns, int64_t took_ns);

/* The time that a call can spare before an answer may be called slow at all. */
int64_t shoal__pace_patience_ns(int64_t attempt_timeout_ns);

/* How long an answer may take before it counts as far too slow: the patience, or many times what the peers take as a
 * rule, whichever is longer. `usual_ns` holds what each of the peers takes, 0 where that is not known; it is sorted. */
int64_t shoal__pace_limit_ns(int64_t patience_ns, int64_t *usual_ns, size_t count);

/* Whether one more of `count` nodes may be put out of use for slowness where `out` are out already. */
bool shoal__pace_may_eject(size_t out, size_t count, double max_down_share);

#endif
