/* One request to a control socket, one answer.
 * May include: libc, json, directory, report. */
#include "local/client.h"

#include "local/node.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_WITHIN_MS 20000
#define ANSWER_MAX 65536

static int open_control(const struct local_directory *directory, struct problem *problem) {
    if (!local_directory_check(directory, problem))
        return -1;
    int file = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const struct sockaddr_un *address = &directory->control;
    if (file >= 0 && connect(file, (const struct sockaddr *)address, sizeof(*address)) == 0)
        return file;
    if (errno == ENOENT || errno == ECONNREFUSED)
        problem_set(problem, "no 'shoal local' runs in %s", directory->path);
    else
        problem_set(problem, "cannot reach %s: %s", address->sun_path, strerror(errno));
    if (file >= 0)
        close(file);
    return -1;
}

/* Reads to the end of the stream. Returns the size; 0 and the problem where that fails. */
static size_t read_answer(int file, char *answer, struct problem *problem) {
    int64_t until_ms = local_now_ms() + ANSWER_WITHIN_MS;
    size_t size = 0;
    while (size < ANSWER_MAX) {
        int64_t left_ms = until_ms - local_now_ms();
        struct pollfd one = {.fd = file, .events = POLLIN};
        if (left_ms <= 0 || poll(&one, 1, (int)left_ms) <= 0)
            break;
        ssize_t got = recv(file, answer + size, ANSWER_MAX - size, 0);
        if (got == 0 && size > 0)
            return size;
        if (got <= 0) {
            problem_set(problem, "the running 'shoal local' closed the connection without an answer");
            return 0;
        }
        size += (size_t)got;
    }
    problem_set(problem, "the running 'shoal local' did not answer in time");
    return 0;
}

json_t *local_ask(const struct local_directory *directory, const char *request, struct problem *problem) {
    int file = open_control(directory, problem);
    if (file < 0)
        return NULL;
    static char answer[ANSWER_MAX];
    size_t size = 0;
    if (send(file, request, strlen(request), MSG_NOSIGNAL) == (ssize_t)strlen(request) && shutdown(file, SHUT_WR) == 0)
        size = read_answer(file, answer, problem);
    else
        problem_set(problem, "cannot speak to the running 'shoal local': %s", strerror(errno));
    close(file);
    if (size == 0)
        return NULL;
    json_t *object = json_loadb(answer, size, 0, NULL);
    const char *refusal = json_string_value(json_object_get(object, "problem"));
    if (object && refusal == NULL)
        return object;
    problem_set(problem, "%s", refusal ? refusal : "the running 'shoal local' gave an answer that is no JSON");
    json_decref(object);
    return NULL;
}
