/* The `shoal` command: the table of commands, their help, and the way to them.
 * May include: commands, arguments, report, public headers. */
#include "arguments.h"
#include "commands.h"
#include "report.h"

#include <shoal/shoal.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NETWORK_OPTIONS (TAKES(OPTION_LIBRARY) | TAKES(OPTION_JSON) | TAKES(OPTION_HELP))

static const struct command command_table[] = {
    {.name = "discover",
     .operands = "ENDPOINT",
     .summary = "list the nodes that an endpoint names",
     .details = "The first line is the version, then host, address and port of a node a line, with tabs between them.",
     .example = "shoal discover cfg.example:11211",
     .options = NETWORK_OPTIONS,
     .least_operands = 1,
     .most_operands = 1,
     .run = run_discover},
    {.name = "route",
     .operands = "ENDPOINT KEY...",
     .summary = "tell which node each key belongs to",
     .details = "A line a key: the key, a tab, host:port. No node is spoken to.",
     .example = "shoal route cfg.example:11211 user:1 user:2",
     .options = NETWORK_OPTIONS,
     .least_operands = 2,
     .most_operands = -1,
     .run = run_route},
    {.name = "status",
     .operands = "ENDPOINT",
     .summary = "show how each node is doing",
     .details = "A line a node: name, up or down and why, memcached's version, the time of one command, the share of\n"
                "gets that hit, memory used and allowed, items, connections, evictions. In a pipe there are tabs\n"
                "between them and the numbers are exact. Exit status 1 where a node is down. --watch goes on until it\n"
                "is interrupted.",
     .example = "shoal status --watch=5 cfg.example:11211",
     .options = NETWORK_OPTIONS | TAKES(OPTION_WATCH),
     .least_operands = 1,
     .most_operands = 1,
     .run = run_status},
    {.name = "stats",
     .operands = "ENDPOINT [GROUP]",
     .summary = "print the counters of each node",
     .details = "A line a counter: node, name, value, tabs between them. GROUP goes to memcached as it is: settings,\n"
                "items, slabs, conns, ... Exit status 1 where a node failed; the others are printed all the same.",
     .example = "shoal stats cfg.example:11211 settings",
     .options = NETWORK_OPTIONS,
     .least_operands = 1,
     .most_operands = 2,
     .run = run_stats},
    {.name = "get",
     .operands = "ENDPOINT KEY...",
     .summary = "print the value of a key, or of several",
     .details =
         "One key: the value's bytes and nothing else. Several: a line a hit, with key, flags, size and value,\n"
         "tabs between them, the value escaped as printf's %b reads it. Exit status 2 where a key is missing.\n"
         "--meta: a line each for size, flags, cas, ttl, idle and read: key, name, what it is, tabs between them.",
     .example = "shoal get cfg.example:11211 user:1 > user.bin",
     .options = NETWORK_OPTIONS | TAKES(OPTION_META),
     .least_operands = 2,
     .most_operands = -1,
     .run = run_get},
    {.name = "set",
     .operands = "ENDPOINT KEY [VALUE]",
     .summary = "store a value",
     .details = "Without VALUE, or with -, standard input is read to its end. Exit status 2 where add found an item,\n"
                "or replace, append or prepend found none. Without --ttl the item lives for ever.",
     .example = "shoal set --ttl 3600 cfg.example:11211 user:1 < user.bin",
     .options = NETWORK_OPTIONS | TAKES(OPTION_TTL) | TAKES(OPTION_FLAGS) | TAKES(OPTION_MODE),
     .least_operands = 2,
     .most_operands = 3,
     .run = run_set},
    {.name = "delete",
     .operands = "ENDPOINT KEY...",
     .summary = "delete items",
     .details = "Exit status 2 where a key was missing.",
     .example = "shoal delete cfg.example:11211 user:1 user:2",
     .options = NETWORK_OPTIONS,
     .least_operands = 2,
     .most_operands = -1,
     .run = run_delete},
    {.name = "touch",
     .operands = "ENDPOINT KEY... --ttl SECONDS",
     .summary = "give items a new time to live",
     .details = "Exit status 2 where a key was missing.",
     .example = "shoal touch --ttl 3600 cfg.example:11211 user:1 user:2",
     .options = NETWORK_OPTIONS | TAKES(OPTION_TTL),
     .least_operands = 2,
     .most_operands = -1,
     .run = run_touch},
    {.name = "increment",
     .operands = "ENDPOINT KEY [DELTA]",
     .summary = "add to a counter and print it",
     .details =
         "DELTA is 1 where it is left out; a negative one subtracts, not below 0. A missing counter starts with\n"
         "--initial, to which DELTA is not added; without it the exit status is 2.",
     .example = "shoal increment --initial 0 cfg.example:11211 hits 10",
     .options = NETWORK_OPTIONS | TAKES(OPTION_INITIAL) | TAKES(OPTION_TTL),
     .least_operands = 2,
     .most_operands = 3,
     .run = run_increment},
    {.name = "config",
     .operands = "[OPTION...]",
     .summary = "describe the options of the library",
     .details =
         "A line an option: name, default, what it takes, what it does, with tabs between them. On a terminal a\n"
         "paragraph an option, within its width. --preset tells what to set so that no key moves when Shoal takes\n"
         "another client's place.",
     .example = "shoal config --preset pylibmc",
     .options = TAKES(OPTION_PRESET) | TAKES(OPTION_JSON) | TAKES(OPTION_HELP),
     .least_operands = 0,
     .most_operands = -1,
     .run = run_config},
    {.name = "local",
     .operands = "[add | remove [NODE] | list | stop]",
     .summary = "run a fleet for development on this machine",
     .details =
         "Without a word: starts memcached processes and an endpoint that names them, until it is interrupted\n"
         "or told to stop. The words speak to the fleet that runs in DIR:\n"
         "  add     one more memcached (--json, --dir)\n"
         "  remove  takes NODE, a port or host:port, or else the newest, out of the list (--grace, --json, --dir)\n"
         "  list    the endpoint, the version, the nodes (--json, --dir)\n"
         "  stop    ends the fleet, and returns once it has ended (--dir)",
     .example = "shoal local --nodes 5 --port 11300",
     .options = TAKES(OPTION_NODES) | TAKES(OPTION_PORT) | TAKES(OPTION_TLS) | TAKES(OPTION_DIR) | TAKES(OPTION_GRACE) |
                TAKES(OPTION_JSON) | TAKES(OPTION_HELP),
     .least_operands = 0,
     .most_operands = 2,
     .run = run_local},
};

#define COMMAND_COUNT (sizeof(command_table) / sizeof(command_table[0]))

static const struct command *find_command(const char *name) {
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(command_table[i].name, name) == 0)
            return &command_table[i];
    return NULL;
}

static void print_overview(FILE *file) {
    fputs("Usage: shoal COMMAND [OPTION...] [ARGUMENT...]\n\nCommands:\n", file);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        fprintf(file, "  %-10s %s\n", command_table[i].name, command_table[i].summary);
    fprintf(file, "  %-10s %s\n", "help", "say what a command does: shoal help COMMAND");
    fputs("\nAn ENDPOINT is host:port of a discovery endpoint or of a plain memcached, elasticache://host:port,\n"
          "memorystore://host:port, a list h1:port,h2:port, or unix:///path; ?option=value may follow.\n"
          "shoal --version prints the release; shoal(1) tells the rest.\n",
          file);
}

static void print_help(const struct command *command) {
    printf("Usage: shoal %s [OPTION...] %s\n\n%s.\n", command->name, command->operands, command->summary);
    if (command->details)
        printf("%s\n", command->details);
    fputs("\nOptions:\n", stdout);
    print_options(stdout, command->options);
    printf("\nExample:\n  %s\n", command->example);
}

static int run_help(const char *name) {
    if (name == NULL) {
        print_overview(stdout);
        return STATUS_DONE;
    }
    const struct command *command = find_command(name);
    if (command == NULL)
        return report_usage(NULL, "there is no command '%s'", name);
    print_help(command);
    return STATUS_DONE;
}

static int run_parsed(const struct command *command, const struct arguments *arguments) {
    if (arguments->given & TAKES(OPTION_HELP))
        return run_help(command->name);
    if (arguments->operand_count < command->least_operands)
        return report_usage(command->name, "it needs %s", command->operands);
    if (command->most_operands >= 0 && arguments->operand_count > command->most_operands)
        return report_usage(command->name, "there is an argument too many");
    return command->run(arguments);
}

static int run_command(int argc, char **argv) {
    const struct command *command = find_command(argv[0]);
    if (command == NULL)
        return report_usage(NULL, "there is no command '%s'", argv[0]);
    struct arguments arguments;
    int exit_status = arguments_parse(&arguments, argc, argv, command->options);
    if (exit_status == STATUS_DONE)
        exit_status = run_parsed(command, &arguments);
    arguments_clear(&arguments);
    return exit_status;
}

static int dispatch(int argc, char **argv) {
    if (argc < 2) {
        print_overview(stderr);
        return STATUS_USAGE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("shoal %s\n", shoal_version());
        return STATUS_DONE;
    }
    if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return run_help(argc > 2 ? argv[2] : NULL);
    if (argv[1][0] == '-')
        return report_usage(NULL, "cannot use the option %s before a command", argv[1]);
    return run_command(argc - 1, argv + 1);
}

/* A closed stdin, stdout or stderr would give its number to the next socket that is opened. Opened the wrong way round,
 * so that using it still fails. */
static void fill_standard_files(void) {
    for (int file = STDIN_FILENO; file <= STDERR_FILENO; file++)
        if (fcntl(file, F_GETFD) < 0 && open("/dev/null", file == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0)
            exit(STATUS_ERROR);
}

int main(int argc, char **argv) {
    fill_standard_files();
    signal(SIGPIPE, SIG_IGN); /* a closed stdout is noticed when it is written to, and ends in status 1 */
    return finish_output(dispatch(argc, argv));
}
