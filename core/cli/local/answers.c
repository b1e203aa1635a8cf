/* The words of both sockets.
 * May include: libc, json, connection, fleet. */
#include "local/answers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Nothing in a client depends on it; engines of this version know `config get cluster` and TLS. */
static const char version_answer[] = "VERSION 1.6.12\r\n";

static void answer_text(struct connection *connection, const char *text) {
    connection_answer(connection, text, strlen(text));
}

/* `first` is what stands before the flags: the words CONFIG or VALUE, and the key. */
static void answer_list(struct connection *connection, const struct local_fleet *fleet, const char *first) {
    char payload[LOCAL_PAYLOAD_MAX];
    size_t size = local_fleet_payload(fleet, payload);
    char answer[LOCAL_PAYLOAD_MAX + 128];
    int length = snprintf(answer, sizeof(answer), "%s 0 %zu\r\n%.*s\r\nEND\r\n", first, size, (int)size, payload);
    connection_answer(connection, answer, (size_t)length);
}

void answer_endpoint(struct connection *connection, const struct local_fleet *fleet, const char *line) {
    if (line && strcmp(line, "config get cluster") == 0)
        answer_list(connection, fleet, "CONFIG cluster");
    else if (line && strcmp(line, "get AmazonElastiCache:cluster") == 0)
        answer_list(connection, fleet, "VALUE AmazonElastiCache:cluster");
    else if (line && strcmp(line, "version") == 0)
        answer_text(connection, version_answer);
    else if (line && strcmp(line, "quit") == 0)
        connection->wants_close = true;
    else
        answer_text(connection, "ERROR\r\n");
}

/* Gives the object back. */
static void answer_object(struct connection *connection, json_t *object) {
    char *text = require_memory(json_dumps(object, JSON_COMPACT));
    answer_text(connection, text);
    answer_text(connection, "\n");
    free(text);
    json_decref(object);
}

static void answer_problem(struct connection *connection, const char *text) {
    json_t *object = json_new_object();
    json_put_bytes(object, "problem", text, strlen(text));
    answer_object(connection, object);
}

/* The list as it is now, and under `name` the node that came or went. */
static void answer_change(struct connection *connection, const struct local_fleet *fleet, const char *name,
                          uint16_t port) {
    json_t *object = local_fleet_describe(fleet);
    char node[32];
    snprintf(node, sizeof(node), "127.0.0.1:%u", (unsigned)port);
    json_put_text(object, name, node);
    answer_object(connection, object);
}

static void answer_add(struct connection *connection, struct local_fleet *fleet) {
    struct problem problem;
    connection->awaits = local_fleet_add(fleet, &problem);
    if (connection->awaits == 0)
        answer_problem(connection, problem.text);
}

static void answer_remove(struct connection *connection, struct local_fleet *fleet, unsigned port, unsigned grace_s) {
    struct problem problem;
    uint16_t removed = local_fleet_remove(fleet, (uint16_t)port, (int64_t)grace_s * 1000, &problem);
    if (removed != 0)
        answer_change(connection, fleet, "removed", removed);
    else
        answer_problem(connection, problem.text);
}

void answer_control(struct connection *connection, struct local_fleet *fleet, const char *line, bool *stops) {
    unsigned port, grace_s;
    if (line == NULL) {
        answer_problem(connection, "the line is too long");
    } else if (strcmp(line, "list") == 0) {
        answer_object(connection, local_fleet_describe(fleet));
    } else if (strcmp(line, "add") == 0) {
        answer_add(connection, fleet);
    } else if (sscanf(line, "remove %5u %5u", &port, &grace_s) == 2 && port <= UINT16_MAX) {
        answer_remove(connection, fleet, port, grace_s);
    } else if (strcmp(line, "stop") == 0) {
        connection->wants_close = true;
        *stops = true;
    } else {
        answer_problem(connection, "the running 'shoal local' does not know this request");
    }
}

void answer_awaited(struct connection *connection, const struct local_fleet *fleet) {
    const struct local_node *node = local_fleet_find(fleet, connection->awaits);
    if (node && node->state == LOCAL_STARTING)
        return;
    connection->awaits = 0;
    if (node && local_node_is_listed(node))
        answer_change(connection, fleet, "added", node->port);
    else
        answer_problem(connection, fleet->problem.text);
}

void answer_stopped(struct connection *connection) {
    answer_text(connection, "{\"stopped\":true}\n");
}
