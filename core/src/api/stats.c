/* The nodes' own counters.
 * May include: base/, logic/, call. */
#include "api/call.h"
#include "base/clock.h"

#include <shoal/stats.h>

#include <stdlib.h>
#include <string.h>

struct row {
    char *name;
    char *value;
};

struct node_stats {
    char *name;
    shoal_status status;
    struct row *rows;
    size_t count;
    size_t capacity;
};

struct shoal_stats {
    size_t node_count;
    struct node_stats nodes[];
};

static bool add_row(void *context, const char *name, size_t name_len, const char *value, size_t value_len) {
    struct node_stats *node = context;
    if (node->count == node->capacity) {
        size_t capacity = node->capacity ? 2 * node->capacity : 64;
        struct row *rows = realloc(node->rows, capacity * sizeof(*rows));
        if (rows == NULL)
            return false;
        node->rows = rows;
        node->capacity = capacity;
    }
    struct row row = {.name = strndup(name, name_len), .value = strndup(value, value_len)};
    if (row.name == NULL || row.value == NULL) {
        free(row.name);
        free(row.value);
        return false;
    }
    node->rows[node->count++] = row;
    return true;
}

static void ask_node(shoal_client *client, struct shoal__pool *pool, const char *group, int64_t deadline_ns,
                     struct node_stats *node) {
    struct shoal__fault ignored;
    unsigned attempts = 0;
    struct shoal__command command = {
        .verb = SHOAL__VERB_STATS,
        .value = group,
        .value_len = group ? strlen(group) : 0,
        .stat_sink = add_row,
        .stat_context = node,
    };
    node->status = shoal__call_node(client, pool, &command, deadline_ns, &ignored, &attempts);
}

static shoal_stats *make_stats(const struct shoal__view *view) {
    size_t count = shoal_topology_node_count(view->topology);
    shoal_stats *stats = calloc(1, sizeof(*stats) + count * sizeof(stats->nodes[0]));
    if (stats == NULL)
        return NULL;
    stats->node_count = count;
    for (size_t i = 0; i < count; i++)
        if ((stats->nodes[i].name = strdup(shoal__pool_name(view->pools[i]))) == NULL) {
            shoal_stats_free(stats);
            return NULL;
        }
    return stats;
}

/* The group goes on the wire as it is: a line end in it would be a command of its own. */
static bool is_word(const char *group) {
    if (group == NULL)
        return true;
    for (const char *at = group; *at != '\0'; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            return false;
    return strlen(group) <= SHOAL__KEY_MAX;
}

shoal_status shoal_stats_read(shoal_client *client, const char *group, shoal_stats **stats, shoal_error **error) {
    struct shoal__fault fault = {0};
    struct shoal__scene scene;
    shoal__error_begin(error);
    if (stats != NULL)
        *stats = NULL;
    if (stats == NULL || !is_word(group))
        return shoal__error_fail(error, SHOAL_E_INVALID,
                                 "stats need a place to put them and a group without control characters");
    shoal_status status = shoal__client_enter(client, &scene, &fault);
    if (status != SHOAL_OK)
        return shoal__error_report(error, &fault, NULL, 0);
    shoal_stats *read = make_stats(scene.view);
    for (size_t i = 0; read != NULL && i < read->node_count; i++)
        ask_node(client, scene.view->pools[i], group,
                 shoal__fair_share(scene.deadline_ns, shoal__now_ns(), read->node_count - i), &read->nodes[i]);
    shoal__view_release(scene.view);
    *stats = read;
    return read ? SHOAL_OK : shoal__error_fail(error, SHOAL_E_NO_MEMORY, "out of memory for the stats");
}

static const struct node_stats *node_at(const shoal_stats *stats, size_t node) {
    static const struct node_stats nothing = {.status = SHOAL_E_INVALID};
    return stats && node < stats->node_count ? &stats->nodes[node] : &nothing;
}

size_t shoal_stats_node_count(const shoal_stats *stats) {
    return stats ? stats->node_count : 0;
}

const char *shoal_stats_node_name(const shoal_stats *stats, size_t node) {
    const char *name = node_at(stats, node)->name;
    return name ? name : "";
}

shoal_status shoal_stats_node_status(const shoal_stats *stats, size_t node) {
    return node_at(stats, node)->status;
}

size_t shoal_stats_count(const shoal_stats *stats, size_t node) {
    return node_at(stats, node)->count;
}

const char *shoal_stats_name(const shoal_stats *stats, size_t node, size_t index) {
    const struct node_stats *at = node_at(stats, node);
    return index < at->count ? at->rows[index].name : "";
}

const char *shoal_stats_value(const shoal_stats *stats, size_t node, size_t index) {
    const struct node_stats *at = node_at(stats, node);
    return index < at->count ? at->rows[index].value : "";
}

void shoal_stats_free(shoal_stats *stats) {
    if (stats == NULL)
        return;
    for (size_t i = 0; i < stats->node_count; i++) {
        for (size_t j = 0; j < stats->nodes[i].count; j++) {
            free(stats->nodes[i].rows[j].name);
            free(stats->nodes[i].rows[j].value);
        }
        free(stats->nodes[i].rows);
        free(stats->nodes[i].name);
    }
    free(stats);
}
