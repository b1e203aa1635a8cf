/* Asking the nodes of a fleet, each through a client of its own.
 * May include: status/ask, report, session, public headers. */
#include "status/ask.h"

#include "report.h"
#include "session.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* How many nodes are asked at the same time, and how often each is timed. */
#define MOST_WORKERS 64
#define SAMPLES 3

static uint64_t now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

double hit_rate(const struct node_state *node) {
    if (node->hits == NOT_TOLD || node->misses == NOT_TOLD || node->hits + node->misses == 0)
        return -1;
    return (double)node->hits / ((double)node->hits + (double)node->misses);
}

static bool has_tls_scheme(const struct arguments *arguments) {
    static const char scheme[] = "elasticaches://";
    return strncasecmp(arguments->operands[0], scheme, sizeof(scheme) - 1) == 0;
}

/* The endpoint of one node alone, with the options that follow the fleet's. The caller's. */
static char *node_endpoint(const struct arguments *arguments, const shoal_node *node, const char *host) {
    const char *query = strchr(arguments->operands[0], '?');
    const char *opening = strchr(host, ':') && host[0] != '/' ? "[" : "", *closing = opening[0] ? "]" : "";
    char port[8] = "";
    if (shoal_node_port(node) != 0)
        snprintf(port, sizeof(port), ":%u", (unsigned)shoal_node_port(node));
    size_t room = strlen(host) + (query ? strlen(query) : 0) + 32;
    char *endpoint = require_memory(malloc(room));
    const char *tls = !has_tls_scheme(arguments) ? "" : query ? "&tls=true" : "?tls=true";
    snprintf(endpoint, room, "static://%s%s%s%s%s%s", opening, host, closing, port, query ? query : "", tls);
    return endpoint;
}

/* The general counters. A node that refuses them, as some proxies do, answers all the same: `is_up` says so. */
static shoal_status read_counters(shoal_client *client, shoal_stats **stats, bool *is_up, shoal_error **error) {
    shoal_stats_free(*stats);
    shoal_status status = shoal_stats_read(client, NULL, stats, error);
    if (status == SHOAL_OK)
        status = shoal_stats_node_status(*stats, 0);
    *is_up = status == SHOAL_OK || status == SHOAL_E_UNSUPPORTED || status == SHOAL_E_SERVER;
    return status;
}

/* From the first error to the words behind "down: ". Stats tell only a status; a get, which fails the same way, has an
 * error that says more. A node that hangs is not made to hang once more for it. */
static void explain(struct node_state *node, uint64_t waited_us, shoal_error **error) {
    if (node->status == SHOAL_E_TIMEOUT) {
        snprintf(node->why, sizeof(node->why), "no answer in %.1f s", (double)waited_us / 1e6);
        return;
    }
    shoal_value *value = NULL;
    if (shoal_error_message(*error)[0] == '\0' && node->client)
        shoal_get(node->client, "shoal", strlen("shoal"), &value, error);
    shoal_value_free(value);
    const char *message = shoal_error_message(*error), *at = shoal_error_node(*error);
    size_t skipped = at ? strlen(at) : 0; /* the message begins with the node, which stands in the line already */
    if (skipped > 0 && strncmp(message, at, skipped) == 0 && strncmp(message + skipped, ": ", 2) == 0)
        message += skipped + 2;
    snprintf(node->why, sizeof(node->why), "%s", message[0] != '\0' ? message : shoal_status_name(node->status));
    for (char *byte = node->why; *byte != '\0'; byte++)
        if ((unsigned char)*byte < 0x20 || *byte == 0x7f)
            *byte = '?';
}

static int compare_times(const void *left, const void *right) {
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

/* The first read finds the address and connects; the median of those behind it is the latency. */
static void measure(struct node_state *node, shoal_stats **stats) {
    uint64_t times_us[SAMPLES + 1] = {0};
    shoal_error *error = NULL;
    node->is_up = true;
    for (int i = 0; node->is_up && i <= SAMPLES; i++) {
        uint64_t before_us = now_us();
        node->status = read_counters(node->client, stats, &node->is_up, &error);
        times_us[i] = now_us() - before_us;
        if (!node->is_up)
            explain(node, times_us[i], &error);
    }
    shoal_error_free(error);
    qsort(times_us + 1, SAMPLES, sizeof(times_us[0]), compare_times);
    node->latency_us = times_us[1 + SAMPLES / 2];
}

static void take_counters(struct node_state *node, const shoal_stats *stats) {
    const struct {
        const char *name;
        uint64_t *number;
    } wanted[] = {
        {"get_hits", &node->hits},        {"get_misses", &node->misses}, {"bytes", &node->used},
        {"limit_maxbytes", &node->limit}, {"curr_items", &node->items},  {"curr_connections", &node->connections},
        {"evictions", &node->evictions},
    };
    for (size_t i = 0; i < shoal_stats_count(stats, 0); i++) {
        const char *name = shoal_stats_name(stats, 0, i), *value = shoal_stats_value(stats, 0, i);
        for (size_t j = 0; j < sizeof(wanted) / sizeof(wanted[0]); j++)
            if (strcmp(name, wanted[j].name) == 0)
                parse_number(value, 0, NOT_TOLD - 1, (int64_t *)wanted[j].number);
        if (strcmp(name, "version") == 0 && value[0] != '\0')
            snprintf(node->version, sizeof(node->version), "%s", value);
    }
    for (char *byte = node->version; *byte != '\0'; byte++)
        if (*byte <= 0x20 || *byte >= 0x7f)
            *byte = '?';
}

static void drop_client(struct node_state *node) {
    shoal_client_free(node->client);
    free(node->endpoint);
    node->client = NULL;
    node->endpoint = NULL;
}

/* Takes the endpoint. False, with the node's status and why, where no client can be made. */
static bool make_client(const struct arguments *arguments, struct node_state *node, char *endpoint) {
    shoal_error *error = NULL;
    drop_client(node);
    node->endpoint = endpoint;
    node->status = session_try(arguments, endpoint, &node->client, &error);
    if (node->status != SHOAL_OK)
        explain(node, 0, &error);
    shoal_error_free(error);
    return node->status == SHOAL_OK;
}

static void ask_client(struct node_state *node) {
    shoal_stats *stats = NULL;
    measure(node, &stats);
    if (node->status == SHOAL_OK)
        take_counters(node, stats);
    shoal_stats_free(stats);
    if (!node->is_up)
        drop_client(node);
}

/* Through a client of the node's own. A ping of one node is not part of the library's API, and the fleet's client would
 * measure the wrong thing: it reads the counters of one node after the other, under one deadline that a node which
 * hangs uses up for those behind it. `stats` is the cheap command, as a get would count as a miss in the hit rate that
 * stands beside it. Nothing is shared with the fleet's client, and a client is kept while its node is up, as a
 * connection may cost such a miss too. */
static void ask_at(const struct arguments *arguments, const shoal_node *at, const char *host, struct node_state *node) {
    char *endpoint = node_endpoint(arguments, at, host);
    bool is_kept = node->client && strcmp(node->endpoint, endpoint) == 0;
    if (is_kept) {
        free(endpoint);
        ask_client(node);
        if (node->is_up || node->status == SHOAL_E_TIMEOUT)
            return;
        endpoint = node_endpoint(arguments, at, host); /* it may have been started again meanwhile */
    }
    if (make_client(arguments, node, endpoint))
        ask_client(node);
}

/* As the fleet does it: at the address that discovery gave, and where that cannot be reached, by name. With TLS the
 * name is what the node's certificate bears. */
static void ask_node(const struct arguments *arguments, const shoal_node *at, struct node_state *node) {
    const char *host = shoal_node_host(at), *address = shoal_node_address(at);
    bool by_name = address[0] == '\0' || has_tls_scheme(arguments);
    if (!by_name)
        ask_at(arguments, at, address, node);
    if (by_name || (node->status == SHOAL_E_NODE_DOWN && strcmp(host, address) != 0))
        ask_at(arguments, at, host, node);
}

/* The nodes, dealt out among the workers. */
struct round {
    const struct arguments *arguments;
    const shoal_topology *topology;
    struct fleet_state *fleet;
    atomic_size_t next;
};

static void *work(void *context) {
    struct round *round = context;
    size_t index;
    while ((index = atomic_fetch_add(&round->next, 1)) < round->fleet->count)
        ask_node(round->arguments, shoal_topology_node_at(round->topology, index), &round->fleet->nodes[index]);
    return NULL;
}

/* The client of a node that was in the last list goes over to the new one. */
static void adopt_client(struct node_state *node, struct fleet_state *before) {
    for (size_t i = 0; i < before->count; i++) {
        struct node_state *old = &before->nodes[i];
        if (old->client == NULL || strcmp(old->name, node->name) != 0)
            continue;
        node->client = old->client;
        node->endpoint = old->endpoint;
        old->client = NULL;
        old->endpoint = NULL;
        return;
    }
}

static void take_list(struct fleet_state *fleet, const shoal_topology *topology) {
    static const struct node_state nothing_told = {NULL,     NULL,     NULL,     false,    "",
                                                   SHOAL_OK, "-",      0,        NOT_TOLD, NOT_TOLD,
                                                   NOT_TOLD, NOT_TOLD, NOT_TOLD, NOT_TOLD, NOT_TOLD};
    struct fleet_state fresh = {.version = shoal_topology_version(topology),
                                .count = shoal_topology_node_count(topology)};
    fresh.nodes = require_memory(calloc(fresh.count + 1, sizeof(*fresh.nodes)));
    for (size_t i = 0; i < fresh.count; i++) {
        fresh.nodes[i] = nothing_told;
        fresh.nodes[i].name = require_memory(strdup(shoal_node_name(shoal_topology_node_at(topology, i))));
        adopt_client(&fresh.nodes[i], fleet);
    }
    fleet_state_clear(fleet);
    *fleet = fresh;
}

void ask_fleet(const struct arguments *arguments, const shoal_topology *topology, struct fleet_state *fleet) {
    take_list(fleet, topology);
    struct round round = {.arguments = arguments, .topology = topology, .fleet = fleet};
    pthread_t workers[MOST_WORKERS];
    size_t count = 0;
    while (count < MOST_WORKERS && count < fleet->count && pthread_create(&workers[count], NULL, work, &round) == 0)
        count++;
    /* This thread only waits: the library may hold signals back during a call, and Ctrl-C has to reach somebody. */
    if (count == 0)
        work(&round);
    for (size_t i = 0; i < count; i++)
        pthread_join(workers[i], NULL);
    for (size_t i = 0; i < fleet->count; i++)
        fleet->down += !fleet->nodes[i].is_up;
}

void fleet_state_clear(struct fleet_state *fleet) {
    for (size_t i = 0; i < fleet->count; i++) {
        drop_client(&fleet->nodes[i]);
        free(fleet->nodes[i].name);
    }
    free(fleet->nodes);
    *fleet = (struct fleet_state){0};
}
