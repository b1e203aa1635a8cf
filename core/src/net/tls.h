/* TLS over a socket that is connected already: what a fleet's options say of it, whom a connection is made to, and the
 * connection's own session. No OpenSSL type appears here; core/doc/TLS.md has the why.
 * May include: base/. Implemented by tls_context.c and tls.c, or by tls_absent.c in a build without TLS. Used by
 * stream, and by fleet, pool and discovery, which keep contexts and peers. */
#ifndef SHOAL_NET_TLS_H
#define SHOAL_NET_TLS_H

#include "base/error.h"

#include <sys/types.h>
#include <sys/uio.h>

/* --- What the files say: read once, as a child may have lost the right to read them; never changes --- */

struct shoal__tls_options {
    const char *ca_file;     /* "": the system's store */
    const char *cert_file;   /* "": no client certificate */
    const char *key_file;    /* "": the key stands in cert_file */
    const char *server_name; /* "": the name of each host */
    bool verify;
};

struct shoal__tls_files;

/* Reads and checks everything. The fault is SHOAL_E_BAD_OPTION and names the option, or SHOAL_E_UNSUPPORTED in a build
 * without TLS. */
shoal_status shoal__tls_files_read(const struct shoal__tls_options *options, struct shoal__tls_files **files,
                                   struct shoal__fault *fault);

/* NULL-safe, as all that free here. */
void shoal__tls_files_free(struct shoal__tls_files *files);

/* --- What one process makes of them: shared by all of a fleet's connections --- */

struct shoal__tls_context;

/* files is borrowed. NULL where memory ran out. */
struct shoal__tls_context *shoal__tls_context_new(const struct shoal__tls_files *files);
void shoal__tls_context_free(struct shoal__tls_context *context);

/* --- Whom connections are made to: the name that certificates must bear, and the session to be resumed --- */

struct shoal__tls_peer;

/* host: a name or a numeric address. context is borrowed. NULL where memory ran out. Any thread may use a peer. */
struct shoal__tls_peer *shoal__tls_peer_new(struct shoal__tls_context *context, const char *host);
void shoal__tls_peer_free(struct shoal__tls_peer *peer);

/* --- One connection; used by one thread at a time --- */

struct shoal__tls;

/* peer is borrowed, and fd, which must be connected. NULL where memory ran out. */
struct shoal__tls *shoal__tls_new(struct shoal__tls_peer *peer, int fd);

/* Goes on with the handshake. False: errno says why, EAGAIN where it waits for the socket. */
bool shoal__tls_shake_hands(struct shoal__tls *tls);

/* As sendmsg and recv do: how many bytes were taken or came, 0 where the peer closed, -1 with errno: EAGAIN where the
 * call would have to wait, EPROTO where the complaint says why. What was taken may be encrypted and not sent yet. */
ssize_t shoal__tls_send(struct shoal__tls *tls, const struct iovec *pieces, size_t count);
ssize_t shoal__tls_receive(struct shoal__tls *tls, char *bytes, size_t room, bool may_block);

/* Sends what was taken and not sent. False: errno says why. */
bool shoal__tls_flush(struct shoal__tls *tls);

/* Whether there is anything to flush. */
bool shoal__tls_has_unsent(const struct shoal__tls *tls);

/* Whether a receive would bring something without the socket becoming readable: it was read and is kept here. */
bool shoal__tls_has_more(const struct shoal__tls *tls);

/* Why errno is EPROTO, and what to do; lives as long as the connection. NULL where nothing is known. */
const char *shoal__tls_complaint(const struct shoal__tls *tls);

/* Says good-bye where that needs no waiting. The socket stays open. */
void shoal__tls_free(struct shoal__tls *tls);

#endif
