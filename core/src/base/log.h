/* A bounded list of what happened: the newest entries stay, readers remember how far they have read.
 * May include: public headers. Its owner locks. */
#ifndef SHOAL_BASE_LOG_H
#define SHOAL_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#define SHOAL__LOG_ENTRIES 256

struct shoal__log_entry {
    int kind; /* SHOAL_EVENT_... */
    uint64_t version;
    char *node; /* "" where none */
    char *message;
};

/* A zeroed one is empty. */
struct shoal__log {
    struct shoal__log_entry entries[SHOAL__LOG_ENTRIES];
    uint64_t written; /* ever */
};

void shoal__log_add(struct shoal__log *log, int kind, uint64_t version, const char *node, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* The entry after the first *seen ones, borrowed until the log changes; *seen goes on, and *dropped tells how many
 * were overwritten before they could be read. NULL where there is none. */
const struct shoal__log_entry *shoal__log_next(const struct shoal__log *log, uint64_t *seen, uint64_t *dropped);

void shoal__log_clear(struct shoal__log *log);

#endif
