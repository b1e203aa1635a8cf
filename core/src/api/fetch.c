/* fetch: one computer at a time. Beside an item, on its node, lie two small ones: the mark, which lives as long as the
 * item is fresh, and the claim, which one caller at a time can add.
 *
 *   LOOK --fresh--> 0
 *    |  stale, absent, or to be computed early
 *    v
 *   CLAIM --added--> LOOK once more --fresh by now--> give the claim back, 0
 *    |                     |  no
 *    |                     +--> SHOAL_COMPUTE: compute, store item, then mark, and give the claim back
 *    |  somebody else has it
 *    +--there is an old value--> SHOAL_STALE (0 where it was to be computed early)
 *    +--fetch_wait_ms over--> SHOAL_COMPUTE, with no claim
 *    +--else--> pause, then LOOK
 *
 * May include: base/, logic/, net/, call, batch. */
#include "api/batch.h"
#include "api/call.h"
#include "base/clock.h"
#include "logic/expiry.h"
#include "logic/fetch_mark.h"
#include "net/fork.h"

#include <shoal/fetch.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Between two looks at a value that somebody else computes: doubled from the first to the last, shortened at random. */
#define FIRST_PAUSE_MS 4
#define LAST_PAUSE_MS 64

#define TOKEN_SIZE 16

struct shoal_lease {
    shoal_client *client;
    char *key;
    size_t key_len;
    int64_t ttl_s;
    int64_t stale_ttl_s;
    int64_t begun_ns;
    uint64_t claim;      /* the claim's cas token; 0: it is not ours */
    uint32_t generation; /* of the process that has the claim: a forked child does not give it back */
    bool stored;
};

enum freshness { ABSENT, STALE, EARLY, FRESH };

struct fetch {
    shoal_client *client;
    const char *key;
    size_t key_len;
    shoal_batch *batch;
    struct shoal__random random;
    char token[TOKEN_SIZE]; /* what is in the claim if it is ours */
    bool claimed;
    uint64_t claim;
    enum freshness freshness; /* what the last look found */
    shoal_value *value;
};

/* Runs the batch; of its items only the first must not fail. */
static shoal_status run(shoal_batch *batch, shoal_error **error) {
    shoal_status status = shoal_batch_run(batch, error);
    if (status < 0 || shoal_batch_status(batch, 0) >= 0)
        return status < 0 ? status : SHOAL_OK;
    if (error != NULL)
        *error = shoal__batch_take_error(batch, 0);
    return shoal_batch_status(batch, 0);
}

/* --- Looking --- */

static enum freshness judge(struct fetch *fetch) {
    struct shoal__fetch_mark mark;
    const void *text;
    size_t size;
    if (shoal_batch_status(fetch->batch, 0) != SHOAL_OK)
        return ABSENT;
    if (shoal_batch_value(fetch->batch, 1, &text, &size, NULL, NULL) != SHOAL_OK)
        return STALE;
    if (!shoal__fetch_mark_read(text, size, &mark))
        return FRESH;
    int64_t wall_now_ms = shoal__wall_now_s() * 1000;
    return shoal__fetch_is_early(&mark, fetch->client->fetch_beta, wall_now_ms, &fetch->random) ? EARLY : FRESH;
}

/* The claim may have run out while it was looked at, and be somebody else's by now. */
static void keep_claim(struct fetch *fetch) {
    const void *token;
    size_t size;
    uint64_t cas;
    bool is_there = shoal_batch_value(fetch->batch, 2, &token, &size, NULL, &cas) == SHOAL_OK;
    fetch->claim = is_there && size == TOKEN_SIZE && memcmp(token, fetch->token, size) == 0 ? cas : 0;
}

static bool keep_value(struct fetch *fetch) {
    const void *data;
    size_t size;
    uint32_t flags;
    uint64_t cas;
    shoal_value_free(fetch->value);
    fetch->value = NULL;
    if (shoal_batch_value(fetch->batch, 0, &data, &size, &flags, &cas) != SHOAL_OK)
        return true;
    fetch->value = shoal__value_new(size, flags, cas);
    if (fetch->value == NULL)
        return false;
    memcpy(shoal__value_bytes(fetch->value), data, size);
    return true;
}

static bool add_read(struct fetch *fetch, enum shoal__companion companion, shoal_error **error) {
    return shoal__batch_beside(fetch->batch, companion, SHOAL__VERB_GET, fetch->key, fetch->key_len, error) != NULL;
}

/* Item, mark and, where it was added, the claim, in one exchange. */
static shoal_status look(struct fetch *fetch, shoal_error **error) {
    shoal_batch_clear(fetch->batch);
    if (!add_read(fetch, SHOAL__COMPANION_NONE, error) || !add_read(fetch, SHOAL__COMPANION_MARK, error) ||
        (fetch->claimed && !add_read(fetch, SHOAL__COMPANION_CLAIM, error)))
        return SHOAL_E_NO_MEMORY;
    shoal_status status = run(fetch->batch, error);
    if (status != SHOAL_OK)
        return status;
    fetch->freshness = judge(fetch);
    if (fetch->claimed)
        keep_claim(fetch);
    return keep_value(fetch) ? SHOAL_OK : shoal__error_fail(error, SHOAL_E_NO_MEMORY, "out of memory for a value");
}

/* --- Claiming --- */

static void make_token(struct fetch *fetch) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    for (size_t i = 0; i < TOKEN_SIZE; i++)
        fetch->token[i] = letters[(size_t)(shoal__random_unit(&fetch->random) * 64)];
}

/* SHOAL_OK: it is ours; SHOAL_NOT_STORED: it is somebody's. A claim whose reply was lost may be ours, and is nobody's:
 * it runs out by itself. */
static shoal_status claim(struct fetch *fetch, shoal_error **error) {
    shoal_batch_clear(fetch->batch);
    struct shoal__item *item =
        shoal__batch_beside(fetch->batch, SHOAL__COMPANION_CLAIM, SHOAL__VERB_STORE, fetch->key, fetch->key_len, error);
    if (item == NULL)
        return SHOAL_E_NO_MEMORY;
    make_token(fetch);
    item->ttl_s = fetch->client->fetch_claim_s;
    item->command.mode = SHOAL_ADD;
    item->command.is_advisory = true;
    item->command.value = fetch->token;
    item->command.value_len = TOKEN_SIZE;
    shoal_status status = run(fetch->batch, error);
    fetch->claimed = status == SHOAL_OK && shoal_batch_status(fetch->batch, 0) == SHOAL_OK;
    return status == SHOAL_OK ? shoal_batch_status(fetch->batch, 0) : status;
}

/* Where the claim is still this one it is stored as one that has run out: that needs no delete with a token, which the
 * classic protocol has not. */
static bool add_give_back(shoal_batch *batch, const char *key, size_t key_len, uint64_t cas) {
    struct shoal__item *item =
        cas == 0 ? NULL : shoal__batch_beside(batch, SHOAL__COMPANION_CLAIM, SHOAL__VERB_STORE, key, key_len, NULL);
    if (item == NULL)
        return false;
    item->ttl_s = -1;
    item->command.mode = SHOAL_CAS;
    item->command.is_advisory = true;
    item->command.value = "";
    item->command.cas = cas;
    return true;
}

static void give_back(shoal_batch *batch, const char *key, size_t key_len, uint64_t cas) {
    shoal_batch_clear(batch);
    if (add_give_back(batch, key, key_len, cas))
        shoal_batch_run(batch, NULL);
}

/* --- Beginning --- */

static shoal_status grant(struct fetch *fetch, int64_t ttl_s, int64_t stale_ttl_s, shoal_lease **lease,
                          shoal_error **error) {
    shoal_lease *granted = calloc(1, sizeof(*granted));
    char *key = malloc(fetch->key_len + 1);
    if (granted == NULL || key == NULL) {
        free(granted);
        free(key);
        return shoal__error_fail(error, SHOAL_E_NO_MEMORY, "out of memory for a lease");
    }
    memcpy(key, fetch->key, fetch->key_len);
    *granted = (struct shoal_lease){
        .client = shoal__client_acquire(fetch->client),
        .key = key,
        .key_len = fetch->key_len,
        .ttl_s = ttl_s,
        .stale_ttl_s = stale_ttl_s,
        .begun_ns = shoal__now_ns(),
        .claim = fetch->claim,
        .generation = shoal__process_generation(),
    };
    *lease = granted;
    return SHOAL_COMPUTE;
}

static void pause_for(struct fetch *fetch, int64_t *pause_ms, int64_t left_ns) {
    int64_t pause_ns = (int64_t)((1 + shoal__random_unit(&fetch->random)) / 2 * (double)*pause_ms * SHOAL__NS_PER_MS);
    poll(NULL, 0, shoal__remaining_ms(pause_ns < left_ns ? pause_ns : left_ns, 0));
    if (*pause_ms < LAST_PAUSE_MS)
        *pause_ms *= 2;
}

/* on_node_failure=miss: everybody computes while the node is away. */
static bool reads_as_miss(const struct fetch *fetch, shoal_status status) {
    static const struct shoal__command read = {.verb = SHOAL__VERB_GET};
    return shoal__call_reads_as_miss(fetch->client, &read, status);
}

/* 0: the value is fresh; SHOAL_STALE: there is one; SHOAL_COMPUTE: the claim is ours, if there can be one;
 * SHOAL_NOT_FOUND: somebody else computes, and there is no value. */
static shoal_status look_and_claim(struct fetch *fetch, shoal_error **error) {
    shoal_status status = look(fetch, error);
    if (status != SHOAL_OK || fetch->freshness == FRESH)
        return status;
    status = claim(fetch, error);
    if (reads_as_miss(fetch, status)) {
        shoal__error_begin(error);
        return SHOAL_COMPUTE;
    }
    if (status == SHOAL_NOT_STORED && fetch->freshness != ABSENT)
        return fetch->freshness == EARLY ? SHOAL_OK : SHOAL_STALE;
    if (status != SHOAL_OK)
        return status == SHOAL_NOT_STORED ? SHOAL_NOT_FOUND : status;
    /* Whoever had the claim before may have stored the next value since we looked. */
    status = look(fetch, error);
    if (status != SHOAL_OK || fetch->freshness != FRESH)
        return status == SHOAL_OK ? SHOAL_COMPUTE : status;
    give_back(fetch->batch, fetch->key, fetch->key_len, fetch->claim);
    return SHOAL_OK;
}

static shoal_status obtain(struct fetch *fetch, shoal_error **error) {
    int64_t give_up_ns = shoal__now_ns() + fetch->client->fetch_wait_ns;
    int64_t pause_ms = FIRST_PAUSE_MS;
    for (;;) {
        shoal_status status = look_and_claim(fetch, error);
        if (status != SHOAL_NOT_FOUND)
            return status;
        int64_t now_ns = shoal__now_ns();
        if (now_ns >= give_up_ns)
            return SHOAL_COMPUTE;
        pause_for(fetch, &pause_ms, give_up_ns - now_ns);
    }
}

static shoal_status check(const void *client, int64_t stale_ttl_s, shoal_value **value, shoal_lease **lease,
                          shoal_error **error) {
    shoal__error_begin(error);
    if (value != NULL)
        *value = NULL;
    if (lease != NULL)
        *lease = NULL;
    if (client == NULL || value == NULL || lease == NULL)
        return shoal__error_fail(error, SHOAL_E_INVALID,
                                 "fetch needs a client and places for a value and a lease: none may be NULL");
    if (stale_ttl_s < 0)
        return shoal__error_fail(error, SHOAL_E_INVALID, "stale_ttl_s is negative: 0 serves no old value");
    return SHOAL_OK;
}

shoal_status shoal_fetch_begin(shoal_client *client, const char *key, size_t key_len, int64_t ttl_s,
                               int64_t stale_ttl_s, shoal_value **value, shoal_lease **lease, shoal_error **error) {
    struct fetch fetch = {.client = client, .key = key, .key_len = key_len};
    shoal_status status = check(client, stale_ttl_s, value, lease, error);
    if (status == SHOAL_OK)
        status = shoal_batch_new(client, &fetch.batch, error);
    if (status != SHOAL_OK)
        return status;
    fetch.random = shoal__random_seeded();
    status = obtain(&fetch, error);
    if (status == SHOAL_COMPUTE)
        status = grant(&fetch, ttl_s, stale_ttl_s, lease, error);
    if (status < 0)
        shoal_value_free(fetch.value);
    else
        *value = fetch.value;
    shoal_batch_free(fetch.batch);
    return status;
}

/* --- Leases --- */

/* A value lives on after it ran out, for as long as it may be served; 0 is for ever, and a lifetime below 0 stays one.
 */
static int64_t lifetime_s(const shoal_lease *lease) {
    if (lease->ttl_s <= 0 || lease->stale_ttl_s > INT64_MAX - lease->ttl_s)
        return lease->ttl_s < 0 ? -1 : 0;
    return lease->ttl_s + lease->stale_ttl_s;
}

static struct shoal__fetch_mark mark_of(const shoal_lease *lease) {
    struct shoal__fetch_mark mark = {.cost_ms = (shoal__now_ns() - lease->begun_ns) / SHOAL__NS_PER_MS};
    if (lease->ttl_s <= 0 || lease->ttl_s > INT32_MAX)
        return mark;
    mark.ttl_ms = lease->ttl_s * 1000;
    mark.fresh_until_ms = shoal__wall_now_s() * 1000 + mark.ttl_ms;
    return mark;
}

/* The item is there first: a mark beside an old one would make that fresh. */
static void store_mark(const shoal_lease *lease, const char *text, size_t size) {
    shoal_batch *batch = NULL;
    if (shoal_batch_new(lease->client, &batch, NULL) != SHOAL_OK)
        return;
    struct shoal__item *item =
        shoal__batch_beside(batch, SHOAL__COMPANION_MARK, SHOAL__VERB_STORE, lease->key, lease->key_len, NULL);
    if (item != NULL) {
        item->ttl_s = lease->ttl_s;
        item->command.mode = SHOAL_SET;
        item->command.value = text;
        item->command.value_len = size;
        add_give_back(batch, lease->key, lease->key_len, lease->claim);
        shoal_batch_run(batch, NULL);
    }
    shoal_batch_free(batch);
}

shoal_status shoal_lease_store(shoal_lease *lease, const void *value, size_t value_len, uint32_t flags,
                               shoal_error **error) {
    char text[SHOAL__FETCH_MARK_SIZE];
    shoal__error_begin(error);
    if (lease == NULL || lease->stored)
        return shoal__error_fail(error, SHOAL_E_INVALID,
                                 lease ? "the lease has stored already: begin another fetch" : "the lease is NULL");
    struct shoal__fetch_mark mark = mark_of(lease);
    shoal_status status = shoal_store(lease->client, SHOAL_SET, lease->key, lease->key_len, value, value_len, flags,
                                      lifetime_s(lease), 0, NULL, error);
    if (status != SHOAL_OK)
        return status;
    lease->stored = true;
    store_mark(lease, text, shoal__fetch_mark_write(&mark, text));
    return SHOAL_OK;
}

void shoal_lease_abandon(shoal_lease *lease) {
    shoal_batch *batch = NULL;
    if (lease == NULL || lease->stored || lease->claim == 0 || lease->generation != shoal__process_generation() ||
        shoal_batch_new(lease->client, &batch, NULL) != SHOAL_OK)
        return;
    give_back(batch, lease->key, lease->key_len, lease->claim);
    lease->claim = 0;
    shoal_batch_free(batch);
}

void shoal_lease_free(shoal_lease *lease) {
    if (lease == NULL)
        return;
    shoal_lease_abandon(lease);
    shoal__client_release(lease->client);
    free(lease->key);
    free(lease);
}
