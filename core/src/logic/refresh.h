/* When the endpoint is asked, and which of its answers are believed. Pure: clock and randomness are arguments.
 * May include: base/. Driven by net/fleet_discovery. Its drawing is in core/doc/DISCOVERY.md. */
#ifndef SHOAL_LOGIC_REFRESH_H
#define SHOAL_LOGIC_REFRESH_H

#include "base/random.h"

#include <stdbool.h>
#include <stdint.h>

struct shoal__refresh_options {
    int64_t interval_ns;
    double jitter; /* 0..1 */
};

enum shoal__refresh_state {
    SHOAL__REFRESH_WAITING, /* until due_ns */
    SHOAL__REFRESH_POLLING,
};

struct shoal__refresh {
    struct shoal__refresh_options options;
    enum shoal__refresh_state state;
    int64_t due_ns;
    int64_t polled_ns; /* when the last poll began */
    int64_t wanted_ns; /* an answer to somebody else's question tells us something if it was asked after this moment */
    unsigned failures; /* polls in a row without an answer */
    bool list_known;   /* some poll gave a list */
    uint64_t version;  /* of that list */
    uint64_t older;    /* a lower version seen in the last polls */
    unsigned older_seen; /* how many polls in a row said so */
};

/* A lower version is believed once this many polls in a row agree on it. */
#define SHOAL__REFRESH_OLDER_POLLS 3

enum shoal__refresh_verdict {
    SHOAL__REFRESH_KEEP,  /* the list in use is what the endpoint says */
    SHOAL__REFRESH_APPLY, /* take the new list */
    SHOAL__REFRESH_STALE, /* an older version: not believed yet */
};

/* Due at once. */
void shoal__refresh_init(struct shoal__refresh *refresh, const struct shoal__refresh_options *options, int64_t now_ns);

/* A forked child goes on with its parent's list: the first poll comes some time within the interval, so that many
 * children do not ask at once. version 0: the list was not from the endpoint. */
void shoal__refresh_adopt(struct shoal__refresh *refresh, uint64_t version, int64_t now_ns,
                          struct shoal__random *random);

/* True where a poll is to begin now: the state is POLLING then, and one of the next four ends it. */
bool shoal__refresh_begin(struct shoal__refresh *refresh, int64_t now_ns);

/* The poll gave a list. moved: the endpoint's name now leads to other addresses, so that its cluster may be a new one.
 */
enum shoal__refresh_verdict shoal__refresh_answered(struct shoal__refresh *refresh, uint64_t version, bool same_nodes,
                                                    bool moved, int64_t now_ns, struct shoal__random *random);

/* The endpoint answered that it has no list: nothing is wrong, nothing changes. */
void shoal__refresh_unlisted(struct shoal__refresh *refresh, int64_t now_ns, struct shoal__random *random);

/* --- Where the processes of a host share what they are told (topology_cache) --- */

/* Whether a poll is due now. */
bool shoal__refresh_is_due(const struct shoal__refresh *refresh, int64_t now_ns);

/* Somebody else asked the endpoint at a moment (SHOAL__NEVER where it is not known when), and believed this list: it
 * stands for a poll of ours at that moment. KEEP or APPLY. */
enum shoal__refresh_verdict shoal__refresh_told(struct shoal__refresh *refresh, uint64_t version, bool same_nodes,
                                                int64_t asked_ns, int64_t now_ns, struct shoal__random *random);

/* Somebody else is asking just now: due again in a moment. */
void shoal__refresh_postpone(struct shoal__refresh *refresh, int64_t now_ns, struct shoal__random *random);

/* --- */

/* No answer, or one that cannot be right: tried again sooner than the interval, with growing pauses. */
void shoal__refresh_failed(struct shoal__refresh *refresh, int64_t now_ns, struct shoal__random *random);

/* The poll was cut off by us: due at once. */
void shoal__refresh_interrupted(struct shoal__refresh *refresh, int64_t now_ns);

/* A node failed: ask soon, though not more often than once a second or the interval, whichever is shorter. */
void shoal__refresh_hasten(struct shoal__refresh *refresh, int64_t now_ns);

#endif
