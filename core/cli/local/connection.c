/* Buffers of a bounded size around one non-blocking socket.
 * May include: libc. */
#include "local/connection.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

static bool would_block(void) {
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

bool connection_receive(struct connection *connection) {
    size_t room = sizeof(connection->input) - connection->input_size;
    if (room == 0 || connection->input_ended)
        return true;
    ssize_t got = recv(connection->file, connection->input + connection->input_size, room, 0);
    if (got < 0)
        return would_block();
    if (got == 0)
        connection->input_ended = true;
    connection->input_size += (size_t)got;
    return true;
}

static void drop_input(struct connection *connection, size_t size) {
    connection->input_size -= size;
    memmove(connection->input, connection->input + size, connection->input_size);
}

/* Drops the rest of a line that was too long; true where its end was reached. */
static bool skip_line(struct connection *connection) {
    const char *end = memchr(connection->input, '\n', connection->input_size);
    drop_input(connection, end ? (size_t)(end - connection->input) + 1 : connection->input_size);
    return end != NULL;
}

enum line_kind connection_next_line(struct connection *connection, char *line) {
    if (connection->skips_line && !skip_line(connection))
        return LINE_NONE;
    connection->skips_line = false;
    const char *end = memchr(connection->input, '\n', connection->input_size);
    if (end == NULL && connection->input_size < sizeof(connection->input))
        return LINE_NONE;
    if (end == NULL) {
        connection->input_size = 0;
        connection->skips_line = true;
        return LINE_TOO_LONG;
    }
    size_t size = (size_t)(end - connection->input);
    memcpy(line, connection->input, size);
    drop_input(connection, size + 1);
    size -= size > 0 && line[size - 1] == '\r';
    line[size] = '\0';
    /* A NUL byte inside would hide what follows it: such a line is none that anybody knows. */
    if (memchr(line, '\0', size))
        line[0] = '\0';
    return LINE_WHOLE;
}

bool connection_send(struct connection *connection) {
    while (connection->output_sent < connection->output_size) {
        ssize_t sent = send(connection->file, connection->output + connection->output_sent,
                            connection->output_size - connection->output_sent, MSG_NOSIGNAL);
        if (sent < 0)
            return would_block();
        connection->output_sent += (size_t)sent;
    }
    connection->output_size = connection->output_sent = 0;
    return true;
}

bool connection_has_room(const struct connection *connection) {
    return sizeof(connection->output) - connection->output_size >= CONNECTION_ANSWER_MAX;
}

void connection_answer(struct connection *connection, const char *text, size_t size) {
    size_t room = sizeof(connection->output) - connection->output_size;
    size = size < room ? size : room;
    memcpy(connection->output + connection->output_size, text, size);
    connection->output_size += size;
}

bool connection_is_idle(const struct connection *connection) {
    return connection->output_size == 0;
}

short connection_events(const struct connection *connection) {
    if (!connection_is_idle(connection))
        return POLLOUT;
    /* While a request waits for its answer, nothing more is read. */
    return connection->input_ended || connection->awaits ? 0 : POLLIN;
}
