/* Faults and error objects.
 * May include: base/ and public headers. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct shoal_error {
    shoal_status status;
    int os_error;
    unsigned attempts;
    bool outcome_unknown;
    char *node;
    char *message;
};

/* Given out where there is no memory for a better one; never freed. */
static shoal_error out_of_memory = {
    .status = SHOAL_E_NO_MEMORY,
    .message = (char *)"out of memory: free some and call again",
};

static void format_text(struct shoal__fault *fault, const char *format, va_list arguments) {
    vsnprintf(fault->text, sizeof(fault->text), format, arguments);
}

shoal_status shoal__fault_set(struct shoal__fault *fault, shoal_status status, const char *format, ...) {
    if (fault == NULL)
        return status;
    va_list arguments;
    va_start(arguments, format);
    format_text(fault, format, arguments);
    va_end(arguments);
    fault->status = status;
    fault->os_error = 0;
    fault->outcome_unknown = false;
    fault->is_local = false;
    fault->is_hard = false;
    return status;
}

shoal_status shoal__fault_set_os(struct shoal__fault *fault, shoal_status status, int os_error, const char *format,
                                 ...) {
    if (fault == NULL)
        return status;
    va_list arguments;
    va_start(arguments, format);
    format_text(fault, format, arguments);
    va_end(arguments);
    char reason[96];
    /* The XSI form, which POSIX asks for, as GNU's may return another string than the buffer. */
    const char *told = strerror_r(os_error, reason, sizeof(reason)) == 0 ? reason : "unknown error";
    size_t used = strlen(fault->text);
    snprintf(fault->text + used, sizeof(fault->text) - used, ": %s", told);
    fault->status = status;
    fault->os_error = os_error;
    fault->outcome_unknown = false;
    fault->is_local = false;
    fault->is_hard = false;
    return status;
}

void shoal__error_begin(shoal_error **error) {
    if (error == NULL)
        return;
    shoal_error_free(*error);
    *error = NULL;
}

/* "NODE: what was wrong", as a message without its place helps nobody. */
static char *make_message(const char *text, const char *node) {
    if (node == NULL)
        return strdup(text);
    size_t size = strlen(node) + strlen(text) + sizeof(": ");
    char *message = malloc(size);
    if (message != NULL)
        snprintf(message, size, "%s: %s", node, text);
    return message;
}

static shoal_error *error_new(const struct shoal__fault *fault, const char *node, unsigned attempts) {
    shoal_error *error = calloc(1, sizeof(*error));
    if (error == NULL)
        return &out_of_memory;
    error->status = fault->status;
    error->os_error = fault->os_error;
    error->attempts = attempts;
    error->outcome_unknown = fault->outcome_unknown;
    error->message = make_message(fault->text, node);
    error->node = node ? strdup(node) : NULL;
    if (error->message == NULL || (node && error->node == NULL)) {
        shoal_error_free(error);
        return &out_of_memory;
    }
    return error;
}

shoal_status shoal__error_report(shoal_error **error, const struct shoal__fault *fault, const char *node,
                                 unsigned attempts) {
    if (error != NULL)
        *error = error_new(fault, node, attempts);
    return fault->status;
}

shoal_status shoal__error_fail(shoal_error **error, shoal_status status, const char *format, ...) {
    struct shoal__fault fault = {.status = status};
    va_list arguments;
    va_start(arguments, format);
    format_text(&fault, format, arguments);
    va_end(arguments);
    return shoal__error_report(error, &fault, NULL, 0);
}

bool shoal__fault_blames_node(const struct shoal__fault *fault) {
    bool was_spoken_to =
        fault->status == SHOAL_E_TIMEOUT || fault->status == SHOAL_E_NODE_DOWN || fault->status == SHOAL_E_PROTOCOL;
    return was_spoken_to && !fault->is_local;
}

bool shoal__status_is_retriable(shoal_status status) {
    switch (status) {
    case SHOAL_E_TIMEOUT:
    case SHOAL_E_NODE_DOWN:
    case SHOAL_E_DISCOVERY:
    case SHOAL_E_PROTOCOL:
    case SHOAL_E_SERVER:
    case SHOAL_E_SYSTEM:
    case SHOAL_E_NO_MEMORY:
        return true;
    default:
        return false;
    }
}

shoal_status shoal_error_status(const shoal_error *error) {
    return error ? error->status : SHOAL_OK;
}

const char *shoal_error_message(const shoal_error *error) {
    return error ? error->message : "";
}

const char *shoal_error_node(const shoal_error *error) {
    return error ? error->node : NULL;
}

int shoal_error_errno(const shoal_error *error) {
    return error ? error->os_error : 0;
}

unsigned shoal_error_attempts(const shoal_error *error) {
    return error ? error->attempts : 0;
}

int shoal_error_is_retriable(const shoal_error *error) {
    return error && shoal__status_is_retriable(error->status);
}

int shoal_error_is_outcome_unknown(const shoal_error *error) {
    return error && error->outcome_unknown;
}

void shoal_error_free(shoal_error *error) {
    if (error == NULL || error == &out_of_memory)
        return;
    free(error->node);
    free(error->message);
    free(error);
}
