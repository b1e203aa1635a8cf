/* A connected socket, with TLS over it and a login where those are wanted, and the moving of bytes over it until a
 * deadline. Signals may interrupt it: it goes on. Life of a stream:
 *
 *   connecting --> [shaking hands] --> [logging in] --> open
 *
 * May include: base/, tls. Used by transport_meta, discovery and probe. */
#ifndef SHOAL_NET_STREAM_H
#define SHOAL_NET_STREAM_H

#include "base/address.h"
#include "net/tls.h"

enum shoal__stream_stage {
    SHOAL__STREAM_OPEN, /* zero, as it is asked for most often */
    SHOAL__STREAM_CONNECTING,
    SHOAL__STREAM_SHAKING_HANDS,
    SHOAL__STREAM_LOGGING_IN,
};

struct shoal__stream {
    int fd;                 /* -1: none */
    int64_t patience_ns;    /* how long the kernel lets one receive wait (SO_RCVTIMEO) */
    struct shoal__tls *tls; /* NULL: bytes go as they are */
    bool has_received;      /* over TLS */
    enum shoal__stream_stage stage;
    struct shoal__login_state {
        const char *command;
        size_t sent;
        char answer[64];
        size_t received;
    } login;
    const char *complaint; /* about a login that was refused */
};

/* What a connection needs to be let in, beside an address. Borrowed. */
struct shoal__stream_options {
    bool keepalive;
    struct shoal__tls_peer *peer; /* NULL: no TLS */
    const char *login;            /* what a new connection says first (logic/login.h); NULL: nothing */
};

/* Begins to connect, without waiting; the rest happens within the first sends and receives. False: errno says why. In
 * any case the stream is there to be closed. */
bool shoal__stream_begin(struct shoal__stream *stream, const struct shoal__address *address,
                         const struct shoal__stream_options *options);

/* Connects, and waits until the stream is open. False: errno says why, ETIMEDOUT included. */
bool shoal__stream_open(struct shoal__stream *stream, const struct shoal__address *address,
                        const struct shoal__stream_options *options, int64_t deadline_ns);

/* What the latest failure, which left this errno (0: the peer closed), was about, where errno alone does not tell it;
 * else NULL. Lives until the stream is closed. */
const char *shoal__stream_complaint(const struct shoal__stream *stream, int os_error);

/* Bytes to be sent, which an iovec holds without the const that they have. */
struct iovec shoal__stream_piece(const char *bytes, size_t size);

/* Sends all of these pieces, which it changes. False: errno says why, ETIMEDOUT included. */
bool shoal__stream_send(struct shoal__stream *stream, struct iovec *pieces, size_t count, int64_t deadline_ns);

/* Waits for bytes. How many came; 0: the peer closed; -1: errno says why, ETIMEDOUT included. */
ssize_t shoal__stream_receive(struct shoal__stream *stream, char *bytes, size_t room, int64_t deadline_ns);

/* The same without waiting: -1 with EAGAIN where it would have to. */
ssize_t shoal__stream_send_now(struct shoal__stream *stream, struct iovec *pieces, size_t count);
ssize_t shoal__stream_receive_now(struct shoal__stream *stream, char *bytes, size_t room);

/* What to poll for, where the caller waits for `wanted`. */
short shoal__stream_events(const struct shoal__stream *stream, short wanted);

/* Whether there is something to receive that no poll would tell of. */
bool shoal__stream_has_more(const struct shoal__stream *stream);

/* Whether an idle one is as it should be: neither closed by the peer, nor with anything to be read. */
bool shoal__stream_is_quiet(struct shoal__stream *stream);

void shoal__stream_close(struct shoal__stream *stream);

/* The same, and what was sent and has not arrived never will: a close alone lets the kernel send it again and again. */
void shoal__stream_abort(struct shoal__stream *stream);

#endif
