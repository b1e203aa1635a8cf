/* Scripted servers for tests: one thread each, any number of connections, answers as told.
 * May include: libc and support/. */
#include "servers.h"

#include "certificates.h"
#include "tls_front.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX 512
#define LINE_MAX_SIZE 4096

struct connection {
    int fd;
    bool hangs;
    char line[LINE_MAX_SIZE];
    size_t size;
};

struct test_script {
    test_answerer answerer;
    void *context;
    int listener;
    int wake[2];
    uint16_t port;
    char name[32];
    pthread_t thread;
    atomic_uint accepted;
    struct connection connections[CONNECTIONS_MAX];
    size_t count;
    int speaking_to;
};

static void check(bool fine, const char *what) {
    if (fine)
        return;
    fprintf(stderr, "tests: scripted server: %s: %s\n", what, strerror(errno));
    abort();
}

void test_script_say(struct test_script *script, const void *bytes, size_t size) {
    const char *at = bytes;
    while (size > 0) {
        ssize_t count = send(script->speaking_to, at, size, MSG_NOSIGNAL);
        if (count <= 0)
            return; /* the client has gone: that is its right */
        at += count;
        size -= (size_t)count;
    }
}

enum test_answer test_script_say_miss(struct test_script *script, const char *line) {
    const char *answer = strncmp(line, "get", 3) == 0 ? "END\r\n" : "ERROR\r\n";
    test_script_say(script, answer, strlen(answer));
    return TEST_ANSWERED;
}

void test_script_say_slowly(struct test_script *script, const void *bytes, size_t size, size_t piece, int pause_ms) {
    const char *at = bytes;
    while (size > 0) {
        size_t now = piece > 0 && piece < size ? piece : size;
        test_sleep_ms(pause_ms);
        test_script_say(script, at, now);
        at += now;
        size -= now;
    }
}

static void drop(struct test_script *script, size_t index) {
    close(script->connections[index].fd);
    script->connections[index] = script->connections[--script->count];
}

/* Answers the whole lines that are there. False where the connection is to end. */
static bool answer_lines(struct test_script *script, struct connection *connection) {
    char *end;
    while ((end = memchr(connection->line, '\n', connection->size)) != NULL) {
        size_t used = (size_t)(end - connection->line) + 1;
        *end = '\0';
        if (end > connection->line && end[-1] == '\r')
            end[-1] = '\0';
        script->speaking_to = connection->fd;
        enum test_answer answer = script->answerer(script, connection->line, script->context);
        memmove(connection->line, connection->line + used, connection->size - used);
        connection->size -= used;
        if (answer == TEST_CLOSE)
            return false;
        if (answer == TEST_HANG)
            connection->hangs = true;
    }
    return true;
}

static bool serve(struct test_script *script, struct connection *connection) {
    size_t room = sizeof(connection->line) - connection->size;
    ssize_t count = recv(connection->fd, connection->line + connection->size, room, 0);
    if (count <= 0)
        return false;
    if (connection->hangs)
        return true;
    connection->size += (size_t)count;
    return answer_lines(script, connection) && connection->size < sizeof(connection->line);
}

static void accept_one(struct test_script *script) {
    int fd = accept(script->listener, NULL, NULL);
    check(fd >= 0 && script->count < CONNECTIONS_MAX, "accept");
    script->connections[script->count++] = (struct connection){.fd = fd};
    atomic_fetch_add(&script->accepted, 1);
}

static void *run(void *context) {
    struct test_script *script = context;
    static _Thread_local struct pollfd fds[CONNECTIONS_MAX + 2];
    for (;;) {
        size_t count = script->count;
        fds[0] = (struct pollfd){.fd = script->wake[0], .events = POLLIN};
        fds[1] = (struct pollfd){.fd = script->listener, .events = POLLIN};
        for (size_t i = 0; i < count; i++)
            fds[i + 2] = (struct pollfd){.fd = script->connections[i].fd, .events = POLLIN};
        poll(fds, count + 2, -1);
        if (fds[0].revents)
            return NULL;
        for (size_t i = count; i-- > 0;)
            if (fds[i + 2].revents && !serve(script, &script->connections[i]))
                drop(script, i);
        if (fds[1].revents)
            accept_one(script);
    }
}

/* False where this machine does not have the address, or something else has the port. */
static bool listen_at(struct test_script *script, const char *address, uint16_t port) {
    union {
        struct sockaddr any;
        struct sockaddr_in ipv4;
        struct sockaddr_in6 ipv6;
    } place = {0};
    bool is_ipv6 = strchr(address, ':') != NULL;
    socklen_t size = is_ipv6 ? sizeof(place.ipv6) : sizeof(place.ipv4);
    int family = is_ipv6 ? AF_INET6 : AF_INET;
    int yes = 1;
    place.any.sa_family = (sa_family_t)family;
    check(inet_pton(family, address, is_ipv6 ? (void *)&place.ipv6.sin6_addr : &place.ipv4.sin_addr) == 1, address);
    *(is_ipv6 ? &place.ipv6.sin6_port : &place.ipv4.sin_port) = htons(port);
    script->listener = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (script->listener < 0 || setsockopt(script->listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) != 0 ||
        bind(script->listener, &place.any, size) != 0 || listen(script->listener, 128) != 0 ||
        getsockname(script->listener, &place.any, &size) != 0)
        return false;
    script->port = ntohs(is_ipv6 ? place.ipv6.sin6_port : place.ipv4.sin_port);
    snprintf(script->name, sizeof(script->name), is_ipv6 ? "[%s]:%u" : "%s:%u", address, script->port);
    return true;
}

/* Signals are for the test that asked for them, not for its server. */
static void start_thread(struct test_script *script) {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failure = pthread_create(&script->thread, NULL, run, script);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    check(failure == 0, "thread");
}

struct test_script *test_script_start_at(const char *address, uint16_t port, test_answerer answerer, void *context) {
    struct test_script *script = calloc(1, sizeof(*script));
    check(script != NULL, "memory");
    script->answerer = answerer;
    script->context = context;
    if (!listen_at(script, address, port)) {
        if (script->listener >= 0)
            close(script->listener);
        free(script);
        return NULL;
    }
    check(pipe(script->wake) == 0, "pipe");
    start_thread(script);
    return script;
}

struct test_script *test_script_start(test_answerer answerer, void *context) {
    struct test_script *script = test_script_start_at("127.0.0.1", 0, answerer, context);
    check(script != NULL, "listen");
    return script;
}

uint16_t test_script_port(const struct test_script *script) {
    return script->port;
}

const char *test_script_name(const struct test_script *script) {
    return script->name;
}

unsigned test_script_connections(const struct test_script *script) {
    return atomic_load(&script->accepted);
}

void test_script_stop(struct test_script *script) {
    check(write(script->wake[1], "", 1) == 1, "wake");
    pthread_join(script->thread, NULL);
    for (size_t i = 0; i < script->count; i++)
        close(script->connections[i].fd);
    close(script->listener);
    close(script->wake[0]);
    close(script->wake[1]);
    free(script);
}

/* --- The discovery endpoint --- */

struct test_endpoint {
    struct test_script *script;
    struct test_front *front; /* where this run speaks TLS */
    pthread_mutex_t lock;
    char *config;
    char *legacy;
    size_t piece;
    int pause_ms;
    bool hangs;
    atomic_uint polls;
};

/* A copy of what is to be said now, as the script's thread says it without the lock. */
static enum test_answer answer_poll(struct test_script *script, const char *line, void *context) {
    struct test_endpoint *endpoint = context;
    bool is_config = strcmp(line, "config get cluster") == 0;
    bool is_legacy = strcmp(line, "get AmazonElastiCache:cluster") == 0;
    if (is_config)
        atomic_fetch_add(&endpoint->polls, 1);
    pthread_mutex_lock(&endpoint->lock);
    const char *reply = is_config ? endpoint->config : is_legacy ? endpoint->legacy : "ERROR\r\n";
    char *copy = reply ? strdup(reply) : NULL;
    size_t piece = endpoint->piece;
    int pause_ms = endpoint->pause_ms;
    bool hangs = endpoint->hangs;
    pthread_mutex_unlock(&endpoint->lock);
    if (!hangs && copy != NULL)
        test_script_say_slowly(script, copy, strlen(copy), piece, pause_ms);
    enum test_answer answer = hangs ? TEST_HANG : copy ? TEST_ANSWERED : TEST_CLOSE;
    free(copy);
    return answer;
}

struct test_endpoint *test_endpoint_start_at(const char *address, uint16_t port) {
    struct test_endpoint *endpoint = calloc(1, sizeof(*endpoint));
    check(endpoint != NULL, "memory");
    pthread_mutex_init(&endpoint->lock, NULL);
    endpoint->config = strdup("ERROR\r\n");
    endpoint->legacy = strdup("ERROR\r\n");
    endpoint->script = test_script_start_at(address, port, answer_poll, endpoint);
    if (endpoint->script != NULL && test_speaks_tls()) {
        test_certificates_make_usual();
        endpoint->front = test_front_start(&(struct test_front_options){.target = test_script_port(endpoint->script)});
    }
    if (endpoint->script != NULL)
        return endpoint;
    free(endpoint->config);
    free(endpoint->legacy);
    free(endpoint);
    return NULL;
}

struct test_endpoint *test_endpoint_start(void) {
    struct test_endpoint *endpoint = test_endpoint_start_at("127.0.0.1", 0);
    check(endpoint != NULL, "listen");
    return endpoint;
}

const char *test_endpoint_name(const struct test_endpoint *endpoint) {
    return endpoint->front ? test_front_name(endpoint->front) : test_script_name(endpoint->script);
}

static void replace(struct test_endpoint *endpoint, char **place, const char *reply) {
    pthread_mutex_lock(&endpoint->lock);
    free(*place);
    *place = reply ? strdup(reply) : NULL;
    pthread_mutex_unlock(&endpoint->lock);
}

void test_endpoint_set_config(struct test_endpoint *endpoint, const char *reply) {
    replace(endpoint, &endpoint->config, reply);
}

void test_endpoint_set_legacy(struct test_endpoint *endpoint, const char *reply) {
    replace(endpoint, &endpoint->legacy, reply);
}

void test_endpoint_set_nodes(struct test_endpoint *endpoint, uint64_t version, const char *nodes) {
    char version_text[24];
    int version_size = snprintf(version_text, sizeof(version_text), "%llu", (unsigned long long)version);
    size_t payload_size = (size_t)version_size + 1 + strlen(nodes) + 1;
    size_t size = payload_size + 64;
    char *reply = malloc(size);
    check(reply != NULL, "memory");
    snprintf(reply, size, "CONFIG cluster 0 %zu\r\n%s\n%s\n\r\nEND\r\n", payload_size, version_text, nodes);
    test_endpoint_set_config(endpoint, reply);
    free(reply);
}

void test_endpoint_set_pace(struct test_endpoint *endpoint, size_t piece, int pause_ms) {
    pthread_mutex_lock(&endpoint->lock);
    endpoint->piece = piece;
    endpoint->pause_ms = pause_ms;
    pthread_mutex_unlock(&endpoint->lock);
}

void test_endpoint_set_hang(struct test_endpoint *endpoint, bool hang) {
    pthread_mutex_lock(&endpoint->lock);
    endpoint->hangs = hang;
    pthread_mutex_unlock(&endpoint->lock);
}

unsigned test_endpoint_polls(const struct test_endpoint *endpoint) {
    return atomic_load(&endpoint->polls);
}

void test_endpoint_stop(struct test_endpoint *endpoint) {
    if (endpoint->front != NULL)
        test_front_stop(endpoint->front);
    test_script_stop(endpoint->script);
    pthread_mutex_destroy(&endpoint->lock);
    free(endpoint->config);
    free(endpoint->legacy);
    free(endpoint);
}
