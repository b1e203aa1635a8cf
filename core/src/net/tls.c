/* One connection's TLS: what OpenSSL wants written is gathered and sent at once, what it wants read is received, and
 * what it complains of is put in words that help.
 * May include: base/, tls, <openssl/> and the operating system. */
#include "base/buffer.h"
#include "net/tls_private.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* How much of a large value is encrypted before it is sent: few sends, and no more memory than this for a lane. */
#define ENCRYPTED_AT_ONCE ((size_t)256 * 1024)

/* Small pieces are gathered, so that they make one record, and one send. memcached reads into 16 KiB, of which up to 2
 * hold the beginning of a line: see encrypt_with_tail. */
#define GATHERED_MAX ((size_t)14 * 1024)

struct shoal__tls {
    struct shoal__tls_peer *peer;
    SSL *ssl;
    int fd;
    bool may_block;  /* the next read from the socket */
    bool has_ended;  /* the peer closed */
    bool has_failed; /* nothing more is to be said */
    bool has_more;
    int os_error;                /* of the socket; 0: it works */
    struct shoal__buffer unsent; /* encrypted */
    size_t sent;                 /* of it */
    bool sent_whole;             /* all that was to be sent the last time was taken */
    char complaint[240];
};

/* --- The socket, as OpenSSL reads and writes it --- */

static int write_out(BIO *bio, const char *bytes, int size) {
    struct shoal__tls *tls = BIO_get_data(bio);
    char *room = shoal__buffer_reserve(&tls->unsent, (size_t)size);
    if (room == NULL) {
        tls->os_error = ENOMEM;
        return -1;
    }
    memcpy(room, bytes, (size_t)size);
    tls->unsent.size += (size_t)size;
    return size;
}

/* Blocks once a receive: OpenSSL would go on, deadline or not, where a server sends a record byte by byte. */
static int read_in(BIO *bio, char *bytes, int size) {
    struct shoal__tls *tls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    ssize_t count = recv(tls->fd, bytes, (size_t)size, tls->may_block ? 0 : MSG_DONTWAIT);
    tls->may_block = false;
    tls->has_ended = count == 0;
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        BIO_set_retry_read(bio);
    else if (count < 0)
        tls->os_error = errno;
    return (int)count;
}

static long control(BIO *bio, int command, long number, void *pointer) {
    struct shoal__tls *tls = BIO_get_data(bio);
    (void)number;
    (void)pointer;
    if (command == BIO_CTRL_EOF)
        return tls->has_ended;
    return command == BIO_CTRL_FLUSH; /* sent when OpenSSL has said all it has to say: see shoal__tls_flush */
}

BIO_METHOD *shoal__tls_socket_method(void) {
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "shoal");
    if (method != NULL && BIO_meth_set_write(method, write_out) && BIO_meth_set_read(method, read_in) &&
        BIO_meth_set_ctrl(method, control))
        return method;
    BIO_meth_free(method);
    return NULL;
}

bool shoal__tls_has_unsent(const struct shoal__tls *tls) {
    return tls->unsent.size > tls->sent;
}

bool shoal__tls_flush(struct shoal__tls *tls) {
    while (shoal__tls_has_unsent(tls)) {
        ssize_t count =
            send(tls->fd, tls->unsent.bytes + tls->sent, tls->unsent.size - tls->sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return false;
        tls->sent += (size_t)count;
    }
    tls->sent = tls->unsent.size = 0;
    if (tls->unsent.capacity > 2 * GATHERED_MAX) /* after a large value: an idle lane holds little */
        shoal__buffer_clear(&tls->unsent);
    return true;
}

/* --- Complaints --- */

static void complain(struct shoal__tls *tls, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The first complaint is the cause of the others. */
static void complain(struct shoal__tls *tls, const char *format, ...) {
    va_list arguments;
    if (tls->complaint[0] != '\0')
        return;
    va_start(arguments, format);
    vsnprintf(tls->complaint, sizeof(tls->complaint), format, arguments);
    va_end(arguments);
}

/* "2024-05-31" */
struct date {
    char text[16];
};

static struct date show_date(const ASN1_TIME *time) {
    struct date date = {"an odd date"};
    struct tm parts;
    if (ASN1_TIME_to_tm(time, &parts) == 1 && strftime(date.text, sizeof(date.text), "%Y-%m-%d", &parts) == 0)
        date.text[0] = '\0';
    return date;
}

/* A name as a certificate bears it, which may hold anything. */
struct name {
    char text[64];
};

static void add_name(struct name *name, const unsigned char *bytes, int size) {
    size_t used = strlen(name->text);
    if (used > 0 && used + 2 < sizeof(name->text)) {
        memcpy(name->text + used, ", ", 2);
        used += 2;
    }
    for (int i = 0; i < size && used + 1 < sizeof(name->text); i++)
        name->text[used++] = bytes[i] > ' ' && bytes[i] < 0x7f ? (char)bytes[i] : '?';
    name->text[used] = '\0';
}

static void add_address(struct name *name, const ASN1_OCTET_STRING *address) {
    char text[64];
    int size = ASN1_STRING_length(address);
    const unsigned char *bytes = ASN1_STRING_get0_data(address);
    int family = size == 4 ? AF_INET : AF_INET6;
    if ((size == 4 || size == 16) && inet_ntop(family, bytes, text, sizeof(text)) != NULL)
        add_name(name, (const unsigned char *)text, (int)strlen(text));
}

/* The host names and addresses that a certificate is for. */
static struct name show_names(const X509 *certificate) {
    struct name name = {""};
    GENERAL_NAMES *all = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; all != NULL && i < sk_GENERAL_NAME_num(all); i++) {
        const GENERAL_NAME *one = sk_GENERAL_NAME_value(all, i);
        if (one->type == GEN_DNS)
            add_name(&name, ASN1_STRING_get0_data(one->d.dNSName), ASN1_STRING_length(one->d.dNSName));
        else if (one->type == GEN_IPADD)
            add_address(&name, one->d.iPAddress);
    }
    GENERAL_NAMES_free(all);
    if (name.text[0] == '\0')
        add_name(&name, (const unsigned char *)"nobody", 6);
    return name;
}

static void complain_of_certificate(struct shoal__tls *tls, int error, const X509 *certificate) {
    switch (error) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        complain(tls,
                 "the certificate is for %s, not for %.60s: set tls_server_name to a name that it bears, or have "
                 "one made for this host",
                 show_names(certificate).text, tls->peer->name);
        break;
    case X509_V_ERR_CERT_HAS_EXPIRED:
        complain(tls, "the certificate expired on %s: have it renewed (or set this machine's clock)",
                 show_date(X509_get0_notAfter(certificate)).text);
        break;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        complain(tls, "the certificate is valid only from %s on: set this machine's clock",
                 show_date(X509_get0_notBefore(certificate)).text);
        break;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        complain(tls,
                 "certificate verify failed: %s: set tls_ca_file to the certificate of the authority that signed "
                 "the server's",
                 X509_verify_cert_error_string(error));
        break;
    default:
        complain(tls, "certificate verify failed: %s", X509_verify_cert_error_string(error));
    }
}

int shoal__tls_judge(int is_fine, X509_STORE_CTX *chain) {
    SSL *ssl = X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx());
    if (!is_fine)
        complain_of_certificate(SSL_get_app_data(ssl), X509_STORE_CTX_get_error(chain),
                                X509_STORE_CTX_get_current_cert(chain));
    return is_fine;
}

static void complain_of_alert(struct shoal__tls *tls, int reason) {
    switch (reason) {
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
        complain(tls, "the server demands a client certificate: set tls_cert_file and tls_key_file");
        break;
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
        complain(tls, "the server does not accept the certificate in tls_cert_file (%s)",
                 ERR_reason_error_string(ERR_PACK(ERR_LIB_SSL, 0, (unsigned long)reason)));
        break;
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
        complain(tls, "the server refused the handshake: it may demand a client certificate (tls_cert_file), or "
                      "other ciphers than this OpenSSL offers");
        break;
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
        complain(tls, "the server speaks no TLS (a plain memcached?): if it should not, set tls=false");
        break;
    default:
        complain(tls, "TLS failed: %s", ERR_reason_error_string(ERR_PACK(ERR_LIB_SSL, 0, (unsigned long)reason)));
    }
}

/* Why OpenSSL could not go on, as errno tells it: EAGAIN, 0 where the peer closed, EPROTO with a complaint. */
static int find_reason(struct shoal__tls *tls, int returned) {
    int kind = SSL_get_error(tls->ssl, returned);
    unsigned long error = ERR_peek_error();
    ERR_clear_error();
    if (kind == SSL_ERROR_WANT_READ)
        return EAGAIN;
    tls->has_failed = true;
    if (tls->os_error != 0)
        return tls->os_error;
    if (kind == SSL_ERROR_ZERO_RETURN || tls->has_ended)
        return 0;
    if (ERR_GET_LIB(error) == ERR_LIB_SSL)
        complain_of_alert(tls, ERR_GET_REASON(error));
    complain(tls, "TLS failed: %s", error ? ERR_reason_error_string(error) : "for no reason that OpenSSL tells");
    return EPROTO;
}

const char *shoal__tls_complaint(const struct shoal__tls *tls) {
    return tls->complaint[0] != '\0' ? tls->complaint : NULL;
}

/* --- Handshake --- */

static bool name_peer(SSL *ssl, const struct shoal__tls_peer *peer) {
    if (peer->asked_for && SSL_set_tlsext_host_name(ssl, peer->asked_for) != 1)
        return false;
    if (!peer->context->verify)
        return true;
    if (peer->is_numeric)
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), peer->name) == 1;
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(ssl, peer->name) == 1;
}

/* Where nothing can be resumed, the handshake is a full one. */
static void offer_session(SSL *ssl, struct shoal__tls_peer *peer) {
    SSL_SESSION *session = shoal__tls_peer_session(peer);
    if (session != NULL)
        SSL_set_session(ssl, session);
    SSL_SESSION_free(session);
}

int shoal__tls_keep_session(SSL *ssl, SSL_SESSION *session) {
    struct shoal__tls *tls = SSL_get_app_data(ssl);
    shoal__tls_peer_keep(tls->peer, session);
    return 0;
}

struct shoal__tls *shoal__tls_new(struct shoal__tls_peer *peer, int fd) {
    struct shoal__tls *tls = calloc(1, sizeof(*tls));
    BIO *bio = BIO_new(peer->context->socket_method);
    if (tls != NULL)
        tls->ssl = SSL_new(peer->context->shared);
    if (tls == NULL || bio == NULL || tls->ssl == NULL || SSL_set_app_data(tls->ssl, tls) != 1 ||
        !name_peer(tls->ssl, peer)) {
        BIO_free(bio);
        SSL_free(tls ? tls->ssl : NULL);
        free(tls);
        ERR_clear_error();
        return NULL;
    }
    tls->peer = peer;
    tls->fd = fd;
    tls->sent_whole = true;
    BIO_set_data(bio, tls);
    BIO_set_init(bio, 1);
    SSL_set_bio(tls->ssl, bio, bio);
    SSL_set_connect_state(tls->ssl);
    offer_session(tls->ssl, peer);
    return tls;
}

static bool fail_handshake(struct shoal__tls *tls, int why) {
    shoal__tls_peer_keep(tls->peer, NULL);
    if (why == 0 || why == ECONNRESET)
        complain(tls, "the server closed the connection during the TLS handshake: does it speak TLS at this port, or "
                      "demand a client certificate (tls_cert_file)?");
    errno = shoal__tls_complaint(tls) ? EPROTO : why;
    return false;
}

bool shoal__tls_shake_hands(struct shoal__tls *tls) {
    ERR_clear_error();
    int returned = SSL_do_handshake(tls->ssl);
    int why = returned == 1 ? 0 : find_reason(tls, returned);
    if (returned != 1 && why != EAGAIN) {
        shoal__tls_flush(tls); /* the alert that tells the server what is wrong */
        return fail_handshake(tls, why);
    }
    if (!shoal__tls_flush(tls))
        return errno != EAGAIN && fail_handshake(tls, errno);
    errno = EAGAIN;
    return returned == 1;
}

void shoal__tls_free(struct shoal__tls *tls) {
    if (tls == NULL)
        return;
    if (!tls->has_failed && !shoal__tls_has_unsent(tls) && SSL_is_init_finished(tls->ssl)) {
        ERR_clear_error();
        SSL_shutdown(tls->ssl);
        shoal__tls_flush(tls);
        ERR_clear_error();
    }
    SSL_free(tls->ssl);
    shoal__buffer_clear(&tls->unsent);
    free(tls);
}

/* --- Sending --- */

static bool encrypt(struct shoal__tls *tls, const char *bytes, size_t size) {
    size_t written;
    ERR_clear_error();
    if (size == 0 || SSL_write_ex(tls->ssl, bytes, size, &written) == 1)
        return true;
    int why = find_reason(tls, 0);
    errno = why != 0 && why != EAGAIN ? why : EPIPE;
    return false;
}

static size_t count_bytes(const struct iovec *pieces, size_t count) {
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += pieces[i].iov_len;
    return size;
}

static bool encrypt_together(struct shoal__tls *tls, const struct iovec *pieces, size_t count) {
    char together[GATHERED_MAX];
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        memcpy(together + size, pieces[i].iov_base, pieces[i].iov_len);
        size += pieces[i].iov_len;
    }
    return encrypt(tls, together, size);
}

/* Encrypts `size` bytes of the pieces, the last of them in a record of its own. memcached waits for its socket to
 * become readable, whatever OpenSSL has read and it has not taken yet (it never asks SSL_pending): where a record holds
 * more than it had room for, it would wait for ever. So the very last record is one that it always has room for, and as
 * long as that lies in its socket it comes back for all before it. */
static bool encrypt_with_tail(struct shoal__tls *tls, const struct iovec *pieces, size_t size) {
    for (; size > pieces->iov_len; size -= pieces->iov_len, pieces++)
        if (!encrypt(tls, pieces->iov_base, pieces->iov_len))
            return false;
    const char *bytes = pieces->iov_base;
    return encrypt(tls, bytes, size - 1) && encrypt(tls, bytes + size - 1, 1);
}

ssize_t shoal__tls_send(struct shoal__tls *tls, const struct iovec *pieces, size_t count) {
    size_t size = count_bytes(pieces, count);
    if (!shoal__tls_flush(tls))
        return -1;
    bool is_whole = size <= ENCRYPTED_AT_ONCE;
    size = is_whole ? size : ENCRYPTED_AT_ONCE;
    bool is_small = size <= GATHERED_MAX && tls->sent_whole;
    bool done = is_small && count == 1 ? encrypt(tls, pieces->iov_base, size)
                : is_small             ? encrypt_together(tls, pieces, count)
                                       : encrypt_with_tail(tls, pieces, size);
    if (!done)
        return -1;
    tls->sent_whole = is_whole;
    return shoal__tls_flush(tls) || errno == EAGAIN ? (ssize_t)size : -1;
}

/* --- Receiving --- */

bool shoal__tls_has_more(const struct shoal__tls *tls) {
    return tls->has_more;
}

static ssize_t end_receiving(struct shoal__tls *tls, size_t received) {
    int why = find_reason(tls, 0);
    tls->has_more = why != EAGAIN; /* what went wrong is told when it is asked for again */
    if (received > 0)
        return (ssize_t)received;
    errno = why;
    return why == 0 ? 0 : -1;
}

ssize_t shoal__tls_receive(struct shoal__tls *tls, char *bytes, size_t room, bool may_block) {
    size_t received = 0, count;
    if (!shoal__tls_flush(tls) && errno != EAGAIN)
        return -1;
    tls->may_block = may_block;
    do {
        ERR_clear_error();
        if (SSL_read_ex(tls->ssl, bytes + received, room - received, &count) != 1)
            return end_receiving(tls, received);
        received += count;
    } while (received < room && SSL_has_pending(tls->ssl));
    tls->has_more = SSL_has_pending(tls->ssl);
    return (ssize_t)received;
}
