/* on_node_failure=failover: another node stands in for one that is out of use, and what the absent one misses is
 * remembered. core/doc/FAILOVER.md has the pictures.
 * May include: base/, logic/, net/, client. Used by call (one command) and batch_run (many). */
#ifndef SHOAL_API_FAILOVER_H
#define SHOAL_API_FAILOVER_H

#include "api/client.h"

/* How many a command is given to, one after the other, as the first may be failing as well. */
#define SHOAL__STANDINS_MAX 3

/* Whether another node may do a command whose own failed like that. */
bool shoal__failover_helps(const shoal_client *client, const struct shoal__command *command,
                           const struct shoal__fault *fault);

/* Which node stands in for a key's own: its place in the view, SHOAL__NOBODY where all others are out of use. */
size_t shoal__failover_standin(const struct shoal__view *view, size_t owner, const struct shoal__command *command);

/* Before a command goes to a stand-in: what it stores lives there for a bounded time, and the owner gets a tombstone,
 * as do all others that are out of use, any of which may have stood in before. Returns how many of the owner's replays
 * had begun. */
unsigned shoal__failover_begin(shoal_client *client, const struct shoal__view *view, size_t owner, size_t standin,
                               struct shoal__command *command);

/* After it: where the owner was rid of its tombstones meanwhile, this one is put up again. */
void shoal__failover_end(shoal_client *client, const struct shoal__command *command, struct shoal__pool *owner,
                         struct shoal__pool *standin, unsigned rounds);

/* Before a write: nodes that its key belonged to, and that left the list a moment ago, get a tombstone. `routed` is the
 * part of the key that is hashed. */
void shoal__failover_note_departed(shoal_client *client, const struct shoal__view *view, const char *routed,
                                   size_t routed_len, const struct shoal__command *command);

/* A write on a node that may or may not have been done. */
void shoal__failover_doubt(shoal_client *client, const struct shoal__command *command, struct shoal__pool *pool);

#endif
