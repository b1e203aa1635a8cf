/* A fleet: the topology, the lanes and the discovery that the clients of one endpoint share.
 * May include: base/, logic/, view, fork, background. Used by api/. */
#ifndef SHOAL_NET_FLEET_H
#define SHOAL_NET_FLEET_H

#include "base/log.h"
#include "logic/config.h"
#include "logic/retry.h"
#include "net/view.h"

struct shoal__fleet;

/* The fleet of a configuration: one that is open already, where its fleet options are the same. No network. The
 * caller holds a reference and counts as an open client. */
shoal_status shoal__fleet_join(const shoal_config *resolved, struct shoal__fleet **fleet, struct shoal__fault *fault);

/* An open client closes: the last one ends discovery and idle lanes. References stay. */
void shoal__fleet_leave(struct shoal__fleet *fleet);

void shoal__fleet_release(struct shoal__fleet *fleet);

/* The view in use; where none is known yet, waits for discovery. The caller's: shoal__view_release. */
shoal_status shoal__fleet_view(struct shoal__fleet *fleet, int64_t deadline_ns, struct shoal__view **view,
                               struct shoal__fault *fault);

/* Whether the budget has room for retry number `retry` (from 1) of a call, and after which pause. */
bool shoal__fleet_grant_retry(struct shoal__fleet *fleet, unsigned retry, const struct shoal__retry_options *options,
                              int64_t *pause_ns);

/* --- Health (fleet_health.c) --- */

/* How a call on one node of a view went: NULL where it got an answer. A failure that the node is to blame for is told
 * once, and hastens the next poll. */
void shoal__fleet_note(struct shoal__fleet *fleet, struct shoal__pool *pool, const struct shoal__fault *failure);

/* How long a node's answer took, told by calls that have somewhere else to go: one that is far slower than its peers
 * time and again is taken out of use, unless too many are already. attempt_timeout_ns: what the call could have waited.
 */
void shoal__fleet_note_pace(struct shoal__fleet *fleet, const struct shoal__view *view, size_t node, int64_t took_ns,
                            int64_t attempt_timeout_ns);

/* Keeps a tombstone, as shoal__pool_bury, and sees that it will be replayed. */
void shoal__fleet_bury(struct shoal__fleet *fleet, struct shoal__pool *owner, const struct shoal__command *command,
                       struct shoal__pool *standin, unsigned *rounds);

/* How far somebody has read a fleet's events, and in which process. */
struct shoal__event_reader {
    uint32_t generation;
    uint64_t seen;
};

/* Copies the next event that a reader has not seen; false where there is none. The strings are the caller's. */
bool shoal__fleet_next_event(struct shoal__fleet *fleet, struct shoal__event_reader *reader,
                             struct shoal__log_entry *entry, uint64_t *dropped);

const struct shoal__distribution *shoal__fleet_distribution(const struct shoal__fleet *fleet);

#endif
