/* A batch over the keys of the command line.
 * May include: items, report, public headers. */
#include "items.h"

#include "report.h"

#include <string.h>

static shoal_status fill_and_run(const struct arguments *arguments, shoal_batch *batch,
                                 const struct items_command *command, shoal_error **error) {
    shoal_status status = SHOAL_OK;
    for (int i = 1; status == SHOAL_OK && i < arguments->operand_count; i++)
        status = command->add(batch, arguments, arguments->operands[i], error);
    return status == SHOAL_OK ? shoal_batch_run(batch, error) : status;
}

static json_t *describe_item(const shoal_batch *batch, size_t index, const char *key,
                             const struct items_command *command) {
    json_t *object = json_new_object();
    json_put_bytes(object, "key", key, strlen(key));
    shoal_status status = shoal_batch_status(batch, index);
    if (status >= 0) {
        command->describe(batch, index, object);
        return object;
    }
    const char *message = shoal_error_message(shoal_batch_error(batch, index));
    json_put_text(object, "status", shoal_status_name(status));
    json_put_bytes(object, "error", message, strlen(message));
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

/* One line for all that failed, else for all that were missing. */
static int judge_items(const struct arguments *arguments, const shoal_batch *batch) {
    size_t count = shoal_batch_count(batch), failed = 0, missing = 0, first = 0;
    for (size_t i = 0; i < count; i++) {
        shoal_status status = shoal_batch_status(batch, i);
        if (status < 0 && failed++ == 0)
            first = i;
        missing += status > 0;
    }
    if (failed > 0) {
        const char *message = shoal_error_message(shoal_batch_error(batch, first));
        if (message[0] == '\0')
            message = shoal_status_name(shoal_batch_status(batch, first));
        if (count == 1)
            return report(STATUS_ERROR, arguments->command, "%s", message);
        return report(STATUS_ERROR, arguments->command, "%zu of %zu keys failed, the first: %s", failed, count,
                      message);
    }
    if (missing == 0)
        return STATUS_DONE;
    if (count == 1)
        return report(STATUS_OUTCOME, arguments->command, "there is no item under this key");
    return report(STATUS_OUTCOME, arguments->command, "%zu of %zu keys have no item", missing, count);
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
        exit_status = judge_items(arguments, batch);
    }
    shoal_batch_free(batch);
    return exit_status;
}
