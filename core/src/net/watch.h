/* What a loop is waiting for: descriptors and a moment. Filled anew before each poll().
 * May include: base/. Filled by dns, discovery; polled by background and by callers that wait. */
#ifndef SHOAL_NET_WATCH_H
#define SHOAL_NET_WATCH_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>

struct shoal__watch {
    struct pollfd *fds;
    size_t count;
    size_t capacity;
    int64_t wake_ns; /* the earliest moment that somebody asked for */
};

void shoal__watch_reset(struct shoal__watch *watch);
void shoal__watch_add(struct shoal__watch *watch, int fd, short events);
void shoal__watch_until(struct shoal__watch *watch, int64_t moment_ns);

/* Waits for a descriptor or the moment, whichever comes first. */
void shoal__watch_wait(struct shoal__watch *watch);

void shoal__watch_clear(struct shoal__watch *watch);

#endif
