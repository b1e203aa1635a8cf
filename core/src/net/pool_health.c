/* A node's health: its breaker, the probe that closes it, its tombstones and their replay, its pace.
 * May include: base/, logic/, probe, replay, pool_private. The drawings are in core/doc/HEALTH.md and FAILOVER.md. */
#include "base/clock.h"
#include "logic/pace.h"
#include "net/pool_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How much of connect_timeout_ms the answer to a probe may take, unless the node was never quick. */
#define PROBE_PARTS 8

/* Of so many probes in a row that fail one goes by the node's name, where it has an address. */
#define NAME_TURNS 4

void shoal__pool_init_health(struct shoal__pool *pool) {
    shoal__breaker_init(&pool->breaker, &pool->options.breaker);
    pool->random = shoal__random_seeded();
    pool->tombstones.most = pool->replaying.most = pool->options.tombstones_max;
}

/* Those that stood in are needed while there are tombstones that name them. */
static struct shoal__pool **take_standins(struct shoal__pool *pool, size_t *count) {
    struct shoal__pool **standins = pool->standins;
    *count = pool->standin_count;
    pool->standins = NULL;
    pool->standin_count = 0;
    return standins;
}

static void release_standins(struct shoal__pool **standins, size_t count) {
    for (size_t i = 0; i < count; i++)
        shoal__pool_release(standins[i]);
    free(standins);
}

void shoal__pool_clear_health(struct shoal__pool *pool) {
    size_t count;
    shoal__probe_free(pool->probe);
    pool->probe = NULL;
    shoal__replay_free(pool->replay);
    pool->replay = NULL;
    pthread_mutex_lock(&pool->lock);
    shoal__tombstones_clear(&pool->tombstones);
    shoal__tombstones_clear(&pool->replaying);
    atomic_store(&pool->has_tombstones, false);
    struct shoal__pool **standins = take_standins(pool, &count);
    pthread_mutex_unlock(&pool->lock);
    release_standins(standins, count);
}

/* --- The breaker --- */

bool shoal__pool_is_in_use(struct shoal__pool *pool) {
    if (!atomic_load_explicit(&pool->failing, memory_order_relaxed))
        return true;
    pthread_mutex_lock(&pool->lock);
    bool is_in_use = shoal__breaker_allows(&pool->breaker);
    pthread_mutex_unlock(&pool->lock);
    return is_in_use;
}

static enum shoal__pool_news note_failure(struct shoal__pool *pool, const struct shoal__fault *failure) {
    bool is_first = !atomic_exchange(&pool->failing, true);
    if (!failure->is_hard || !shoal__breaker_failed(&pool->breaker, shoal__now_ns(), &pool->random))
        return is_first ? SHOAL__POOL_FAILING : SHOAL__POOL_NO_NEWS;
    memcpy(pool->cause, failure->text, sizeof(pool->cause));
    shoal__pool_refuse_waiters(pool);
    return SHOAL__POOL_OUT;
}

enum shoal__pool_news shoal__pool_note(struct shoal__pool *pool, const struct shoal__fault *failure) {
    enum shoal__pool_news news = SHOAL__POOL_NO_NEWS;
    if (failure == NULL && !atomic_load_explicit(&pool->failing, memory_order_relaxed))
        return news; /* the common case takes no lock */
    pthread_mutex_lock(&pool->lock);
    if (failure != NULL) {
        news = note_failure(pool, failure);
    } else {
        shoal__breaker_answered(&pool->breaker);
        atomic_store(&pool->failing, !shoal__breaker_allows(&pool->breaker));
    }
    pthread_mutex_unlock(&pool->lock);
    return news;
}

/* --- Its pace --- */

int64_t shoal__pool_usual_ns(struct shoal__pool *pool) {
    return atomic_load_explicit(&pool->usual_ns, memory_order_relaxed);
}

/* Of two that learn at once one may be lost, which changes nothing that matters. */
void shoal__pool_learn(struct shoal__pool *pool, int64_t took_ns) {
    int64_t usual_ns = atomic_load_explicit(&pool->usual_ns, memory_order_relaxed);
    atomic_store_explicit(&pool->usual_ns, shoal__pace_learn(usual_ns, took_ns), memory_order_relaxed);
}

unsigned shoal__pool_count_slow(struct shoal__pool *pool, bool is_slow) {
    if (is_slow)
        return atomic_fetch_add_explicit(&pool->slow_streak, 1, memory_order_relaxed) + 1;
    if (atomic_load_explicit(&pool->slow_streak, memory_order_relaxed) != 0)
        atomic_store_explicit(&pool->slow_streak, 0, memory_order_relaxed);
    return 0;
}

enum shoal__pool_news shoal__pool_eject(struct shoal__pool *pool, const char *cause) {
    pthread_mutex_lock(&pool->lock);
    bool opened = shoal__breaker_trip(&pool->breaker, shoal__now_ns(), &pool->random);
    if (opened) {
        atomic_store(&pool->failing, true);
        snprintf(pool->cause, sizeof(pool->cause), "%s", cause);
        shoal__pool_refuse_waiters(pool);
    }
    pthread_mutex_unlock(&pool->lock);
    return opened ? SHOAL__POOL_OUT : SHOAL__POOL_NO_NEWS;
}

/* --- Tombstones --- */

/* With the lock held. What tombstones call a stand-in; SHOAL__NO_STANDIN for none, and where memory ran out. */
static uint16_t number_of(struct shoal__pool *pool, struct shoal__pool *standin) {
    for (size_t i = 0; i < pool->standin_count; i++)
        if (pool->standins[i] == standin)
            return (uint16_t)i;
    if (standin == NULL || pool->standin_count == SHOAL__NO_STANDIN)
        return SHOAL__NO_STANDIN;
    struct shoal__pool **standins = realloc(pool->standins, (pool->standin_count + 1) * sizeof(struct shoal__pool *));
    if (standins == NULL)
        return SHOAL__NO_STANDIN;
    pool->standins = standins;
    standins[pool->standin_count] = shoal__pool_acquire(standin);
    return (uint16_t)pool->standin_count++;
}

bool shoal__pool_bury(struct shoal__pool *pool, const char *key, size_t key_len, bool key_is_binary,
                      struct shoal__pool *standin, unsigned *rounds) {
    pthread_mutex_lock(&pool->lock);
    bool kept = (!pool->retired || pool->departed) &&
                shoal__tombstones_add(&pool->tombstones, key, key_len, key_is_binary, number_of(pool, standin));
    if (kept)
        atomic_store(&pool->has_tombstones, true);
    if (rounds != NULL)
        *rounds = pool->rounds;
    pthread_mutex_unlock(&pool->lock);
    return kept;
}

unsigned shoal__pool_replay_rounds(struct shoal__pool *pool) {
    pthread_mutex_lock(&pool->lock);
    unsigned rounds = pool->rounds;
    pthread_mutex_unlock(&pool->lock);
    return rounds;
}

bool shoal__pool_has_tombstones(struct shoal__pool *pool) {
    return atomic_load_explicit(&pool->has_tombstones, memory_order_relaxed);
}

bool shoal__pool_has_buried(struct shoal__pool *pool, const char *key, size_t key_len) {
    if (!shoal__pool_has_tombstones(pool))
        return false;
    pthread_mutex_lock(&pool->lock);
    bool has = shoal__tombstones_hold(&pool->tombstones, key, key_len) ||
               shoal__tombstones_hold(&pool->replaying, key, key_len);
    pthread_mutex_unlock(&pool->lock);
    return has;
}

uint64_t shoal__pool_lost_tombstones(struct shoal__pool *pool) {
    pthread_mutex_lock(&pool->lock);
    uint64_t lost = pool->tombstones.lost;
    pthread_mutex_unlock(&pool->lock);
    return lost;
}

/* --- Probing and replaying ---
 *
 *   OPEN --due--> probe --answered in time--> tombstones? --none--> CLOSED
 *    ^              |                             | some              ^
 *    +-- no answer -+                             v                   |
 *    +------------- not all deleted ----------- replay --all deleted--+
 *
 * What was written on a stand-in meanwhile is replayed when the breaker is closed: until then its keys read as misses.
 */

/* Connecting and a first answer. */
static int64_t probe_patience_ns(const struct shoal__pool *pool) {
    return 2 * pool->options.lane.connect_timeout_ns;
}

/* By the address that discovery gave, and now and then by the name, as lanes are opened by both. */
struct shoal__probe *shoal__pool_probe(struct shoal__pool *pool, struct shoal__errands *errands) {
    bool by_address = pool->address[0] != '\0' && pool->probe_turn % NAME_TURNS != NAME_TURNS - 1;
    const char *host = by_address ? pool->address : pool->host;
    return shoal__probe_new(host, pool->port, pool->options.family, pool->probe_turn, &pool->options.lane.stream,
                            probe_patience_ns(pool), errands);
}

/* An answer that comes as late as those the node was given up for says that it is no better. */
static bool is_in_time(struct shoal__pool *pool, const struct shoal__probe *probe) {
    int64_t usual_ns = shoal__pool_usual_ns(pool);
    return usual_ns == 0 || shoal__probe_took_ns(probe) <=
                                shoal__pace_limit_ns(pool->options.lane.connect_timeout_ns / PROBE_PARTS, &usual_ns, 1);
}

static enum shoal__pool_news close_breaker(struct shoal__pool *pool, int64_t now_ns) {
    shoal__breaker_probe_answered(&pool->breaker, now_ns);
    atomic_store(&pool->failing, false);
    atomic_store(&pool->slow_streak, 0);
    return SHOAL__POOL_RECOVERED;
}

/* Calls may add a stand-in at any moment, which moves the array; this thread alone drops them. */
static struct shoal__pool **copy_standins(const struct shoal__pool *pool, size_t *count) {
    struct shoal__pool **standins = calloc(pool->standin_count + 1, sizeof(struct shoal__pool *));
    *count = standins ? pool->standin_count : 0;
    for (size_t i = 0; i < *count; i++)
        standins[i] = pool->standins[i];
    return standins;
}

/* False where memory ran out. */
static bool begin_replay(struct shoal__pool *pool) {
    size_t count;
    pthread_mutex_lock(&pool->lock);
    struct shoal__tombstones empty = pool->replaying;
    pool->replaying = pool->tombstones;
    pool->tombstones = empty;
    pool->tombstones.lost = pool->replaying.lost;
    pool->rounds++;
    struct shoal__pool **standins = copy_standins(pool, &count);
    pthread_mutex_unlock(&pool->lock);
    if (standins != NULL)
        pool->replay = shoal__replay_new(pool, &pool->replaying, standins, count);
    free(standins);
    return pool->replay != NULL;
}

/* The stones of a replay go back, where it failed or was cut off. */
static void put_back(struct shoal__pool *pool) {
    shoal__replay_free(pool->replay);
    pool->replay = NULL;
    pthread_mutex_lock(&pool->lock);
    shoal__tombstones_move(&pool->tombstones, &pool->replaying);
    pthread_mutex_unlock(&pool->lock);
}

static enum shoal__pool_news end_replay(struct shoal__pool *pool, bool done, int64_t now_ns) {
    enum shoal__pool_news news = SHOAL__POOL_NO_NEWS;
    struct shoal__pool **standins = NULL;
    size_t count = 0;
    if (!done)
        put_back(pool);
    shoal__replay_free(pool->replay);
    pool->replay = NULL;
    pthread_mutex_lock(&pool->lock);
    shoal__tombstones_clear(&pool->replaying);
    if (pool->tombstones.count == 0)
        standins = take_standins(pool, &count);
    atomic_store(&pool->has_tombstones, pool->tombstones.count > 0);
    pool->replay_due_ns = done ? now_ns : now_ns + pool->options.breaker.probe_min_ns;
    if (pool->breaker.state == SHOAL__BREAKER_PROBING && done)
        news = close_breaker(pool, now_ns);
    else if (pool->breaker.state == SHOAL__BREAKER_PROBING)
        shoal__breaker_probe_failed(&pool->breaker, now_ns, &pool->random);
    pthread_mutex_unlock(&pool->lock);
    release_standins(standins, count);
    return news;
}

static enum shoal__pool_news end_probe(struct shoal__pool *pool, bool answered, int64_t now_ns) {
    enum shoal__pool_news news = SHOAL__POOL_NO_NEWS;
    answered = answered && is_in_time(pool, pool->probe);
    shoal__probe_free(pool->probe);
    pool->probe = NULL;
    pthread_mutex_lock(&pool->lock);
    bool has_stones = pool->tombstones.count > 0;
    if (!answered) {
        shoal__breaker_probe_failed(&pool->breaker, now_ns, &pool->random);
        pool->probe_turn++; /* another address of its name may answer */
    } else if (!has_stones)
        news = close_breaker(pool, now_ns);
    pthread_mutex_unlock(&pool->lock);
    if (answered && has_stones && !begin_replay(pool))
        news = end_replay(pool, false, now_ns);
    return news;
}

static void begin_what_is_due(struct shoal__pool *pool, int64_t now_ns, bool *probes, bool *replays) {
    pthread_mutex_lock(&pool->lock);
    *probes = shoal__breaker_begin_probe(&pool->breaker, now_ns);
    *replays = shoal__breaker_allows(&pool->breaker) && pool->tombstones.count > 0 && now_ns >= pool->replay_due_ns;
    pthread_mutex_unlock(&pool->lock);
}

enum shoal__pool_news shoal__pool_advance_health(struct shoal__pool *pool, int64_t now_ns) {
    enum shoal__pool_news news = SHOAL__POOL_NO_NEWS;
    bool probes = false, replays = false;
    if (pool->probe == NULL && pool->replay == NULL)
        begin_what_is_due(pool, now_ns, &probes, &replays);
    if (probes && (pool->probe = shoal__pool_probe(pool, NULL)) == NULL)
        return end_probe(pool, false, now_ns);
    if (replays && !begin_replay(pool))
        return end_replay(pool, false, now_ns);
    if (pool->probe != NULL) {
        enum shoal__probe_outcome outcome = shoal__probe_advance(pool->probe, now_ns);
        if (outcome != SHOAL__PROBE_RUNNING)
            news = end_probe(pool, outcome == SHOAL__PROBE_ANSWERED, now_ns);
    }
    if (pool->replay != NULL) {
        enum shoal__probe_outcome outcome = shoal__replay_advance(pool->replay, now_ns);
        if (outcome != SHOAL__PROBE_RUNNING)
            news = end_replay(pool, outcome == SHOAL__PROBE_ANSWERED, now_ns);
    }
    return news;
}

void shoal__pool_watch_health(struct shoal__pool *pool, struct shoal__watch *watch, int64_t now_ns) {
    if (pool->probe != NULL)
        shoal__probe_watch(pool->probe, watch, now_ns);
    if (pool->replay != NULL)
        shoal__replay_watch(pool->replay, watch, now_ns);
    if (pool->probe != NULL || pool->replay != NULL)
        return;
    pthread_mutex_lock(&pool->lock);
    if (!shoal__breaker_allows(&pool->breaker))
        shoal__watch_until(watch, pool->breaker.probe_due_ns);
    else if (pool->tombstones.count > 0)
        shoal__watch_until(watch, pool->replay_due_ns);
    pthread_mutex_unlock(&pool->lock);
}

void shoal__pool_interrupt_health(struct shoal__pool *pool, int64_t now_ns) {
    bool was_probing = pool->probe != NULL || pool->replay != NULL;
    if (!was_probing)
        return;
    shoal__probe_free(pool->probe);
    pool->probe = NULL;
    put_back(pool);
    pthread_mutex_lock(&pool->lock);
    if (pool->breaker.state == SHOAL__BREAKER_PROBING)
        shoal__breaker_probe_interrupted(&pool->breaker, now_ns);
    pthread_mutex_unlock(&pool->lock);
}
