/* The memcached processes of a local fleet and the list of them that the endpoint tells.
 * May include: libc, json, node, report. Called by server and answers. */
#ifndef SHOAL_CLI_LOCAL_FLEET_H
#define SHOAL_CLI_LOCAL_FLEET_H

#include "json.h"
#include "local/node.h"

#define LOCAL_NODES_MAX 64

struct local_fleet {
    struct local_program program;
    const char *ca_file; /* as an endpoint names it; NULL without TLS */
    uint16_t endpoint_port;
    uint64_t version; /* 0 until the first nodes are all up; then up by one at every change of the list */
    uint64_t told;    /* the version that the endpoint of a fleet with TLS holds */
    unsigned last_serial;
    struct local_node nodes[LOCAL_NODES_MAX + 1]; /* in the order added; those that leave as well, and the endpoint */
    size_t count;
    bool endpoint_lost;
    struct problem problem; /* why the last node that could not be started could not; why the endpoint was lost */
};

/* With TLS the endpoint is a memcached too, in which the list stands under a key. Starts it; port 0 takes any. */
bool local_fleet_add_endpoint(struct local_fleet *fleet, uint16_t port, struct problem *problem);

/* Whether the endpoint holds the list as it is, which it is told where it does not. True without TLS. */
bool local_fleet_tell(struct local_fleet *fleet);

/* Starts one more memcached. It gets into the list when it answers: local_fleet_advance. Returns its serial, 0 where
 * the problem says why not. */
unsigned local_fleet_add(struct local_fleet *fleet, struct problem *problem);

/* Takes a node (port 0: the newest) out of the list; its memcached ends grace_ms later. Returns its port, or 0. */
uint16_t local_fleet_remove(struct local_fleet *fleet, uint16_t port, int64_t grace_ms, struct problem *problem);

/* Does what is due, and returns in how many ms something will be; -1: nothing. */
int local_fleet_advance(struct local_fleet *fleet);

/* Takes notice of children that ended. */
void local_fleet_reap(struct local_fleet *fleet);

/* Tells every memcached to end. They are gone when count is 0. */
void local_fleet_end_all(struct local_fleet *fleet);

const struct local_node *local_fleet_find(const struct local_fleet *fleet, unsigned serial);
bool local_node_is_listed(const struct local_node *node);
size_t local_fleet_listed_count(const struct local_fleet *fleet);
bool local_fleet_has_endpoint(const struct local_fleet *fleet); /* one that answers, or none that is a memcached */

/* The two lines of `config get cluster`; every list fits into LOCAL_PAYLOAD_MAX bytes. Returns the length. */
#define LOCAL_PAYLOAD_MAX 2048
size_t local_fleet_payload(const struct local_fleet *fleet, char *payload);

/* Endpoint, version and nodes. A new reference. */
json_t *local_fleet_describe(const struct local_fleet *fleet);

#endif
