/* The growing list of nodes. Found again through a table of hashes, as a discovery reply of the largest size may hold
 * a hundred thousand nodes and each is looked up once.
 * May include: base/ and libc. */
#include "logic/node_list.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 8

/* FNV-1a: it only spreads, no key is placed by it. */
static uint32_t hash_of(const char *host, size_t host_size, uint16_t port) {
    uint32_t hash = UINT32_C(2166136261) ^ port;
    for (size_t i = 0; i < host_size; i++)
        hash = (hash ^ (unsigned char)host[i]) * UINT32_C(16777619);
    return hash;
}

/* The slot of a node: the one it is in, or the free one where it would go. Half the slots are free at least. */
static uint32_t *slot_of(const struct shoal__node_list *list, const char *host, size_t host_size, uint16_t port) {
    size_t mask = list->capacity * 2 - 1;
    size_t at = hash_of(host, host_size, port) & mask;
    for (; list->slots[at] != 0; at = (at + 1) & mask) {
        const struct shoal__node_spec *node = &list->nodes[list->slots[at] - 1];
        if (node->port == port && strlen(node->host) == host_size && memcmp(node->host, host, host_size) == 0)
            break;
    }
    return &list->slots[at];
}

static bool grow(struct shoal__node_list *list) {
    size_t capacity = list->capacity ? list->capacity * 2 : FIRST_CAPACITY;
    uint32_t *slots = calloc(capacity * 2, sizeof(*slots));
    struct shoal__node_spec *nodes = slots ? realloc(list->nodes, capacity * sizeof(*nodes)) : NULL;
    if (nodes == NULL) {
        free(slots);
        return false;
    }
    free(list->slots);
    list->slots = slots;
    list->nodes = nodes;
    list->capacity = capacity;
    for (size_t i = 0; i < list->count; i++)
        *slot_of(list, nodes[i].host, strlen(nodes[i].host), nodes[i].port) = (uint32_t)i + 1;
    return true;
}

static char *copy_of(const char *bytes, size_t size) {
    char *copy = malloc(size + 1);
    if (copy == NULL)
        return NULL;
    if (size > 0)
        memcpy(copy, bytes, size);
    copy[size] = '\0';
    return copy;
}

bool shoal__node_list_add(struct shoal__node_list *list, const char *host, size_t host_size, const char *address,
                          size_t address_size, uint16_t port, uint32_t weight) {
    if (list->count == list->capacity && !grow(list))
        return false;
    uint32_t *slot = slot_of(list, host, host_size, port);
    if (*slot != 0)
        return true;
    struct shoal__node_spec node = {
        .host = copy_of(host, host_size),
        .address = copy_of(address, address_size),
        .port = port,
        .weight = weight,
    };
    if (node.host == NULL || node.address == NULL) {
        free(node.host);
        free(node.address);
        return false;
    }
    list->nodes[list->count++] = node;
    *slot = (uint32_t)list->count;
    return true;
}

bool shoal__node_list_copy(struct shoal__node_list *copy, const struct shoal__node_list *list) {
    *copy = (struct shoal__node_list){0};
    for (size_t i = 0; i < list->count; i++) {
        const struct shoal__node_spec *node = &list->nodes[i];
        if (!shoal__node_list_add(copy, node->host, strlen(node->host), node->address, strlen(node->address),
                                  node->port, node->weight)) {
            shoal__node_list_clear(copy);
            return false;
        }
    }
    return true;
}

void shoal__node_list_clear(struct shoal__node_list *list) {
    for (size_t i = 0; i < list->count; i++) {
        free(list->nodes[i].host);
        free(list->nodes[i].address);
    }
    free(list->nodes);
    free(list->slots);
    *list = (struct shoal__node_list){0};
}
