/* `shoal set`, `shoal delete`, `shoal touch` and `shoal increment`: what changes items.
 * May include: commands, items, json, report, session, public headers. */
#include "commands.h"
#include "items.h"
#include "json.h"
#include "report.h"
#include "session.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The largest item that memcached can be told to take. */
#define LARGEST_INPUT ((size_t)1 << 30)

struct bytes {
    char *data;
    size_t size;
};

/* Reads standard input to its end. */
static bool read_input(struct bytes *input, struct problem *problem) {
    size_t room = 65536;
    *input = (struct bytes){.data = require_memory(malloc(room))};
    for (;;) {
        ssize_t got = read(STDIN_FILENO, input->data + input->size, room - input->size);
        if (got == 0)
            return true;
        if (got < 0 && errno != EINTR)
            return problem_set(problem, "cannot read standard input: %s", strerror(errno));
        input->size += got > 0 ? (size_t)got : 0;
        if (input->size > LARGEST_INPUT)
            return problem_set(problem, "standard input holds more than 1 GiB, which no memcached takes");
        if (input->size == room)
            input->data = require_memory(realloc(input->data, room *= 2));
    }
}

struct store_mode {
    const char *name;
    int mode;
    const char *refused; /* why nothing was stored */
};

static const struct store_mode store_modes[] = {
    {"set", SHOAL_SET, "not stored"},
    {"add", SHOAL_ADD, "not stored: there is an item under this key"},
    {"replace", SHOAL_REPLACE, "not stored: there is no item under this key"},
    {"append", SHOAL_APPEND, "not stored: there is no item under this key"},
    {"prepend", SHOAL_PREPEND, "not stored: there is no item under this key"},
};

static const struct store_mode *find_mode(const char *name) {
    if (name == NULL)
        return &store_modes[0];
    for (size_t i = 0; i < sizeof(store_modes) / sizeof(store_modes[0]); i++)
        if (strcmp(store_modes[i].name, name) == 0)
            return &store_modes[i];
    return NULL;
}

static int store(const struct arguments *arguments, const struct store_mode *mode, const void *value, size_t size) {
    shoal_client *client;
    int exit_status = session_open(arguments, &client);
    if (exit_status != STATUS_DONE)
        return exit_status;
    const char *key = arguments->operands[1];
    shoal_error *error = NULL;
    shoal_status status =
        shoal_store(client, mode->mode, key, strlen(key), value, size, (uint32_t)arguments->number[OPTION_FLAGS],
                    arguments->number[OPTION_TTL], 0, NULL, &error);
    shoal_client_free(client);
    if (status < 0)
        return report_error(arguments->command, status, error);
    if (arguments->given & TAKES(OPTION_JSON)) {
        json_t *object = json_new_object();
        json_put_bytes(object, "key", key, strlen(key));
        json_put(object, "stored", json_boolean(status == SHOAL_OK));
        json_print(object);
    }
    return status == SHOAL_OK ? STATUS_DONE : report(STATUS_OUTCOME, arguments->command, "%s", mode->refused);
}

int run_set(const struct arguments *arguments) {
    const struct store_mode *mode = find_mode(arguments->text[OPTION_MODE]);
    if (mode == NULL)
        return report_usage(arguments->command, "--mode takes set, add, replace, append or prepend");
    const char *value = arguments->operand_count > 2 ? arguments->operands[2] : "-";
    if (strcmp(value, "-") != 0)
        return store(arguments, mode, value, strlen(value));
    struct bytes input;
    struct problem problem;
    int exit_status = read_input(&input, &problem) ? store(arguments, mode, input.data, input.size)
                                                   : report(STATUS_ERROR, arguments->command, "%s", problem.text);
    free(input.data);
    return exit_status;
}

static shoal_status add_deletion(shoal_batch *batch, const struct arguments *arguments, const char *key,
                                 shoal_error **error) {
    (void)arguments;
    return shoal_batch_delete(batch, key, strlen(key), error);
}

static void describe_deletion(const shoal_batch *batch, size_t index, json_t *object) {
    json_put(object, "deleted", json_boolean(shoal_batch_status(batch, index) == SHOAL_OK));
}

static shoal_status add_touch(shoal_batch *batch, const struct arguments *arguments, const char *key,
                              shoal_error **error) {
    return shoal_batch_touch(batch, key, strlen(key), arguments->number[OPTION_TTL], error);
}

static void describe_touch(const shoal_batch *batch, size_t index, json_t *object) {
    json_put(object, "touched", json_boolean(shoal_batch_status(batch, index) == SHOAL_OK));
}

static int change_items(const struct arguments *arguments, const struct items_command *command) {
    shoal_client *client;
    int exit_status = session_open(arguments, &client);
    if (exit_status == STATUS_DONE)
        exit_status = run_items(arguments, client, command);
    shoal_client_free(client);
    return exit_status;
}

int run_delete(const struct arguments *arguments) {
    static const struct items_command deletion = {add_deletion, NULL, describe_deletion};
    return change_items(arguments, &deletion);
}

/* The time has to be given: for ever, the default elsewhere, is hardly what somebody means who forgot it. */
int run_touch(const struct arguments *arguments) {
    static const struct items_command touch = {add_touch, NULL, describe_touch};
    if (!(arguments->given & TAKES(OPTION_TTL)))
        return report_usage(arguments->command, "it needs --ttl SECONDS");
    return change_items(arguments, &touch);
}

static void print_counter(const struct arguments *arguments, bool found, uint64_t number) {
    const char *key = arguments->operands[1];
    if (arguments->given & TAKES(OPTION_JSON)) {
        json_t *object = json_new_object();
        json_put_bytes(object, "key", key, strlen(key));
        json_put(object, "found", json_boolean(found));
        if (found)
            json_put_unsigned(object, "value", number);
        json_print(object);
    } else if (found) {
        printf("%" PRIu64 "\n", number);
    }
}

int run_increment(const struct arguments *arguments) {
    int64_t delta = 1;
    if (arguments->operand_count > 2 && !parse_number(arguments->operands[2], INT64_MIN, INT64_MAX, &delta))
        return report_usage(arguments->command, "DELTA has to be a whole number of 64 bits");
    shoal_client *client;
    int exit_status = session_open(arguments, &client);
    if (exit_status != STATUS_DONE)
        return exit_status;
    const char *key = arguments->operands[1];
    uint64_t start = (uint64_t)arguments->number[OPTION_INITIAL];
    const uint64_t *initial = arguments->given & TAKES(OPTION_INITIAL) ? &start : NULL;
    uint64_t number = 0;
    shoal_error *error = NULL;
    shoal_status status =
        shoal_increment(client, key, strlen(key), delta, initial, arguments->number[OPTION_TTL], &number, &error);
    shoal_client_free(client);
    if (status < 0)
        return report_error(arguments->command, status, error);
    print_counter(arguments, status == SHOAL_OK, number);
    return status == SHOAL_OK ? STATUS_DONE
                              : report(STATUS_OUTCOME, arguments->command, "there is no item under this key");
}
