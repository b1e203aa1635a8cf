/* What does not belong to one connection: the files, the context that a process makes of them, and the peers.
 * May include: base/, tls, <openssl/> and the operating system. */
#include "base/address.h"
#include "net/tls_private.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- Files --- */

#define FILE_SIZE_MAX (16 * 1024 * 1024)

/* A file's bytes; zeroed where the option is not set. */
struct content {
    char *bytes;
    size_t size;
};

struct shoal__tls_files {
    struct content ca, cert, key;
    bool verify;
    char *server_name;
};

/* The option that a complaint is about. */
struct source {
    const char *option;
    const char *path;
    struct shoal__fault *fault;
};

static shoal_status refuse(const struct source *source, const char *complaint) {
    return shoal__fault_set(source->fault, SHOAL_E_BAD_OPTION, "%s %.100s: %s", source->option, source->path,
                            complaint);
}

static shoal_status read_whole(const struct source *source, int fd, size_t size, struct content *content) {
    content->bytes = malloc(size + 1);
    if (content->bytes == NULL)
        return shoal__fault_set(source->fault, SHOAL_E_NO_MEMORY, "out of memory for %s", source->option);
    while (content->size < size) {
        ssize_t count = read(fd, content->bytes + content->size, size - content->size);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return refuse(source, count < 0 ? strerror(errno) : "became shorter while it was read");
        content->size += (size_t)count;
    }
    return SHOAL_OK;
}

static shoal_status read_file(const struct source *source, struct content *content) {
    struct stat found;
    if (source->path[0] == '\0')
        return SHOAL_OK;
    int fd = open(source->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return refuse(source, strerror(errno));
    shoal_status status = SHOAL_OK;
    if (fstat(fd, &found) != 0 || !S_ISREG(found.st_mode) || found.st_size > FILE_SIZE_MAX)
        status = refuse(source, "is no file in PEM form");
    else
        status = read_whole(source, fd, (size_t)found.st_size, content);
    close(fd);
    return status;
}

static void clear_content(struct content *content) {
    if (content->bytes != NULL)
        OPENSSL_cleanse(content->bytes, content->size);
    free(content->bytes);
}

void shoal__tls_files_free(struct shoal__tls_files *files) {
    if (files == NULL)
        return;
    clear_content(&files->ca);
    clear_content(&files->cert);
    clear_content(&files->key);
    free(files->server_name);
    free(files);
}

/* --- From PEM --- */

static BIO *open_content(const struct content *content) {
    return BIO_new_mem_buf(content->bytes, (int)content->size);
}

/* OpenSSL would ask for a passphrase on the terminal otherwise. */
static int give_no_passphrase(char *room, int size, int is_for_writing, void *context) {
    (void)is_for_writing;
    *(bool *)context = true;
    if (size > 0)
        room[0] = '\0';
    return -1;
}

static bool trust(SSL_CTX *shared, const struct content *ca) {
    bool passphrase_asked;
    size_t count = 0;
    BIO *input = open_content(ca);
    for (X509 *one; input != NULL && (one = PEM_read_bio_X509(input, NULL, give_no_passphrase, &passphrase_asked));) {
        count += X509_STORE_add_cert(SSL_CTX_get_cert_store(shared), one) == 1;
        X509_free(one);
    }
    BIO_free(input);
    return count > 0;
}

/* The first certificate is the client's own, those behind it lead to its CA. */
static bool show(SSL_CTX *shared, const struct content *cert) {
    bool passphrase_asked;
    BIO *input = open_content(cert);
    X509 *own = input ? PEM_read_bio_X509(input, NULL, give_no_passphrase, &passphrase_asked) : NULL;
    bool done = own != NULL && SSL_CTX_use_certificate(shared, own) == 1;
    X509_free(own);
    for (X509 *next; done && (next = PEM_read_bio_X509(input, NULL, give_no_passphrase, &passphrase_asked));)
        if (SSL_CTX_add0_chain_cert(shared, next) != 1) {
            X509_free(next);
            done = false;
        }
    BIO_free(input);
    return done;
}

enum key_verdict { KEY_FINE, KEY_ABSENT, KEY_ENCRYPTED, KEY_OF_ANOTHER };

static enum key_verdict use_key(SSL_CTX *shared, const struct content *content) {
    bool passphrase_asked = false;
    BIO *input = open_content(content);
    EVP_PKEY *key = input ? PEM_read_bio_PrivateKey(input, NULL, give_no_passphrase, &passphrase_asked) : NULL;
    BIO_free(input);
    if (key == NULL)
        return passphrase_asked ? KEY_ENCRYPTED : KEY_ABSENT;
    bool fits = SSL_CTX_use_PrivateKey(shared, key) == 1 && SSL_CTX_check_private_key(shared) == 1;
    EVP_PKEY_free(key);
    return fits ? KEY_FINE : KEY_OF_ANOTHER;
}

/* --- Contexts --- */

/* libssl is kept from running anything at the process's exit: threads may be at work then. */
static SSL_CTX *make_shared(bool verify) {
    SSL_CTX *shared = OPENSSL_init_ssl(OPENSSL_INIT_NO_ATEXIT, NULL) == 1 ? SSL_CTX_new(TLS_client_method()) : NULL;
    if (shared == NULL)
        return NULL;
    SSL_CTX_set_min_proto_version(shared, TLS1_2_VERSION);
    SSL_CTX_set_options(shared, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_read_ahead(shared, 1);
    SSL_CTX_set_mode(shared, SSL_MODE_RELEASE_BUFFERS); /* an idle lane holds none */
    SSL_CTX_set_session_cache_mode(shared, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(shared, shoal__tls_keep_session);
    SSL_CTX_set_verify(shared, verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, verify ? shoal__tls_judge : NULL);
    return shared;
}

static bool use_cert_and_key(SSL_CTX *shared, const struct shoal__tls_files *files) {
    const struct content *key = files->key.bytes ? &files->key : &files->cert;
    return files->cert.bytes == NULL || (show(shared, &files->cert) && use_key(shared, key) == KEY_FINE);
}

struct shoal__tls_context *shoal__tls_context_new(const struct shoal__tls_files *files) {
    struct shoal__tls_context *context = calloc(1, sizeof(*context));
    if (context == NULL)
        return NULL;
    context->verify = files->verify;
    context->server_name = strdup(files->server_name);
    context->socket_method = shoal__tls_socket_method();
    context->shared = make_shared(files->verify);
    bool done = context->server_name && context->socket_method && context->shared;
    if (done && files->ca.bytes != NULL)
        done = trust(context->shared, &files->ca);
    else if (done && files->verify)
        done = SSL_CTX_set_default_verify_paths(context->shared) == 1;
    done = done && use_cert_and_key(context->shared, files);
    ERR_clear_error();
    if (done)
        return context;
    shoal__tls_context_free(context);
    return NULL;
}

void shoal__tls_context_free(struct shoal__tls_context *context) {
    if (context == NULL)
        return;
    SSL_CTX_free(context->shared);
    BIO_meth_free(context->socket_method);
    free(context->server_name);
    free(context);
}

/* --- Checking what was read --- */

static shoal_status check_key(SSL_CTX *shared, const struct source *source, const struct content *content) {
    switch (use_key(shared, content)) {
    case KEY_FINE:
        return SHOAL_OK;
    case KEY_ENCRYPTED:
        return refuse(source, "its key is encrypted: give one without a passphrase, readable by this user alone");
    case KEY_OF_ANOTHER:
        return refuse(source, "its key does not belong to the first certificate of tls_cert_file");
    default:
        return refuse(source, "holds no private key in PEM form");
    }
}

static shoal_status check_with(SSL_CTX *shared, const struct shoal__tls_files *files,
                               const struct shoal__tls_options *options, struct shoal__fault *fault) {
    struct source ca = {"tls_ca_file", options->ca_file, fault};
    struct source cert = {"tls_cert_file", options->cert_file, fault};
    struct source key = {"tls_key_file", options->key_file, fault};
    if (files->ca.bytes != NULL && !trust(shared, &files->ca))
        return refuse(&ca, "holds no certificate in PEM form");
    if (files->cert.bytes == NULL)
        return SHOAL_OK;
    if (!show(shared, &files->cert))
        return refuse(&cert, "holds no certificate in PEM form that OpenSSL accepts");
    return files->key.bytes ? check_key(shared, &key, &files->key) : check_key(shared, &cert, &files->cert);
}

static shoal_status check(const struct shoal__tls_files *files, const struct shoal__tls_options *options,
                          struct shoal__fault *fault) {
    SSL_CTX *shared = make_shared(files->verify);
    shoal_status status = shared ? check_with(shared, files, options, fault)
                                 : shoal__fault_set(fault, SHOAL_E_SYSTEM, "OpenSSL cannot be used for TLS");
    SSL_CTX_free(shared);
    ERR_clear_error();
    return status;
}

shoal_status shoal__tls_files_read(const struct shoal__tls_options *options, struct shoal__tls_files **files,
                                   struct shoal__fault *fault) {
    struct shoal__tls_files *fresh = calloc(1, sizeof(*fresh));
    if (fresh == NULL || (fresh->server_name = strdup(options->server_name)) == NULL) {
        free(fresh);
        return shoal__fault_set(fault, SHOAL_E_NO_MEMORY, "out of memory for TLS");
    }
    fresh->verify = options->verify;
    shoal_status status = read_file(&(struct source){"tls_ca_file", options->ca_file, fault}, &fresh->ca);
    if (status == SHOAL_OK)
        status = read_file(&(struct source){"tls_cert_file", options->cert_file, fault}, &fresh->cert);
    if (status == SHOAL_OK)
        status = read_file(&(struct source){"tls_key_file", options->key_file, fault}, &fresh->key);
    if (status == SHOAL_OK)
        status = check(fresh, options, fault);
    if (status != SHOAL_OK) {
        shoal__tls_files_free(fresh);
        return status;
    }
    *files = fresh;
    return SHOAL_OK;
}

/* --- Peers --- */

/* Without the dot at the end of an absolute name: certificates bear none. */
static char *copy_name(const char *name) {
    size_t size = strlen(name);
    return strndup(name, size > 1 && name[size - 1] == '.' ? size - 1 : size);
}

/* False where memory ran out. */
static bool name_server(struct shoal__tls_peer *peer, const char *host) {
    struct shoal__address ignored;
    const char *server_name = peer->context->server_name;
    /* A pattern ("*.example") is compared with the certificate's, and is nobody that could be asked for. */
    const char *asked_for = server_name[0] != '\0' && strchr(server_name, '*') == NULL ? server_name : host;
    peer->name = copy_name(server_name[0] != '\0' ? server_name : host);
    if (peer->name == NULL)
        return false;
    peer->is_numeric = shoal__address_parse(peer->name, 0, &ignored);
    if (shoal__address_parse(asked_for, 0, &ignored))
        return true;
    peer->asked_for = copy_name(asked_for);
    return peer->asked_for != NULL;
}

struct shoal__tls_peer *shoal__tls_peer_new(struct shoal__tls_context *context, const char *host) {
    struct shoal__tls_peer *peer = calloc(1, sizeof(*peer));
    if (peer == NULL)
        return NULL;
    peer->context = context;
    if (!name_server(peer, host)) {
        free(peer->name);
        free(peer);
        return NULL;
    }
    pthread_mutex_init(&peer->lock, NULL);
    return peer;
}

void shoal__tls_peer_free(struct shoal__tls_peer *peer) {
    if (peer == NULL)
        return;
    SSL_SESSION_free(peer->session);
    pthread_mutex_destroy(&peer->lock);
    free(peer->asked_for);
    free(peer->name);
    free(peer);
}

SSL_SESSION *shoal__tls_peer_session(struct shoal__tls_peer *peer) {
    pthread_mutex_lock(&peer->lock);
    bool is_usable = peer->session != NULL && SSL_SESSION_is_resumable(peer->session);
    SSL_SESSION *copy = is_usable ? SSL_SESSION_dup(peer->session) : NULL;
    pthread_mutex_unlock(&peer->lock);
    return copy;
}

void shoal__tls_peer_keep(struct shoal__tls_peer *peer, const SSL_SESSION *session) {
    SSL_SESSION *copy = session ? SSL_SESSION_dup(session) : NULL;
    pthread_mutex_lock(&peer->lock);
    SSL_SESSION *before = peer->session;
    peer->session = copy;
    pthread_mutex_unlock(&peer->lock);
    SSL_SESSION_free(before);
}
