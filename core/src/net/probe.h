/* Asks a node whether it answers: connect, one real command, its reply; never blocking, under one deadline.
 * May include: base/, dns, stream, watch. Driven by pool on the background thread. */
#ifndef SHOAL_NET_PROBE_H
#define SHOAL_NET_PROBE_H

#include "net/dns.h"
#include "net/stream.h"
#include "net/watch.h"

struct shoal__probe;

enum shoal__probe_outcome { SHOAL__PROBE_RUNNING, SHOAL__PROBE_ANSWERED, SHOAL__PROBE_FAILED };

/* host: a name, a numeric address or a path. What the stream's options point at is borrowed. NULL where the probe
 * cannot begin. */
struct shoal__probe *shoal__probe_new(const char *host, uint16_t port, enum shoal__family family,
                                      const struct shoal__stream_options *options, int64_t deadline_ns);

void shoal__probe_watch(struct shoal__probe *probe, struct shoal__watch *watch, int64_t now_ns);

/* Goes on without waiting. */
enum shoal__probe_outcome shoal__probe_advance(struct shoal__probe *probe, int64_t now_ns);

/* At any moment: a probe under way is broken off. NULL-safe. */
void shoal__probe_free(struct shoal__probe *probe);

#endif
