/* The command line of every command: one table of options, of which each command takes some.
 * May include: libc. Called by main. */
#ifndef SHOAL_CLI_ARGUMENTS_H
#define SHOAL_CLI_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum option_id {
    OPTION_LIBRARY, /* -o NAME=VALUE */
    OPTION_JSON,
    OPTION_META,
    OPTION_TTL,
    OPTION_FLAGS,
    OPTION_MODE,
    OPTION_INITIAL,
    OPTION_NODES,
    OPTION_PORT,
    OPTION_TLS,
    OPTION_DIR,
    OPTION_GRACE,
    OPTION_WATCH,
    OPTION_PRESET,
    OPTION_HELP,
    OPTION_COUNT
};

#define TAKES(id) (1u << (id))

struct arguments {
    const char *command;
    unsigned given; /* TAKES(id) of each option that was there */
    const char *text[OPTION_COUNT];
    int64_t
        number[OPTION_COUNT]; /* of those that take one; --initial is to be read as uint64_t. --watch without one: 0 */
    const char **library_options; /* NAME=VALUE each, in order */
    size_t library_option_count;
    char **operands; /* what is no option, in order */
    int operand_count;
};

/* Reads what follows the command's name (argv[0]). `taken` says which options the command takes. Returns STATUS_DONE,
 * or STATUS_USAGE after a line on stderr. arguments_clear in any case. An argument such as -5 is never an option. */
int arguments_parse(struct arguments *arguments, int argc, char **argv, unsigned taken);
void arguments_clear(struct arguments *arguments);

/* Reads a whole decimal number; false where it is none or out of range. */
bool parse_number(const char *text, int64_t minimum, uint64_t maximum, int64_t *number);

/* The lines of a help text that describe these options. */
void print_options(FILE *file, unsigned taken);

#endif
