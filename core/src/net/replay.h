/* Tombstones on their way: their keys are deleted on the node they belong to, and on those that stood in for it, all
 * side by side, each pipelined, never blocking.
 * May include: base/, logic/, probe, pool. Driven by pool_health on the background thread. */
#ifndef SHOAL_NET_REPLAY_H
#define SHOAL_NET_REPLAY_H

#include "logic/tombstones.h"
#include "net/probe.h"

struct shoal__pool;
struct shoal__replay;

/* The stones and the stand-ins, by the number that the stones call them, stay the owner's while it is under way. NULL
 * where memory ran out. */
struct shoal__replay *shoal__replay_new(struct shoal__pool *owner, const struct shoal__tombstones *stones,
                                        struct shoal__pool *const *standins, size_t standin_count);

void shoal__replay_watch(struct shoal__replay *replay, struct shoal__watch *watch, int64_t now_ns);

/* Goes on without waiting. ANSWERED: every key is deleted on the owner; a stand-in that could not be told has a
 * tombstone of its own for them. */
enum shoal__probe_outcome shoal__replay_advance(struct shoal__replay *replay, int64_t now_ns);

/* At any moment. NULL-safe. */
void shoal__replay_free(struct shoal__replay *replay);

#endif
