/* The batch handle: adding items, running them, reading what came.
 * May include: base/, logic/, net/, client, batch, store_check. */
#include "api/batch.h"

#include "api/call.h"
#include "api/store_check.h"
#include "base/clock.h"
#include "logic/expiry.h"

#include <stdlib.h>
#include <string.h>

shoal_status shoal_batch_new(shoal_client *client, shoal_batch **batch, shoal_error **error) {
    shoal__error_begin(error);
    if (batch != NULL)
        *batch = NULL;
    if (client == NULL || batch == NULL)
        return shoal__error_fail(error, SHOAL_E_INVALID,
                                 "a batch needs a client and a place to put it: neither may be NULL");
    *batch = calloc(1, sizeof(**batch));
    if (*batch == NULL)
        return shoal__error_fail(error, SHOAL_E_NO_MEMORY, "out of memory for a batch");
    (*batch)->client = shoal__client_acquire(client);
    return SHOAL_OK;
}

/* --- Adding --- */

static struct shoal__item *new_item(shoal_batch *batch) {
    if (batch->count == batch->capacity) {
        size_t capacity = batch->capacity ? 2 * batch->capacity : 16;
        struct shoal__item *items = realloc(batch->items, capacity * sizeof(*items));
        if (items == NULL)
            return NULL;
        batch->items = items;
        batch->capacity = capacity;
    }
    return &batch->items[batch->count];
}

static shoal_status add_item(shoal_batch *batch, struct shoal__command command, const char *key, size_t key_len,
                             int64_t ttl_s, shoal_error **error) {
    shoal__error_begin(error);
    if (batch == NULL || batch->ran)
        return shoal__error_fail(error, SHOAL_E_INVALID,
                                 batch ? "the batch ran already: clear it before adding to it" : "the batch is NULL");
    if (batch->count >= UINT32_MAX - 1)
        return shoal__error_fail(error, SHOAL_E_INVALID, "the batch is full: run it and begin another");
    struct shoal__item *item = new_item(batch);
    if (item == NULL)
        return shoal__error_fail(error, SHOAL_E_NO_MEMORY, "out of memory for item %zu of a batch", batch->count);
    command.key = key;
    command.key_len = key_len;
    command.status = SHOAL__UNDECIDED;
    *item = (struct shoal__item){.command = command, .ttl_s = ttl_s};
    batch->count++;
    return SHOAL_OK;
}

shoal_status shoal_batch_get(shoal_batch *batch, const char *key, size_t key_len, shoal_error **error) {
    struct shoal__command command = {.verb = SHOAL__VERB_GET};
    return add_item(batch, command, key, key_len, 0, error);
}

shoal_status shoal_batch_store(shoal_batch *batch, int mode, const char *key, size_t key_len, const void *value,
                               size_t value_len, uint32_t flags, int64_t ttl_s, uint64_t cas, shoal_error **error) {
    struct shoal__fault fault = {0};
    struct shoal__command command = {
        .verb = SHOAL__VERB_STORE,
        .mode = mode,
        .value = value,
        .value_len = value_len,
        .flags = flags,
        .cas = cas,
    };
    if (shoal__store_check(&command, &fault) != SHOAL_OK) {
        shoal__error_begin(error);
        return shoal__error_report(error, &fault, NULL, 0);
    }
    return add_item(batch, command, key, key_len, ttl_s, error);
}

shoal_status shoal_batch_delete(shoal_batch *batch, const char *key, size_t key_len, shoal_error **error) {
    struct shoal__command command = {.verb = SHOAL__VERB_DELETE};
    return add_item(batch, command, key, key_len, 0, error);
}

shoal_status shoal_batch_touch(shoal_batch *batch, const char *key, size_t key_len, int64_t ttl_s,
                               shoal_error **error) {
    struct shoal__command command = {.verb = SHOAL__VERB_TOUCH};
    return add_item(batch, command, key, key_len, ttl_s, error);
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
    size_t size = 0;
    for (size_t i = 0; i < batch->count; i++) {
        size_t sent = rule->prefix_len + batch->items[i].command.key_len;
        if (rule->prefix_len > 0 || sent > SHOAL__KEY_MAX)
            size += sent < SHOAL__KEY_MAX ? sent : SHOAL__KEY_MAX;
    }
    return size == 0 || shoal__buffer_reserve(&batch->keys, size) != NULL;
}

/* A bad key or a value too large is decided here, and costs only itself. */
static void prepare_item(shoal_batch *batch, struct shoal__item *item, const struct shoal__view *view,
                         int64_t wall_now_s) {
    struct shoal__command *command = &item->command;
    struct shoal__fault fault = {0};
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
    item->node = (uint32_t)shoal__key_node(&key, view);
    if (key.bytes == room) {
        char *kept = batch->keys.bytes + batch->keys.size;
        memcpy(kept, key.bytes, key.size);
        batch->keys.size += key.size;
        key.bytes = kept;
    }
    command->key = key.bytes;
    command->key_len = key.size;
    command->key_is_binary = key.is_binary;
}

static shoal_status sum_up(shoal_batch *batch) {
    shoal_status status = SHOAL_OK;
    for (size_t i = 0; i < batch->count; i++) {
        struct shoal__item *item = &batch->items[i];
        if (shoal__call_reads_as_miss(batch->client, &item->command, item->command.status)) {
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

void shoal_batch_clear(shoal_batch *batch) {
    if (batch == NULL)
        return;
    for (size_t i = 0; i < batch->count; i++)
        shoal_value_free(batch->items[i].command.found);
    for (size_t i = 0; i < batch->error_count; i++)
        shoal_error_free(batch->errors[i]);
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
    shoal__buffer_clear(&batch->keys);
    free(batch->items);
    free(batch->errors);
    free(batch);
}
