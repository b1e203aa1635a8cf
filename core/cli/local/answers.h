/* What a local fleet answers: to the endpoint's clients, and to `shoal local add` and its like.
 * May include: connection, fleet. Called by server. */
#ifndef SHOAL_CLI_LOCAL_ANSWERS_H
#define SHOAL_CLI_LOCAL_ANSWERS_H

#include "local/connection.h"
#include "local/fleet.h"

/* Answers one line (NULL: one that was too long); there has to be room for the answer. */
void answer_endpoint(struct connection *connection, const struct local_fleet *fleet, const char *line);

/* The same for the control socket: list, add, remove PORT GRACE_S, stop; each answered by one line of JSON. `stop`
 * sets *stops and is answered by answer_stopped. */
void answer_control(struct connection *connection, struct local_fleet *fleet, const char *line, bool *stops);

/* Answers an `add` whose node has come up, or has not. */
void answer_awaited(struct connection *connection, const struct local_fleet *fleet);

/* The last word to whoever said `stop`. */
void answer_stopped(struct connection *connection);

#endif
