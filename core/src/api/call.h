/* One command on its way: route, lease, run, classify.
 * May include: base/, logic/, net/. Used by operations, stats; batch takes the same steps for many lanes. */
#ifndef SHOAL_API_CALL_H
#define SHOAL_API_CALL_H

#include "api/client.h"

/* The whole way of a command with one key, from checking it to filling the error. */
shoal_status shoal__call_key(shoal_client *client, const char *key, size_t key_len, struct shoal__command *command,
                             shoal_error **error);

/* Runs a command on one node: *attempts grows where it got a connection. */
shoal_status shoal__call_node(shoal_client *client, struct shoal__pool *pool, struct shoal__command *command,
                              int64_t deadline_ns, struct shoal__fault *fault, unsigned *attempts);

/* A command whose key still has an old item on the node, which is to be deleted: true where it is decided (*status), as
 * what is there is not read; the fault is filled where that is an error. */
bool shoal__call_meets_tombstone(struct shoal__pool *pool, const struct shoal__command *command,
                                 struct shoal__fault *fault, shoal_status *status);

/* The first command on a connection, and the node did not answer it as a memcached does: another connection would fare
 * no better, so where another node can, this one is taken for one that is silent. */
void shoal__call_judge_fault(const shoal_client *client, const struct shoal__lane *lane, struct shoal__fault *fault);

/* Which commands may be repeated although they may have been executed. */
enum shoal__repeatability shoal__call_repeatability(const struct shoal__command *command);

/* on_node_failure=miss: what a read cannot find out for now, it did not find. */
bool shoal__call_reads_as_miss(const shoal_client *client, const struct shoal__command *command, shoal_status status);

#endif
