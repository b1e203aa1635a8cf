/* A batch over the keys of the command line.
 * May include: items, report, public headers. */
#include "items.h"

#include "report.h"

#include <stdio.h>
#include <string.h>

static shoal_status fill_and_run(const struct arguments *arguments, shoal_batch *batch,
                                 const struct items_command *command, shoal_error **error) {
    shoal_status status = SHOAL_OK;
    for (int i = 1; status == SHOAL_OK && i < arguments->operand_count; i++)
        status = command->add(batch, arguments, arguments->operands[i], error);
    return status == SHOAL_OK ? shoal_batch_run(batch, error) : status;
}

json_t *items_describe(const char *key, shoal_status status, const shoal_error *error) {
    json_t *object = json_new_object();
    json_put_bytes(object, "key", key, strlen(key));
    if (status >= 0)
        return object;
    const char *message = shoal_error_message(error);
    json_put_text(object, "status", shoal_status_name(status));
    json_put_bytes(object, "error", message, strlen(message));
    return object;
}

static json_t *describe_item(const shoal_batch *batch, size_t index, const char *key,
                             const struct items_command *command) {
    shoal_status status = shoal_batch_status(batch, index);
    json_t *object = items_describe(key, status, shoal_batch_error(batch, index));
    if (status >= 0)
        command->describe(batch, index, object);
    return object;
}

static void tell_items(const struct arguments *arguments, const shoal_batch *batch,
                       const struct items_command *command) {
    json_t *array = arguments->given & TAKES(OPTION_JSON) ? json_new_array() : NULL;
    for (size_t i = 0; i < shoal_batch_count(batch); i++) {
        const char *key = arguments->operands[i + 1];
        if (array)
            json_append(array, describe_item(batch, i, key, command));
        else if (command->print && shoal_batch_status(batch, i) == SHOAL_OK)
            command->print(batch, i, key);
    }
    if (array)
        json_print(array);
}

void items_count(struct items_tally *tally, shoal_status status, const shoal_error *error) {
    tally->count++;
    tally->missing += status > 0;
    if (status >= 0 || tally->failed++ > 0)
        return;
    const char *message = shoal_error_message(error);
    snprintf(tally->first, sizeof(tally->first), "%s", message[0] != '\0' ? message : shoal_status_name(status));
}

int items_judge(const struct arguments *arguments, const struct items_tally *tally) {
    if (tally->failed > 0 && tally->count == 1)
        return report(STATUS_ERROR, arguments->command, "%s", tally->first);
    if (tally->failed > 0)
        return report(STATUS_ERROR, arguments->command, "%zu of %zu keys failed, the first: %s", tally->failed,
                      tally->count, tally->first);
    if (tally->missing == 0)
        return STATUS_DONE;
    if (tally->count == 1)
        return report(STATUS_OUTCOME, arguments->command, "there is no item under this key");
    return report(STATUS_OUTCOME, arguments->command, "%zu of %zu keys have no item", tally->missing, tally->count);
}

static int judge_batch(const struct arguments *arguments, const shoal_batch *batch) {
    struct items_tally tally = {0};
    for (size_t i = 0; i < shoal_batch_count(batch); i++)
        items_count(&tally, shoal_batch_status(batch, i), shoal_batch_error(batch, i));
    return items_judge(arguments, &tally);
}

int run_items(const struct arguments *arguments, shoal_client *client, const struct items_command *command) {
    shoal_batch *batch = NULL;
    shoal_error *error = NULL;
    shoal_status status = shoal_batch_new(client, &batch, &error);
    if (status == SHOAL_OK)
        status = fill_and_run(arguments, batch, command, &error);
    int exit_status;
    if (status < 0) {
        exit_status = report_error(arguments->command, status, error);
    } else {
        shoal_error_free(error); /* of a partial success: the items tell it better */
        tell_items(arguments, batch, command);
        exit_status = judge_batch(arguments, batch);
    }
    shoal_batch_free(batch);
    return exit_status;
}
