/* `shoal status`: how each node is, once or again and again.
 * May include: commands, report, session, terminal, status/, public headers. */
#include "commands.h"
#include "report.h"
#include "session.h"
#include "status/ask.h"
#include "status/live.h"
#include "status/print.h"
#include "terminal.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define INTERVAL_S 2

static bool wants_json(const struct arguments *arguments) {
    return (arguments->given & TAKES(OPTION_JSON)) != 0;
}

/* The client ends with the question: the nodes are to be asked by clients that share nothing with it, and the next
 * turn has to see a list that is new by then. */
static shoal_status read_topology(const struct arguments *arguments, shoal_topology **topology, shoal_error **error) {
    shoal_client *client;
    *topology = NULL;
    shoal_status status = session_try(arguments, arguments->operands[0], &client, error);
    if (status == SHOAL_OK)
        status = shoal_client_topology(client, topology, error);
    shoal_client_free(client);
    return status;
}

static int judge(const struct arguments *arguments, const struct fleet_state *fleet) {
    size_t first = 0;
    if (fleet->down == 0)
        return STATUS_DONE;
    while (fleet->nodes[first].is_up)
        first++;
    const struct node_state *node = &fleet->nodes[first];
    if (fleet->down == 1)
        return report(STATUS_ERROR, arguments->command, "1 of %zu nodes is down: %s: %s", fleet->count, node->name,
                      node->why);
    return report(STATUS_ERROR, arguments->command, "%zu of %zu nodes are down, the first: %s: %s", fleet->down,
                  fleet->count, node->name, node->why);
}

static int show_once(const struct arguments *arguments, const struct fleet_state *fleet) {
    const struct table_room room = {.columns = terminal_columns(), .rows = fleet->count};
    if (wants_json(arguments))
        print_state_json(stdout, fleet);
    else if (terminal_is_there())
        print_state_table(stdout, fleet, &room);
    else
        print_state_lines(stdout, fleet);
    return fflush(stdout) == 0 ? judge(arguments, fleet) : STATUS_ERROR; /* main tells why */
}

/* What stands below the table while it is watched. */
static void print_footer(FILE *file, const struct fleet_state *fleet, int64_t interval_s, const char *trouble,
                         const struct table_room *room) {
    char line[512], now[16] = "";
    time_t seconds = time(NULL);
    struct tm parts;
    if (localtime_r(&seconds, &parts) != NULL)
        strftime(now, sizeof(now), "%H:%M:%S", &parts);
    int used = snprintf(line, sizeof(line), "%s  %zu node%s, %zu down", now, fleet->count, fleet->count == 1 ? "" : "s",
                        fleet->down);
    if (fleet->count > room->rows)
        used += snprintf(line + used, sizeof(line) - (size_t)used, ", %zu not shown", fleet->count - room->rows);
    if (trouble[0] != '\0')
        snprintf(line + used, sizeof(line) - (size_t)used, "; the list may be old: %s", trouble);
    else
        snprintf(line + used, sizeof(line) - (size_t)used, "; every %lld s, Ctrl-C ends", (long long)interval_s);
    fprintf(file, "%.*s\n", (int)room->columns, line);
}

/* The heading, the footer and the cursor take a row each. A line as wide as the terminal would be broken by some. */
static struct table_room measure_room(void) {
    unsigned columns = terminal_columns(), rows = terminal_rows();
    return (struct table_room){
        .columns = columns > 1 ? columns - 1 : 1, .rows = rows > 4 ? rows - 3 : 1, .is_fixed = true};
}

static void compose(FILE *file, const struct arguments *arguments, const struct fleet_state *fleet, int64_t interval_s,
                    const char *trouble) {
    struct table_room room = measure_room();
    if (wants_json(arguments)) {
        print_state_json(file, fleet);
        return;
    }
    if (terminal_is_there()) {
        print_state_table(file, fleet, &room);
        print_footer(file, fleet, interval_s, trouble, &room);
    } else {
        print_state_lines(file, fleet);
    }
    if (!terminal_obeys())
        putc('\n', file); /* between blocks */
}

static void show_turn(const struct arguments *arguments, const struct fleet_state *fleet, int64_t interval_s,
                      const char *trouble) {
    char *frame = NULL;
    size_t size = 0;
    FILE *file = require_memory(open_memstream(&frame, &size));
    compose(file, arguments, fleet, interval_s, trouble);
    if (fclose(file) != 0)
        require_memory(NULL);
    live_draw(frame, size);
    free(frame);
}

/* Where discovery fails, the list in use stays, and `trouble` says why; programs are told on standard error. */
static void renew_topology(const struct arguments *arguments, shoal_topology **topology, struct problem *trouble) {
    shoal_topology *fresh;
    shoal_error *error = NULL;
    trouble->text[0] = '\0';
    if (read_topology(arguments, &fresh, &error) == SHOAL_OK) {
        shoal_topology_free(*topology);
        *topology = fresh;
    } else if (wants_json(arguments) || !terminal_is_there()) {
        report(STATUS_ERROR, arguments->command, "the list may be old: %s", shoal_error_message(error));
    } else {
        problem_set(trouble, "%s", shoal_error_message(error));
    }
    shoal_error_free(error);
}

/* Until it is interrupted, which ends the process, or nobody reads any more. */
static int watch(const struct arguments *arguments, shoal_topology **topology) {
    int64_t number = arguments->number[OPTION_WATCH], interval_s = number > 0 ? number : INTERVAL_S;
    struct problem trouble = {""};
    live_begin(!wants_json(arguments));
    struct fleet_state fleet = {0};
    for (;;) {
        ask_fleet(arguments, *topology, &fleet);
        show_turn(arguments, &fleet, interval_s, trouble.text);
        if (ferror(stdout))
            break;
        sleep((unsigned)interval_s);
        renew_topology(arguments, topology, &trouble);
    }
    live_end();
    fleet_state_clear(&fleet);
    return STATUS_ERROR;
}

static int show(const struct arguments *arguments, const shoal_topology *topology) {
    struct fleet_state fleet = {0};
    ask_fleet(arguments, topology, &fleet);
    int exit_status = show_once(arguments, &fleet);
    fleet_state_clear(&fleet);
    return exit_status;
}

int run_status(const struct arguments *arguments) {
    shoal_topology *topology;
    shoal_error *error = NULL;
    shoal_status status = read_topology(arguments, &topology, &error);
    if (status != SHOAL_OK)
        return report_error(arguments->command, status, error);
    bool watches = (arguments->given & TAKES(OPTION_WATCH)) != 0;
    int exit_status = watches ? watch(arguments, &topology) : show(arguments, topology);
    shoal_topology_free(topology);
    return exit_status;
}
