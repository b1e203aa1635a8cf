/* The breaker's transitions.
 * May include: base/. */
#include "logic/breaker.h"

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

bool shoal__breaker_failed(struct shoal__breaker *breaker, int64_t now_ns, struct shoal__random *random) {
    if (breaker->state != SHOAL__BREAKER_CLOSED || ++breaker->faults < breaker->options.failure_threshold)
        return false;
    plan_probe(breaker, breaker->options.probe_min_ns, now_ns, random);
    return true;
}

bool shoal__breaker_begin_probe(struct shoal__breaker *breaker, int64_t now_ns) {
    if (breaker->state != SHOAL__BREAKER_OPEN || now_ns < breaker->probe_due_ns)
        return false;
    breaker->state = SHOAL__BREAKER_PROBING;
    return true;
}

void shoal__breaker_probe_answered(struct shoal__breaker *breaker) {
    breaker->state = SHOAL__BREAKER_CLOSED;
    breaker->faults = 0;
}

void shoal__breaker_probe_failed(struct shoal__breaker *breaker, int64_t now_ns, struct shoal__random *random) {
    int64_t doubled = breaker->probe_pause_ns * 2;
    int64_t longest = breaker->options.probe_max_ns;
    plan_probe(breaker, doubled < longest ? doubled : longest, now_ns, random);
}

void shoal__breaker_probe_interrupted(struct shoal__breaker *breaker, int64_t now_ns) {
    breaker->state = SHOAL__BREAKER_OPEN;
    breaker->probe_due_ns = now_ns;
}
