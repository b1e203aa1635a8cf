/* A probe: RESOLVE --> CONNECT --> ASK --> ERRANDS, any failure ends it, an answer of memcached's kind is what it is
 * for. May include: base/, dns, stream, watch, fork. */
#include "net/probe.h"

#include "base/clock.h"
#include "net/fork.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A read of a key that nobody has: every server and every proxy knows it. */
static const char question[] = "get shoal:hello\r\n";

struct shoal__probe {
    int64_t deadline_ns;
    int64_t patience_ns;
    unsigned turn;
    struct shoal__dns_query *query; /* NULL once resolved */
    struct shoal__stream_options options;
    struct shoal__stream stream;
    struct shoal__descriptor *descriptor;
    size_t asked;  /* bytes of the question that are sent */
    char reply[8]; /* enough for "END\r\n" and "VALUE " */
    size_t received;
    int64_t asked_ns;
    int64_t took_ns; /* 0: not answered yet */
    struct shoal__errands errands;
    size_t errands_sent; /* bytes */
    size_t errands_done;
    bool in_reply; /* inside the line that answers the next errand */
};

static void clear_errands(struct shoal__errands *errands) {
    shoal__buffer_clear(&errands->lines);
    errands->count = 0;
}

struct shoal__probe *shoal__probe_new(const char *host, uint16_t port, enum shoal__family family, unsigned turn,
                                      const struct shoal__stream_options *options, int64_t patience_ns,
                                      struct shoal__errands *errands) {
    struct shoal__fault ignored;
    struct shoal__probe *probe = calloc(1, sizeof(*probe));
    if (probe == NULL) {
        if (errands != NULL)
            clear_errands(errands);
        return NULL;
    }
    if (errands != NULL)
        probe->errands = *errands;
    probe->turn = turn;
    probe->patience_ns = patience_ns;
    probe->deadline_ns = shoal__now_ns() + patience_ns;
    probe->options = *options;
    probe->stream.fd = -1;
    probe->query = shoal__dns_query_new(host, port, family, &ignored);
    if (probe->query == NULL) {
        shoal__probe_free(probe);
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
    bool begun = shoal__stream_begin(&probe->stream, &list.addresses[probe->turn % list.count], &probe->options);
    probe->descriptor = shoal__descriptor_adopt(probe->stream.fd);
    shoal__address_list_clear(&list);
    return begun ? SHOAL__PROBE_RUNNING : SHOAL__PROBE_FAILED;
}

static enum shoal__probe_outcome outcome_of_errno(void) {
    return errno == EAGAIN ? SHOAL__PROBE_RUNNING : SHOAL__PROBE_FAILED;
}

/* Sends what is left of some bytes; false, with errno, where it cannot go on now. */
static bool send_rest(struct shoal__probe *probe, const char *bytes, size_t size, size_t *sent) {
    while (*sent < size) {
        struct iovec piece = shoal__stream_piece(bytes + *sent, size - *sent);
        ssize_t count = shoal__stream_send_now(&probe->stream, &piece, 1);
        if (count < 0)
            return false;
        *sent += (size_t)count;
    }
    return true;
}

/* --- Asking --- */

static bool is_answer(const struct shoal__probe *probe) {
    return (probe->received >= 5 && memcmp(probe->reply, "END\r\n", 5) == 0) ||
           (probe->received >= 6 && memcmp(probe->reply, "VALUE ", 6) == 0);
}

static enum shoal__probe_outcome advance_ask(struct shoal__probe *probe, int64_t now_ns) {
    if (!send_rest(probe, question, sizeof(question) - 1, &probe->asked))
        return outcome_of_errno();
    if (probe->asked_ns == 0)
        probe->asked_ns = now_ns;
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
    probe->took_ns = now_ns > probe->asked_ns ? now_ns - probe->asked_ns : 1;
    return SHOAL__PROBE_ANSWERED;
}

/* --- Errands --- */

/* An errand is answered by one line: DELETED, NOT_FOUND, or meta's HD and NF. */
static bool count_replies(struct shoal__probe *probe, const char *bytes, size_t size) {
    for (size_t i = 0; i < size; i++) {
        if (!probe->in_reply && bytes[i] != 'D' && bytes[i] != 'N' && bytes[i] != 'H')
            return false;
        probe->in_reply = bytes[i] != '\n';
        if (!probe->in_reply)
            probe->errands_done++;
    }
    return probe->errands_done <= probe->errands.count;
}

static enum shoal__probe_outcome advance_errands(struct shoal__probe *probe, int64_t now_ns) {
    char replies[4096];
    size_t done_before = probe->errands_done;
    const struct shoal__buffer *lines = &probe->errands.lines;
    if (!send_rest(probe, lines->bytes, lines->size, &probe->errands_sent) && errno != EAGAIN)
        return SHOAL__PROBE_FAILED;
    while (probe->errands_done < probe->errands.count) {
        ssize_t count = shoal__stream_receive_now(&probe->stream, replies, sizeof(replies));
        if (count < 0 && errno == EAGAIN)
            break;
        if (count <= 0 || !count_replies(probe, replies, (size_t)count))
            return SHOAL__PROBE_FAILED;
    }
    if (probe->errands_done > done_before)
        probe->deadline_ns = now_ns + probe->patience_ns;
    return probe->errands_done == probe->errands.count ? SHOAL__PROBE_ANSWERED : SHOAL__PROBE_RUNNING;
}

/* --- All of it --- */

enum shoal__probe_outcome shoal__probe_advance(struct shoal__probe *probe, int64_t now_ns) {
    enum shoal__probe_outcome outcome = SHOAL__PROBE_RUNNING;
    if (probe->query != NULL)
        outcome = advance_connect(probe);
    if (outcome == SHOAL__PROBE_RUNNING && probe->stream.fd >= 0 && probe->took_ns == 0)
        outcome = advance_ask(probe, now_ns);
    if (outcome != SHOAL__PROBE_FAILED && probe->took_ns > 0)
        outcome = advance_errands(probe, now_ns);
    return outcome == SHOAL__PROBE_RUNNING && now_ns >= probe->deadline_ns ? SHOAL__PROBE_FAILED : outcome;
}

int64_t shoal__probe_took_ns(const struct shoal__probe *probe) {
    return probe->took_ns;
}

static short wanted_events(const struct shoal__probe *probe) {
    if (probe->took_ns == 0)
        return probe->asked < sizeof(question) - 1 ? POLLOUT : POLLIN;
    return probe->errands_sent < probe->errands.lines.size ? POLLIN | POLLOUT : POLLIN;
}

void shoal__probe_watch(struct shoal__probe *probe, struct shoal__watch *watch, int64_t now_ns) {
    shoal__watch_until(watch, probe->deadline_ns);
    if (probe->query != NULL)
        shoal__dns_query_watch(probe->query, watch, now_ns);
    if (probe->stream.fd >= 0)
        shoal__watch_add(watch, probe->stream.fd, shoal__stream_events(&probe->stream, wanted_events(probe)));
}

void shoal__probe_free(struct shoal__probe *probe) {
    if (probe == NULL)
        return;
    shoal__dns_query_free(probe->query);
    clear_errands(&probe->errands);
    if (probe->stream.fd >= 0) {
        shoal__descriptor_release(probe->descriptor);
        shoal__stream_close(&probe->stream);
    }
    free(probe);
}
