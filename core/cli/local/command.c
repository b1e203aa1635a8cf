/* `shoal local` on the command line: its words, their arguments, and what is printed.
 * May include: commands, report, client, server. */
#include "arguments.h"
#include "commands.h"
#include "local/client.h"
#include "local/directory.h"
#include "local/server.h"
#include "report.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *endpoint_of(const json_t *fleet) {
    return json_string_value(json_object_get(fleet, "endpoint"));
}

static void print_version(const json_t *fleet) {
    printf("version\t%lld\n", (long long)json_integer_value(json_object_get(fleet, "version")));
}

static void print_nodes(const json_t *fleet, bool with_state) {
    size_t index;
    const json_t *node;
    json_array_foreach(json_object_get(fleet, "nodes"), index, node) {
        printf("node\t%s:%lld", json_string_value(json_object_get(node, "address")),
               (long long)json_integer_value(json_object_get(node, "port")));
        if (with_state)
            printf("\t%s", json_string_value(json_object_get(node, "state")));
        putchar('\n');
    }
}

/* Everything answers: tells scripts so on stdout, and people on stderr how to go on. */
static bool print_ready(json_t *fleet, void *context) {
    const struct arguments *arguments = context;
    if (arguments->given & TAKES(OPTION_JSON)) {
        json_print(json_incref(fleet));
    } else {
        printf("endpoint\t%s\n", endpoint_of(fleet));
        print_nodes(fleet, false);
    }
    if (fflush(stdout) != 0)
        return false;
    if (!isatty(STDOUT_FILENO))
        return true; /* a program reads this, and needs no advice */
    const char *directory = arguments->text[OPTION_DIR];
    const char *quote = arguments->given & TAKES(OPTION_TLS) ? "'" : ""; /* a `?` is something to a shell */
    report(STATUS_DONE, "local", "try it: shoal discover %s%s%s; end it: Ctrl-C, or shoal local stop%s%s", quote,
           endpoint_of(fleet), quote, directory ? " --dir " : "", directory ? directory : "");
    return true;
}

static int run_fleet(const struct arguments *arguments, struct local_directory *directory) {
    struct local_request request = {
        .directory = directory,
        .nodes = arguments->given & TAKES(OPTION_NODES) ? (unsigned)arguments->number[OPTION_NODES] : 3,
        .port = (uint16_t)arguments->number[OPTION_PORT],
        .has_tls = arguments->given & TAKES(OPTION_TLS),
        .ready = print_ready,
        .context = (void *)arguments,
    };
    struct problem problem;
    return local_serve(&request, &problem) ? STATUS_DONE : report(STATUS_ERROR, arguments->command, "%s", problem.text);
}

/* Asks the running fleet; prints the answer as JSON where that was asked for. NULL once the exit status is settled. */
static json_t *ask(const struct arguments *arguments, const struct local_directory *directory, const char *request,
                   int *exit_status) {
    struct problem problem;
    json_t *answer = local_ask(directory, request, &problem);
    *exit_status = answer ? STATUS_DONE : report(STATUS_ERROR, arguments->command, "%s", problem.text);
    if (answer && (arguments->given & TAKES(OPTION_JSON))) {
        json_print(answer);
        return NULL;
    }
    return answer;
}

static int run_list(const struct arguments *arguments, struct local_directory *directory) {
    int exit_status;
    json_t *answer = ask(arguments, directory, "list\n", &exit_status);
    if (answer == NULL)
        return exit_status;
    printf("endpoint\t%s\n", endpoint_of(answer));
    print_version(answer);
    print_nodes(answer, true);
    json_decref(answer);
    return exit_status;
}

static int run_change(const struct arguments *arguments, struct local_directory *directory, const char *request,
                      const char *name) {
    int exit_status;
    json_t *answer = ask(arguments, directory, request, &exit_status);
    if (answer == NULL)
        return exit_status;
    print_version(answer);
    printf("%s\t%s\n", name, json_string_value(json_object_get(answer, name)));
    json_decref(answer);
    return exit_status;
}

static int run_add(const struct arguments *arguments, struct local_directory *directory) {
    return run_change(arguments, directory, "add\n", "added");
}

/* PORT, 127.0.0.1:PORT or localhost:PORT. */
static bool parse_node(const char *text, int64_t *port) {
    static const char *const hosts[] = {"127.0.0.1:", "localhost:"};
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
        if (strncmp(text, hosts[i], strlen(hosts[i])) == 0)
            return parse_number(text + strlen(hosts[i]), 1, UINT16_MAX, port);
    return parse_number(text, 1, UINT16_MAX, port);
}

static int run_remove(const struct arguments *arguments, struct local_directory *directory) {
    int64_t port = 0; /* the newest */
    if (arguments->operand_count > 1 && !parse_node(arguments->operands[1], &port))
        return report_usage(arguments->command, "'%s' is not the port or host:port of a local node",
                            arguments->operands[1]);
    char request[64];
    snprintf(request, sizeof(request), "remove %lld %lld\n", (long long)port,
             (long long)arguments->number[OPTION_GRACE]);
    return run_change(arguments, directory, request, "removed");
}

static int run_stop(const struct arguments *arguments, struct local_directory *directory) {
    int exit_status;
    json_decref(ask(arguments, directory, "stop\n", &exit_status));
    return exit_status;
}

struct action {
    const char *name;
    unsigned options;
    int most_operands; /* its own name included */
    int (*run)(const struct arguments *arguments, struct local_directory *directory);
};

static const struct action actions[] = {
    {"", TAKES(OPTION_NODES) | TAKES(OPTION_PORT) | TAKES(OPTION_TLS) | TAKES(OPTION_DIR) | TAKES(OPTION_JSON), 0,
     run_fleet},
    {"add", TAKES(OPTION_DIR) | TAKES(OPTION_JSON), 1, run_add},
    {"remove", TAKES(OPTION_GRACE) | TAKES(OPTION_DIR) | TAKES(OPTION_JSON), 2, run_remove},
    {"list", TAKES(OPTION_DIR) | TAKES(OPTION_JSON), 1, run_list},
    {"stop", TAKES(OPTION_DIR), 1, run_stop},
};

static const struct action *find_action(const char *name) {
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
        if (strcmp(actions[i].name, name) == 0)
            return &actions[i];
    return NULL;
}

int run_local(const struct arguments *arguments) {
    const char *name = arguments->operand_count > 0 ? arguments->operands[0] : "";
    const struct action *action = find_action(name);
    if (action == NULL)
        return report_usage(arguments->command, "there is no 'shoal local %s'", name);
    if (arguments->operand_count > action->most_operands)
        return report_usage(arguments->command, "there is an argument too many");
    if (arguments->given & ~action->options)
        return report_usage(arguments->command, "'shoal local%s%s' does not take one of these options",
                            name[0] != '\0' ? " " : "", name);
    struct local_directory directory;
    struct problem problem;
    if (!local_directory_name(&directory, arguments->text[OPTION_DIR], &problem))
        return report(STATUS_ERROR, arguments->command, "%s", problem.text);
    return action->run(arguments, &directory);
}
