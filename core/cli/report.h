/* What the command says when something is not as asked, and how it ends: one line on stderr and an exit status.
 * May include: libc, public headers. Used by every other file here. */
#ifndef SHOAL_CLI_REPORT_H
#define SHOAL_CLI_REPORT_H

#include <shoal/shoal.h>

#include <stdbool.h>

#define STATUS_DONE 0
#define STATUS_ERROR 1   /* the network, a server, an endpoint, an option's value */
#define STATUS_OUTCOME 2 /* a miss, not stored: no error, and yet not what was asked for */
#define STATUS_USAGE 64  /* sysexits.h: the command was typed wrongly */

/* Prints `shoal: COMMAND: TEXT` as one line (command may be NULL) and returns exit_status. */
int report(int exit_status, const char *command, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Prints a failure of the library, frees the error (which may be NULL) and returns STATUS_ERROR. */
int report_error(const char *command, shoal_status status, shoal_error *error);

/* Wrong usage: the same line, ending in a hint at the command's help. Returns STATUS_USAGE. */
int report_usage(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Writes out what stdout still holds. Returns exit_status, or STATUS_ERROR where it could not be written. */
int finish_output(int exit_status);

/* Why something failed, before anybody decided what to do about it. */
struct problem {
    char text[320];
};

/* Fills a problem and returns false, so that a failing function can end in one line. */
bool problem_set(struct problem *problem, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Ends the process where `memory` is NULL, else returns it: the command holds too little for anything subtler. */
void *require_memory(void *memory);

#endif
