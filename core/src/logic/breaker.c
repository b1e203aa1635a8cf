/* The breaker's transitions.
 * May include: base/. */
#include "logic/breaker.h"

/* The longest pause after relapses, and how soon after it a failure is one, as parts of one another. */
#define RELAPSE_PAUSES 4
#define RELAPSES_WITHIN_PAUSES 2

void shoal__breaker_init(struct shoal__breaker *breaker, const struct shoal__breaker_options *options) {
    *breaker = (struct shoal__breaker){.options = *options, .state = SHOAL__BREAKER_CLOSED};
}

bool shoal__breaker_allows(const struct shoal__breaker *breaker) {
    return breaker->state == SHOAL__BREAKER_CLOSED;
}

void shoal__breaker_answered(struct shoal__breaker *breaker) {
    if (breaker->state == SHOAL__BREAKER_CLOSED)
        breaker->faults = 0;
}

/* Half of the pause is certain, half is chance: processes that saw the node fail together do not probe together. */
static void plan_probe(struct shoal__breaker *breaker, int64_t pause_ns, int64_t now_ns, struct shoal__random *random) {
    int64_t half_ns = pause_ns / 2;
    breaker->state = SHOAL__BREAKER_OPEN;
    breaker->probe_pause_ns = pause_ns;
    breaker->probe_due_ns = now_ns + half_ns + (int64_t)(shoal__random_unit(random) * (double)half_ns);
}

/* A node that fails again soon after a probe was content with it is trusted more slowly each time. */
static int64_t first_pause_ns(const struct shoal__breaker *breaker, int64_t now_ns) {
    int64_t longest_ns = breaker->options.probe_max_ns * RELAPSE_PAUSES;
    bool is_relapse = breaker->closed_ns != 0 && now_ns - breaker->closed_ns < RELAPSES_WITHIN_PAUSES * longest_ns;
    if (!is_relapse)
        return breaker->options.probe_min_ns;
    return breaker->probe_pause_ns * 2 < longest_ns ? breaker->probe_pause_ns * 2 : longest_ns;
}

bool shoal__breaker_trip(struct shoal__breaker *breaker, int64_t now_ns, struct shoal__random *random) {
    if (breaker->state != SHOAL__BREAKER_CLOSED)
        return false;
    plan_probe(breaker, first_pause_ns(breaker, now_ns), now_ns, random);
    return true;
}

bool shoal__breaker_failed(struct shoal__breaker *breaker, int64_t now_ns, struct shoal__random *random) {
    if (breaker->state != SHOAL__BREAKER_CLOSED || ++breaker->faults < breaker->options.failure_threshold)
        return false;
    return shoal__breaker_trip(breaker, now_ns, random);
}

bool shoal__breaker_begin_probe(struct shoal__breaker *breaker, int64_t now_ns) {
    if (breaker->state != SHOAL__BREAKER_OPEN || now_ns < breaker->probe_due_ns)
        return false;
    breaker->state = SHOAL__BREAKER_PROBING;
    return true;
}

void shoal__breaker_probe_answered(struct shoal__breaker *breaker, int64_t now_ns) {
    breaker->state = SHOAL__BREAKER_CLOSED;
    breaker->faults = 0;
    breaker->closed_ns = now_ns;
}

void shoal__breaker_probe_failed(struct shoal__breaker *breaker, int64_t now_ns, struct shoal__random *random) {
    int64_t doubled_ns = breaker->probe_pause_ns * 2;
    int64_t longest_ns = breaker->options.probe_max_ns;
    plan_probe(breaker, doubled_ns < longest_ns ? doubled_ns : longest_ns, now_ns, random);
}

void shoal__breaker_probe_interrupted(struct shoal__breaker *breaker, int64_t now_ns) {
    breaker->state = SHOAL__BREAKER_OPEN;
    breaker->probe_due_ns = now_ns;
}
