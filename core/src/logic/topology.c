/* Topologies and their nodes.
 * May include: base/, ring, node_list. */
#include "logic/topology.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct shoal_node {
    shoal_topology *topology;
    char *name;
    char *host;
    char *address;
    uint16_t port;
    uint32_t weight;
};

struct shoal_topology {
    atomic_uint references;
    uint64_t version;
    struct shoal__ring *ring;
    size_t node_count;
    shoal_node nodes[];
};

static char *make_name(const struct shoal__node_spec *spec) {
    if (spec->host[0] == '/')
        return strdup(spec->host);
    bool bracketed = strchr(spec->host, ':') != NULL;
    size_t size = strlen(spec->host) + sizeof("[]:65535");
    char *name = malloc(size);
    if (name != NULL)
        snprintf(name, size, bracketed ? "[%s]:%u" : "%s:%u", spec->host, spec->port);
    return name;
}

static bool fill_node(shoal_node *node, shoal_topology *topology, const struct shoal__node_spec *spec) {
    node->topology = topology;
    node->port = spec->port;
    node->weight = spec->weight;
    node->name = make_name(spec);
    node->host = strdup(spec->host);
    node->address = strdup(spec->address);
    return node->name && node->host && node->address;
}

static struct shoal__ring *make_ring(const struct shoal__node_list *list, const struct shoal__placement *placement) {
    struct shoal__ring_node *nodes = calloc(list->count, sizeof(*nodes));
    if (nodes == NULL)
        return NULL;
    for (size_t i = 0; i < list->count; i++) {
        const struct shoal__node_spec *spec = &list->nodes[i];
        bool by_address = placement->by_address && spec->address[0] != '\0';
        nodes[i] = (struct shoal__ring_node){by_address ? spec->address : spec->host, spec->port, spec->weight};
    }
    struct shoal__ring *ring = shoal__ring_new(placement->distribution, placement->hash, nodes, list->count);
    free(nodes);
    return ring;
}

shoal_topology *shoal__topology_new(uint64_t version, const struct shoal__node_list *list,
                                    const struct shoal__placement *placement) {
    if (list->count == 0)
        return NULL;
    shoal_topology *topology = calloc(1, sizeof(*topology) + list->count * sizeof(topology->nodes[0]));
    if (topology == NULL)
        return NULL;
    atomic_init(&topology->references, 1);
    topology->version = version;
    topology->node_count = list->count;
    bool complete = true;
    for (size_t i = 0; i < list->count; i++)
        complete = fill_node(&topology->nodes[i], topology, &list->nodes[i]) && complete;
    topology->ring = make_ring(list, placement);
    if (!complete || topology->ring == NULL) {
        shoal_topology_free(topology);
        return NULL;
    }
    return topology;
}

shoal_topology *shoal__topology_acquire(shoal_topology *topology) {
    atomic_fetch_add_explicit(&topology->references, 1, memory_order_relaxed);
    return topology;
}

void shoal_topology_free(shoal_topology *topology) {
    if (topology == NULL || atomic_fetch_sub_explicit(&topology->references, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < topology->node_count; i++) {
        free(topology->nodes[i].name);
        free(topology->nodes[i].host);
        free(topology->nodes[i].address);
    }
    shoal__ring_free(topology->ring);
    free(topology);
}

size_t shoal__topology_route(const shoal_topology *topology, const char *key, size_t key_len) {
    return shoal__ring_route(topology->ring, key, key_len);
}

shoal_node *shoal__topology_share_node(shoal_topology *topology, size_t index) {
    return &shoal__topology_acquire(topology)->nodes[index];
}

static bool node_matches(const shoal_node *node, const struct shoal__node_spec *spec) {
    return node->port == spec->port && node->weight == spec->weight && strcmp(node->host, spec->host) == 0 &&
           strcmp(node->address, spec->address) == 0;
}

bool shoal__topology_matches(const shoal_topology *topology, const struct shoal__node_list *list) {
    if (topology->node_count != list->count)
        return false;
    for (size_t i = 0; i < list->count; i++)
        if (!node_matches(&topology->nodes[i], &list->nodes[i]))
            return false;
    return true;
}

uint64_t shoal_topology_version(const shoal_topology *topology) {
    return topology ? topology->version : 0;
}

size_t shoal_topology_node_count(const shoal_topology *topology) {
    return topology ? topology->node_count : 0;
}

const shoal_node *shoal_topology_node_at(const shoal_topology *topology, size_t index) {
    return topology && index < topology->node_count ? &topology->nodes[index] : NULL;
}

const char *shoal_node_name(const shoal_node *node) {
    return node ? node->name : "";
}

const char *shoal_node_host(const shoal_node *node) {
    return node ? node->host : "";
}

const char *shoal_node_address(const shoal_node *node) {
    return node ? node->address : "";
}

uint16_t shoal_node_port(const shoal_node *node) {
    return node ? node->port : 0;
}

uint32_t shoal_node_weight(const shoal_node *node) {
    return node ? node->weight : 0;
}

void shoal_node_free(shoal_node *node) {
    if (node != NULL)
        shoal_topology_free(node->topology);
}
