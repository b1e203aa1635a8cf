/* Commands on several keys: a batch, told key by key, and how such commands end.
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

/* --- For a command that asks for its keys one by one --- */

/* What became of the keys so far; begins as {0}. */
struct items_tally {
    size_t count;
    size_t failed;
    size_t missing;
    char first[640]; /* why the first failed */
};

void items_count(struct items_tally *tally, shoal_status status, const shoal_error *error);

/* One line for all that failed, else for all that were missing. Returns the exit status. */
int items_judge(const struct arguments *arguments, const struct items_tally *tally);

/* An object with the key, and with what failed where the status says so. */
json_t *items_describe(const char *key, shoal_status status, const shoal_error *error);

#endif
