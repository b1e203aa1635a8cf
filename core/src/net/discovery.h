/* One poll of a discovery endpoint: resolve, connect, ask, read; never blocking, under one deadline.
 * May include: base/, cluster_parse, endpoint, dns, tls, watch. Driven by fleet_discovery in the background loop.
 * Its drawing is in core/doc/DISCOVERY.md. Source: Amazon's "Adding Auto Discovery to your client library". */
#ifndef SHOAL_NET_DISCOVERY_H
#define SHOAL_NET_DISCOVERY_H

#include "logic/cluster_parse.h"
#include "logic/endpoint.h"
#include "net/dns.h"
#include "net/tls.h"
#include "net/watch.h"

struct shoal__discovery;

enum shoal__discovery_answer {
    SHOAL__DISCOVERY_FAILED,   /* nobody answered, or nothing that can be right */
    SHOAL__DISCOVERY_LIST,     /* a list of nodes */
    SHOAL__DISCOVERY_UNLISTED, /* the endpoint knows `config`, and has no list (END alone) */
    SHOAL__DISCOVERY_UNKNOWN,  /* neither `config` nor the legacy key is known there: a plain memcached */
};

struct shoal__discovery_result {
    enum shoal__discovery_answer answer;
    struct shoal__cluster cluster;             /* of LIST */
    struct shoal__address answered_by;         /* who said so */
    size_t host_index;                         /* at which of the endpoint's hosts */
    struct shoal__address_list endpoint_found; /* everything that the endpoint's names led to */
    bool by_legacy_key;
    bool length_differs;
    struct shoal__fault fault; /* of FAILED */
};

struct shoal__discovery_options {
    const struct shoal__endpoint *endpoint;
    enum shoal__family family;
    struct shoal__tls_context *tls; /* NULL: none */
    const char *login;              /* NULL: none */
};

/* What the options point at is borrowed. NULL where memory ran out. */
struct shoal__discovery *shoal__discovery_new(const struct shoal__discovery_options *options, int64_t deadline_ns);

void shoal__discovery_watch(struct shoal__discovery *poll, struct shoal__watch *watch, int64_t now_ns);

/* Goes on without waiting. True when the poll is over. */
bool shoal__discovery_advance(struct shoal__discovery *poll, int64_t now_ns);

/* Of a poll that is over; borrowed. The cluster may be moved out of it. */
struct shoal__discovery_result *shoal__discovery_result(struct shoal__discovery *poll);

/* A host of an endpoint as messages name it: host:port, an IPv6 address in brackets. */
struct shoal__host_text {
    char text[272]; /* the longest name is 253 bytes */
};

struct shoal__host_text shoal__host_show(const struct shoal__node_spec *host);

/* At any moment: a poll under way is broken off. */
void shoal__discovery_free(struct shoal__discovery *poll);

#endif
