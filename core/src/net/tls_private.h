/* What tls.c and tls_context.c share.
 * May include: base/, tls, <openssl/>. Included by these two alone. */
#ifndef SHOAL_NET_TLS_PRIVATE_H
#define SHOAL_NET_TLS_PRIVATE_H

#include "net/tls.h"

#include <openssl/ssl.h>
#include <pthread.h>

struct shoal__tls_context {
    SSL_CTX *shared;
    BIO_METHOD *socket_method; /* how OpenSSL reads and writes */
    bool verify;
    char *server_name; /* "": the name of each host */
};

struct shoal__tls_peer {
    struct shoal__tls_context *context;
    char *name; /* what its certificate must bear */
    bool is_numeric;
    char *asked_for; /* the server's name in the handshake (SNI); NULL: none, as addresses have none there */
    pthread_mutex_t lock;
    SSL_SESSION *session; /* of the last connection that gave one; under the lock */
};

/* How sockets are read and written. NULL where memory ran out. */
BIO_METHOD *shoal__tls_socket_method(void);

/* Told by OpenSSL of each certificate of a chain, and of each session that may be resumed. */
int shoal__tls_judge(int is_fine, X509_STORE_CTX *chain);
int shoal__tls_keep_session(SSL *ssl, SSL_SESSION *session);

/* A copy of the session to be resumed, the caller's; NULL where there is none. Sessions are copied in and out, so that
 * no two connections, which may be of two threads, work on one. */
SSL_SESSION *shoal__tls_peer_session(struct shoal__tls_peer *peer);

/* Keeps a copy of another in its place; NULL: the next handshake is a full one. */
void shoal__tls_peer_keep(struct shoal__tls_peer *peer, const SSL_SESSION *session);

#endif
