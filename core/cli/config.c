/* `shoal config`: the options, as the library describes them itself.
 * May include: commands, json, report, terminal, public headers. */
#include "commands.h"
#include "json.h"
#include "report.h"
#include "terminal.h"

#include <shoal/shoal.h>

#include <stdio.h>
#include <string.h>

/* Longer lines are hard to read, however wide the terminal. */
#define WIDEST_TEXT 100

/* NAME, default, range with its unit, sentence: a line, tabs between them. */
static void print_option(const shoal_option *option) {
    const char *unit = shoal_option_unit(option);
    const char *range = shoal_option_range(option);
    printf("%s\t%s\t%s%s%s\t%s\n", shoal_option_name(option), shoal_option_default(option),
           range[0] != '\0' ? range : shoal_option_type(option), unit[0] != '\0' ? " " : "", unit,
           shoal_option_description(option));
}

/* For people: the name, what it takes and its default, then the sentence, within the terminal's width. */
static void show_option(const shoal_option *option, bool is_first) {
    unsigned columns = terminal_columns() < WIDEST_TEXT ? terminal_columns() : WIDEST_TEXT;
    const char *name = shoal_option_name(option), *unit = shoal_option_unit(option);
    const char *range = shoal_option_range(option), *initial = shoal_option_default(option);
    char terms[400];
    snprintf(terms, sizeof(terms), "%s%s%s; %s%s", range[0] != '\0' ? range : shoal_option_type(option),
             unit[0] != '\0' ? " " : "", unit, initial[0] != '\0' ? "default " : "no default", initial);
    printf("%s%s%s%s  ", is_first ? "" : "\n", terminal_style(TERMINAL_STRONG), name, terminal_style(TERMINAL_PLAIN));
    print_wrapped(stdout, terms, (unsigned)strlen(name) + 2, 4, columns);
    fputs("    ", stdout);
    print_wrapped(stdout, shoal_option_description(option), 4, 4, columns);
}

static void describe_option(json_t *array, const shoal_option *option) {
    json_t *object = json_new_object();
    json_put_text(object, "name", shoal_option_name(option));
    json_put_text(object, "type", shoal_option_type(option));
    json_put_text(object, "unit", shoal_option_unit(option));
    json_put_text(object, "range", shoal_option_range(option));
    json_put_text(object, "default", shoal_option_default(option));
    json_put_text(object, "since", shoal_option_since(option));
    json_put_text(object, "description", shoal_option_description(option));
    json_append(array, object);
}

static int check_names(const struct arguments *arguments) {
    for (int i = 0; i < arguments->operand_count; i++)
        if (shoal_option_find(arguments->operands[i]) == NULL)
            return report_usage(arguments->command, "there is no option '%s'", arguments->operands[i]);
    return STATUS_DONE;
}

/* What a preset is about: the three options that place keys, in the form that -o and an endpoint's `?` part take. */
static int show_preset(const struct arguments *arguments) {
    static const char *const names[] = {"distribution", "hash", "ring_identity"};
    const char *preset = arguments->text[OPTION_PRESET];
    json_t *object = arguments->given & TAKES(OPTION_JSON) ? json_new_object() : NULL;
    shoal_config *config = NULL;
    shoal_error *error = NULL;
    shoal_status status = shoal_config_new(&config, &error);
    if (status == SHOAL_OK)
        status = shoal_config_set_preset(config, preset, &error);
    if (status == SHOAL_OK && object == NULL)
        printf("# %s\n", shoal_preset_description(shoal_preset_find(preset)));
    for (size_t i = 0; status == SHOAL_OK && i < sizeof(names) / sizeof(names[0]); i++) {
        const char *value = NULL;
        status = shoal_config_get(config, names[i], &value, &error);
        if (object != NULL)
            json_put_text(object, names[i], value);
        else
            printf("%s=%s\n", names[i], value);
    }
    shoal_config_free(config);
    if (status == SHOAL_OK && object != NULL)
        json_print(object);
    else
        json_decref(object);
    return status == SHOAL_OK ? STATUS_DONE : report_error(arguments->command, status, error);
}

int run_config(const struct arguments *arguments) {
    if (arguments->given & TAKES(OPTION_PRESET))
        return show_preset(arguments);
    json_t *array = arguments->given & TAKES(OPTION_JSON) ? json_new_array() : NULL;
    int exit_status = check_names(arguments);
    bool all = arguments->operand_count == 0;
    size_t count = all ? shoal_option_count() : (size_t)arguments->operand_count;
    for (size_t i = 0; exit_status == STATUS_DONE && i < count; i++) {
        const shoal_option *option = all ? shoal_option_at(i) : shoal_option_find(arguments->operands[i]);
        if (array != NULL)
            describe_option(array, option);
        else if (terminal_is_there())
            show_option(option, i == 0);
        else
            print_option(option);
    }
    if (array != NULL && exit_status == STATUS_DONE)
        json_print(array);
    else
        json_decref(array);
    return exit_status;
}
