/* A growing list of nodes as they were read: from an endpoint string or from a discovery reply.
 * May include: base/ and libc. Made by endpoint and cluster_parse, read by topology. */
#ifndef SHOAL_LOGIC_NODE_LIST_H
#define SHOAL_LOGIC_NODE_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct shoal__node_spec {
    char *host;      /* a name, a bare numeric address (no brackets), or a path that starts with '/' */
    char *address;   /* what discovery gave beside the name; "" where it gave nothing */
    uint16_t port;   /* 0 for a path */
    uint32_t weight; /* 1 where nothing was said */
};

struct shoal__node_list {
    struct shoal__node_spec *nodes;
    size_t count;
    size_t capacity;
    uint32_t *slots; /* node_list.c's own: where to find a node by its host and port */
};

/* Copies the strings (host_size and address_size bytes). A node whose host and port are listed already is left out.
 * False where memory ran out. */
bool shoal__node_list_add(struct shoal__node_list *list, const char *host, size_t host_size, const char *address,
                          size_t address_size, uint16_t port, uint32_t weight);

bool shoal__node_list_copy(struct shoal__node_list *copy, const struct shoal__node_list *list);

/* Empties a list; a zeroed one is fine. */
void shoal__node_list_clear(struct shoal__node_list *list);

#endif
