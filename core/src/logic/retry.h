/* Whether a command that failed is tried again, and after which pause. Pure: clock and randomness are arguments.
 * May include: base/. Asked by api/call and api/batch_run. The table of what may be repeated is in retry.c. */
#ifndef SHOAL_LOGIC_RETRY_H
#define SHOAL_LOGIC_RETRY_H

#include "base/error.h"
#include "base/random.h"

#include <stdint.h>

/* The kinds of commands, as far as repeating them matters. */
enum shoal__repeatability {
    SHOAL__REPEAT_ALWAYS,   /* doing it twice is doing it once: get, set, delete, touch */
    SHOAL__REPEAT_UNSTARTED /* only where it was surely not executed: add, cas, append, increment */
};

struct shoal__retry_options {
    unsigned attempts; /* tries beyond the first */
    int64_t backoff_min_ns;
    int64_t backoff_max_ns;
};

/* Retries are paid for by calls, so that a fleet in trouble is not asked many times over: each call earns a share of a
 * retry, and a floor a second is granted whatever the traffic (Finagle's and gRPC's retry budgets). */
struct shoal__retry_budget {
    double per_call;
    double tokens;
    uint64_t calls_paid; /* calls whose share is in `tokens` */
    int64_t filled_ns;
};

void shoal__retry_budget_init(struct shoal__retry_budget *budget, double per_call, int64_t now_ns);

/* Takes a token; false where there is none. calls: how many there were in all, counted by the caller, so that a call
 * that needs no retry pays with nothing but the counting. */
bool shoal__retry_budget_spend(struct shoal__retry_budget *budget, uint64_t calls, int64_t now_ns);

/* Whether this failure of this command may be repeated at all. */
bool shoal__retry_may_repeat(enum shoal__repeatability repeatability, const struct shoal__fault *fault);

/* The pause before try number `retry` (from 1): anything from 0 to the bound, which doubles from the least to the most
 * (full jitter: AWS Architecture Blog, "Exponential Backoff And Jitter", 2015). */
int64_t shoal__retry_pause_ns(const struct shoal__retry_options *options, unsigned retry, struct shoal__random *random);

#endif
