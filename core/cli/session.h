/* A client for one command, made of its ENDPOINT and its -o options.
 * May include: arguments, public headers. Called by the commands that speak to a fleet. */
#ifndef SHOAL_CLI_SESSION_H
#define SHOAL_CLI_SESSION_H

#include "arguments.h"

#include <shoal/shoal.h>

/* The endpoint is the first operand. Returns STATUS_DONE, or another after a line on stderr; then *client is NULL. */
int session_open(const struct arguments *arguments, shoal_client **client);

/* The same at another endpoint, without a word on stderr: for a single node of the fleet, or again and again. */
shoal_status session_try(const struct arguments *arguments, const char *endpoint, shoal_client **client,
                         shoal_error **error);

#endif
