/* The directory in which a local fleet is found: its control socket, and a lock that says who runs it.
 * May include: libc, report. Called by client and server. */
#ifndef SHOAL_CLI_LOCAL_DIRECTORY_H
#define SHOAL_CLI_LOCAL_DIRECTORY_H

#include "report.h"

#include <sys/un.h>

struct local_directory {
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
    struct sockaddr_un control;
    char lock_path[sizeof(((struct sockaddr_un *)0)->sun_path) + sizeof("/lock")];
    int lock; /* -1 where this process does not run the fleet */
    bool made_here;
};

/* Works out the paths; given may be NULL. Nothing is touched. */
bool local_directory_name(struct local_directory *directory, const char *given, struct problem *problem);

/* Whether the directory is there and nobody else could have put something into it. */
bool local_directory_check(const struct local_directory *directory, struct problem *problem);

/* Makes the directory where it is missing, checks it, takes its lock, and removes the socket of a fleet that died. */
bool local_directory_claim(struct local_directory *directory, struct problem *problem);

/* Removes what was made. Does nothing where nothing was claimed. */
void local_directory_release(struct local_directory *directory);

#endif
