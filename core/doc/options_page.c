/* Writes the page of all options, OPTIONS.md, from the library's own description of them: the build runs it, so that
 * the page is never older than the library. Argument: the file to write. May include: public headers and libc. */
#include <shoal/shoal.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* The options stand in the order of the page; each of these begins a group. */
static const struct group {
    const char *first;
    const char *heading;
} groups[] = {
    {"endpoint", "Where the fleet is"},
    {"discovery_interval_ms", "Discovery"},
    {"operation_timeout_ms", "Time and connections"},
    {"attempt_timeout_ms", "Retries and health"},
    {"distribution", "Keys and values"},
    {"fetch_wait_ms", "fetch"},
    {"protocol", "The wire"},
    {"tls", "TLS"},
    {"user", "Logging in"},
};

#define GROUP_COUNT (sizeof(groups) / sizeof(groups[0]))

static const char head[] =
    "# Options of Shoal %s\n"
    "\n"
    "Set with `shoal_config_set`, with `shoal COMMAND -o name=value`, or behind the endpoint as `?name=value&...`,\n"
    "percent-encoded. What is set explicitly beats what the endpoint says. A value that is refused leaves the option\n"
    "as it was, and the error says what it takes. `shoal config` lists the same on a terminal.\n";

/* Markdown would read some bytes of a sentence as its own. */
static void print_sentence(FILE *page, const char *text) {
    for (; *text != '\0'; text++) {
        if (strchr("\\`*_<>[]|#", *text) != NULL)
            fputc('\\', page);
        fputc(*text, page);
    }
    fputs("\n", page);
}

/* "integer, 10..86400000 ms; default 60000; since 0.1" */
static void print_facts(FILE *page, const shoal_option *option) {
    const char *unit = shoal_option_unit(option), *range = shoal_option_range(option);
    const char *initial = shoal_option_default(option);
    fputs(shoal_option_type(option), page);
    if (range[0] != '\0')
        fprintf(page, ", `%s`", range);
    if (unit[0] != '\0')
        fprintf(page, " %s", unit);
    fprintf(page, initial[0] != '\0' ? "; default `%s`" : "; empty by default", initial);
    fprintf(page, "; since %s\n\n", shoal_option_since(option));
}

static void print_option(FILE *page, const shoal_option *option) {
    for (size_t i = 0; i < GROUP_COUNT; i++)
        if (strcmp(groups[i].first, shoal_option_name(option)) == 0)
            fprintf(page, "\n## %s\n", groups[i].heading);
    fprintf(page, "\n### `%s`\n\n", shoal_option_name(option));
    print_facts(page, option);
    print_sentence(page, shoal_option_description(option));
}

/* A group whose first option was renamed would vanish from the page. */
static bool groups_exist(void) {
    for (size_t i = 0; i < GROUP_COUNT; i++) {
        if (shoal_option_find(groups[i].first) == NULL) {
            fprintf(stderr, "options_page: there is no option %s, which begins a group\n", groups[i].first);
            return false;
        }
    }
    return true;
}

int main(int argument_count, char **arguments) {
    if (argument_count != 2) {
        fprintf(stderr, "usage: options_page FILE\n");
        return 64;
    }
    FILE *page = groups_exist() ? fopen(arguments[1], "w") : NULL;
    if (page == NULL) {
        fprintf(stderr, "options_page: cannot write %s\n", arguments[1]);
        return 1;
    }
    fprintf(page, head, shoal_version());
    for (size_t i = 0; i < shoal_option_count(); i++)
        print_option(page, shoal_option_at(i));
    bool written = ferror(page) == 0;
    return fclose(page) == 0 && written ? 0 : 1;
}
