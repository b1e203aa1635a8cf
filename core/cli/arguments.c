/* The table of options and its parser: getopt_long, one element at a time.
 * May include: libc, report. */
#include "arguments.h"

#include "report.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum value_kind { NO_VALUE, TEXT, NUMBER, OPTIONAL_NUMBER };

struct option_row {
    const char *name;
    char letter; /* 0 where there is none */
    enum value_kind kind;
    const char *value_name;
    int64_t minimum;
    uint64_t maximum;
    const char *sentence;
};

static const struct option_row option_table[OPTION_COUNT] = {
    [OPTION_LIBRARY] = {"option", 'o', TEXT, "NAME=VALUE", 0, 0, "set an option of the library; may be repeated"},
    [OPTION_JSON] = {"json", 0, NO_VALUE, NULL, 0, 0, "print JSON"},
    [OPTION_META] = {"meta", 0, NO_VALUE, NULL, 0, 0, "tell what the server knows of the item, not its value"},
    [OPTION_TTL] = {"ttl", 0, NUMBER, "SECONDS", INT64_MIN, INT64_MAX, "time to live; 0 is for ever"},
    [OPTION_FLAGS] = {"flags", 0, NUMBER, "N", 0, UINT32_MAX, "the 32 flag bits stored beside the value (0)"},
    [OPTION_MODE] = {"mode", 0, TEXT, "MODE", 0, 0, "set (the default), add, replace, append or prepend"},
    [OPTION_INITIAL] = {"initial", 0, NUMBER, "N", 0, UINT64_MAX, "what a missing counter starts with"},
    [OPTION_NODES] = {"nodes", 0, NUMBER, "N", 1, 64, "how many memcached to start (3)"},
    [OPTION_PORT] = {"port", 0, NUMBER, "PORT", 0, 65535, "the endpoint's port; 0, the default, takes any free one"},
    [OPTION_TLS] = {"tls", 0, NO_VALUE, NULL, 0, 0, "put it all behind TLS, with certificates made for it"},
    [OPTION_DIR] = {"dir", 0, TEXT, "DIR", 0, 0, "where the running fleet is reached; one fleet a directory"},
    [OPTION_GRACE] = {"grace", 0, NUMBER, "SECONDS", 0, 86400, "how long a removed memcached goes on running (0)"},
    [OPTION_WATCH] = {"watch", 0, OPTIONAL_NUMBER, "SECONDS", 1, 86400, "again and again, so many seconds apart (2)"},
    [OPTION_PRESET] = {"preset", 0, TEXT, "NAME", 0, 0, "what to set in the place of another client"},
    [OPTION_HELP] = {"help", 'h', NO_VALUE, NULL, 0, 0, "say what the command does"},
};

bool parse_number(const char *text, int64_t minimum, uint64_t maximum, int64_t *number) {
    bool negative = text[0] == '-';
    const char *digits = text + negative;
    if (digits[0] < '0' || digits[0] > '9')
        return false;
    char *end;
    errno = 0;
    uint64_t magnitude = strtoull(digits, &end, 10);
    if (errno != 0 || *end != '\0')
        return false;
    if (!negative) {
        *number = (int64_t)magnitude;
        return magnitude <= maximum && (minimum <= 0 || magnitude >= (uint64_t)minimum);
    }
    if (magnitude > (uint64_t)INT64_MAX + 1)
        return false;
    *number = (int64_t)(0 - magnitude);
    return *number >= minimum;
}

static int has_argument(const struct option_row *row) {
    if (row->kind == NO_VALUE)
        return no_argument;
    return row->kind == OPTIONAL_NUMBER ? optional_argument : required_argument;
}

/* What getopt_long wants of the table; the letter of an option without one lies beyond the characters. */
static void fill_getopt(unsigned taken, struct option *long_options, char *letters) {
    *letters++ = '+'; /* stop at the first operand: the order is kept here, and -5 can be told from an option */
    *letters++ = ':'; /* tell a missing value from an unknown option */
    for (int id = 0; id < OPTION_COUNT; id++) {
        const struct option_row *row = &option_table[id];
        if (!(taken & TAKES(id)))
            continue;
        *long_options++ = (struct option){row->name, has_argument(row), NULL, UCHAR_MAX + 1 + id};
        if (row->letter == 0)
            continue;
        *letters++ = row->letter;
        if (row->kind != NO_VALUE)
            *letters++ = ':';
    }
    *letters = '\0';
    *long_options = (struct option){0};
}

/* getopt_long finds no letter but the table's. */
static int option_of(int found) {
    if (found > UCHAR_MAX)
        return found - UCHAR_MAX - 1;
    int id = OPTION_COUNT - 1;
    while (id > 0 && option_table[id].letter != found)
        id--;
    return id;
}

static int take_option(struct arguments *arguments, int id, const char *value) {
    const struct option_row *row = &option_table[id];
    arguments->given |= TAKES(id);
    arguments->text[id] = value;
    if (id == OPTION_LIBRARY) {
        const char *equals = strchr(value, '=');
        if (equals == NULL || equals == value)
            return report_usage(arguments->command, "--option needs NAME=VALUE");
        arguments->library_options[arguments->library_option_count++] = value;
    }
    bool is_number = row->kind == NUMBER || (row->kind == OPTIONAL_NUMBER && value != NULL);
    if (!is_number || parse_number(value, row->minimum, row->maximum, &arguments->number[id]))
        return STATUS_DONE;
    if (row->maximum > UINT32_MAX)
        return report_usage(arguments->command, "--%s needs a whole number%s", row->name,
                            row->minimum < 0 ? "" : ", 0 or more");
    return report_usage(arguments->command, "--%s needs a whole number from %lld to %llu", row->name,
                        (long long)row->minimum, (unsigned long long)row->maximum);
}

/* Only the option's name is told: what stands behind it may be a secret. */
static int refuse(const struct arguments *arguments, int found, char **argv) {
    bool is_long = optopt == 0 || optopt > UCHAR_MAX;
    char letter[3] = {'-', (char)optopt, '\0'};
    const char *name = is_long ? argv[optind - 1] : letter;
    int length = (int)strcspn(name, "=");
    if (found == ':')
        return report_usage(arguments->command, "%.*s needs a value", length, name);
    return report_usage(arguments->command, "cannot use the option %.*s here", length, name);
}

static bool is_negative_number(const char *text) {
    return text[0] == '-' && text[1] != '\0' && text[1 + strspn(text + 1, "0123456789")] == '\0';
}

/* Takes the next element or elements; false at the end of all. */
static bool take_next(struct arguments *arguments, int argc, char **argv, const char *letters,
                      const struct option *long_options, int *result) {
    if (optind >= argc)
        return false;
    if (is_negative_number(argv[optind])) {
        arguments->operands[arguments->operand_count++] = argv[optind++];
        return true;
    }
    int before = optind;
    int found = getopt_long(argc, argv, letters, long_options, NULL);
    if (found == '?' || found == ':')
        *result = refuse(arguments, found, argv);
    else if (found != -1)
        *result = take_option(arguments, option_of(found), optarg);
    else if (optind == before) /* an operand */
        arguments->operands[arguments->operand_count++] = argv[optind++];
    else /* the element was `--`: only operands follow */
        while (optind < argc)
            arguments->operands[arguments->operand_count++] = argv[optind++];
    return true;
}

int arguments_parse(struct arguments *arguments, int argc, char **argv, unsigned taken) {
    struct option long_options[OPTION_COUNT + 1];
    char letters[2 * OPTION_COUNT + 3];
    fill_getopt(taken, long_options, letters);
    *arguments = (struct arguments){.command = argv[0]};
    arguments->operands = require_memory(calloc((size_t)argc + 1, sizeof(*arguments->operands)));
    arguments->library_options = require_memory(calloc((size_t)argc + 1, sizeof(*arguments->library_options)));
    opterr = 0;
    optind = 1;
    int result = STATUS_DONE;
    while (result == STATUS_DONE && !(arguments->given & TAKES(OPTION_HELP)) &&
           take_next(arguments, argc, argv, letters, long_options, &result))
        continue;
    return result;
}

void arguments_clear(struct arguments *arguments) {
    free(arguments->operands);
    free(arguments->library_options);
    *arguments = (struct arguments){0};
}

void print_options(FILE *file, unsigned taken) {
    for (int id = 0; id < OPTION_COUNT; id++) {
        const struct option_row *row = &option_table[id];
        if (!(taken & TAKES(id)))
            continue;
        char left[40];
        if (row->kind == NO_VALUE)
            snprintf(left, sizeof(left), "--%s", row->name);
        else
            snprintf(left, sizeof(left), row->kind == OPTIONAL_NUMBER ? "--%s[=%s]" : "--%s %s", row->name,
                     row->value_name);
        if (row->letter != 0)
            fprintf(file, "  -%c, %-21s %s\n", row->letter, left, row->sentence);
        else
            fprintf(file, "      %-21s %s\n", left, row->sentence);
    }
}
