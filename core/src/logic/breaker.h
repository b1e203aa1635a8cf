/* Whether a node may be used. Pure: the clock and the randomness are arguments.
 * May include: base/. Kept by net/pool, driven by calls and by the prober. Its drawing is in core/doc/HEALTH.md. */
#ifndef SHOAL_LOGIC_BREAKER_H
#define SHOAL_LOGIC_BREAKER_H

#include "base/random.h"

#include <stdbool.h>
#include <stdint.h>

struct shoal__breaker_options {
    unsigned failure_threshold; /* faults in a row that open it */
    int64_t probe_min_ns;       /* the pause before a probe: this at first, doubled by each that fails, */
    int64_t probe_max_ns;       /* up to this; jittered */
};

enum shoal__breaker_state {
    SHOAL__BREAKER_CLOSED,  /* the node is used */
    SHOAL__BREAKER_OPEN,    /* the node is not used; a probe is due at probe_due_ns */
    SHOAL__BREAKER_PROBING, /* a probe is under way */
};

struct shoal__breaker {
    struct shoal__breaker_options options;
    enum shoal__breaker_state state;
    unsigned faults;        /* in a row */
    int64_t probe_due_ns;   /* of OPEN */
    int64_t probe_pause_ns; /* the last, before jitter */
    int64_t closed_ns;      /* when a probe closed it last; 0: never */
};

void shoal__breaker_init(struct shoal__breaker *breaker, const struct shoal__breaker_options *options);

/* Whether calls may go to the node. */
bool shoal__breaker_allows(const struct shoal__breaker *breaker);

/* A call got an answer, whatever it was. One that began before the breaker opened changes nothing: what a node did
 * before it failed is no news. */
void shoal__breaker_answered(struct shoal__breaker *breaker);

/* A call found the node refusing or silent. True where this opened the breaker. */
bool shoal__breaker_failed(struct shoal__breaker *breaker, int64_t now_ns, struct shoal__random *random);

/* The node is to be left alone whatever its answers, as they come too late. True where this opened the breaker. */
bool shoal__breaker_trip(struct shoal__breaker *breaker, int64_t now_ns, struct shoal__random *random);

/* True where a probe is to begin now: one of the next three ends it. */
bool shoal__breaker_begin_probe(struct shoal__breaker *breaker, int64_t now_ns);

void shoal__breaker_probe_answered(struct shoal__breaker *breaker, int64_t now_ns);
void shoal__breaker_probe_failed(struct shoal__breaker *breaker, int64_t now_ns, struct shoal__random *random);

/* The probe was cut off by us: due at once. */
void shoal__breaker_probe_interrupted(struct shoal__breaker *breaker, int64_t now_ns);

#endif
