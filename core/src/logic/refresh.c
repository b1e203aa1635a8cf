/* The schedule of polls and the order of versions.
 * May include: base/. */
#include "logic/refresh.h"

#include "base/clock.h"

/* The pause after a failure: doubled each time, up to the interval; shorter while nothing is known at all. */
#define FIRST_PAUSE_UNKNOWN_NS (100 * SHOAL__NS_PER_MS)
#define LONGEST_PAUSE_UNKNOWN_NS (5 * SHOAL__NS_PER_S)
#define FIRST_PAUSE_KNOWN_NS SHOAL__NS_PER_S
#define HASTE_GAP_NS SHOAL__NS_PER_S
#define DOUBLINGS_MAX 16

/* How long to wait for somebody else's poll before looking again: a few times what one takes. */
#define POSTPONED_NS (40 * SHOAL__NS_PER_MS)

static int64_t smaller(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static int64_t jittered(const struct shoal__refresh *refresh, int64_t wait_ns, struct shoal__random *random) {
    double swing = refresh->options.jitter * (2 * shoal__random_unit(random) - 1);
    return (int64_t)((double)wait_ns * (1 + swing));
}

static void wait_for(struct shoal__refresh *refresh, int64_t wait_ns, int64_t now_ns, struct shoal__random *random) {
    refresh->state = SHOAL__REFRESH_WAITING;
    refresh->due_ns = now_ns + jittered(refresh, wait_ns, random);
}

void shoal__refresh_init(struct shoal__refresh *refresh, const struct shoal__refresh_options *options, int64_t now_ns) {
    *refresh = (struct shoal__refresh){
        .options = *options,
        .state = SHOAL__REFRESH_WAITING,
        .due_ns = now_ns,
        .polled_ns = now_ns - HASTE_GAP_NS,
        .wanted_ns = INT64_MIN,
    };
}

void shoal__refresh_adopt(struct shoal__refresh *refresh, uint64_t version, int64_t now_ns,
                          struct shoal__random *random) {
    refresh->list_known = version != 0;
    refresh->version = version;
    refresh->wanted_ns = now_ns;
    double wait_ns = (double)jittered(refresh, refresh->options.interval_ns, random);
    refresh->due_ns = now_ns + (int64_t)(shoal__random_unit(random) * wait_ns);
}

bool shoal__refresh_is_due(const struct shoal__refresh *refresh, int64_t now_ns) {
    return refresh->state == SHOAL__REFRESH_WAITING && now_ns >= refresh->due_ns;
}

bool shoal__refresh_begin(struct shoal__refresh *refresh, int64_t now_ns) {
    if (!shoal__refresh_is_due(refresh, now_ns))
        return false;
    refresh->state = SHOAL__REFRESH_POLLING;
    refresh->polled_ns = now_ns;
    return true;
}

/* An older version may come from a node that has not heard the news (discovery.md: eventual consistency), or from a
 * cluster made anew: the second stays, and only it is believed. */
static bool older_is_believed(struct shoal__refresh *refresh, uint64_t version, bool moved) {
    refresh->older_seen = refresh->older == version ? refresh->older_seen + 1 : 1;
    refresh->older = version;
    return moved || refresh->older_seen >= SHOAL__REFRESH_OLDER_POLLS;
}

static enum shoal__refresh_verdict believe(struct shoal__refresh *refresh, uint64_t version, bool same_nodes) {
    bool unchanged = refresh->list_known && version == refresh->version && same_nodes;
    refresh->older_seen = 0;
    refresh->list_known = true;
    refresh->version = version;
    return unchanged ? SHOAL__REFRESH_KEEP : SHOAL__REFRESH_APPLY;
}

enum shoal__refresh_verdict shoal__refresh_answered(struct shoal__refresh *refresh, uint64_t version, bool same_nodes,
                                                    bool moved, int64_t now_ns, struct shoal__random *random) {
    refresh->failures = 0;
    refresh->wanted_ns = refresh->polled_ns;
    wait_for(refresh, refresh->options.interval_ns, now_ns, random);
    if (refresh->list_known && version < refresh->version) {
        if (!older_is_believed(refresh, version, moved))
            return SHOAL__REFRESH_STALE;
    }
    return believe(refresh, version, same_nodes);
}

enum shoal__refresh_verdict shoal__refresh_told(struct shoal__refresh *refresh, uint64_t version, bool same_nodes,
                                                int64_t asked_ns, int64_t now_ns, struct shoal__random *random) {
    refresh->failures = 0;
    if (asked_ns == SHOAL__NEVER) {
        refresh->due_ns = now_ns;
    } else {
        refresh->wanted_ns = asked_ns;
        refresh->polled_ns = asked_ns;
        wait_for(refresh, refresh->options.interval_ns, asked_ns, random);
    }
    return believe(refresh, version, same_nodes);
}

void shoal__refresh_postpone(struct shoal__refresh *refresh, int64_t now_ns, struct shoal__random *random) {
    refresh->due_ns = now_ns + POSTPONED_NS / 2 + (int64_t)(shoal__random_unit(random) * (double)POSTPONED_NS);
}

void shoal__refresh_unlisted(struct shoal__refresh *refresh, int64_t now_ns, struct shoal__random *random) {
    refresh->failures = 0;
    refresh->older_seen = 0;
    wait_for(refresh, refresh->options.interval_ns, now_ns, random);
}

void shoal__refresh_failed(struct shoal__refresh *refresh, int64_t now_ns, struct shoal__random *random) {
    int64_t first = refresh->list_known ? FIRST_PAUSE_KNOWN_NS : FIRST_PAUSE_UNKNOWN_NS;
    int64_t longest = refresh->list_known ? refresh->options.interval_ns : LONGEST_PAUSE_UNKNOWN_NS;
    unsigned doublings = refresh->failures < DOUBLINGS_MAX ? refresh->failures : DOUBLINGS_MAX;
    refresh->failures++;
    refresh->older_seen = 0;
    int64_t pause = smaller(first << doublings, smaller(longest, refresh->options.interval_ns));
    wait_for(refresh, pause, now_ns, random);
}

void shoal__refresh_interrupted(struct shoal__refresh *refresh, int64_t now_ns) {
    refresh->state = SHOAL__REFRESH_WAITING;
    refresh->due_ns = now_ns;
}

void shoal__refresh_hasten(struct shoal__refresh *refresh, int64_t now_ns) {
    if (refresh->state != SHOAL__REFRESH_WAITING)
        return;
    int64_t earliest = refresh->polled_ns + smaller(HASTE_GAP_NS, refresh->options.interval_ns);
    int64_t soon = now_ns > earliest ? now_ns : earliest;
    refresh->due_ns = smaller(refresh->due_ns, soon);
    /* What was asked before the failure may not know of it, but no one asks more often than this. */
    if (refresh->wanted_ns < now_ns - HASTE_GAP_NS)
        refresh->wanted_ns = now_ns - HASTE_GAP_NS;
}
