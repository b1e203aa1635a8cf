/* `shoal get`: one value as it is, or several as lines or JSON.
 * May include: commands, items, json, metadata, report, session, public headers. */
#include "commands.h"
#include "items.h"
#include "json.h"
#include "metadata.h"
#include "report.h"
#include "session.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The escape of a byte that has one of its own, else 0. */
static char short_escape(unsigned char byte) {
    switch (byte) {
    case '\\':
        return '\\';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    default:
        return 0;
    }
}

/* One line that printf's %b turns back into the bytes. */
static void print_escaped(const unsigned char *data, size_t size) {
    for (size_t i = 0; i < size; i++) {
        char escape = short_escape(data[i]);
        if (escape != 0)
            printf("\\%c", escape);
        else if (data[i] < 0x20 || data[i] == 0x7f)
            printf("\\0%03o", data[i]);
        else
            putchar(data[i]);
    }
}

static shoal_status add_item(shoal_batch *batch, const struct arguments *arguments, const char *key,
                             shoal_error **error) {
    (void)arguments;
    return shoal_batch_get(batch, key, strlen(key), error);
}

static void print_item(const shoal_batch *batch, size_t index, const char *key) {
    const void *data;
    size_t size;
    uint32_t flags;
    if (shoal_batch_value(batch, index, &data, &size, &flags, NULL) != SHOAL_OK)
        return;
    printf("%s\t%" PRIu32 "\t%zu\t", key, flags, size);
    print_escaped(data, size);
    putchar('\n');
}

static void describe_item(const shoal_batch *batch, size_t index, json_t *object) {
    const void *data;
    size_t size;
    uint32_t flags;
    uint64_t cas;
    bool found = shoal_batch_value(batch, index, &data, &size, &flags, &cas) == SHOAL_OK;
    json_put(object, "found", json_boolean(found));
    if (!found)
        return;
    json_put_bytes(object, "value", data, size);
    json_put_unsigned(object, "flags", flags);
    json_put_unsigned(object, "cas", cas);
    json_put_unsigned(object, "size", size);
}

static int get_one(const struct arguments *arguments, shoal_client *client) {
    const char *key = arguments->operands[1];
    shoal_value *value = NULL;
    shoal_error *error = NULL;
    shoal_status status = shoal_get(client, key, strlen(key), &value, &error);
    if (status < 0)
        return report_error(arguments->command, status, error);
    if (status > 0)
        return report(STATUS_OUTCOME, arguments->command, "there is no item under this key");
    fwrite(shoal_value_data(value), 1, shoal_value_size(value), stdout);
    shoal_value_free(value);
    return STATUS_DONE;
}

int run_get(const struct arguments *arguments) {
    static const struct items_command several = {add_item, print_item, describe_item};
    shoal_client *client;
    int exit_status = session_open(arguments, &client);
    if (exit_status != STATUS_DONE)
        return exit_status;
    if (arguments->given & TAKES(OPTION_META))
        exit_status = tell_metadata(arguments, client);
    else if (arguments->operand_count == 2 && !(arguments->given & TAKES(OPTION_JSON)))
        exit_status = get_one(arguments, client);
    else
        exit_status = run_items(arguments, client, &several);
    shoal_client_free(client);
    return exit_status;
}
