/* From the command line to a client.
 * May include: session, report, public headers. */
#include "session.h"

#include "report.h"

#include <stdlib.h>
#include <string.h>

/* A person waits longer than a web page: time for one whole discovery poll, and then for the command. */
#define PATIENT_TIMEOUT_MS "3000"

static shoal_status set_pair(shoal_config *config, const char *pair, shoal_error **error) {
    char *name = require_memory(strdup(pair));
    char *equals = strchr(name, '='); /* arguments_parse has seen that it is there */
    *equals = '\0';
    shoal_status status = shoal_config_set(config, name, equals + 1, error);
    free(name);
    return status;
}

/* An option set explicitly would beat the endpoint's own, so a timeout that stands there has to be seen. */
static bool endpoint_sets_timeout(const char *endpoint) {
    const char *query = strchr(endpoint, '?');
    return query && strstr(query, "operation_timeout_ms=");
}

static shoal_status configure(shoal_config *config, const struct arguments *arguments, const char *endpoint,
                              shoal_error **error) {
    shoal_status status = SHOAL_OK;
    if (!endpoint_sets_timeout(endpoint))
        status = shoal_config_set(config, "operation_timeout_ms", PATIENT_TIMEOUT_MS, error);
    for (size_t i = 0; status == SHOAL_OK && i < arguments->library_option_count; i++)
        status = set_pair(config, arguments->library_options[i], error);
    if (status == SHOAL_OK)
        status = shoal_config_set(config, "endpoint", endpoint, error);
    return status;
}

shoal_status session_try(const struct arguments *arguments, const char *endpoint, shoal_client **client,
                         shoal_error **error) {
    *client = NULL;
    shoal_config *config = NULL;
    shoal_status status = shoal_config_new(&config, error);
    if (status == SHOAL_OK)
        status = configure(config, arguments, endpoint, error);
    if (status == SHOAL_OK)
        status = shoal_client_new(config, client, error);
    shoal_config_free(config);
    return status;
}

int session_open(const struct arguments *arguments, shoal_client **client) {
    shoal_error *error = NULL;
    shoal_status status = session_try(arguments, arguments->operands[0], client, &error);
    return status == SHOAL_OK ? STATUS_DONE : report_error(arguments->command, status, error);
}
