/* Questions to the terminal and its environment.
 * May include: libc, terminal. */
#include "terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

bool terminal_is_there(void) {
    return isatty(STDOUT_FILENO) != 0;
}

bool terminal_obeys(void) {
    const char *kind = getenv("TERM");
    return terminal_is_there() && kind != NULL && kind[0] != '\0' && strcmp(kind, "dumb") != 0;
}

static struct winsize read_size(void) {
    struct winsize size = {0};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
        size = (struct winsize){0};
    return size;
}

unsigned terminal_columns(void) {
    unsigned columns = read_size().ws_col;
    return columns > 0 ? columns : 80;
}

unsigned terminal_rows(void) {
    unsigned rows = read_size().ws_row;
    return rows > 0 ? rows : 24;
}

const char *terminal_style(enum terminal_style style) {
    static const char *const sequences[] = {
        [TERMINAL_PLAIN] = "\033[0m",
        [TERMINAL_STRONG] = "\033[1m",
        [TERMINAL_GOOD] = "\033[32m",
        [TERMINAL_BAD] = "\033[31m",
    };
    const char *no_colour = getenv("NO_COLOR");
    return terminal_obeys() && (no_colour == NULL || no_colour[0] == '\0') ? sequences[style] : "";
}

void print_wrapped(FILE *file, const char *text, unsigned at, unsigned indent, unsigned columns) {
    bool is_first = true;
    for (text += strspn(text, " "); *text != '\0'; text += strspn(text, " ")) {
        size_t length = strcspn(text, " ");
        if (!is_first && at + 1 + length > columns) {
            fprintf(file, "\n%*s", (int)indent, "");
            at = indent;
        } else if (!is_first) {
            putc(' ', file);
            at++;
        }
        fprintf(file, "%.*s", (int)length, text);
        at += (unsigned)length;
        text += length;
        is_first = false;
    }
    putc('\n', file);
}
