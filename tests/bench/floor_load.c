/* Keys and values to measure with.
 * May include: floor_load. Called by floor.c, floor_*.c and calls.c. */
#include "floor_load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void give_up(const char *what) {
    fprintf(stderr, "bench: %s\n", what);
    exit(1);
}

static void *allocate(size_t size) {
    void *memory = malloc(size);
    if (memory == NULL)
        give_up("out of memory");
    return memset(memory, 'v', size); /* written to, so that no page is missing later */
}

struct load load_new(size_t count, size_t value_size) {
    struct load load = {.count = count, .value_size = value_size};
    load.keys = allocate(count * sizeof(*load.keys));
    load.values = allocate(count * value_size);
    load.results = allocate(count * value_size);
    load.done = allocate(count * sizeof(*load.done));
    for (size_t i = 0; i < count; i++) {
        struct load_key *key = &load.keys[i];
        /* Keys of values of another size are others. */
        key->size = (size_t)snprintf(key->text, sizeof(key->text), "%c:%zu", value_size > 1000 ? 'L' : 'k', i);
        memcpy(load_value(&load, i), key->text, key->size);
    }
    return load;
}

void load_clear(struct load *load) {
    free(load->keys);
    free(load->values);
    free(load->results);
    free(load->done);
}

char *load_value(const struct load *load, size_t index) {
    return load->values + index * load->value_size;
}

char *load_result(const struct load *load, size_t index) {
    return load->results + index * load->value_size;
}
