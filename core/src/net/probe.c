/* A probe: RESOLVE --> CONNECT --> ASK, any failure ends it, an answer of memcached's kind is what it is for.
 * May include: base/, dns, stream, watch, fork. */
#include "net/probe.h"

#include "net/fork.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A read of a key that nobody has: every server and every proxy knows it. */
static const char question[] = "get shoal:hello\r\n";

struct shoal__probe {
    int64_t deadline_ns;
    struct shoal__dns_query *query; /* NULL once resolved */
    struct shoal__stream_options options;
    struct shoal__stream stream;
    struct shoal__descriptor *descriptor;
    size_t sent;
    char reply[8]; /* enough for "END\r\n" and "VALUE " */
    size_t received;
};

struct shoal__probe *shoal__probe_new(const char *host, uint16_t port, enum shoal__family family,
                                      const struct shoal__stream_options *options, int64_t deadline_ns) {
    struct shoal__fault ignored;
    struct shoal__probe *probe = calloc(1, sizeof(*probe));
    if (probe == NULL)
        return NULL;
    probe->deadline_ns = deadline_ns;
    probe->options = *options;
    probe->stream.fd = -1;
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
    bool begun = shoal__stream_begin(&probe->stream, &list.addresses[0], &probe->options);
    probe->descriptor = shoal__descriptor_adopt(probe->stream.fd);
    shoal__address_list_clear(&list);
    return begun ? SHOAL__PROBE_RUNNING : SHOAL__PROBE_FAILED;
}

static enum shoal__probe_outcome outcome_of_errno(void) {
    return errno == EAGAIN ? SHOAL__PROBE_RUNNING : SHOAL__PROBE_FAILED;
}

static bool is_answer(const struct shoal__probe *probe) {
    return (probe->received >= 5 && memcmp(probe->reply, "END\r\n", 5) == 0) ||
           (probe->received >= 6 && memcmp(probe->reply, "VALUE ", 6) == 0);
}

static enum shoal__probe_outcome advance_ask(struct shoal__probe *probe) {
    while (probe->sent < sizeof(question) - 1) {
        struct iovec piece = shoal__stream_piece(question + probe->sent, sizeof(question) - 1 - probe->sent);
        ssize_t count = shoal__stream_send_now(&probe->stream, &piece, 1);
        if (count < 0)
            return outcome_of_errno();
        probe->sent += (size_t)count;
    }
    while (!is_answer(probe)) {
        if (probe->received == sizeof(probe->reply))
            return SHOAL__PROBE_FAILED;
        ssize_t count = shoal__stream_receive_now(&probe->stream, probe->reply + probe->received,
                                                  sizeof(probe->reply) - probe->received);
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
    if (outcome == SHOAL__PROBE_RUNNING && probe->stream.fd >= 0)
        outcome = advance_ask(probe);
    return outcome == SHOAL__PROBE_RUNNING && now_ns >= probe->deadline_ns ? SHOAL__PROBE_FAILED : outcome;
}

void shoal__probe_watch(struct shoal__probe *probe, struct shoal__watch *watch, int64_t now_ns) {
    shoal__watch_until(watch, probe->deadline_ns);
    if (probe->query != NULL)
        shoal__dns_query_watch(probe->query, watch, now_ns);
    bool has_asked = probe->sent == sizeof(question) - 1;
    if (probe->stream.fd >= 0)
        shoal__watch_add(watch, probe->stream.fd, shoal__stream_events(&probe->stream, has_asked ? POLLIN : POLLOUT));
}

void shoal__probe_free(struct shoal__probe *probe) {
    if (probe == NULL)
        return;
    shoal__dns_query_free(probe->query);
    if (probe->stream.fd >= 0) {
        shoal__descriptor_release(probe->descriptor);
        shoal__stream_close(&probe->stream);
    }
    free(probe);
}
