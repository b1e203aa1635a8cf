/* Other programs: finding them, and running one to its end.
 * May include: libc, report. Called by node and certificates. */
#ifndef SHOAL_CLI_LOCAL_PROGRAM_H
#define SHOAL_CLI_LOCAL_PROGRAM_H

#include "report.h"

#include <limits.h>

/* Looks through PATH, then in /usr/bin; its package is said to have the program's name. */
bool local_find_program(const char *name, char path[PATH_MAX], struct problem *problem);

/* Runs a program in a folder and waits for it, at most some seconds. False where it fails: the problem then tells the
 * last line of its stderr. SIGCHLD has to be blocked. */
bool local_run_program(const char *path, char *const *words, const char *folder, struct problem *problem);

/* What a child does first: an own process group (Ctrl-C in the terminal reaches the parent alone, which ends its
 * children in order), no signal blocked or ignored that exec would hand on, nothing to read and nowhere to print. */
void local_become_quiet(void);

#endif
