/* A list of nodes with its ring: immutable, counted by reference, handed from the fleet to calls and to callers.
 * May include: base/, ring, node_list. Made by net/fleet. */
#ifndef SHOAL_LOGIC_TOPOLOGY_H
#define SHOAL_LOGIC_TOPOLOGY_H

#include "logic/node_list.h"
#include "logic/ring.h"

#include <shoal/topology.h>

/* How the nodes of a list are placed. */
struct shoal__placement {
    const struct shoal__distribution *distribution;
    shoal__hash_function hash; /* NULL: the distribution's own */
    bool by_address;           /* ring_identity=ip */
};

/* One reference is the caller's: shoal_topology_free. NULL where memory ran out or the list is empty. */
shoal_topology *shoal__topology_new(uint64_t version, const struct shoal__node_list *list,
                                    const struct shoal__placement *placement);

shoal_topology *shoal__topology_acquire(shoal_topology *topology);

/* The index of the node of a key. */
size_t shoal__topology_route(const shoal_topology *topology, const char *key, size_t key_len);

/* The node at an index as a handle of its own: it keeps the topology alive until shoal_node_free. */
shoal_node *shoal__topology_share_node(shoal_topology *topology, size_t index);

/* Whether a list says what the topology says, order included. */
bool shoal__topology_matches(const shoal_topology *topology, const struct shoal__node_list *list);

#endif
