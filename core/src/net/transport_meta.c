/* Memcached's meta protocol over Shoal's own sockets: the bytes that logic/meta_exchange wants moved are moved here.
 * May include: base/, logic/, transport, stream. */
#include "base/clock.h"
#include "base/random.h"
#include "logic/meta_exchange.h"
#include "logic/meta_greeting.h"
#include "net/stream.h"
#include "net/transport.h"

#include <shoal/value.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

/* What one receive takes; on the stack, so that an idle lane holds no buffer. */
#define RECEIVE_SIZE ((size_t)16 * 1024)

/* Receives a step makes before it is another lane's turn. */
#define RECEIVES_A_STEP 64

struct session {
    struct shoal__stream stream;
    struct shoal__exchange exchange;
};

/* --- What went wrong, for all that is in flight --- */

static const struct shoal__command *blamed_command(const struct shoal__run *run) {
    size_t first = run->next > 0 ? run->next - (run->in_flight > 0 ? run->in_flight : 1) : 0;
    for (size_t i = first; i < run->next; i++)
        if (shoal__command_changes_items(run->commands[i]))
            return run->commands[i];
    return run->commands[first];
}

/* A socket's errno; 0: the peer closed. */
static shoal_status lose(struct shoal__lane *lane, int os_error, struct shoal__fault *fault) {
    struct session *session = lane->session;
    const struct shoal__command *command = blamed_command(session->exchange.run);
    const char *complaint = shoal__stream_complaint(&session->stream, os_error);
    if (complaint != NULL)
        return shoal__lane_break(lane, command, SHOAL_E_NODE_DOWN, complaint, fault);
    return os_error == ETIMEDOUT ? shoal__lane_late(lane, command, fault)
                                 : shoal__lane_lost(lane, command, os_error, fault);
}

static shoal_status run_out_of_memory(struct shoal__lane *lane, struct shoal__fault *fault) {
    struct session *session = lane->session;
    return shoal__lane_break(lane, blamed_command(session->exchange.run), SHOAL_E_NO_MEMORY,
                             "out of memory for a command", fault);
}

/* The exchange has said why. */
static shoal_status give_up(struct shoal__lane *lane, struct shoal__fault *fault) {
    struct session *session = lane->session;
    lane->broken = true;
    fault->outcome_unknown = shoal__command_changes_items(blamed_command(session->exchange.run));
    return fault->status;
}

/* --- Moving bytes --- */

static size_t point_at_pieces(const struct shoal__exchange *exchange, struct iovec vector[3], size_t *size) {
    struct shoal__piece pieces[3];
    size_t count = shoal__exchange_pieces(exchange, pieces);
    *size = 0;
    for (size_t i = 0; i < count; i++) {
        vector[i] = shoal__stream_piece(pieces[i].bytes, pieces[i].size);
        *size += pieces[i].size;
    }
    return count;
}

static shoal_status take(struct shoal__lane *lane, const char *bytes, size_t size, struct shoal__fault *fault) {
    struct session *session = lane->session;
    if (shoal__exchange_take(&session->exchange, bytes, size, fault) != SHOAL_OK)
        return give_up(lane, fault);
    return SHOAL_OK;
}

/* --- One command: what has to be sent is sent, then the lane waits for its answer --- */

static void keep_refusal(void *context, struct shoal__command *command, const struct shoal__fault *fault) {
    (void)command;
    *(struct shoal__fault *)context = *fault;
}

static shoal_status send_all(struct shoal__lane *lane, int64_t deadline_ns, struct shoal__fault *fault) {
    struct session *session = lane->session;
    struct iovec pieces[3];
    size_t size;
    if (!shoal__exchange_ask(&session->exchange))
        return run_out_of_memory(lane, fault);
    size_t count = point_at_pieces(&session->exchange, pieces, &size);
    if (!shoal__stream_send(&session->stream, pieces, count, deadline_ns))
        return lose(lane, errno, fault);
    shoal__exchange_sent(&session->exchange, size);
    return SHOAL_OK;
}

static shoal_status receive_some(struct shoal__lane *lane, int64_t deadline_ns, struct shoal__fault *fault) {
    struct session *session = lane->session;
    char room[RECEIVE_SIZE];
    size_t target_size = 0;
    char *target = shoal__exchange_target(&session->exchange, &target_size);
    ssize_t count = target ? shoal__stream_receive(&session->stream, target, target_size, deadline_ns)
                           : shoal__stream_receive(&session->stream, room, sizeof(room), deadline_ns);
    if (count <= 0)
        return lose(lane, count < 0 ? errno : 0, fault);
    if (target == NULL)
        return take(lane, room, (size_t)count, fault);
    shoal__exchange_filled(&session->exchange, (size_t)count);
    return SHOAL_OK;
}

static shoal_status exchange_all(struct shoal__lane *lane, int64_t deadline_ns, struct shoal__fault *fault) {
    struct session *session = lane->session;
    shoal_status status = send_all(lane, deadline_ns, fault);
    while (status == SHOAL_OK && !shoal__exchange_is_over(&session->exchange))
        status = receive_some(lane, deadline_ns, fault);
    return status;
}

static shoal_status execute_once(struct shoal__lane *lane, struct shoal__command *command, int64_t deadline_ns,
                                 struct shoal__fault *fault) {
    struct session *session = lane->session;
    struct shoal__run run = {.commands = &command, .count = 1, .refused = keep_refusal, .context = fault};
    command->status = SHOAL__UNDECIDED;
    shoal__exchange_begin(&session->exchange, &run);
    shoal_status status = exchange_all(lane, deadline_ns, fault);
    if (status == SHOAL_OK && command->status == SHOAL__UNDECIDED)
        status = shoal__lane_break(lane, command, SHOAL_E_PROTOCOL, "the lane ended without an answer", fault);
    command->status = status == SHOAL_OK ? command->status : status;
    status = command->status;
    lane->broken = lane->broken || session->exchange.is_spent;
    shoal__exchange_end(&session->exchange);
    if (status != SHOAL_OK) {
        shoal_value_free(command->found);
        command->found = NULL;
    }
    return status;
}

/* A store that went classic, or to a server of before 1.6.12, brought no token: read it back, and believe it only where
 * it fits. A failure here leaves the token unknown, not the store undone. */
static void read_new_cas(struct shoal__lane *lane, struct shoal__command *command, int64_t deadline_ns) {
    struct shoal__command read = {.verb = SHOAL__VERB_GET,
                                  .key = command->key,
                                  .key_len = command->key_len,
                                  .key_is_binary = command->key_is_binary};
    struct shoal__fault ignored;
    if (execute_once(lane, &read, deadline_ns, &ignored) == SHOAL_OK && shoal__command_stored(command, read.found))
        command->new_cas = shoal_value_cas(read.found);
    shoal_value_free(read.found);
}

static shoal_status execute(struct shoal__lane *lane, struct shoal__command *command, int64_t deadline_ns,
                            struct shoal__fault *fault) {
    if (shoal__now_coarse_ns() >= deadline_ns)
        return shoal__lane_unsent(fault);
    shoal_status status = execute_once(lane, command, deadline_ns, fault);
    if (status == SHOAL_OK && command->wants_new_cas && command->new_cas == 0)
        read_new_cas(lane, command, deadline_ns);
    return status;
}

/* --- Many: nothing waits here --- */

static shoal_status send_what_fits(struct shoal__lane *lane, struct shoal__fault *fault) {
    struct session *session = lane->session;
    struct iovec pieces[3];
    size_t size;
    for (;;) {
        if (!shoal__exchange_ask(&session->exchange))
            return run_out_of_memory(lane, fault);
        size_t count = point_at_pieces(&session->exchange, pieces, &size);
        if (count == 0)
            return SHOAL_OK;
        ssize_t sent = shoal__stream_send_now(&session->stream, pieces, count);
        if (sent < 0)
            return errno == EAGAIN ? SHOAL_OK : lose(lane, errno, fault);
        shoal__exchange_sent(&session->exchange, (size_t)sent);
    }
}

/* Takes what has come, or waits for it where deadline_ns is not 0. *more: there may be more at once. */
static shoal_status receive_once(struct shoal__lane *lane, int64_t deadline_ns, bool *more,
                                 struct shoal__fault *fault) {
    struct session *session = lane->session;
    char room[RECEIVE_SIZE];
    size_t size = sizeof(room);
    char *target = shoal__exchange_target(&session->exchange, &size);
    char *into = target ? target : room;
    ssize_t count = deadline_ns > 0 ? shoal__stream_receive(&session->stream, into, size, deadline_ns)
                                    : shoal__stream_receive_now(&session->stream, into, size);
    *more = count == (ssize_t)size || shoal__stream_has_more(&session->stream);
    if (count < 0 && errno == EAGAIN)
        return SHOAL_OK;
    if (count <= 0)
        return lose(lane, count < 0 ? errno : 0, fault);
    if (target == NULL)
        return take(lane, room, (size_t)count, fault);
    shoal__exchange_filled(&session->exchange, (size_t)count);
    return SHOAL_OK;
}

static shoal_status receive_what_came(struct shoal__lane *lane, struct shoal__run *run, int64_t deadline_ns,
                                      struct shoal__fault *fault) {
    bool more = true;
    shoal_status status = receive_once(lane, run->may_wait ? deadline_ns : 0, &more, fault);
    for (int i = 1; more && status == SHOAL_OK && i < RECEIVES_A_STEP; i++)
        status = receive_once(lane, 0, &more, fault);
    run->may_wait = false;
    return status;
}

static enum shoal__step end_run(struct shoal__lane *lane, const struct shoal__run *run) {
    struct session *session = lane->session;
    lane->broken = lane->broken || session->exchange.is_spent;
    shoal__exchange_end(&session->exchange);
    return run->next == run->count ? SHOAL__STEP_DONE : SHOAL__STEP_RENEW;
}

static enum shoal__step step(struct shoal__lane *lane, struct shoal__run *run, int64_t deadline_ns,
                             struct shoal__fault *fault) {
    struct session *session = lane->session;
    struct shoal__exchange *exchange = &session->exchange;
    struct shoal__piece pieces[3];
    shoal_status status = SHOAL_OK;
    if (!run->has_begun)
        shoal__exchange_begin(exchange, run);
    else
        status = receive_what_came(lane, run, deadline_ns, fault);
    run->has_begun = true;
    if (status == SHOAL_OK)
        status = send_what_fits(lane, fault);
    if (status != SHOAL_OK)
        return SHOAL__STEP_BROKEN;
    if (shoal__exchange_is_over(exchange))
        return end_run(lane, run);
    bool has_more_to_say = shoal__exchange_pieces(exchange, pieces) > 0;
    run->events = shoal__stream_events(&session->stream, (short)(POLLIN | (has_more_to_say ? POLLOUT : 0)));
    return shoal__stream_has_more(&session->stream) ? SHOAL__STEP_AGAIN : SHOAL__STEP_WAIT;
}

/* --- Opening and closing --- */

static bool receive_greeting(struct session *session, struct shoal__greeting *greeting, enum shoal__greeted *greeted,
                             int64_t deadline_ns) {
    char answer[SHOAL__META_LINE_MAX];
    size_t size = 0;
    size_t taken;
    do {
        ssize_t count = shoal__stream_receive(&session->stream, answer + size, sizeof(answer) - size, deadline_ns);
        if (count <= 0) {
            errno = count == 0 ? 0 : errno;
            return false;
        }
        size += (size_t)count;
        *greeted = shoal__greeting_take(greeting, answer, size, &taken);
        size -= taken;
        memmove(answer, answer + taken, size);
    } while (*greeted == SHOAL__GREETED_PARTLY);
    return true;
}

/* False: no answer came, and errno says why; 0: it closed the connection. */
static bool greet(struct session *session, enum shoal__greeted *greeted, int64_t deadline_ns) {
    struct iovec piece = shoal__stream_piece(SHOAL__GREETING, sizeof(SHOAL__GREETING) - 1);
    struct shoal__greeting greeting = {0};
    if (!shoal__stream_send(&session->stream, &piece, 1, deadline_ns) ||
        !receive_greeting(session, &greeting, greeted, deadline_ns))
        return false;
    session->exchange.misses_unmarked = greeting.misses_unmarked;
    session->exchange.item_max = greeting.item_max;
    return true;
}

static void close_session(struct session *session) {
    shoal__stream_close(&session->stream);
    shoal__exchange_clear(&session->exchange);
    free(session);
}

/* Ends a session that did not begin: os_error as errno tells it, 0: the server closed the connection. */
static shoal_status end_unopened(struct shoal__lane *lane, int os_error, struct shoal__fault *fault) {
    struct session *session = lane->session;
    const char *complaint = shoal__stream_complaint(&session->stream, os_error);
    if (complaint != NULL)
        shoal__fault_set(fault, os_error == ETIMEDOUT ? SHOAL_E_TIMEOUT : SHOAL_E_NODE_DOWN, "%s", complaint);
    else
        shoal__lane_unopened(os_error, fault);
    close_session(session);
    lane->session = NULL;
    return fault->status;
}

static shoal_status tell_stranger(enum shoal__greeted greeted, bool is_alone, struct shoal__fault *fault) {
    switch (greeted) {
    case SHOAL__GREETED_LOCKED:
        return shoal__fault_set(fault, SHOAL_E_NODE_DOWN,
                                "the server asks for authentication: set the options user and password");
    case SHOAL__GREETED_TLS:
        return shoal__fault_set(fault, SHOAL_E_NODE_DOWN, "the server speaks TLS: set tls=true");
    case SHOAL__GREETED_STRANGE:
        return shoal__fault_set(fault, SHOAL_E_PROTOCOL,
                                "what the server says on a new connection is no memcached's: see what listens there");
    default:
        return shoal__fault_set(
            fault, SHOAL_E_UNSUPPORTED, "the server does not speak the meta protocol of memcached 1.6.10 and later%s",
            is_alone ? ", which TLS and authentication need" : ": set protocol=auto or protocol=libmemcached");
    }
}

/* Whether the server speaks meta; what it answers otherwise, and what it does not answer, ends the session. */
static shoal_status meet(struct shoal__lane *lane, const struct shoal__stream_options *options, int64_t deadline_ns,
                         bool *is_not_meta, struct shoal__fault *fault) {
    enum shoal__greeted greeted = SHOAL__GREETED_OTHER;
    bool answered = greet(lane->session, &greeted, deadline_ns);
    int why = errno;
    if (answered && greeted == SHOAL__GREETED_META)
        return SHOAL_OK;
    if (!answered || greeted == SHOAL__GREETED_FULL) {
        /* A proxy may answer what it does not know by closing. */
        *is_not_meta = !answered && (why == 0 || why == ECONNRESET);
        return end_unopened(lane, answered || why == ECONNRESET ? 0 : why, fault);
    }
    close_session(lane->session);
    lane->session = NULL;
    *is_not_meta = greeted == SHOAL__GREETED_OTHER;
    return tell_stranger(greeted, options->peer != NULL || options->login != NULL, fault);
}

/* Another on each lane, so that an answer which strays from one to another is noticed; six digits at most. */
static uint32_t first_opaque(void) {
    struct shoal__random random = shoal__random_seeded();
    return (uint32_t)(shoal__random_unit(&random) * 1e6);
}

shoal_status shoal__meta_open(struct shoal__lane *lane, const struct shoal__address *address,
                              const struct shoal__lane_options *options, int64_t deadline_ns, bool *is_not_meta,
                              struct shoal__fault *fault) {
    struct session *session = calloc(1, sizeof(*session));
    if (session == NULL)
        return shoal__fault_set(fault, SHOAL_E_NO_MEMORY, "out of memory for a connection");
    int64_t connect_by_ns = shoal__now_ns() + options->connect_timeout_ns;
    if (connect_by_ns > deadline_ns)
        connect_by_ns = deadline_ns;
    lane->transport = &shoal__transport_meta;
    lane->session = session;
    if (!shoal__stream_open(&session->stream, address, &options->stream, connect_by_ns))
        return end_unopened(lane, errno, fault);
    session->exchange.value_max = options->value_max;
    session->exchange.next_opaque = first_opaque();
    lane->fd = session->stream.fd;
    return meet(lane, &options->stream, deadline_ns, is_not_meta, fault);
}

static shoal_status open_lane(struct shoal__lane *lane, const struct shoal__address *address,
                              const struct shoal__lane_options *options, int64_t deadline_ns,
                              struct shoal__fault *fault) {
    bool is_not_meta = false;
    return shoal__meta_open(lane, address, options, deadline_ns, &is_not_meta, fault);
}

/* What was given up must not be done later, when there may be newer values. */
static void close_lane(struct shoal__lane *lane) {
    struct session *session = lane->session;
    if (lane->broken)
        shoal__stream_abort(&session->stream);
    close_session(session);
    lane->session = NULL;
}

static bool is_quiet(struct shoal__lane *lane) {
    struct session *session = lane->session;
    return shoal__stream_is_quiet(&session->stream);
}

const struct shoal__transport shoal__transport_meta = {
    .name = "meta",
    .open = open_lane,
    .close = close_lane,
    .is_quiet = is_quiet,
    .execute = execute,
    .step = step,
};
