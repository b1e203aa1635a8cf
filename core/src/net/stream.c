/* Sockets block, as a receive that waits by itself is cheaper than a poll and a receive (core/doc/PERFORMANCE.md); the
 * kernel's timeout ends the wait. Nothing raises SIGPIPE; descriptors are CLOEXEC.
 * May include: base/, login, tls and the operating system. */
#include "net/stream.h"

#include "base/clock.h"
#include "logic/login.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Waits until the socket is ready. False: errno says why. */
static bool await(int fd, short events, int64_t deadline_ns) {
    struct pollfd poller = {.fd = fd, .events = events};
    for (;;) {
        int left_ms = shoal__remaining_ms(deadline_ns, shoal__now_ns());
        int ready = left_ms > 0 ? poll(&poller, 1, left_ms) : 0;
        if (ready > 0)
            return true;
        if (ready < 0 && errno != EINTR)
            return false;
        if (left_ms == 0) {
            errno = ETIMEDOUT;
            return false;
        }
    }
}

/* --- Opening --- */

static ssize_t send_some(struct shoal__stream *stream, struct iovec *pieces, size_t count);
static ssize_t receive_some(struct shoal__stream *stream, char *bytes, size_t room);

static bool fail(int os_error) {
    errno = os_error;
    return false;
}

static bool finish_connecting(struct shoal__stream *stream) {
    struct pollfd poller = {.fd = stream->fd, .events = POLLOUT};
    int error = 0;
    socklen_t size = sizeof(error);
    if (poll(&poller, 1, 0) < 1)
        return fail(EAGAIN);
    if (getsockopt(stream->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
        return false;
    return error == 0 || fail(error);
}

/* False, with the complaint, where the server does not let us in. */
static bool take_answer(struct shoal__stream *stream) {
    struct shoal__login_state *login = &stream->login;
    switch (shoal__login_judge(login->answer, login->received, &stream->complaint)) {
    case SHOAL__LOGIN_ACCEPTED:
        return true;
    case SHOAL__LOGIN_REFUSED:
        return fail(EPROTO);
    default:
        return fail(EAGAIN);
    }
}

static bool finish_login(struct shoal__stream *stream) {
    struct shoal__login_state *login = &stream->login;
    for (size_t left; (left = strlen(login->command) - login->sent) > 0;) {
        struct iovec piece = shoal__stream_piece(login->command + login->sent, left);
        ssize_t count = send_some(stream, &piece, 1);
        if (count < 0)
            return false;
        login->sent += (size_t)count;
    }
    do {
        ssize_t count = receive_some(stream, login->answer + login->received, sizeof(login->answer) - login->received);
        if (count <= 0)
            return count < 0 ? false : fail(ECONNRESET);
        login->received += (size_t)count;
        if (take_answer(stream))
            return true;
    } while (errno == EAGAIN);
    return false;
}

static enum shoal__stream_stage stage_after(const struct shoal__stream *stream) {
    if (stream->stage == SHOAL__STREAM_CONNECTING && stream->tls != NULL)
        return SHOAL__STREAM_SHAKING_HANDS;
    if (stream->stage != SHOAL__STREAM_LOGGING_IN && stream->login.command != NULL)
        return SHOAL__STREAM_LOGGING_IN;
    return SHOAL__STREAM_OPEN;
}

/* Goes on until the stream is open. False: errno says why, EAGAIN where it waits for the socket. */
static bool go_on_opening(struct shoal__stream *stream) {
    while (stream->stage != SHOAL__STREAM_OPEN) {
        bool done = stream->stage == SHOAL__STREAM_CONNECTING      ? finish_connecting(stream)
                    : stream->stage == SHOAL__STREAM_SHAKING_HANDS ? shoal__tls_shake_hands(stream->tls)
                                                                   : finish_login(stream);
        if (!done)
            return false;
        stream->stage = stage_after(stream);
    }
    return true;
}

/* Options of TCP mean nothing to a Unix socket: that they fail there does not matter. */
static bool set_up(int fd, bool keepalive) {
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (keepalive)
        setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) == 0;
}

bool shoal__stream_begin(struct shoal__stream *stream, const struct shoal__address *address,
                         const struct shoal__stream_options *options) {
    *stream = (struct shoal__stream){
        .patience_ns = SHOAL__NEVER, .stage = SHOAL__STREAM_CONNECTING, .login = {.command = options->login}};
    stream->fd = socket(address->socket.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (stream->fd < 0)
        return false;
    if (connect(stream->fd, &address->socket.any, address->size) != 0 && errno != EINPROGRESS && errno != EINTR)
        return false;
    if (options->peer != NULL && (stream->tls = shoal__tls_new(options->peer, stream->fd)) == NULL)
        return fail(ENOMEM);
    return set_up(stream->fd, options->keepalive);
}

bool shoal__stream_open(struct shoal__stream *stream, const struct shoal__address *address,
                        const struct shoal__stream_options *options, int64_t deadline_ns) {
    if (!shoal__stream_begin(stream, address, options))
        return false;
    while (!go_on_opening(stream))
        if (errno != EAGAIN || !await(stream->fd, shoal__stream_events(stream, 0), deadline_ns))
            return false;
    return true;
}

const char *shoal__stream_complaint(const struct shoal__stream *stream, int os_error) {
    if (os_error == EPROTO && stream->complaint != NULL)
        return stream->complaint;
    if (os_error == EPROTO && stream->tls != NULL)
        return shoal__tls_complaint(stream->tls);
    if ((os_error == 0 || os_error == ECONNRESET) && stream->tls != NULL && !stream->has_received)
        return "the server closed the connection after the TLS handshake: it may demand a client certificate "
               "(tls_cert_file), or be at its connection limit (-c)";
    if (os_error == ETIMEDOUT && stream->stage == SHOAL__STREAM_SHAKING_HANDS)
        return "the TLS handshake was not finished in time: see connect_timeout_ms; where the server speaks no TLS, "
               "set "
               "tls=false";
    if (os_error == ETIMEDOUT && stream->stage == SHOAL__STREAM_LOGGING_IN)
        return "user and password were not answered in time: see connect_timeout_ms";
    return NULL;
}

short shoal__stream_events(const struct shoal__stream *stream, short wanted) {
    if (stream->stage == SHOAL__STREAM_CONNECTING)
        return POLLOUT;
    if (stream->stage == SHOAL__STREAM_LOGGING_IN)
        wanted = stream->login.command[stream->login.sent] != '\0' ? POLLOUT : POLLIN;
    else if (stream->stage == SHOAL__STREAM_SHAKING_HANDS)
        wanted = POLLIN;
    return (short)(wanted | (stream->tls != NULL && shoal__tls_has_unsent(stream->tls) ? POLLOUT : 0));
}

void shoal__stream_close(struct shoal__stream *stream) {
    shoal__tls_free(stream->tls);
    if (stream->fd >= 0)
        close(stream->fd);
    *stream = (struct shoal__stream){.fd = -1};
}

void shoal__stream_abort(struct shoal__stream *stream) {
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    if (stream->fd >= 0)
        setsockopt(stream->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    shoal__stream_close(stream);
}

/* --- Sending --- */

struct iovec shoal__stream_piece(const char *bytes, size_t size) {
    union {
        const char *given;
        void *taken;
    } base = {.given = bytes};
    return (struct iovec){.iov_base = base.taken, .iov_len = size};
}

static ssize_t send_some(struct shoal__stream *stream, struct iovec *pieces, size_t count) {
    if (stream->tls != NULL)
        return shoal__tls_send(stream->tls, pieces, count);
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = count};
    ssize_t sent;
    do {
        sent = count == 1 ? send(stream->fd, pieces->iov_base, pieces->iov_len, MSG_DONTWAIT | MSG_NOSIGNAL)
                          : sendmsg(stream->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent;
}

ssize_t shoal__stream_send_now(struct shoal__stream *stream, struct iovec *pieces, size_t count) {
    return go_on_opening(stream) ? send_some(stream, pieces, count) : -1;
}

/* Takes what was sent off the front of the pieces. */
static void drop_sent(struct iovec **pieces, size_t *count, size_t sent) {
    while (*count > 0 && sent >= (*pieces)->iov_len) {
        sent -= (*pieces)->iov_len;
        ++*pieces;
        --*count;
    }
    if (*count > 0) {
        (*pieces)->iov_base = (char *)(*pieces)->iov_base + sent;
        (*pieces)->iov_len -= sent;
    }
}

bool shoal__stream_send(struct shoal__stream *stream, struct iovec *pieces, size_t count, int64_t deadline_ns) {
    while (count > 0) {
        ssize_t sent = shoal__stream_send_now(stream, pieces, count);
        if (sent >= 0)
            drop_sent(&pieces, &count, (size_t)sent);
        else if (errno != EAGAIN || !await(stream->fd, POLLOUT, deadline_ns))
            return false;
    }
    while (stream->tls != NULL && !shoal__tls_flush(stream->tls))
        if (errno != EAGAIN || !await(stream->fd, POLLOUT, deadline_ns))
            return false;
    return true;
}

/* --- Receiving --- */

static ssize_t receive_by_tls(struct shoal__stream *stream, char *bytes, size_t room, bool may_block) {
    ssize_t count = shoal__tls_receive(stream->tls, bytes, room, may_block);
    stream->has_received = stream->has_received || count > 0;
    return count;
}

static ssize_t receive_some(struct shoal__stream *stream, char *bytes, size_t room) {
    if (stream->tls != NULL)
        return receive_by_tls(stream, bytes, room, false);
    ssize_t count;
    do {
        count = recv(stream->fd, bytes, room, MSG_DONTWAIT);
    } while (count < 0 && errno == EINTR);
    return count;
}

ssize_t shoal__stream_receive_now(struct shoal__stream *stream, char *bytes, size_t room) {
    return go_on_opening(stream) ? receive_some(stream, bytes, room) : -1;
}

bool shoal__stream_has_more(const struct shoal__stream *stream) {
    return stream->tls != NULL && shoal__tls_has_more(stream->tls);
}

/* With TLS there may be messages of its own to be read, which is what a receive does first. */
bool shoal__stream_is_quiet(struct shoal__stream *stream) {
    char byte;
    ssize_t count = stream->tls != NULL ? shoal__tls_receive(stream->tls, &byte, 1, false)
                                        : recv(stream->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return count < 0 && (errno == EAGAIN || errno == EINTR);
}

/* The kernel is told anew only where it would wait for too long, or for so much less than it may that a long wait would
 * be cut in many: three quarters of the time left, so that the next call, which has a little less or more left, need
 * not tell it again. */
#define MUCH_LESS 16

static bool set_patience(struct shoal__stream *stream, int64_t left_ns) {
    int64_t patience_ns = left_ns < 4 * SHOAL__NS_PER_MS ? SHOAL__NS_PER_MS : left_ns / 4 * 3;
    struct timeval time = {.tv_sec = (time_t)(patience_ns / SHOAL__NS_PER_S),
                           .tv_usec = (suseconds_t)(patience_ns % SHOAL__NS_PER_S / 1000)};
    if (setsockopt(stream->fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time)) != 0)
        return false;
    stream->patience_ns = patience_ns;
    return true;
}

/* While something is unsent, the server may be waiting for it. */
static ssize_t await_by_tls(struct shoal__stream *stream, char *bytes, size_t room, int64_t deadline_ns) {
    bool has_unsent = shoal__tls_has_unsent(stream->tls);
    if (has_unsent && !await(stream->fd, POLLIN | POLLOUT, deadline_ns))
        return -1;
    return receive_by_tls(stream, bytes, room, !has_unsent);
}

ssize_t shoal__stream_receive(struct shoal__stream *stream, char *bytes, size_t room, int64_t deadline_ns) {
    for (;;) {
        int64_t left_ns = deadline_ns - shoal__now_ns();
        if (left_ns <= 0) {
            errno = ETIMEDOUT;
            return -1;
        }
        bool fits = stream->patience_ns <= left_ns && stream->patience_ns >= left_ns / MUCH_LESS;
        if (!fits && !set_patience(stream, left_ns))
            return -1;
        ssize_t count =
            stream->tls == NULL ? recv(stream->fd, bytes, room, 0) : await_by_tls(stream, bytes, room, deadline_ns);
        if (count >= 0 || (errno != EINTR && errno != EAGAIN))
            return count;
    }
}
