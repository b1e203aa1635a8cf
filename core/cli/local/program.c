/* Children that run other programs.
 * May include: libc, report. */
#include "local/program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define RUN_WITHIN_S 20

static bool is_program(const char *path) {
    struct stat found;
    return stat(path, &found) == 0 && S_ISREG(found.st_mode) && access(path, X_OK) == 0;
}

bool local_find_program(const char *name, char path[PATH_MAX], struct problem *problem) {
    const char *folder = getenv("PATH");
    while (folder && *folder != '\0') {
        size_t length = strcspn(folder, ":");
        int written = snprintf(path, PATH_MAX, "%.*s/%s", (int)length, folder, name);
        if (length > 0 && written < PATH_MAX && is_program(path))
            return true;
        folder += length + (folder[length] == ':');
    }
    snprintf(path, PATH_MAX, "/usr/bin/%s", name);
    return is_program(path) ||
           problem_set(problem, "there is no %s in PATH or /usr/bin; install the package %s", name, name);
}

void local_become_quiet(void) {
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
}

_Noreturn static void become(const char *path, char *const *words, const char *folder, int complaints) {
    local_become_quiet();
    signal(SIGALRM, SIG_DFL);
    alarm(RUN_WITHIN_S);
    umask(0077);
    if (dup2(complaints, STDERR_FILENO) >= 0 && chdir(folder) == 0)
        execv(path, words);
    _exit(127);
}

/* Reads to the end of the stream, and keeps of it what the last line begins with. */
static void read_last_line(int file, char *line, size_t size) {
    char byte;
    size_t length = 0;
    bool is_over = true; /* the line that is kept: the next byte begins another */
    while (read(file, &byte, 1) == 1) {
        if (byte == '\n') {
            is_over = true;
            continue;
        }
        if (is_over)
            length = 0;
        is_over = false;
        if (length < size - 1)
            line[length++] = byte;
    }
    line[length] = '\0';
}

bool local_run_program(const char *path, char *const *words, const char *folder, struct problem *problem) {
    int ends[2];
    if (pipe(ends) != 0)
        return problem_set(problem, "cannot run %s: %s", path, strerror(errno));
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    pid_t child = fork();
    if (child == 0)
        become(path, words, folder, ends[1]);
    close(ends[1]);
    int how = 0;
    char line[160] = "";
    if (child > 0)
        read_last_line(ends[0], line, sizeof(line));
    close(ends[0]);
    if (child < 0 || waitpid(child, &how, 0) != child)
        return problem_set(problem, "cannot run %s: %s", path, strerror(errno));
    if (WIFEXITED(how) && WEXITSTATUS(how) == 0)
        return true;
    if (WIFSIGNALED(how))
        return problem_set(problem, "%s was ended by signal %d", path, WTERMSIG(how));
    return problem_set(problem, "%s ended with status %d: %s", path, WEXITSTATUS(how), line);
}
