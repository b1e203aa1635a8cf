/* Names to addresses without blocking: c-ares behind a query that a loop advances.
 * May include: base/, watch. Used by discovery (in the background loop) and by pool (within a call). */
#ifndef SHOAL_NET_DNS_H
#define SHOAL_NET_DNS_H

#include "base/address.h"
#include "base/error.h"
#include "net/watch.h"

#include <stddef.h>

enum shoal__family { SHOAL__FAMILY_ANY, SHOAL__FAMILY_IPV4, SHOAL__FAMILY_IPV6 };

enum shoal__family shoal__family_find(const char *name);

struct shoal__address_list {
    struct shoal__address *addresses;
    size_t count;
};

void shoal__address_list_clear(struct shoal__address_list *list);
bool shoal__address_list_contains(const struct shoal__address_list *list, const struct shoal__address *address);

struct shoal__dns_query;

/* Starts a query; a numeric address or a path is answered at once. NULL with the fault filled where it cannot start. */
struct shoal__dns_query *shoal__dns_query_new(const char *host, uint16_t port, enum shoal__family family,
                                              struct shoal__fault *fault);

/* Adds what the query waits for. */
void shoal__dns_query_watch(struct shoal__dns_query *query, struct shoal__watch *watch, int64_t now_ns);

/* Goes on without waiting. True when it is finished: then one of the next two may be called. */
bool shoal__dns_query_advance(struct shoal__dns_query *query);

/* The answer: SHOAL_OK with at least one address (list is the caller's), else SHOAL_E_NODE_DOWN. */
shoal_status shoal__dns_query_take(struct shoal__dns_query *query, struct shoal__address_list *list,
                                   struct shoal__fault *fault);

void shoal__dns_query_free(struct shoal__dns_query *query);

/* A whole query under a deadline, for the calling thread: SHOAL_E_TIMEOUT where it ran out. */
shoal_status shoal__dns_resolve(const char *host, uint16_t port, enum shoal__family family, int64_t deadline_ns,
                                struct shoal__address_list *list, struct shoal__fault *fault);

#endif
