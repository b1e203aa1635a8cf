/* Commands on several keys: a batch, told key by key.
 * May include: arguments, json, public headers. Called by get, delete and touch. */
#ifndef SHOAL_CLI_ITEMS_H
#define SHOAL_CLI_ITEMS_H

#include "arguments.h"
#include "json.h"

#include <shoal/shoal.h>

/* Runs a batch over the keys (all operands but the first). `add` adds one key; `print` tells one item that was done
 * as text, `describe` fills the object of one that was done or missing; print may be NULL. */
struct items_command {
    shoal_status (*add)(shoal_batch *batch, const struct arguments *arguments, const char *key, shoal_error **error);
    void (*print)(const shoal_batch *batch, size_t index, const char *key);
    void (*describe)(const shoal_batch *batch, size_t index, json_t *object);
};

/* Returns the exit status, after one line on stderr where it is not STATUS_DONE. */
int run_items(const struct arguments *arguments, shoal_client *client, const struct items_command *command);

#endif
