/* Asks a node whether it answers: connect, one real command, its reply; then, where it is given some, has it do
 * errands. Never blocking, under one deadline. May include: base/, dns, stream, watch. Driven by pool_health and replay
 * on the background thread. */
#ifndef SHOAL_NET_PROBE_H
#define SHOAL_NET_PROBE_H

#include "base/buffer.h"
#include "net/dns.h"
#include "net/stream.h"
#include "net/watch.h"

struct shoal__probe;

enum shoal__probe_outcome { SHOAL__PROBE_RUNNING, SHOAL__PROBE_ANSWERED, SHOAL__PROBE_FAILED };

/* Deletions, one a line, which are sent behind one another once the node has answered. */
struct shoal__errands {
    struct shoal__buffer lines;
    size_t count;
};

/* host: a name, a numeric address or a path; turn: which of a name's addresses, counted round and round. What the
 * stream's options point at is borrowed; the errands, which may be NULL, are taken over, whatever comes. patience_ns:
 * for connecting and the first answer, and then anew each time that the errands get on. NULL where the probe cannot
 * begin. */
struct shoal__probe *shoal__probe_new(const char *host, uint16_t port, enum shoal__family family, unsigned turn,
                                      const struct shoal__stream_options *options, int64_t patience_ns,
                                      struct shoal__errands *errands);

void shoal__probe_watch(struct shoal__probe *probe, struct shoal__watch *watch, int64_t now_ns);

/* Goes on without waiting. */
enum shoal__probe_outcome shoal__probe_advance(struct shoal__probe *probe, int64_t now_ns);

/* How long the first answer took, once there is one. */
int64_t shoal__probe_took_ns(const struct shoal__probe *probe);

/* At any moment: a probe under way is broken off. NULL-safe. */
void shoal__probe_free(struct shoal__probe *probe);

#endif
