/* A connected socket, and the moving of bytes over it until a deadline. Signals may interrupt it: it goes on.
 * May include: base/. Used by transport_meta. */
#ifndef SHOAL_NET_STREAM_H
#define SHOAL_NET_STREAM_H

#include "base/address.h"

#include <sys/types.h>
#include <sys/uio.h>

struct shoal__stream {
    int fd;
    int64_t patience_ns; /* how long the kernel lets one receive wait (SO_RCVTIMEO) */
};

/* Connects. False: errno says why, ETIMEDOUT included, and nothing is left to close. */
bool shoal__stream_open(struct shoal__stream *stream, const struct shoal__address *address, bool keepalive,
                        int64_t deadline_ns);

/* Bytes to be sent, which an iovec holds without the const that they have. */
struct iovec shoal__stream_piece(const char *bytes, size_t size);

/* Sends all of these pieces, which it changes. False: errno says why, ETIMEDOUT included. */
bool shoal__stream_send(struct shoal__stream *stream, struct iovec *pieces, size_t count, int64_t deadline_ns);

/* Waits for bytes. How many came; 0: the peer closed; -1: errno says why, ETIMEDOUT included. */
ssize_t shoal__stream_receive(struct shoal__stream *stream, char *bytes, size_t room, int64_t deadline_ns);

/* The same without waiting: -1 with EAGAIN where it would have to. */
ssize_t shoal__stream_send_now(struct shoal__stream *stream, struct iovec *pieces, size_t count);
ssize_t shoal__stream_receive_now(struct shoal__stream *stream, char *bytes, size_t room);

void shoal__stream_close(struct shoal__stream *stream);

#endif
