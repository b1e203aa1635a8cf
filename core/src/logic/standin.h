/* Which node stands in for one that is out of use. Pure: names' hashes and what is alive are arguments.
 * May include: base/. Asked by api/failover; the figures are made by net/view. */
#ifndef SHOAL_LOGIC_STANDIN_H
#define SHOAL_LOGIC_STANDIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* There is none. */
#define SHOAL__NOBODY SIZE_MAX

/* What a node's name counts as. */
uint64_t shoal__standin_figure(const char *name, size_t size);

/* Of the nodes that may take the key, the one whose figure goes best with it: rendezvous hashing (Thaler and
 * Ravishankar, 1998). So a node's keys are shared out among all that are left, every process that sees the same nodes
 * chooses alike, and nothing has to be built when a node falls. SHOAL__NOBODY where none may. */
size_t shoal__standin_choose(const char *key, size_t key_len, const uint64_t *figures, size_t count,
                             bool (*may_take)(void *context, size_t node), void *context);

#endif
