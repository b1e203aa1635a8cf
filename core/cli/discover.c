/* `shoal discover` and `shoal route`: which nodes there are, and which of them a key belongs to.
 * May include: commands, json, report, session, public headers. */
#include "commands.h"
#include "json.h"
#include "report.h"
#include "session.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void print_topology(const shoal_topology *topology) {
    printf("version\t%" PRIu64 "\n", shoal_topology_version(topology));
    for (size_t i = 0; i < shoal_topology_node_count(topology); i++) {
        const shoal_node *node = shoal_topology_node_at(topology, i);
        printf("%s\t%s\t%u\n", shoal_node_host(node), shoal_node_address(node), (unsigned)shoal_node_port(node));
    }
}

static void put_node(json_t *object, const shoal_node *node) {
    const char *host = shoal_node_host(node), *address = shoal_node_address(node);
    json_put_bytes(object, "host", host, strlen(host));
    json_put_bytes(object, "address", address, strlen(address));
    json_put_unsigned(object, "port", shoal_node_port(node));
    json_put_unsigned(object, "weight", shoal_node_weight(node));
}

static void print_topology_json(const shoal_topology *topology) {
    json_t *nodes = json_new_array();
    for (size_t i = 0; i < shoal_topology_node_count(topology); i++) {
        json_t *object = json_new_object();
        put_node(object, shoal_topology_node_at(topology, i));
        json_append(nodes, object);
    }
    json_t *whole = json_new_object();
    json_put_unsigned(whole, "version", shoal_topology_version(topology));
    json_put(whole, "nodes", nodes);
    json_print(whole);
}

int run_discover(const struct arguments *arguments) {
    shoal_client *client;
    int exit_status = session_open(arguments, &client);
    if (exit_status != STATUS_DONE)
        return exit_status;
    shoal_topology *topology = NULL;
    shoal_error *error = NULL;
    shoal_status status = shoal_client_topology(client, &topology, &error);
    if (status != SHOAL_OK)
        exit_status = report_error(arguments->command, status, error);
    else if (arguments->given & TAKES(OPTION_JSON))
        print_topology_json(topology);
    else
        print_topology(topology);
    shoal_topology_free(topology);
    shoal_client_free(client);
    return exit_status;
}

static void tell_route(const char *key, const shoal_node *node, json_t *array) {
    const char *name = shoal_node_name(node);
    if (array == NULL) {
        printf("%s\t%s\n", key, name);
        return;
    }
    json_t *object = json_new_object();
    json_put_bytes(object, "key", key, strlen(key));
    json_put_bytes(object, "node", name, strlen(name));
    json_append(array, object);
}

int run_route(const struct arguments *arguments) {
    shoal_client *client;
    int exit_status = session_open(arguments, &client);
    json_t *array = arguments->given & TAKES(OPTION_JSON) ? json_new_array() : NULL;
    for (int i = 1; exit_status == STATUS_DONE && i < arguments->operand_count; i++) {
        const char *key = arguments->operands[i];
        shoal_node *node = NULL;
        shoal_error *error = NULL;
        shoal_status status = shoal_route(client, key, strlen(key), &node, &error);
        if (status == SHOAL_OK)
            tell_route(key, node, array);
        else
            exit_status = report_error(arguments->command, status, error);
        shoal_node_free(node);
    }
    if (array && exit_status == STATUS_DONE)
        json_print(array);
    else
        json_decref(array);
    shoal_client_free(client);
    return exit_status;
}
