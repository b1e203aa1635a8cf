/* Clients for tests of discovery.
 * May include: libc, the public headers, support/. */
#include "clients.h"

#include "certificates.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE_MS 10000

static void give_up(const char *what, const char *message) {
    fprintf(stderr, "tests: %s: %s\n", what, message);
    abort();
}

static void set_option(shoal_config *config, const char *name, const char *value) {
    shoal_error *error = NULL;
    if (shoal_config_set(config, name, value, &error) != SHOAL_OK)
        give_up(name, shoal_error_message(error));
}

static void set_options(shoal_config *config, char *options) {
    char *rest = options;
    for (char *option = strtok_r(options, "&", &rest); option != NULL; option = strtok_r(NULL, "&", &rest)) {
        char *equals = strchr(option, '=');
        if (equals == NULL)
            give_up(option, "is no name=value");
        *equals = '\0';
        set_option(config, option, equals + 1);
    }
}

bool test_speaks_meta(void) {
    const char *protocol = getenv("SHOAL_TEST_PROTOCOL");
    return protocol == NULL || strcmp(protocol, "libmemcached") != 0;
}

shoal_config *test_config(const char *endpoint) {
    const char *protocol = getenv("SHOAL_TEST_PROTOCOL");
    shoal_config *config = NULL;
    if (shoal_config_new(&config, NULL) != SHOAL_OK)
        give_up("config", "cannot be made");
    if (protocol != NULL)
        set_option(config, "protocol", protocol);
    if (test_speaks_tls()) {
        set_option(config, "tls", "true");
        set_option(config, "tls_ca_file", test_certificate_path("ca", "pem"));
        set_option(config, "connect_timeout_ms", "10000"); /* a handshake is slow under a sanitizer */
    }
    set_option(config, "endpoint", endpoint);
    return config;
}

shoal_client *test_client(const char *endpoint, const char *options) {
    shoal_config *config = test_config(endpoint);
    shoal_client *client = NULL;
    shoal_error *error = NULL;
    char copy[1024];
    if ((size_t)snprintf(copy, sizeof(copy), "%s", options) >= sizeof(copy))
        give_up(options, "too long");
    set_options(config, copy);
    if (shoal_client_new(config, &client, &error) != SHOAL_OK)
        give_up(endpoint, shoal_error_message(error));
    shoal_config_free(config);
    return client;
}

/* --- Which nodes it uses --- */

uint64_t test_version(shoal_client *client) {
    shoal_topology *topology = NULL;
    if (shoal_client_topology(client, &topology, NULL) != SHOAL_OK)
        return UINT64_MAX;
    uint64_t version = shoal_topology_version(topology);
    shoal_topology_free(topology);
    return version;
}

void test_nodes(shoal_client *client, char text[TEST_NODES_SIZE]) {
    shoal_topology *topology = NULL;
    size_t size = 0;
    text[0] = '\0';
    if (shoal_client_topology(client, &topology, NULL) != SHOAL_OK)
        return;
    for (size_t i = 0; i < shoal_topology_node_count(topology) && size < TEST_NODES_SIZE; i++)
        size += (size_t)snprintf(text + size, TEST_NODES_SIZE - size, "%s%s", i ? " " : "",
                                 shoal_node_name(shoal_topology_node_at(topology, i)));
    shoal_topology_free(topology);
}

struct sight {
    shoal_client *client;
    uint64_t version;
    const char *names;
};

static bool has_version(void *context) {
    struct sight *sight = context;
    return test_version(sight->client) == sight->version;
}

bool test_sees_version(shoal_client *client, uint64_t version) {
    struct sight sight = {.client = client, .version = version};
    return test_eventually(has_version, &sight, PATIENCE_MS);
}

static bool has_nodes(void *context) {
    struct sight *sight = context;
    char names[TEST_NODES_SIZE];
    test_nodes(sight->client, names);
    return strcmp(names, sight->names) == 0;
}

bool test_sees_nodes(shoal_client *client, const char *names) {
    struct sight sight = {.client = client, .names = names};
    return test_eventually(has_nodes, &sight, PATIENCE_MS);
}

void test_route(shoal_client *client, const char *key, char name[300]) {
    shoal_node *node = NULL;
    shoal_route(client, key, strlen(key), &node, NULL);
    snprintf(name, 300, "%s", shoal_node_name(node));
    shoal_node_free(node);
}

/* --- Calls --- */

shoal_status test_read(shoal_client *client, const char *key, char message[TEST_MESSAGE_SIZE]) {
    shoal_value *value = NULL;
    shoal_error *error = NULL;
    shoal_status status = shoal_get(client, key, strlen(key), &value, &error);
    if (message != NULL)
        snprintf(message, TEST_MESSAGE_SIZE, "%s", shoal_error_message(error));
    shoal_value_free(value);
    shoal_error_free(error);
    return status;
}

static bool stores_and_reads(shoal_client *client, const char *key) {
    shoal_value *value = NULL;
    bool fine = shoal_set(client, key, strlen(key), key, strlen(key), 60, NULL) == SHOAL_OK &&
                shoal_get(client, key, strlen(key), &value, NULL) == SHOAL_OK &&
                shoal_value_size(value) == strlen(key) && memcmp(shoal_value_data(value), key, strlen(key)) == 0;
    shoal_value_free(value);
    return fine;
}

bool test_works(shoal_client *client) {
    for (int i = 0; i < 20; i++) {
        char key[32];
        snprintf(key, sizeof(key), "works-%d", i);
        if (!stores_and_reads(client, key))
            return false;
    }
    return true;
}

/* --- Events --- */

unsigned test_count_events(shoal_client *client, int kind) {
    unsigned count = 0;
    shoal_event *event = NULL;
    while (shoal_client_next_event(client, &event, NULL) == SHOAL_OK) {
        count += shoal_event_kind(event) == kind;
        shoal_event_free(event);
    }
    return count;
}

struct hope {
    shoal_client *client;
    int kind;
    char message[TEST_MESSAGE_SIZE];
};

static bool event_came(void *context) {
    struct hope *hope = context;
    shoal_event *event = NULL;
    bool came = false;
    while (!came && shoal_client_next_event(hope->client, &event, NULL) == SHOAL_OK) {
        came = shoal_event_kind(event) == hope->kind;
        if (came)
            snprintf(hope->message, sizeof(hope->message), "%s", shoal_event_message(event));
        shoal_event_free(event);
    }
    return came;
}

bool test_meets_event(shoal_client *client, int kind, char message[TEST_MESSAGE_SIZE]) {
    struct hope hope = {.client = client, .kind = kind};
    bool came = test_eventually(event_came, &hope, PATIENCE_MS);
    if (message != NULL)
        snprintf(message, TEST_MESSAGE_SIZE, "%s", hope.message);
    return came;
}

/* --- Polls --- */

struct count {
    const struct test_endpoint *endpoint;
    unsigned polls;
};

static bool polls_came(void *context) {
    struct count *count = context;
    return test_endpoint_polls(count->endpoint) >= count->polls;
}

bool test_polls_reach(const struct test_endpoint *endpoint, unsigned polls) {
    struct count count = {endpoint, polls};
    return test_eventually(polls_came, &count, PATIENCE_MS);
}

bool test_polled(const struct test_endpoint *endpoint, unsigned more) {
    return test_polls_reach(endpoint, test_endpoint_polls(endpoint) + more);
}
