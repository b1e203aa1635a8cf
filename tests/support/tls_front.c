/* TLS fronts: a thread that accepts, and one for each connection.
 * May include: libc, <openssl/> and support/. */
#include "support/tls_front.h"

#include "support/certificates.h"
#include "support/servers.h"

#include <openssl/ssl.h>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX 256

struct connection {
    struct test_front *front;
    pthread_t thread;
    int fd; /* closed at the very end, so that no other connection gets its number */
    SSL *ssl;
    unsigned keys_changed;
    void *filter_state;
};

struct test_front {
    struct test_front_options options;
    SSL_CTX *context;
    int listener;
    uint16_t port;
    char name[32];
    char asked_name[300];
    pthread_t thread;
    atomic_uint handshakes;
    atomic_uint open;
    atomic_uint resumed;
    atomic_uint key_changes;
    atomic_int pause_ms;
    atomic_int hang_up; /* a round of hanging up; even: with notice */
    atomic_bool stops;
    struct connection connections[CONNECTIONS_MAX];
    atomic_size_t count;
};

static void check(bool fine, const char *what) {
    if (fine)
        return;
    fprintf(stderr, "tests: TLS front: %s\n", what);
    abort();
}

static struct sockaddr_in loopback(uint16_t port) {
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

/* --- One connection --- */

static void change_keys(struct connection *connection) {
    unsigned wanted = atomic_load(&connection->front->key_changes);
    if (connection->keys_changed == wanted)
        return;
    connection->keys_changed = wanted;
    if (connection->front->options.is_tls_12)
        SSL_renegotiate(connection->ssl);
    else
        SSL_key_update(connection->ssl, SSL_KEY_UPDATE_REQUESTED);
    SSL_do_handshake(connection->ssl);
}

static bool is_last(const struct connection *connection, const char *bytes, int size) {
    const char *words = connection->front->options.last_words;
    return words != NULL && (size_t)size >= strlen(words) && memcmp(bytes, words, strlen(words)) == 0;
}

static bool say_at_last(struct connection *connection, const char *bytes, int size) {
    int together = 1;
    setsockopt(connection->fd, IPPROTO_TCP, TCP_CORK, &together, sizeof(together));
    bool said = SSL_write(connection->ssl, bytes, size) == size && SSL_shutdown(connection->ssl) >= 0;
    together = 0;
    setsockopt(connection->fd, IPPROTO_TCP, TCP_CORK, &together, sizeof(together));
    return said;
}

static bool say(struct connection *connection, const char *bytes, int size) {
    int pause_ms = atomic_load(&connection->front->pause_ms);
    change_keys(connection);
    if (is_last(connection, bytes, size))
        return say_at_last(connection, bytes, size);
    if (pause_ms == 0)
        return SSL_write(connection->ssl, bytes, size) == size;
    for (int i = 0; i < size; i++) {
        test_sleep_ms(pause_ms);
        if (atomic_load(&connection->front->stops) || SSL_write(connection->ssl, bytes + i, 1) != 1)
            return false;
    }
    return true;
}

bool test_front_pass(int target, const char *bytes, size_t size) {
    return send(target, bytes, size, MSG_NOSIGNAL) == (ssize_t)size;
}

static bool pass_in(struct connection *connection, int target) {
    const struct test_front_options *options = &connection->front->options;
    char bytes[16384];
    do {
        int size = SSL_read(connection->ssl, bytes, sizeof(bytes));
        if (size <= 0)
            return SSL_get_error(connection->ssl, size) == SSL_ERROR_WANT_READ;
        if (options->filter == NULL
                ? !test_front_pass(target, bytes, (size_t)size)
                : !options->filter(connection->filter_state, bytes, (size_t)size, target, options->filter_context))
            return false;
    } while (SSL_pending(connection->ssl) > 0);
    return true;
}

static bool pass_out(struct connection *connection, int target) {
    char bytes[16384];
    ssize_t size = recv(target, bytes, sizeof(bytes), 0);
    return size > 0 && say(connection, bytes, (int)size);
}

static void pass_on(struct connection *connection, int target) {
    struct test_front *front = connection->front;
    int round = atomic_load(&front->hang_up);
    struct pollfd fds[2] = {{.fd = connection->fd, .events = POLLIN}, {.fd = target, .events = POLLIN}};
    while (poll(fds, 2, 10) >= 0 && !atomic_load(&front->stops)) {
        int now = atomic_load(&front->hang_up);
        if (now != round) {
            if (now % 2 == 0)
                SSL_shutdown(connection->ssl);
            return;
        }
        if (fds[0].revents != 0 && !pass_in(connection, target))
            return;
        if (fds[1].revents != 0 && !pass_out(connection, target))
            return;
    }
}

static void *serve(void *context) {
    struct connection *connection = context;
    struct test_front *front = connection->front;
    struct sockaddr_in address = loopback(front->options.target);
    int target = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int on = 1;
    int room = 1024 * 1024; /* for all that a client asks before it listens: nobody reads answers in between */
    setsockopt(target, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
    setsockopt(target, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    connection->filter_state = calloc(1, front->options.filter_state_size + 1);
    connection->ssl = SSL_new(front->context);
    connection->keys_changed = atomic_load(&front->key_changes);
    SSL_set_fd(connection->ssl, connection->fd);
    if (SSL_accept(connection->ssl) == 1 && connect(target, (struct sockaddr *)&address, sizeof(address)) == 0) {
        const char *asked = SSL_get_servername(connection->ssl, TLSEXT_NAMETYPE_host_name);
        snprintf(front->asked_name, sizeof(front->asked_name), "%s", asked ? asked : "");
        atomic_fetch_add(&front->handshakes, 1);
        atomic_fetch_add(&front->resumed, SSL_session_reused(connection->ssl) ? 1 : 0);
        pass_on(connection, target);
    }
    close(target);
    free(connection->filter_state);
    SSL_free(connection->ssl);
    shutdown(connection->fd, SHUT_RDWR);
    atomic_fetch_sub(&front->open, 1);
    return NULL;
}

/* --- The front --- */

static void *accept_all(void *context) {
    struct test_front *front = context;
    sigset_t pipe_signal; /* of OpenSSL's own sends; the client's, which are tested, must raise none */
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_signal, NULL);
    for (;;) {
        int fd = accept(front->listener, NULL, NULL);
        if (fd < 0)
            return NULL;
        size_t place = atomic_load(&front->count);
        check(place < CONNECTIONS_MAX, "too many connections");
        struct connection *connection = &front->connections[place];
        connection->front = front;
        connection->fd = fd;
        atomic_fetch_add(&front->open, 1);
        check(pthread_create(&connection->thread, NULL, serve, connection) == 0, "no thread");
        atomic_store(&front->count, place + 1);
    }
}

static void set_up(struct test_front *front) {
    const char *name = front->options.certificate ? front->options.certificate : "server";
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    check(context != NULL &&
              SSL_CTX_use_certificate_file(context, test_certificate_path(name, "pem"), SSL_FILETYPE_PEM) == 1 &&
              SSL_CTX_use_PrivateKey_file(context, test_certificate_path(name, "key"), SSL_FILETYPE_PEM) == 1,
          name);
    SSL_CTX_set_session_id_context(context, (const unsigned char *)"test", 4);
    SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
    if (front->options.is_tls_12)
        SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
    if (front->options.has_no_tickets) {
        SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
        SSL_CTX_set_num_tickets(context, 0);
        SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    }
    if (front->options.client_ca != NULL) {
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
        check(SSL_CTX_load_verify_locations(context, test_certificate_path(front->options.client_ca, "pem"), NULL) == 1,
              front->options.client_ca);
    }
    front->context = context;
}

struct test_front *test_front_start(const struct test_front_options *options) {
    struct test_front *front = calloc(1, sizeof(*front));
    struct sockaddr_in address = loopback(0);
    socklen_t size = sizeof(address);
    check(front != NULL, "no memory");
    front->options = *options;
    set_up(front);
    front->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    check(front->listener >= 0 && bind(front->listener, (struct sockaddr *)&address, size) == 0 &&
              listen(front->listener, 128) == 0 &&
              getsockname(front->listener, (struct sockaddr *)&address, &size) == 0,
          "cannot listen");
    front->port = ntohs(address.sin_port);
    snprintf(front->name, sizeof(front->name), "127.0.0.1:%u", front->port);
    check(pthread_create(&front->thread, NULL, accept_all, front) == 0, "no thread");
    return front;
}

uint16_t test_front_port(const struct test_front *front) {
    return front->port;
}

const char *test_front_name(const struct test_front *front) {
    return front->name;
}

unsigned test_front_handshakes(const struct test_front *front) {
    return atomic_load(&front->handshakes);
}

unsigned test_front_resumed(const struct test_front *front) {
    return atomic_load(&front->resumed);
}

const char *test_front_asked_name(const struct test_front *front) {
    return atomic_load(&front->handshakes) > 0 ? front->asked_name : ""; /* it was written before that was counted */
}

void test_front_change_keys(struct test_front *front) {
    atomic_fetch_add(&front->key_changes, 1);
}

void test_front_set_pace(struct test_front *front, int pause_ms) {
    atomic_store(&front->pause_ms, pause_ms);
}

void test_front_hang_up(struct test_front *front, bool with_notice) {
    int round = atomic_load(&front->hang_up);
    atomic_store(&front->hang_up, round + ((round % 2 == 0) == with_notice ? 2 : 1));
}

static bool is_alone(void *context) {
    struct test_front *front = context;
    return atomic_load(&front->open) == 0;
}

bool test_front_has_hung_up(struct test_front *front) {
    return test_eventually(is_alone, front, 10000);
}

void test_front_stop(struct test_front *front) {
    atomic_store(&front->stops, true);
    shutdown(front->listener, SHUT_RDWR);
    pthread_join(front->thread, NULL);
    close(front->listener);
    for (size_t i = 0; i < atomic_load(&front->count); i++) {
        shutdown(front->connections[i].fd, SHUT_RDWR); /* who is in the middle of a handshake waits otherwise */
        pthread_join(front->connections[i].thread, NULL);
        close(front->connections[i].fd);
    }
    SSL_CTX_free(front->context);
    free(front);
}
