/* One line on stderr and an exit status.
 * May include: libc, public headers. */
#include "report.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Control characters would break the promise of one line, or reach the terminal as commands. */
static void make_one_line(char *text) {
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = '?';
}

static void print_line(const char *command, const char *text, const char *hint) {
    char line[1024];
    snprintf(line, sizeof(line), "shoal: %s%s%s", command ? command : "", command ? ": " : "", text);
    make_one_line(line);
    fprintf(stderr, "%s%s\n", line, hint);
}

int report(int exit_status, const char *command, const char *format, ...) {
    char text[640];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    print_line(command, text, "");
    return exit_status;
}

int report_error(const char *command, shoal_status status, shoal_error *error) {
    const char *message = shoal_error_message(error);
    report(STATUS_ERROR, command, "%s", message[0] != '\0' ? message : shoal_status_name(status));
    shoal_error_free(error);
    return STATUS_ERROR;
}

int report_usage(const char *command, const char *format, ...) {
    char text[640];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    char hint[64];
    if (command)
        snprintf(hint, sizeof(hint), "; see 'shoal %s --help'", command);
    else
        snprintf(hint, sizeof(hint), "; see 'shoal help'");
    print_line(command, text, hint);
    return STATUS_USAGE;
}

/* A reader that went away (head, a pager) knows why. */
static bool reader_is_gone(void) {
    struct pollfd output = {.fd = STDOUT_FILENO, .events = POLLOUT};
    return poll(&output, 1, 0) == 1 && (output.revents & (POLLERR | POLLHUP)) != 0;
}

int finish_output(int exit_status) {
    bool failed_before = ferror(stdout) != 0;
    if (fflush(stdout) == 0 && !failed_before)
        return exit_status;
    if (!reader_is_gone())
        report(STATUS_ERROR, NULL, "not all of the output could be written");
    return STATUS_ERROR;
}

bool problem_set(struct problem *problem, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(problem->text, sizeof(problem->text), format, arguments);
    va_end(arguments);
    return false;
}

void *require_memory(void *memory) {
    if (memory == NULL)
        exit(report(STATUS_ERROR, NULL, "out of memory"));
    return memory;
}
