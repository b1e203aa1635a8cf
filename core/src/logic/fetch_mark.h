/* What fetch keeps beside an item: the names of its claim and of its mark of freshness, and what the mark says. Pure.
 * May include: base/, text. Called by api/fetch and api/batch. */
#ifndef SHOAL_LOGIC_FETCH_MARK_H
#define SHOAL_LOGIC_FETCH_MARK_H

#include "base/random.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What lies beside an item, under a name made of the item's key as it is sent, and on the item's node. */
enum shoal__companion {
    SHOAL__COMPANION_NONE,
    SHOAL__COMPANION_CLAIM, /* whoever added it computes */
    SHOAL__COMPANION_MARK,  /* lives as long as the item is fresh */
};

#define SHOAL__COMPANION_NAME_SIZE 44

/* Writes the name, without a NUL: the digest of a key has the same length for all, and tells none. */
void shoal__companion_name(enum shoal__companion companion, const char *key, size_t key_len,
                           char name[SHOAL__COMPANION_NAME_SIZE]);

/* The mark lives as long as the value is fresh. For early recomputation it says until when that is, by the wall clock
 * of who stored it, and what the value cost. */
struct shoal__fetch_mark {
    int64_t fresh_until_ms; /* 0: for ever */
    int64_t ttl_ms;
    int64_t cost_ms;
};

#define SHOAL__FETCH_MARK_SIZE 72

/* Returns the length. */
size_t shoal__fetch_mark_write(const struct shoal__fetch_mark *mark, char text[SHOAL__FETCH_MARK_SIZE]);

/* False for anything else than a mark: it then says nothing but that the value is fresh. */
bool shoal__fetch_mark_read(const char *text, size_t size, struct shoal__fetch_mark *mark);

/* Whether this caller should compute the next value before this one runs out: the likelier the nearer the end and the
 * dearer the value ("XFetch"). Clocks that differ may move it by as much as they differ, and never beyond what the
 * mark's lifetime allows. */
bool shoal__fetch_is_early(const struct shoal__fetch_mark *mark, double beta, int64_t wall_now_ms,
                           struct shoal__random *random);

#endif
