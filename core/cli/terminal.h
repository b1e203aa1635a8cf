/* What standard output is: a terminal, how large, and whether it may be sent colours.
 * May include: libc. Called by the commands that print more finely for people than for programs. */
#ifndef SHOAL_CLI_TERMINAL_H
#define SHOAL_CLI_TERMINAL_H

#include <stdbool.h>
#include <stdio.h>

enum terminal_style { TERMINAL_PLAIN, TERMINAL_STRONG, TERMINAL_GOOD, TERMINAL_BAD };

/* Whether standard output is a terminal. */
bool terminal_is_there(void);

/* Whether it is one that obeys escape sequences: TERM names it, and not as dumb. */
bool terminal_obeys(void);

/* Its size; 80 by 24 where it does not tell. */
unsigned terminal_columns(void);
unsigned terminal_rows(void);

/* The escape sequence that begins a style, which TERMINAL_PLAIN ends. "" where the terminal does not obey, and where
 * the environment holds NO_COLOR with any value but an empty one (https://no-color.org). */
const char *terminal_style(enum terminal_style style);

/* Prints words between margins and a line feed at the end. `at` is the column where the first word comes to stand. */
void print_wrapped(FILE *file, const char *text, unsigned at, unsigned indent, unsigned columns);

#endif
