/* Servers for tests: memcached processes and waiting. The scripted ones are in scripts.c.
 * May include: libc and support/. */
#include "servers.h"

#include "certificates.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int64_t test_now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void test_sleep_ms(int ms) {
    struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    while (nanosleep(&pause, &pause) != 0 && errno == EINTR)
        continue;
}

bool test_eventually(bool (*condition)(void *context), void *context, int timeout_ms) {
    int64_t end_ms = test_now_ms() + timeout_ms;
    while (!condition(context)) {
        if (test_now_ms() >= end_ms)
            return false;
        test_sleep_ms(5);
    }
    return true;
}

static struct sockaddr_in loopback(uint16_t port) {
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void give_up(const char *what) {
    fprintf(stderr, "tests: %s: %s\n", what, strerror(errno));
    abort();
}

static int connect_to(const struct sockaddr *address, socklen_t size) {
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, address, size) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* The socket stays bound, and listens to nothing: the kernel gives that port to nobody who asks for any, while who
 * names it and sets SO_REUSEADDR, as servers do, gets it. Tests run beside one another. */
uint16_t test_free_port(void) {
    struct sockaddr_in address = loopback(0);
    socklen_t size = sizeof(address);
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        bind(fd, (struct sockaddr *)&address, size) != 0 || getsockname(fd, (struct sockaddr *)&address, &size) != 0)
        give_up("no free port");
    return ntohs(address.sin_port);
}

#define ARGUMENTS_MAX 32

/* Only async-signal-safe calls: the parent may have threads. where: "-p" and a port, or "-s" and a path. */
static void become_memcached(pid_t parent, const char *option, const char *where, const char *const *more) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    /* It must not become another user: the signal asked for above would be forgotten, and its socket's folder closed
     * to it. Who is not root stays who it is, whatever -u says. */
    static const char user[] = "root";
    const char *arguments[ARGUMENTS_MAX] = {"memcached", option, where, "-U",   "0",  "-t", "1",
                                            "-m",        "64",   "-c",  "2048", "-u", user};
    size_t count = 13;
    for (size_t i = 0; more[i] != NULL && count < ARGUMENTS_MAX - 1; i++)
        arguments[count++] = more[i];
    execvp("memcached", (char *const *)arguments);
    execv("/usr/bin/memcached", (char *const *)arguments);
    _exit(127);
}

/* Starts it and waits until something accepts at the address. */
static pid_t start_memcached(const char *option, const char *where, const char *const *more,
                             const struct sockaddr *address, socklen_t size) {
    pid_t parent = getpid();
    pid_t process = fork();
    if (process == 0)
        become_memcached(parent, option, where, more);
    if (process < 0)
        give_up("no memcached");
    for (int64_t end_ms = test_now_ms() + 10000; test_now_ms() < end_ms; test_sleep_ms(5)) {
        int fd = connect_to(address, size);
        if (fd < 0)
            continue;
        close(fd);
        if (waitpid(process, NULL, WNOHANG) != 0)
            give_up("memcached ended, and something else answers in its place");
        return process;
    }
    give_up("memcached does not answer");
    return -1;
}

static struct test_memcached start_on_port(uint16_t port, const char *const *more) {
    struct test_memcached server = {.port = port};
    struct sockaddr_in address = loopback(server.port);
    char port_text[8];
    snprintf(server.name, sizeof(server.name), "127.0.0.1:%u", server.port);
    snprintf(port_text, sizeof(port_text), "%u", server.port);
    server.process = start_memcached("-p", port_text, more, (struct sockaddr *)&address, sizeof(address));
    return server;
}

struct test_memcached test_memcached_start(uint16_t port) {
    static const char *const more[] = {"-l", "127.0.0.1", NULL};
    uint16_t used = port ? port : test_free_port();
    return test_speaks_tls() ? test_memcached_start_tls(used, NULL) : start_on_port(used, more);
}

struct test_memcached test_memcached_start_with(uint16_t port, const char *option, const char *value) {
    const char *const more[] = {"-l", "127.0.0.1", option, value, NULL};
    return start_on_port(port ? port : test_free_port(), more);
}

struct test_memcached test_memcached_start_local(const char *path) {
    static const char *const more[] = {NULL};
    struct test_memcached server = {.name = "local"};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    server.process = start_memcached("-s", path, more, (struct sockaddr *)&address, sizeof(address));
    return server;
}

/* --- With TLS: a second, plain port lets a test look at what is in there --- */

#define PORTS_MAX 64

static uint16_t tls_ports[PORTS_MAX];
static uint16_t plain_ports[PORTS_MAX];
static size_t port_count;

bool test_speaks_tls(void) {
    return getenv("SHOAL_TEST_TLS") != NULL;
}

uint16_t test_plain_port(uint16_t port) {
    for (size_t i = port_count; i > 0; i--)
        if (tls_ports[i - 1] == port)
            return plain_ports[i - 1];
    return port;
}

struct test_memcached test_memcached_start_tls(uint16_t port, const struct test_tls_server *options) {
    static const struct test_tls_server usual = {0};
    char listen[96];
    char extended[512];
    uint16_t used = port ? port : test_free_port();
    test_certificates_make_usual();
    options = options ? options : &usual;
    const char *name = options->certificate ? options->certificate : "server";
    if (port_count == PORTS_MAX)
        give_up("too many ports");
    tls_ports[port_count] = used;
    plain_ports[port_count] = test_free_port();
    snprintf(listen, sizeof(listen), "127.0.0.1:%u,notls:127.0.0.1:%u", used, plain_ports[port_count]);
    port_count++;
    snprintf(extended, sizeof(extended), "ssl_chain_cert=%s,ssl_key=%s%s%s", test_certificate_path(name, "pem"),
             test_certificate_path(name, "key"), options->client_ca ? ",ssl_verify_mode=2,ssl_ca_cert=" : "",
             options->client_ca ? test_certificate_path(options->client_ca, "pem") : "");
    const char *const more[] = {"-l", listen, "-Z", "-o", extended, options->option, options->value, NULL};
    return start_on_port(used, more);
}

void test_memcached_stop(struct test_memcached *server) {
    if (server->process <= 0)
        return;
    kill(server->process, SIGKILL);
    waitpid(server->process, NULL, 0);
    server->process = 0;
}

void test_memcached_freeze(const struct test_memcached *server) {
    kill(server->process, SIGSTOP);
    waitpid(server->process, NULL, WUNTRACED); /* it may run on for a moment */
}

void test_memcached_thaw(const struct test_memcached *server) {
    kill(server->process, SIGCONT);
}

long test_memcached_stat(const struct test_memcached *server, const char *name) {
    static const char question[] = "stats\r\nquit\r\n";
    char reply[16384];
    char wanted[128];
    size_t size = 0;
    struct sockaddr_in address = loopback(test_plain_port(server->port));
    int fd = connect_to((struct sockaddr *)&address, sizeof(address));
    if (fd < 0 || send(fd, question, sizeof(question) - 1, MSG_NOSIGNAL) < 0)
        give_up("memcached's stats");
    for (ssize_t count; size < sizeof(reply) - 1 && (count = recv(fd, reply + size, sizeof(reply) - 1 - size, 0)) > 0;)
        size += (size_t)count;
    close(fd);
    reply[size] = '\0';
    snprintf(wanted, sizeof(wanted), "STAT %s ", name);
    const char *found = strstr(reply, wanted);
    return found ? strtol(found + strlen(wanted), NULL, 10) : -1;
}
