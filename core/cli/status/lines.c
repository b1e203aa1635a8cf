/* The state of a fleet for programs: lines with tabs, and JSON.
 * May include: status/print, json, public headers. */
#include "status/print.h"

#include "json.h"

#include <inttypes.h>
#include <string.h>

static void print_number(FILE *file, uint64_t number) {
    if (number == NOT_TOLD)
        fputs("\t-", file);
    else
        fprintf(file, "\t%" PRIu64, number);
}

static void print_node(FILE *file, const struct node_state *node) {
    if (!node->is_up) {
        fprintf(file, "%s\tdown: %s\t-\t-\t-\t-\t-\t-\t-\t-\n", node->name, node->why);
        return;
    }
    fprintf(file, "%s\tup\t%s\t%.3f", node->name, node->version, (double)node->latency_us / 1000);
    double rate = hit_rate(node);
    if (rate < 0)
        fputs("\t-", file);
    else
        fprintf(file, "\t%.4f", rate);
    print_number(file, node->used);
    print_number(file, node->limit);
    print_number(file, node->items);
    print_number(file, node->connections);
    print_number(file, node->evictions);
    putc('\n', file);
}

void print_state_lines(FILE *file, const struct fleet_state *fleet) {
    for (size_t i = 0; i < fleet->count; i++)
        print_node(file, &fleet->nodes[i]);
}

static void put_number(json_t *object, const char *name, uint64_t number) {
    if (number == NOT_TOLD)
        json_put(object, name, json_null());
    else
        json_put_unsigned(object, name, number);
}

static void put_counters(json_t *object, const struct node_state *node) {
    double rate = hit_rate(node);
    json_put(object, "version", strcmp(node->version, "-") == 0 ? json_null() : json_string(node->version));
    put_number(object, "latency_us", node->latency_us);
    json_put(object, "hit_rate", rate < 0 ? json_null() : json_real(rate));
    put_number(object, "memory_used", node->used);
    put_number(object, "memory_limit", node->limit);
    put_number(object, "items", node->items);
    put_number(object, "connections", node->connections);
    put_number(object, "evictions", node->evictions);
}

void print_state_json(FILE *file, const struct fleet_state *fleet) {
    json_t *nodes = json_new_array();
    for (size_t i = 0; i < fleet->count; i++) {
        const struct node_state *node = &fleet->nodes[i];
        json_t *object = json_new_object();
        json_put_bytes(object, "node", node->name, strlen(node->name));
        json_put_text(object, "state", node->is_up ? "up" : "down");
        if (node->is_up) {
            put_counters(object, node);
        } else {
            json_put_text(object, "status", shoal_status_name(node->status));
            json_put_bytes(object, "error", node->why, strlen(node->why));
        }
        json_append(nodes, object);
    }
    json_t *whole = json_new_object();
    json_put_unsigned(whole, "version", fleet->version);
    json_put(whole, "nodes", nodes);
    json_write(file, whole);
}
