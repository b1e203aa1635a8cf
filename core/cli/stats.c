/* `shoal stats`: the counters of every node, as memcached names them.
 * May include: commands, json, report, session, public headers. */
#include "commands.h"
#include "json.h"
#include "report.h"
#include "session.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* A server's text, in a line: a control character in it would end the line or reach the terminal as a command. */
static void print_text(const char *text) {
    for (; *text != '\0'; text++)
        putchar((unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text);
}

static void print_node(const shoal_stats *stats, size_t node) {
    for (size_t i = 0; i < shoal_stats_count(stats, node); i++) {
        printf("%s\t", shoal_stats_node_name(stats, node));
        print_text(shoal_stats_name(stats, node, i));
        putchar('\t');
        print_text(shoal_stats_value(stats, node, i));
        putchar('\n');
    }
}

/* Whole numbers become numbers, where that changes none of their digits; the rest stays text. */
static void put_counter(json_t *object, const char *name, const char *value) {
    int64_t number;
    bool is_whole = value[0] != '-' && (value[0] != '0' || value[1] == '\0');
    if (is_whole && parse_number(value, 0, UINT64_MAX, &number))
        json_put_unsigned(object, name, (uint64_t)number);
    else
        json_put_bytes(object, name, value, strlen(value));
}

static json_t *describe_node(const shoal_stats *stats, size_t node) {
    if (shoal_stats_node_status(stats, node) != SHOAL_OK)
        return json_null();
    json_t *object = json_new_object();
    for (size_t i = 0; i < shoal_stats_count(stats, node); i++)
        put_counter(object, shoal_stats_name(stats, node, i), shoal_stats_value(stats, node, i));
    return object;
}

static const char *explain(shoal_status status) {
    switch (status) {
    case SHOAL_E_TIMEOUT:
        return "no answer in time";
    case SHOAL_E_NODE_DOWN:
        return "cannot be reached";
    case SHOAL_E_UNSUPPORTED:
    case SHOAL_E_SERVER:
        return "memcached knows no such group of counters";
    default:
        return shoal_status_name(status);
    }
}

/* A line a node that failed. */
static int judge_nodes(const struct arguments *arguments, const shoal_stats *stats) {
    int exit_status = STATUS_DONE;
    for (size_t i = 0; i < shoal_stats_node_count(stats); i++) {
        shoal_status status = shoal_stats_node_status(stats, i);
        if (status != SHOAL_OK)
            exit_status =
                report(STATUS_ERROR, arguments->command, "%s: %s", shoal_stats_node_name(stats, i), explain(status));
    }
    return exit_status;
}

static void tell_nodes(const struct arguments *arguments, const shoal_stats *stats) {
    json_t *whole = arguments->given & TAKES(OPTION_JSON) ? json_new_object() : NULL;
    for (size_t i = 0; i < shoal_stats_node_count(stats); i++)
        if (whole)
            json_put(whole, shoal_stats_node_name(stats, i), describe_node(stats, i));
        else
            print_node(stats, i);
    if (whole)
        json_print(whole);
}

int run_stats(const struct arguments *arguments) {
    shoal_client *client;
    int exit_status = session_open(arguments, &client);
    if (exit_status != STATUS_DONE)
        return exit_status;
    const char *group = arguments->operand_count > 1 ? arguments->operands[1] : NULL;
    shoal_stats *stats = NULL;
    shoal_error *error = NULL;
    shoal_status status = shoal_stats_read(client, group, &stats, &error);
    shoal_client_free(client);
    if (status != SHOAL_OK)
        return report_error(arguments->command, status, error);
    tell_nodes(arguments, stats);
    exit_status = judge_nodes(arguments, stats);
    shoal_stats_free(stats);
    return exit_status;
}
