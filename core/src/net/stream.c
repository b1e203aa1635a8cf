/* Sockets block, as a receive that waits by itself is cheaper than a poll and a receive (core/doc/PERFORMANCE.md); the
 * kernel's timeout ends the wait. Nothing raises SIGPIPE; descriptors are CLOEXEC.
 * May include: base/ and the operating system. */
#include "net/stream.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
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

static bool finish_connecting(int fd, int64_t deadline_ns) {
    int error = 0;
    socklen_t size = sizeof(error);
    if (!await(fd, POLLOUT, deadline_ns) || getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
        return false;
    errno = error;
    return error == 0;
}

static bool connect_by(int fd, const struct shoal__address *address, int64_t deadline_ns) {
    if (connect(fd, &address->socket.any, address->size) == 0)
        return true;
    return (errno == EINPROGRESS || errno == EINTR) && finish_connecting(fd, deadline_ns);
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

bool shoal__stream_open(struct shoal__stream *stream, const struct shoal__address *address, bool keepalive,
                        int64_t deadline_ns) {
    *stream = (struct shoal__stream){.patience_ns = SHOAL__NEVER};
    stream->fd = socket(address->socket.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (stream->fd < 0)
        return false;
    if (connect_by(stream->fd, address, deadline_ns) && set_up(stream->fd, keepalive))
        return true;
    int why = errno;
    shoal__stream_close(stream);
    errno = why;
    return false;
}

void shoal__stream_close(struct shoal__stream *stream) {
    close(stream->fd);
    stream->fd = -1;
}

/* --- Sending --- */

struct iovec shoal__stream_piece(const char *bytes, size_t size) {
    union {
        const char *given;
        void *taken;
    } base = {.given = bytes};
    return (struct iovec){.iov_base = base.taken, .iov_len = size};
}

ssize_t shoal__stream_send_now(struct shoal__stream *stream, struct iovec *pieces, size_t count) {
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = count};
    ssize_t sent;
    do {
        sent = count == 1 ? send(stream->fd, pieces->iov_base, pieces->iov_len, MSG_DONTWAIT | MSG_NOSIGNAL)
                          : sendmsg(stream->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent;
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
    return true;
}

/* --- Receiving --- */

ssize_t shoal__stream_receive_now(struct shoal__stream *stream, char *bytes, size_t room) {
    ssize_t count;
    do {
        count = recv(stream->fd, bytes, room, MSG_DONTWAIT);
    } while (count < 0 && errno == EINTR);
    return count;
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
        ssize_t count = recv(stream->fd, bytes, room, 0);
        if (count >= 0 || (errno != EINTR && errno != EAGAIN))
            return count;
    }
}
