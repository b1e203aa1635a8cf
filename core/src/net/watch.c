/* A poll() set that is filled and waited on.
 * May include: base/. */
#include "net/watch.h"

#include "base/clock.h"

#include <stdlib.h>

/* How long a loop sleeps where memory for its poll set ran out: it looks again, and does not spin. */
#define BLIND_WAIT_NS (5 * SHOAL__NS_PER_MS)

void shoal__watch_reset(struct shoal__watch *watch) {
    watch->count = 0;
    watch->wake_ns = SHOAL__NEVER;
}

void shoal__watch_add(struct shoal__watch *watch, int fd, short events) {
    if (watch->count == watch->capacity) {
        size_t capacity = watch->capacity ? 2 * watch->capacity : 8;
        struct pollfd *fds = realloc(watch->fds, capacity * sizeof(*fds));
        if (fds == NULL) {
            shoal__watch_until(watch, shoal__now_ns() + BLIND_WAIT_NS);
            return;
        }
        watch->fds = fds;
        watch->capacity = capacity;
    }
    watch->fds[watch->count++] = (struct pollfd){.fd = fd, .events = events};
}

void shoal__watch_until(struct shoal__watch *watch, int64_t moment_ns) {
    if (moment_ns < watch->wake_ns)
        watch->wake_ns = moment_ns;
}

void shoal__watch_wait(struct shoal__watch *watch) {
    int timeout_ms = watch->wake_ns == SHOAL__NEVER ? -1 : shoal__remaining_ms(watch->wake_ns, shoal__now_ns());
    poll(watch->fds, watch->count, timeout_ms);
}

void shoal__watch_clear(struct shoal__watch *watch) {
    free(watch->fds);
    *watch = (struct shoal__watch){0};
}
