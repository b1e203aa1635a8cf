/* The batch handle: adding items, running them, reading what came.
 * May include: base/, logic/, net/, client, batch, store_check. */
#include "api/batch.h"

#include "api/call.h"
#include "api/failover.h"
#include "api/store_check.h"
#include "base/clock.h"
#include "logic/expiry.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* --- Memory that serves one batch after another, in slots that are swapped in and out, as values' is --- */

#define KEPT_SLOTS 4
#define KEPT_ITEMS 256
#define KEPT_KEY_BYTES ((size_t)16 * 1024)

static _Atomic(shoal_batch *) kept_batches[KEPT_SLOTS];

static shoal_batch *take_kept(void) {
    for (size_t i = 0; i < KEPT_SLOTS; i++) {
        shoal_batch *batch = atomic_load_explicit(&kept_batches[i], memory_order_relaxed);
        if (batch != NULL && (batch = atomic_exchange_explicit(&kept_batches[i], NULL, memory_order_acquire)) != NULL)
            return batch;
    }
    return NULL;
}

static bool keep(shoal_batch *batch) {
    if (batch->capacity > KEPT_ITEMS || batch->keys.capacity > KEPT_KEY_BYTES)
        return false;
    for (size_t i = 0; i < KEPT_SLOTS; i++) {
        shoal_batch *empty = NULL;
        if (atomic_compare_exchange_strong_explicit(&kept_batches[i], &empty, batch, memory_order_release,
                                                    memory_order_relaxed))
            return true;
    }
    return false;
}

shoal_status shoal_batch_new(shoal_client *client, shoal_batch **batch, shoal_error **error) {
    shoal__error_begin(error);
    if (batch != NULL)
        *batch = NULL;
    if (client == NULL || batch == NULL)
        return shoal__error_fail(error, SHOAL_E_INVALID,
                                 "a batch needs a client and a place to put it: neither may be NULL");
    *batch = take_kept();
    if (*batch == NULL)
        *batch = calloc(1, sizeof(**batch));
    if (*batch == NULL)
        return shoal__error_fail(error, SHOAL_E_NO_MEMORY, "out of memory for a batch");
    (*batch)->client = shoal__client_acquire(client);
    return SHOAL_OK;
}

/* --- Adding --- */

static bool has_room(shoal_batch *batch) {
    if (batch->count < batch->capacity)
        return true;
    size_t capacity = batch->capacity ? 2 * batch->capacity : 16;
    struct shoal__item *items = realloc(batch->items, capacity * sizeof(*items));
    if (items == NULL)
        return false;
    batch->items = items;
    batch->capacity = capacity;
    return true;
}

/* The next item, zeroed but for its key; NULL where there can be none, and the error says why. */
static struct shoal__item *add_item(shoal_batch *batch, enum shoal__verb verb, const char *key, size_t key_len,
                                    shoal_error **error) {
    shoal__error_begin(error);
    if (batch == NULL || batch->ran) {
        shoal__error_fail(error, SHOAL_E_INVALID,
                          batch ? "the batch ran already: clear it before adding to it" : "the batch is NULL");
        return NULL;
    }
    if (batch->count >= UINT32_MAX - 1) {
        shoal__error_fail(error, SHOAL_E_INVALID, "the batch is full: run it and begin another");
        return NULL;
    }
    if (!has_room(batch)) {
        shoal__error_fail(error, SHOAL_E_NO_MEMORY, "out of memory for item %zu of a batch", batch->count);
        return NULL;
    }
    struct shoal__item *item = &batch->items[batch->count++];
    memset(item, 0, sizeof(*item));
    item->command.verb = verb;
    item->command.key = key;
    item->command.key_len = key_len;
    item->command.status = SHOAL__UNDECIDED;
    return item;
}

/* Why add_item gave none. */
static shoal_status refusal(const shoal_batch *batch) {
    return batch == NULL || batch->ran || batch->count >= UINT32_MAX - 1 ? SHOAL_E_INVALID : SHOAL_E_NO_MEMORY;
}

shoal_status shoal_batch_get(shoal_batch *batch, const char *key, size_t key_len, shoal_error **error) {
    return add_item(batch, SHOAL__VERB_GET, key, key_len, error) ? SHOAL_OK : refusal(batch);
}

shoal_status shoal_batch_store(shoal_batch *batch, int mode, const char *key, size_t key_len, const void *value,
                               size_t value_len, uint32_t flags, int64_t ttl_s, uint64_t cas, shoal_error **error) {
    struct shoal__fault fault;
    struct shoal__item *item = add_item(batch, SHOAL__VERB_STORE, key, key_len, error);
    if (item == NULL)
        return refusal(batch);
    item->ttl_s = ttl_s;
    item->command.mode = mode;
    item->command.value = value;
    item->command.value_len = value_len;
    item->command.flags = flags;
    item->command.cas = cas;
    if (shoal__store_check(&item->command, &fault) == SHOAL_OK)
        return SHOAL_OK;
    batch->count--;
    return shoal__error_report(error, &fault, NULL, 0);
}

shoal_status shoal_batch_delete(shoal_batch *batch, const char *key, size_t key_len, shoal_error **error) {
    return add_item(batch, SHOAL__VERB_DELETE, key, key_len, error) ? SHOAL_OK : refusal(batch);
}

shoal_status shoal_batch_touch(shoal_batch *batch, const char *key, size_t key_len, int64_t ttl_s,
                               shoal_error **error) {
    struct shoal__item *item = add_item(batch, SHOAL__VERB_TOUCH, key, key_len, error);
    if (item == NULL)
        return refusal(batch);
    item->ttl_s = ttl_s;
    return SHOAL_OK;
}

struct shoal__item *shoal__batch_beside(shoal_batch *batch, enum shoal__companion companion, enum shoal__verb verb,
                                        const char *key, size_t key_len, shoal_error **error) {
    struct shoal__item *item = add_item(batch, verb, key, key_len, error);
    if (item != NULL)
        item->companion = companion;
    return item;
}

/* --- Running --- */

void shoal__batch_blame(shoal_batch *batch, struct shoal__item *item, const struct shoal__fault *fault,
                        const char *node, unsigned attempts) {
    shoal_error **errors = realloc(batch->errors, (batch->error_count + 1) * sizeof(shoal_error *));
    if (errors == NULL)
        return;
    batch->errors = errors;
    errors[batch->error_count] = NULL;
    shoal__error_report(&errors[batch->error_count++], fault, node, attempts);
    item->error = (uint32_t)batch->error_count;
}

/* Room for every key that gets a prefix, at once, as the keys point into it. */
static bool reserve_keys(shoal_batch *batch) {
    const struct shoal__key_rule *rule = &batch->client->key_rule;
    size_t unhashed_max = rule->allows_binary ? SHOAL__BINARY_KEY_MAX : SHOAL__KEY_MAX;
    size_t size = 0;
    for (size_t i = 0; i < batch->count; i++) {
        size_t sent = rule->prefix_len + batch->items[i].command.key_len;
        if (batch->items[i].companion != SHOAL__COMPANION_NONE)
            size += SHOAL__COMPANION_NAME_SIZE;
        else if (rule->prefix_len > 0 || sent > unhashed_max)
            size += sent < SHOAL__KEY_MAX ? sent : SHOAL__KEY_MAX;
    }
    return size == 0 || shoal__buffer_reserve(&batch->keys, size) != NULL;
}

static void set_key(struct shoal__command *command, const struct shoal__key *key) {
    command->key = key->bytes;
    command->key_len = key->size;
    command->key_is_binary = key->is_binary;
}

/* A bad key or a value too large is decided here, and costs only itself. */
static void prepare_item(shoal_batch *batch, struct shoal__item *item, const struct shoal__view *view,
                         int64_t wall_now_s) {
    struct shoal__command *command = &item->command;
    struct shoal__fault fault;
    struct shoal__key key;
    char room[SHOAL__KEY_MAX];
    command->expiry = shoal__expiry_on_wire(item->ttl_s, wall_now_s);
    command->status = shoal__key_make(&batch->client->key_rule, command->key, command->key_len, room, &key, &fault);
    if (command->status == SHOAL_OK)
        command->status = shoal__store_fits(command, batch->client->value_max, &fault);
    if (command->status != SHOAL_OK) {
        shoal__batch_blame(batch, item, &fault, NULL, 0);
        return;
    }
    command->status = SHOAL__UNDECIDED;
    item->node = item->owner = (uint32_t)shoal__key_node(&key, view);
    item->moves = 0;
    set_key(command, &key);
    if (item->companion == SHOAL__COMPANION_NONE) {
        shoal__failover_note_departed(batch->client, view, key.bytes + key.routed_from, key.size - key.routed_from,
                                      command);
    } else {
        char name[SHOAL__COMPANION_NAME_SIZE];
        shoal__companion_name(item->companion, key.bytes, key.size, name);
        memcpy(room, name, sizeof(name));
        key = (struct shoal__key){.bytes = room, .size = sizeof(name)};
    }
    if (key.bytes == room) {
        char *kept = batch->keys.bytes + batch->keys.size;
        memcpy(kept, key.bytes, key.size);
        batch->keys.size += key.size;
        key.bytes = kept;
    }
    set_key(command, &key);
}

static shoal_status sum_up(shoal_batch *batch) {
    shoal_status status = SHOAL_OK;
    for (size_t i = 0; i < batch->count; i++) {
        struct shoal__item *item = &batch->items[i];
        if (item->command.status < 0 &&
            shoal__call_reads_as_miss(batch->client, &item->command, item->command.status)) {
            item->command.status = SHOAL_NOT_FOUND;
            item->error = 0;
        }
        if (item->command.status < 0)
            status = SHOAL_PARTIAL;
    }
    return status;
}

shoal_status shoal_batch_run(shoal_batch *batch, shoal_error **error) {
    struct shoal__fault fault = {0};
    struct shoal__scene scene;
    shoal__error_begin(error);
    if (batch == NULL || batch->ran)
        return shoal__error_fail(error, SHOAL_E_INVALID,
                                 batch ? "the batch ran already: clear it first" : "the batch is NULL");
    shoal_status status = shoal__client_enter(batch->client, &scene, &fault);
    if (status != SHOAL_OK)
        return shoal__error_report(error, &fault, NULL, 0);
    if (!reserve_keys(batch)) {
        shoal__view_release(scene.view);
        return shoal__error_fail(error, SHOAL_E_NO_MEMORY, "out of memory for the keys of %zu items", batch->count);
    }
    int64_t wall_now_s = shoal__wall_now_s();
    for (size_t i = 0; i < batch->count; i++)
        prepare_item(batch, &batch->items[i], scene.view, wall_now_s);
    batch->ran = true;
    status = shoal__batch_run_on(batch, &scene, &fault);
    shoal__view_release(scene.view);
    return status == SHOAL_OK ? sum_up(batch) : shoal__error_report(error, &fault, NULL, 0);
}

/* --- Reading --- */

size_t shoal_batch_count(const shoal_batch *batch) {
    return batch ? batch->count : 0;
}

static const struct shoal__item *item_at(const shoal_batch *batch, size_t index) {
    return batch && batch->ran && index < batch->count ? &batch->items[index] : NULL;
}

shoal_status shoal_batch_status(const shoal_batch *batch, size_t index) {
    const struct shoal__item *item = item_at(batch, index);
    return item ? item->command.status : SHOAL_E_INVALID;
}

shoal_status shoal_batch_value(const shoal_batch *batch, size_t index, const void **data, size_t *size, uint32_t *flags,
                               uint64_t *cas) {
    const struct shoal__item *item = item_at(batch, index);
    const shoal_value *value = item ? item->command.found : NULL;
    if (data != NULL)
        *data = shoal_value_data(value);
    if (size != NULL)
        *size = shoal_value_size(value);
    if (flags != NULL)
        *flags = shoal_value_flags(value);
    if (cas != NULL)
        *cas = shoal_value_cas(value);
    return shoal_batch_status(batch, index);
}

const shoal_error *shoal_batch_error(const shoal_batch *batch, size_t index) {
    const struct shoal__item *item = item_at(batch, index);
    return item && item->error > 0 ? batch->errors[item->error - 1] : NULL;
}

shoal_error *shoal__batch_take_error(shoal_batch *batch, size_t index) {
    const struct shoal__item *item = item_at(batch, index);
    if (item == NULL || item->error == 0)
        return NULL;
    shoal_error *error = batch->errors[item->error - 1];
    batch->errors[item->error - 1] = NULL;
    return error;
}

void shoal_batch_clear(shoal_batch *batch) {
    if (batch == NULL)
        return;
    for (size_t i = 0; i < batch->count; i++)
        shoal_value_free(batch->items[i].command.found);
    for (size_t i = 0; i < batch->error_count; i++)
        shoal_error_free(batch->errors[i]);
    shoal__value_arena_reset(&batch->values);
    batch->count = 0;
    batch->error_count = 0;
    batch->keys.size = 0;
    batch->ran = false;
}

void shoal_batch_free(shoal_batch *batch) {
    if (batch == NULL)
        return;
    shoal_batch_clear(batch);
    shoal__client_release(batch->client);
    if (keep(batch))
        return;
    shoal__value_arena_clear(&batch->values);
    shoal__buffer_clear(&batch->keys);
    free(batch->items);
    free(batch->errors);
    free(batch);
}
