/* What the server knows of items, key by key: batches do not ask for it.
 * May include: metadata, items, json, report, public headers. Called by get. */
#include "metadata.h"

#include "items.h"
#include "json.h"
#include "report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define FOR_EVER (-1) /* a ttl of shoal_value_ttl_s */

static void print_seconds(const char *key, const char *name, int64_t seconds) {
    if (seconds == SHOAL_UNKNOWN)
        printf("%s\t%s\tunknown\n", key, name);
    else if (seconds == FOR_EVER)
        printf("%s\t%s\tforever\n", key, name);
    else
        printf("%s\t%s\t%" PRId64 "\n", key, name, seconds);
}

static void print_metadata(const char *key, const shoal_value *value) {
    int was_read = shoal_value_was_read(value);
    printf("%s\tsize\t%zu\n", key, shoal_value_size(value));
    printf("%s\tflags\t%" PRIu32 "\n", key, shoal_value_flags(value));
    printf("%s\tcas\t%" PRIu64 "\n", key, shoal_value_cas(value));
    print_seconds(key, "ttl", shoal_value_ttl_s(value));
    print_seconds(key, "idle", shoal_value_idle_s(value));
    printf("%s\tread\t%s\n", key, was_read < 0 ? "unknown" : was_read ? "yes" : "no");
}

static void put_seconds(json_t *object, const char *name, int64_t seconds) {
    if (seconds == SHOAL_UNKNOWN)
        json_put(object, name, json_null());
    else if (seconds == FOR_EVER)
        json_put_text(object, name, "forever");
    else
        json_put(object, name, json_integer(seconds));
}

static void put_metadata(json_t *object, const shoal_value *value) {
    int was_read = shoal_value_was_read(value);
    json_put_unsigned(object, "size", shoal_value_size(value));
    json_put_unsigned(object, "flags", shoal_value_flags(value));
    json_put_unsigned(object, "cas", shoal_value_cas(value));
    put_seconds(object, "ttl", shoal_value_ttl_s(value));
    put_seconds(object, "idle", shoal_value_idle_s(value));
    json_put(object, "read", was_read < 0 ? json_null() : json_boolean(was_read));
}

/* array: NULL for lines. */
static void tell_key(json_t *array, const char *key, shoal_status status, const shoal_value *value,
                     const shoal_error *error) {
    if (array == NULL) {
        if (status == SHOAL_OK)
            print_metadata(key, value);
        return;
    }
    json_t *object = items_describe(key, status, error);
    if (status >= 0)
        json_put(object, "found", json_boolean(status == SHOAL_OK));
    if (status == SHOAL_OK)
        put_metadata(object, value);
    json_append(array, object);
}

/* False where no key can be asked for, as no node is known: that is said once, for all of them. */
static bool ask_for(shoal_client *client, const char *key, json_t *array, struct items_tally *tally,
                    shoal_error **error) {
    shoal_value *value = NULL;
    shoal_status status = shoal_gets(client, key, strlen(key), &value, error);
    if (status == SHOAL_E_DISCOVERY)
        return false;
    tell_key(array, key, status, value, *error);
    items_count(tally, status, *error);
    shoal_value_free(value);
    shoal_error_free(*error);
    *error = NULL;
    return true;
}

int tell_metadata(const struct arguments *arguments, shoal_client *client) {
    json_t *array = arguments->given & TAKES(OPTION_JSON) ? json_new_array() : NULL;
    struct items_tally tally = {0};
    shoal_error *error = NULL;
    for (int i = 1; i < arguments->operand_count; i++)
        if (!ask_for(client, arguments->operands[i], array, &tally, &error)) {
            json_decref(array);
            return report_error(arguments->command, SHOAL_E_DISCOVERY, error);
        }
    if (array)
        json_print(array);
    return items_judge(arguments, &tally);
}
