/* A bounded list of what happened.
 * May include: base/ and libc. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void clear_entry(struct shoal__log_entry *entry) {
    free(entry->node);
    free(entry->message);
    *entry = (struct shoal__log_entry){0};
}

void shoal__log_add(struct shoal__log *log, int kind, uint64_t version, const char *node, const char *format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    struct shoal__log_entry fresh = {.kind = kind, .version = version, .node = strdup(node), .message = strdup(text)};
    if (fresh.node == NULL || fresh.message == NULL) {
        clear_entry(&fresh);
        return;
    }
    struct shoal__log_entry *entry = &log->entries[log->written % SHOAL__LOG_ENTRIES];
    clear_entry(entry);
    *entry = fresh;
    log->written++;
}

const struct shoal__log_entry *shoal__log_next(const struct shoal__log *log, uint64_t *seen, uint64_t *dropped) {
    uint64_t oldest = log->written > SHOAL__LOG_ENTRIES ? log->written - SHOAL__LOG_ENTRIES : 0;
    *dropped = 0;
    if (*seen < oldest) {
        *dropped = oldest - *seen;
        *seen = oldest;
    }
    if (*seen == log->written)
        return NULL;
    return &log->entries[(*seen)++ % SHOAL__LOG_ENTRIES];
}

void shoal__log_clear(struct shoal__log *log) {
    for (size_t i = 0; i < SHOAL__LOG_ENTRIES; i++)
        clear_entry(&log->entries[i]);
    log->written = 0;
}
