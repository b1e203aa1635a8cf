/* memcached as a child process that cannot outlive its parent.
 * May include: libc, report. */
#include "local/node.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
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

static bool is_program(const char *path) {
    struct stat found;
    return stat(path, &found) == 0 && S_ISREG(found.st_mode) && access(path, X_OK) == 0;
}

bool local_program_find(struct local_program *program, struct problem *problem) {
    *program = (struct local_program){0};
    const struct passwd *nobody = geteuid() == 0 ? getpwnam("nobody") : NULL;
    if (nobody) {
        program->steps_down = true;
        program->user = nobody->pw_uid;
        program->group = nobody->pw_gid;
    }
    const char *folder = getenv("PATH");
    while (folder && *folder != '\0') {
        size_t length = strcspn(folder, ":");
        int written = snprintf(program->path, sizeof(program->path), "%.*s/memcached", (int)length, folder);
        if (length > 0 && written < (int)sizeof(program->path) && is_program(program->path))
            return true;
        folder += length + (folder[length] == ':');
    }
    snprintf(program->path, sizeof(program->path), "/usr/bin/memcached");
    return is_program(program->path) ||
           problem_set(problem, "there is no memcached in PATH or /usr/bin; install the package memcached");
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

_Noreturn static void become_memcached(const struct local_program *program, uint16_t port, pid_t parent) {
    /* An own process group: Ctrl-C in the terminal reaches the parent alone, which ends its children in order. */
    setpgid(0, 0);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    int nowhere = open("/dev/null", O_RDWR);
    if (nowhere >= 0) {
        dup2(nowhere, STDIN_FILENO);
        dup2(nowhere, STDOUT_FILENO);
    }
    bool is_root = geteuid() == 0 && !step_down(program);
#ifdef __linux__
    /* After the change of user, which clears it. The parent may be gone already. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127);
#else
    (void)parent;
#endif
    char port_text[8];
    snprintf(port_text, sizeof(port_text), "%u", (unsigned)port);
    char *words[] = {
        (char *)"memcached", (char *)"-l", (char *)"127.0.0.1", (char *)"-p", port_text, (char *)"-U", (char *)"0",
        (char *)"-t",        (char *)"1",  (char *)"-m",        (char *)"64", NULL,      NULL,         NULL};
    if (is_root) {
        words[11] = (char *)"-u";
        words[12] = (char *)"root";
    }
    execv(program->path, words);
    _exit(127);
}

bool local_node_launch(struct local_node *node, const struct local_program *program, struct problem *problem) {
    if (node->launches > 0)
        close(node->reserved);
    node->reserved = local_bind(0, &node->port);
    if (node->reserved < 0)
        return problem_set(problem, "cannot get a free port: %s", strerror(errno));
    pid_t parent = getpid();
    pid_t child = fork();
    if (child < 0) {
        problem_set(problem, "cannot start memcached: %s", strerror(errno));
        close(node->reserved);
        node->reserved = -1;
        return false;
    }
    if (child == 0)
        become_memcached(program, node->port, parent);
    node->pid = child;
    node->state = LOCAL_STARTING;
    node->launches++;
    return true;
}

static bool wait_for(int file, short events) {
    struct pollfd one = {.fd = file, .events = events};
    return poll(&one, 1, 100) == 1 && (one.revents & events) != 0;
}

bool local_node_answers(const struct local_node *node) {
    int file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (file < 0)
        return false;
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(node->port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    static const char question[] = "version\r\n";
    char answer[8];
    bool answers = (connect(file, (struct sockaddr *)&address, sizeof(address)) == 0 || errno == EINPROGRESS) &&
                   wait_for(file, POLLOUT) &&
                   send(file, question, sizeof(question) - 1, MSG_NOSIGNAL) == (ssize_t)sizeof(question) - 1 &&
                   wait_for(file, POLLIN) && recv(file, answer, sizeof(answer), 0) == (ssize_t)sizeof(answer) &&
                   memcmp(answer, "VERSION ", sizeof(answer)) == 0;
    close(file);
    return answers;
}
