/* How each node of a fleet is: whether it answers, how fast, and what its counters say.
 * May include: arguments, public headers. Called by status/command. */
#ifndef SHOAL_CLI_STATUS_ASK_H
#define SHOAL_CLI_STATUS_ASK_H

#include "arguments.h"

#include <shoal/shoal.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A number that the node does not tell. */
#define NOT_TOLD UINT64_MAX

struct node_state {
    char *name;
    char *endpoint;       /* of the client */
    shoal_client *client; /* kept for the next question; NULL where the node is down */
    bool is_up;
    char why[192]; /* where it is down: one line */
    shoal_status status;
    char version[32]; /* "-" where it is not told */
    uint64_t latency_us;
    uint64_t hits, misses;
    uint64_t used, limit; /* bytes */
    uint64_t items, connections, evictions;
};

struct fleet_state {
    uint64_t version;
    size_t count;
    size_t down;
    struct node_state *nodes; /* in the order of the topology */
};

/* Asks all nodes side by side: one that hangs takes `operation_timeout_ms`, or twice that where it hangs halfway, and
 * holds up no other. `fleet` is zeroed at first, and later what the question before left there: nodes that are still in
 * the list are asked on the same connections. fleet_state_clear at the end. */
void ask_fleet(const struct arguments *arguments, const shoal_topology *topology, struct fleet_state *fleet);
void fleet_state_clear(struct fleet_state *fleet);

/* The share of gets that hit, 0 to 1; below 0 where there were none, or the node does not tell. */
double hit_rate(const struct node_state *node);

#endif
