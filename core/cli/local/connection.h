/* One connection to the endpoint or to the control socket: lines in, answers out, never blocking.
 * May include: libc. Called by server and answers. */
#ifndef SHOAL_CLI_LOCAL_CONNECTION_H
#define SHOAL_CLI_LOCAL_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONNECTION_LINE_MAX 2048
#define CONNECTION_OUTPUT_MAX 16384
#define CONNECTION_ANSWER_MAX 8192 /* the longest is the JSON of 64 nodes, with some 6800 bytes */

struct connection {
    int file; /* -1 where the place is free */
    bool is_control;
    bool input_ended; /* the peer sends no more; it may still read */
    bool skips_line;  /* inside a line that was too long */
    bool wants_close; /* once the output is sent */
    unsigned awaits;  /* the serial of the node whose start is to be told; 0: none */
    int64_t used_ms;  /* when it last asked */
    char input[CONNECTION_LINE_MAX];
    size_t input_size;
    char output[CONNECTION_OUTPUT_MAX];
    size_t output_size;
    size_t output_sent;
};

enum line_kind {
    LINE_NONE, /* not there yet */
    LINE_WHOLE,
    LINE_TOO_LONG, /* told once; the rest of it is skipped */
};

/* Reads what is there; false where the connection broke. */
bool connection_receive(struct connection *connection);

/* Takes the next line, without its end, into `line` (CONNECTION_LINE_MAX bytes, NUL-terminated). */
enum line_kind connection_next_line(struct connection *connection, char *line);

/* Puts an answer behind the output that is not sent yet: where there is room for it. */
bool connection_has_room(const struct connection *connection);
void connection_answer(struct connection *connection, const char *text, size_t size);

/* Sends what the peer takes now. False where the connection broke. */
bool connection_send(struct connection *connection);

/* Whether all output is sent. */
bool connection_is_idle(const struct connection *connection);

/* What to poll for. */
short connection_events(const struct connection *connection);

#endif
