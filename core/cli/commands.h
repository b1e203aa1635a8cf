/* The commands: what main dispatches to, and what their help is made of.
 * May include: arguments. */
#ifndef SHOAL_CLI_COMMANDS_H
#define SHOAL_CLI_COMMANDS_H

#include "arguments.h"

struct command {
    const char *name;
    const char *operands; /* as the usage line shows them */
    const char *summary;
    const char *details; /* more lines of help; may be NULL */
    const char *example;
    unsigned options; /* TAKES(...) */
    int least_operands;
    int most_operands; /* -1: any number */
    int (*run)(const struct arguments *arguments);
};

/* Each returns the exit status and has said why where it is not STATUS_DONE. */
int run_discover(const struct arguments *arguments);
int run_route(const struct arguments *arguments);
int run_status(const struct arguments *arguments);
int run_stats(const struct arguments *arguments);
int run_get(const struct arguments *arguments);
int run_set(const struct arguments *arguments);
int run_delete(const struct arguments *arguments);
int run_touch(const struct arguments *arguments);
int run_increment(const struct arguments *arguments);
int run_config(const struct arguments *arguments);
int run_local(const struct arguments *arguments);

#endif
