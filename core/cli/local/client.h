/* Speaking to the `shoal local` that runs in a directory.
 * May include: json, directory. Called by command. */
#ifndef SHOAL_CLI_LOCAL_CLIENT_H
#define SHOAL_CLI_LOCAL_CLIENT_H

#include "json.h"
#include "local/directory.h"

/* Sends one request line (with its LF) and reads until the other side closes, 20 s at most. Returns its answer, a new
 * reference, or NULL and the problem, which may be the other side's own. */
json_t *local_ask(const struct local_directory *directory, const char *request, struct problem *problem);

#endif
