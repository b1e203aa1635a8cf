/* The state of a fleet as a table for a terminal.
 * May include: status/print, status/human, report, terminal. */
#include "report.h"
#include "status/human.h"
#include "status/print.h"
#include "terminal.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum column { NODE, STATE, VERSION, LATENCY, HITS, MEMORY, ITEMS, CONNECTIONS, EVICTED, COLUMN_COUNT };

static const char *const titles[COLUMN_COUNT] = {
    [NODE] = "NODE",     [STATE] = "STATE", [VERSION] = "VERSION",   [LATENCY] = "LATENCY", [HITS] = "HITS",
    [MEMORY] = "MEMORY", [ITEMS] = "ITEMS", [CONNECTIONS] = "CONNS", [EVICTED] = "EVICTED",
};

/* Names are not made shorter than this. */
#define SHORTEST_NAME 12

#define CELL_SIZE 64

struct row {
    char *name;
    char cells[COLUMN_COUNT][CELL_SIZE]; /* but the name */
};

struct table {
    const struct fleet_state *fleet;
    struct row *rows;
    int widths[COLUMN_COUNT]; /* 0: left out */
    int gap;
};

static void put_number(char *cell, uint64_t number, struct human (*shorten)(uint64_t)) {
    snprintf(cell, CELL_SIZE, "%s", number == NOT_TOLD ? "-" : shorten(number).text);
}

static void fill_row(struct row *row, const struct node_state *node) {
    char used[CELL_SIZE], limit[CELL_SIZE];
    row->name = require_memory(strdup(node->name));
    if (!node->is_up)
        return;
    put_number(used, node->used, human_bytes);
    put_number(limit, node->limit, human_bytes);
    snprintf(row->cells[STATE], CELL_SIZE, "up");
    snprintf(row->cells[VERSION], CELL_SIZE, "%s", node->version);
    snprintf(row->cells[LATENCY], CELL_SIZE, "%s", human_time(node->latency_us).text);
    snprintf(row->cells[HITS], CELL_SIZE, "%s", human_share(hit_rate(node)).text);
    snprintf(row->cells[MEMORY], CELL_SIZE, "%.24s/%.24s", used, limit);
    put_number(row->cells[ITEMS], node->items, human_count);
    put_number(row->cells[CONNECTIONS], node->connections, human_count);
    put_number(row->cells[EVICTED], node->evictions, human_count);
}

static const char *cell_text(const struct row *row, int column) {
    return column == NODE ? row->name : row->cells[column];
}

static int total_width(const struct table *table) {
    int width = -table->gap;
    for (int column = 0; column < COLUMN_COUNT; column++)
        width += table->widths[column] > 0 ? table->widths[column] + table->gap : 0;
    return width;
}

static void measure_columns(struct table *table) {
    for (int column = 0; column < COLUMN_COUNT; column++) {
        table->widths[column] = (int)strlen(titles[column]);
        for (size_t i = 0; i < table->fleet->count; i++) {
            int width = (int)strlen(cell_text(&table->rows[i], column));
            if (width > table->widths[column])
                table->widths[column] = width;
        }
    }
}

/* How many bytes at their end all names share, from a dot on: .abc123.use1.cache.amazonaws.com:11211. The end of an
 * address, which holds no letter, does not go without its beginning. */
static size_t shared_ending(const struct table *table) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const char *first = table->rows[0].name;
    size_t length = strlen(first), shared = length;
    for (size_t i = 1; i < table->fleet->count; i++) {
        const char *name = table->rows[i].name;
        size_t other = strlen(name), same = 0;
        while (same < shared && same < other && first[length - 1 - same] == name[other - 1 - same])
            same++;
        shared = same;
    }
    while (shared > 0 && first[length - shared] != '.')
        shared--;
    bool is_domain = strpbrk(first + length - shared, letters) != NULL;
    return table->fleet->count > 1 && first[0] != '/' && is_domain ? shared : 0;
}

/* What all have in common goes first, then the beginnings: the ends tell the nodes of a host or a cluster apart. */
static void shorten_names(struct table *table, size_t width) {
    size_t shared = shared_ending(table);
    for (size_t i = 0; i < table->fleet->count; i++) {
        char *name = table->rows[i].name;
        size_t length = strlen(name) - shared;
        name[length] = '\0';
        if (length <= width)
            continue;
        memmove(name + 2, name + length - (width - 2), width - 2 + 1);
        name[0] = name[1] = '.';
    }
    measure_columns(table);
}

static void fit(struct table *table, int columns) {
    measure_columns(table);
    table->gap = 2;
    if (total_width(table) > columns)
        table->gap = 1;
    int excess = total_width(table) - columns;
    if (excess > 0 && table->widths[NODE] > SHORTEST_NAME) {
        int width = table->widths[NODE] - excess;
        shorten_names(table, (size_t)(width > SHORTEST_NAME ? width : SHORTEST_NAME));
    }
    for (int column = COLUMN_COUNT - 1; column > STATE && total_width(table) > columns; column--)
        table->widths[column] = 0;
}

/* Words to the left, numbers to the right; nothing behind the last. */
static void print_cells(FILE *file, const struct table *table, const char *const *texts,
                        const enum terminal_style *styles) {
    for (int column = 0; column < COLUMN_COUNT && table->widths[column] > 0; column++) {
        bool is_word = column <= VERSION, is_last = column + 1 == COLUMN_COUNT || table->widths[column + 1] == 0;
        int padding = table->widths[column] - (int)strlen(texts[column]);
        fprintf(file, "%*s%s%s%s%*s", (column > 0 ? table->gap : 0) + (is_word ? 0 : padding), "",
                styles[column] == TERMINAL_PLAIN ? "" : terminal_style(styles[column]), texts[column],
                styles[column] == TERMINAL_PLAIN ? "" : terminal_style(TERMINAL_PLAIN),
                is_word && !is_last ? padding : 0, "");
    }
    putc('\n', file);
}

static void print_heading(FILE *file, const struct table *table) {
    enum terminal_style styles[COLUMN_COUNT];
    for (int column = 0; column < COLUMN_COUNT; column++)
        styles[column] = TERMINAL_STRONG;
    print_cells(file, table, titles, styles);
}

static void print_up(FILE *file, const struct table *table, const struct row *row) {
    const enum terminal_style styles[COLUMN_COUNT] = {[STATE] = TERMINAL_GOOD};
    const char *texts[COLUMN_COUNT];
    for (int column = 0; column < COLUMN_COUNT; column++)
        texts[column] = cell_text(row, column);
    print_cells(file, table, texts, styles);
}

static void print_down(FILE *file, const struct table *table, const struct row *row, const char *why, int columns) {
    int room = columns - table->widths[NODE] - table->gap - (int)strlen("down: ");
    fprintf(file, "%-*s%*s%sdown: %.*s%s\n", table->widths[NODE], row->name, table->gap, "",
            terminal_style(TERMINAL_BAD), room > 0 ? room : 0, why, terminal_style(TERMINAL_PLAIN));
}

static void print_rows(FILE *file, const struct table *table, const struct table_room *room) {
    const struct fleet_state *fleet = table->fleet;
    bool all = fleet->count <= room->rows;
    size_t printed = 0;
    for (int pass = 0; pass < (all ? 1 : 2); pass++)
        for (size_t i = 0; i < fleet->count && printed < room->rows; i++) {
            const struct node_state *node = &fleet->nodes[i];
            if (!all && node->is_up != (pass == 1))
                continue;
            printed++;
            if (node->is_up)
                print_up(file, table, &table->rows[i]);
            else
                print_down(file, table, &table->rows[i], node->why, room->is_fixed ? (int)room->columns : INT_MAX);
        }
}

void print_state_table(FILE *file, const struct fleet_state *fleet, const struct table_room *room) {
    struct table table = {.fleet = fleet};
    table.rows = require_memory(calloc(fleet->count + 1, sizeof(*table.rows)));
    for (size_t i = 0; i < fleet->count; i++)
        fill_row(&table.rows[i], &fleet->nodes[i]);
    fit(&table, (int)room->columns);
    print_heading(file, &table);
    print_rows(file, &table, room);
    for (size_t i = 0; i < fleet->count; i++)
        free(table.rows[i].name);
    free(table.rows);
}
