/* One probe with errands for each node that has something to delete.
 * May include: base/, logic/, probe, pool. */
#include "net/replay.h"

#include "base/base64.h"
#include "logic/key.h"
#include "net/pool.h"

#include <stdlib.h>
#include <string.h>

/* The owner's job comes first, a stand-in's after it. */
struct job {
    uint16_t standin; /* SHOAL__NO_STANDIN: the owner's */
    struct shoal__pool *pool;
    struct shoal__probe *probe;
    enum shoal__probe_outcome outcome;
};

struct shoal__replay {
    const struct shoal__tombstones *stones;
    size_t count;
    struct job jobs[];
};

/* --- What a job has to say --- */

static bool concerns(const struct job *job, const struct shoal__tombstone *stone) {
    return job->standin == SHOAL__NO_STANDIN || job->standin == stone->standin;
}

static bool add_deletion(struct shoal__errands *errands, const char *key, size_t size, bool is_binary) {
    char text[SHOAL__BASE64_SIZE(SHOAL__KEY_MAX) + 1];
    if (is_binary) {
        shoal__base64(key, size, text);
        key = text;
        size = strlen(text);
    }
    errands->count++;
    return shoal__buffer_append(&errands->lines, is_binary ? "md " : "delete ", is_binary ? 3 : 7) &&
           shoal__buffer_append(&errands->lines, key, size) &&
           shoal__buffer_append(&errands->lines, is_binary ? " b\r\n" : "\r\n", is_binary ? 4 : 2);
}

/* A key that several stood in for is deleted on its owner as often; that does no harm. */
static bool write_errands(const struct shoal__tombstones *stones, const struct job *job,
                          struct shoal__errands *errands) {
    for (size_t i = 0; i < stones->count; i++) {
        const struct shoal__tombstone *stone = &stones->stones[i];
        if (concerns(job, stone) &&
            !add_deletion(errands, shoal__tombstone_key(stones, stone), stone->key_len, stone->key_is_binary))
            return false;
    }
    return true;
}

static void begin_job(struct job *job, const struct shoal__tombstones *stones) {
    struct shoal__errands errands = {0};
    if (write_errands(stones, job, &errands))
        job->probe = errands.count > 0 ? shoal__pool_probe(job->pool, &errands) : NULL;
    else
        shoal__buffer_clear(&errands.lines);
    job->outcome = job->probe != NULL   ? SHOAL__PROBE_RUNNING
                   : errands.count == 0 ? SHOAL__PROBE_ANSWERED
                                        : SHOAL__PROBE_FAILED;
}

struct shoal__replay *shoal__replay_new(struct shoal__pool *owner, const struct shoal__tombstones *stones,
                                        struct shoal__pool *const *standins, size_t standin_count) {
    struct shoal__replay *replay = calloc(1, sizeof(*replay) + (1 + standin_count) * sizeof(struct job));
    if (replay == NULL)
        return NULL;
    replay->stones = stones;
    replay->count = 1 + standin_count;
    for (size_t i = 0; i < replay->count; i++) {
        struct job *job = &replay->jobs[i];
        job->standin = i == 0 ? SHOAL__NO_STANDIN : (uint16_t)(i - 1);
        job->pool = i == 0 ? owner : standins[i - 1];
        begin_job(job, stones);
    }
    return replay;
}

/* --- Going on --- */

/* Its copies are as old as the owner's would have been: it gets rid of them before it is believed again itself. */
static void bury_on_standin(const struct shoal__replay *replay, const struct job *job) {
    for (size_t i = 0; i < replay->stones->count; i++) {
        const struct shoal__tombstone *stone = &replay->stones->stones[i];
        if (concerns(job, stone))
            shoal__pool_bury(job->pool, shoal__tombstone_key(replay->stones, stone), stone->key_len,
                             stone->key_is_binary, NULL, NULL);
    }
}

static void advance_job(struct shoal__replay *replay, struct job *job, int64_t now_ns) {
    if (job->outcome == SHOAL__PROBE_RUNNING)
        job->outcome = shoal__probe_advance(job->probe, now_ns);
    if (job->outcome == SHOAL__PROBE_FAILED && job->standin != SHOAL__NO_STANDIN) {
        bury_on_standin(replay, job);
        job->outcome = SHOAL__PROBE_ANSWERED;
    }
}

enum shoal__probe_outcome shoal__replay_advance(struct shoal__replay *replay, int64_t now_ns) {
    bool is_over = true;
    for (size_t i = 0; i < replay->count; i++) {
        advance_job(replay, &replay->jobs[i], now_ns);
        is_over = is_over && replay->jobs[i].outcome != SHOAL__PROBE_RUNNING;
    }
    return is_over ? replay->jobs[0].outcome : SHOAL__PROBE_RUNNING;
}

void shoal__replay_watch(struct shoal__replay *replay, struct shoal__watch *watch, int64_t now_ns) {
    for (size_t i = 0; i < replay->count; i++)
        if (replay->jobs[i].outcome == SHOAL__PROBE_RUNNING)
            shoal__probe_watch(replay->jobs[i].probe, watch, now_ns);
}

void shoal__replay_free(struct shoal__replay *replay) {
    for (size_t i = 0; replay != NULL && i < replay->count; i++)
        shoal__probe_free(replay->jobs[i].probe);
    free(replay);
}
