/* Retries: what may be repeated, the pause, the budget.
 * May include: base/. */
#include "logic/retry.h"

#include "base/clock.h"

#define FLOOR_PER_S 10.0
/* What a quiet time may save up: some seconds of the floor, so that a burst of failures is not a burst of retries. */
#define TOKENS_MAX (FLOOR_PER_S * 5)
#define DOUBLINGS_MAX 20

/* Which failures are worth another try. What the server said itself would only be said again. */
static bool is_passing(shoal_status status) {
    switch (status) {
    case SHOAL_E_TIMEOUT:   /* of one try: the call may have time left */
    case SHOAL_E_NODE_DOWN: /* a connection that had been closed meanwhile */
    case SHOAL_E_PROTOCOL:  /* a lane out of step; the next is another */
        return true;
    default:
        return false;
    }
}

bool shoal__retry_may_repeat(enum shoal__repeatability repeatability, const struct shoal__fault *fault) {
    return is_passing(fault->status) && (repeatability == SHOAL__REPEAT_ALWAYS || !fault->outcome_unknown);
}

int64_t shoal__retry_pause_ns(const struct shoal__retry_options *options, unsigned retry,
                              struct shoal__random *random) {
    int64_t bound = options->backoff_min_ns;
    for (unsigned i = 1; i < retry && i < DOUBLINGS_MAX && bound < options->backoff_max_ns; i++)
        bound *= 2;
    if (bound > options->backoff_max_ns)
        bound = options->backoff_max_ns;
    return (int64_t)(shoal__random_unit(random) * (double)bound);
}

void shoal__retry_budget_init(struct shoal__retry_budget *budget, double per_call, int64_t now_ns) {
    *budget = (struct shoal__retry_budget){.per_call = per_call, .tokens = FLOOR_PER_S, .filled_ns = now_ns};
}

bool shoal__retry_budget_spend(struct shoal__retry_budget *budget, uint64_t calls, int64_t now_ns) {
    double passed_s = (double)(now_ns - budget->filled_ns) / (double)SHOAL__NS_PER_S;
    double earned = (double)(calls - budget->calls_paid) * budget->per_call + passed_s * FLOOR_PER_S;
    budget->calls_paid = calls;
    budget->filled_ns = now_ns;
    budget->tokens = budget->tokens + earned < TOKENS_MAX ? budget->tokens + earned : TOKENS_MAX;
    if (budget->tokens < 1)
        return false;
    budget->tokens -= 1;
    return true;
}
