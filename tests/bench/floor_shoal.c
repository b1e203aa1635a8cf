/* Shoal's side of the comparison. What it reads stays in its values, which are looked at one by one.
 * May include: floor_load, floor_shoal, public headers. Called by floor.c and calls.c. */
#include "floor_shoal.h"

#include <shoal/shoal.h>

#include <stdlib.h>
#include <string.h>

struct ours {
    shoal_client *client;
    shoal_batch *batch;
};

struct ours *ours_new(const char *endpoint, const char *protocol) {
    struct ours *ours = calloc(1, sizeof(*ours));
    shoal_config *config = NULL;
    if (ours == NULL || shoal_config_new(&config, NULL) != SHOAL_OK ||
        shoal_config_set(config, "endpoint", endpoint, NULL) != SHOAL_OK ||
        shoal_config_set(config, "protocol", protocol, NULL) != SHOAL_OK ||
        shoal_config_set(config, "operation_timeout_ms", "60000", NULL) != SHOAL_OK ||
        shoal_client_new(config, &ours->client, NULL) != SHOAL_OK ||
        shoal_batch_new(ours->client, &ours->batch, NULL) != SHOAL_OK)
        give_up("no client");
    shoal_config_free(config);
    return ours;
}

void ours_free(struct ours *ours) {
    shoal_batch_free(ours->batch);
    shoal_client_free(ours->client);
    free(ours);
}

void ours_get(struct ours *ours, struct load *load) {
    shoal_value *found = NULL;
    if (shoal_get(ours->client, load->keys[0].text, load->keys[0].size, &found, NULL) != SHOAL_OK ||
        shoal_value_size(found) != load->value_size)
        give_up("a get failed");
    shoal_value_free(found);
}

void ours_set(struct ours *ours, struct load *load) {
    if (shoal_set(ours->client, load->keys[0].text, load->keys[0].size, load_value(load, 0), load->value_size, 0,
                  NULL) != SHOAL_OK)
        give_up("a set failed");
}

static void read_all(struct ours *ours, const struct load *load) {
    for (size_t i = 0; i < load->count; i++)
        shoal_batch_get(ours->batch, load->keys[i].text, load->keys[i].size, NULL);
    if (shoal_batch_run(ours->batch, NULL) != SHOAL_OK)
        give_up("a batch of gets failed");
}

void ours_get_many(struct ours *ours, struct load *load) {
    read_all(ours, load);
    for (size_t i = 0; i < load->count; i++) {
        const void *data;
        size_t size;
        if (shoal_batch_value(ours->batch, i, &data, &size, NULL, NULL) != SHOAL_OK || size != load->value_size)
            give_up("a value is missing");
    }
    shoal_batch_clear(ours->batch);
}

void ours_set_many(struct ours *ours, struct load *load) {
    for (size_t i = 0; i < load->count; i++)
        shoal_batch_store(ours->batch, SHOAL_SET, load->keys[i].text, load->keys[i].size, load_value(load, i),
                          load->value_size, 0, 0, 0, NULL);
    if (shoal_batch_run(ours->batch, NULL) != SHOAL_OK)
        give_up("a batch of sets failed");
    for (size_t i = 0; i < load->count; i++)
        if (shoal_batch_status(ours->batch, i) != SHOAL_OK)
            give_up("a key was not stored");
    shoal_batch_clear(ours->batch);
}

void ours_check(struct ours *ours, const struct load *load) {
    read_all(ours, load);
    for (size_t i = 0; i < load->count; i++) {
        const void *data;
        size_t size;
        if (shoal_batch_value(ours->batch, i, &data, &size, NULL, NULL) != SHOAL_OK || size != load->value_size ||
            memcmp(data, load_value(load, i), size) != 0)
            give_up("Shoal does not find what the floor stored");
    }
    shoal_batch_clear(ours->batch);
}
