/* A probe: RESOLVE --> CONNECT --> ASK, any failure ends it, an answer of memcached's kind is what it is for.
 * May include: base/, dns, watch, fork. */
#include "net/probe.h"

#include "net/fork.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A read of a key that nobody has: every server and every proxy knows it. */
static const char question[] = "get shoal:hello\r\n";

struct shoal__probe {
    int64_t deadline_ns;
    struct shoal__dns_query *query; /* NULL once resolved */
    int fd;
    struct shoal__descriptor *descriptor;
    size_t sent;
    char reply[8]; /* enough for "END\r\n" and "VALUE " */
    size_t received;
};

struct shoal__probe *shoal__probe_new(const char *host, uint16_t port, enum shoal__family family, int64_t deadline_ns) {
    struct shoal__fault ignored;
    struct shoal__probe *probe = calloc(1, sizeof(*probe));
    if (probe == NULL)
        return NULL;
    probe->deadline_ns = deadline_ns;
    probe->fd = -1;
    probe->query = shoal__dns_query_new(host, port, family, &ignored);
    if (probe->query == NULL) {
        free(probe);
        return NULL;
    }
    return probe;
}

static enum shoal__probe_outcome advance_connect(struct shoal__probe *probe) {
    struct shoal__address_list list = {0};
    struct shoal__fault ignored;
    if (!shoal__dns_query_advance(probe->query))
        return SHOAL__PROBE_RUNNING;
    if (shoal__dns_query_take(probe->query, &list, &ignored) != SHOAL_OK)
        return SHOAL__PROBE_FAILED;
    shoal__dns_query_free(probe->query);
    probe->query = NULL;
    const struct shoal__address *address = &list.addresses[0];
    probe->fd = socket(address->socket.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    probe->descriptor = shoal__descriptor_adopt(probe->fd);
    bool begun =
        probe->fd >= 0 && (connect(probe->fd, &address->socket.any, address->size) == 0 || errno == EINPROGRESS);
    shoal__address_list_clear(&list);
    return begun ? SHOAL__PROBE_RUNNING : SHOAL__PROBE_FAILED;
}

static enum shoal__probe_outcome outcome_of_errno(void) {
    return errno == EAGAIN || errno == ENOTCONN || errno == EINTR ? SHOAL__PROBE_RUNNING : SHOAL__PROBE_FAILED;
}

static bool is_answer(const struct shoal__probe *probe) {
    return (probe->received >= 5 && memcmp(probe->reply, "END\r\n", 5) == 0) ||
           (probe->received >= 6 && memcmp(probe->reply, "VALUE ", 6) == 0);
}

static enum shoal__probe_outcome advance_ask(struct shoal__probe *probe) {
    while (probe->sent < sizeof(question) - 1) {
        ssize_t count = send(probe->fd, question + probe->sent, sizeof(question) - 1 - probe->sent, MSG_NOSIGNAL);
        if (count < 0)
            return outcome_of_errno();
        probe->sent += (size_t)count;
    }
    while (!is_answer(probe)) {
        if (probe->received == sizeof(probe->reply))
            return SHOAL__PROBE_FAILED;
        ssize_t count = recv(probe->fd, probe->reply + probe->received, sizeof(probe->reply) - probe->received, 0);
        if (count < 0)
            return outcome_of_errno();
        if (count == 0)
            return SHOAL__PROBE_FAILED;
        probe->received += (size_t)count;
    }
    return SHOAL__PROBE_ANSWERED;
}

enum shoal__probe_outcome shoal__probe_advance(struct shoal__probe *probe, int64_t now_ns) {
    enum shoal__probe_outcome outcome = SHOAL__PROBE_RUNNING;
    if (probe->query != NULL)
        outcome = advance_connect(probe);
    if (outcome == SHOAL__PROBE_RUNNING && probe->fd >= 0)
        outcome = advance_ask(probe);
    return outcome == SHOAL__PROBE_RUNNING && now_ns >= probe->deadline_ns ? SHOAL__PROBE_FAILED : outcome;
}

void shoal__probe_watch(struct shoal__probe *probe, struct shoal__watch *watch, int64_t now_ns) {
    shoal__watch_until(watch, probe->deadline_ns);
    if (probe->query != NULL)
        shoal__dns_query_watch(probe->query, watch, now_ns);
    if (probe->fd >= 0)
        shoal__watch_add(watch, probe->fd, probe->sent < sizeof(question) - 1 ? POLLOUT : POLLIN);
}

void shoal__probe_free(struct shoal__probe *probe) {
    if (probe == NULL)
        return;
    shoal__dns_query_free(probe->query);
    if (probe->fd >= 0) {
        shoal__descriptor_release(probe->descriptor);
        close(probe->fd);
    }
    free(probe);
}
