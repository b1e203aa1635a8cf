/* memcached as a child process that cannot outlive its parent.
 * May include: libc, program, report. */
#include "local/node.h"

#include "local/program.h"

#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

int64_t local_now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool local_program_find(struct local_program *program, struct problem *problem) {
    *program = (struct local_program){0};
    const struct passwd *nobody = geteuid() == 0 ? getpwnam("nobody") : NULL;
    if (nobody) {
        program->steps_down = true;
        program->user = nobody->pw_uid;
        program->group = nobody->pw_gid;
    }
    return local_find_program("memcached", program->path, problem);
}

int local_bind(uint16_t port, uint16_t *bound_port) {
    int file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (file < 0)
        return -1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof(address);
    int on = 1;
    /* A fixed port can then be taken again at once after a restart, and memcached can take one that is reserved. */
    setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(file, (struct sockaddr *)&address, size) != 0 ||
        getsockname(file, (struct sockaddr *)&address, &size) != 0) {
        int reason = errno;
        close(file);
        errno = reason;
        return -1;
    }
    *bound_port = ntohs(address.sin_port);
    return file;
}

/* Gives root up for good; false where the system does not let us (a container without that right). */
static bool step_down(const struct local_program *program) {
    return program->steps_down && setgroups(0, NULL) == 0 && setgid(program->group) == 0 && setuid(program->user) == 0;
}

_Noreturn static void become_memcached(const struct local_program *program, const struct local_node *node,
                                       pid_t parent) {
    local_become_quiet();
    /* Before root is given up: its user could not get there, as the folders above may be closed to it. */
    if (program->tls_folder && chdir(program->tls_folder) != 0)
        _exit(127);
    bool is_root = geteuid() == 0 && !step_down(program);
#ifdef __linux__
    /* After the change of user, which clears it. The parent may be gone already. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127);
#else
    (void)parent;
#endif
    char port[8];
    char listen[64] = "127.0.0.1";
    snprintf(port, sizeof(port), "%u", (unsigned)node->port);
    if (program->tls_folder)
        snprintf(listen, sizeof(listen), "127.0.0.1:%u,notls:127.0.0.1:%u", (unsigned)node->port,
                 (unsigned)node->plain_port);
    const char *words[20] = {"memcached", "-l", listen, "-p", port, "-U", "0", "-t", "1", "-m", "64"};
    size_t count = 11;
    if (is_root) {
        words[count++] = "-u";
        words[count++] = "root";
    }
    if (program->tls_folder) {
        words[count++] = "-Z";
        words[count++] = "-o";
        words[count++] = "ssl_chain_cert=server.pem,ssl_key=server.key";
    }
    execv(program->path, (char *const *)words);
    _exit(127);
}

void local_node_release(struct local_node *node) {
    for (size_t i = 0; node->launches > 0 && i < 2; i++)
        if (node->reserved[i] >= 0)
            close(node->reserved[i]);
    node->reserved[0] = node->reserved[1] = -1;
}

static bool reserve(struct local_node *node, bool has_tls, struct problem *problem) {
    local_node_release(node);
    node->reserved[0] = local_bind(node->wanted_port, &node->port);
    if (node->reserved[0] < 0 && node->wanted_port != 0)
        return problem_set(problem, "cannot use port %u: %s", (unsigned)node->wanted_port, strerror(errno));
    node->plain_port = node->port;
    if (node->reserved[0] < 0 || (has_tls && (node->reserved[1] = local_bind(0, &node->plain_port)) < 0))
        return problem_set(problem, "cannot get a free port: %s", strerror(errno));
    return true;
}

bool local_node_launch(struct local_node *node, const struct local_program *program, struct problem *problem) {
    bool reserved = reserve(node, program->tls_folder != NULL, problem);
    node->launches++;
    pid_t parent = getpid();
    pid_t child = reserved ? fork() : -1;
    if (child < 0) {
        if (reserved)
            problem_set(problem, "cannot start memcached: %s", strerror(errno));
        local_node_release(node);
        return false;
    }
    if (child == 0)
        become_memcached(program, node, parent);
    node->pid = child;
    node->state = LOCAL_STARTING;
    return true;
}

static bool wait_for(int file, short events, int wait_ms) {
    struct pollfd one = {.fd = file, .events = events};
    return poll(&one, 1, wait_ms) == 1 && (one.revents & events) != 0;
}

/* Whether a command is answered by a text that begins like this. */
static bool ask(const struct local_node *node, const char *command, size_t size, const char *wanted, int wait_ms) {
    int file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (file < 0)
        return false;
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(node->plain_port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    char answer[8];
    ssize_t length = (ssize_t)strlen(wanted);
    bool answers = (connect(file, (struct sockaddr *)&address, sizeof(address)) == 0 || errno == EINPROGRESS) &&
                   wait_for(file, POLLOUT, wait_ms) && send(file, command, size, MSG_NOSIGNAL) == (ssize_t)size &&
                   wait_for(file, POLLIN, wait_ms) && recv(file, answer, sizeof(answer), 0) >= length &&
                   memcmp(answer, wanted, (size_t)length) == 0;
    close(file);
    return answers;
}

bool local_node_answers(const struct local_node *node) {
    static const char question[] = "version\r\n";
    return ask(node, question, sizeof(question) - 1, "VERSION ", 100);
}

bool local_node_store(const struct local_node *node, const char *key, const char *value, size_t size) {
    char command[4096];
    int length = snprintf(command, sizeof(command), "set %s 0 0 %zu\r\n%.*s\r\n", key, size, (int)size, value);
    return (size_t)length < sizeof(command) && ask(node, command, (size_t)length, "STORED\r\n", 2000);
}
