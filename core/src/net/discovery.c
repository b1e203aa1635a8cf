/* A poll as a state machine:
 *
 *   RESOLVE host --> CONNECT address --> ASK config --> [refused or closed] --> ASK the legacy key --> OVER
 *                      any failure leads to the next address, then to the next host, at last to OVER
 *
 * May include: base/, cluster_parse, endpoint, dns, watch, fork, stream. */
#include "net/discovery.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "net/fork.h"
#include "net/stream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum stage { RESOLVE, CONNECT, ASK, OVER };

enum question { CONFIG_COMMAND, LEGACY_KEY };

static const char *const question_texts[] = {
    [CONFIG_COMMAND] = "config get cluster\r\n",
    [LEGACY_KEY] = "get AmazonElastiCache:cluster\r\n",
};

struct shoal__discovery {
    struct shoal__discovery_options options;
    int64_t deadline_ns;
    int64_t try_deadline_ns; /* of the current host or address: its share of what is left */
    enum stage stage;
    size_t host_index;
    struct shoal__dns_query *query;
    struct shoal__address_list addresses; /* of the current host */
    size_t address_index;
    struct shoal__tls_peer *peer; /* of the current host */
    struct shoal__stream stream;
    bool complained; /* an address of the current host let us connect, but not in: the result's fault says why */
    struct shoal__descriptor *descriptor;
    enum question question;
    size_t sent;
    struct shoal__buffer reply;
    struct shoal__discovery_result result;
};

struct shoal__discovery *shoal__discovery_new(const struct shoal__discovery_options *options, int64_t deadline_ns) {
    struct shoal__discovery *poll = calloc(1, sizeof(*poll));
    if (poll == NULL)
        return NULL;
    poll->options = *options;
    poll->deadline_ns = deadline_ns;
    poll->stream.fd = -1;
    return poll;
}

static const struct shoal__node_spec *current_host(const struct shoal__discovery *poll) {
    return &poll->options.endpoint->nodes.nodes[poll->host_index];
}

static void hang_up(struct shoal__discovery *poll) {
    if (poll->stream.fd < 0)
        return;
    shoal__descriptor_release(poll->descriptor);
    shoal__stream_close(&poll->stream);
    poll->sent = 0;
    poll->reply.size = 0;
}

/* What is left, shared among the addresses and hosts that have not been tried. */
static void allot_time(struct shoal__discovery *poll, int64_t now_ns) {
    size_t addresses_left =
        poll->addresses.count > poll->address_index ? poll->addresses.count - poll->address_index : 1;
    size_t hosts_left = poll->options.endpoint->nodes.count - poll->host_index - 1;
    poll->try_deadline_ns = now_ns + (poll->deadline_ns - now_ns) / (int64_t)(addresses_left + hosts_left);
}

static bool finish(struct shoal__discovery *poll, enum shoal__discovery_answer answer) {
    hang_up(poll);
    poll->result.answer = answer;
    poll->stage = OVER;
    return true;
}

static void begin_host(struct shoal__discovery *poll, int64_t now_ns) {
    shoal__address_list_clear(&poll->addresses);
    shoal__tls_peer_free(poll->peer);
    poll->peer = NULL;
    poll->complained = false;
    poll->address_index = 0;
    allot_time(poll, now_ns);
    poll->stage = RESOLVE;
}

/* The result's fault says why this host or address did not do. */
static bool try_next(struct shoal__discovery *poll, int64_t now_ns) {
    hang_up(poll);
    poll->question = CONFIG_COMMAND;
    shoal__dns_query_free(poll->query);
    poll->query = NULL;
    if (++poll->address_index < poll->addresses.count) {
        allot_time(poll, now_ns);
        poll->stage = CONNECT;
        return false;
    }
    if (++poll->host_index < poll->options.endpoint->nodes.count) {
        begin_host(poll, now_ns);
        return false;
    }
    return finish(poll, SHOAL__DISCOVERY_FAILED);
}

struct shoal__host_text shoal__host_show(const struct shoal__node_spec *host) {
    struct shoal__host_text shown;
    bool is_ipv6 = strchr(host->host, ':') != NULL;
    snprintf(shown.text, sizeof(shown.text), is_ipv6 ? "[%s]:%u" : "%s:%u", host->host, host->port);
    return shown;
}

static bool fail(struct shoal__discovery *poll, const char *reason, int64_t now_ns) {
    shoal__fault_set(&poll->result.fault, SHOAL_E_DISCOVERY, "discovery at %s: %s",
                     shoal__host_show(current_host(poll)).text, reason);
    return try_next(poll, now_ns);
}

/* os_error is from the stream, which may know more. */
static bool fail_os(struct shoal__discovery *poll, const char *doing, int os_error, int64_t now_ns) {
    const char *complaint = shoal__stream_complaint(&poll->stream, os_error);
    if (complaint != NULL) {
        poll->complained = true;
        return fail(poll, complaint, now_ns);
    }
    if (!poll->complained)
        shoal__fault_set_os(&poll->result.fault, SHOAL_E_DISCOVERY, os_error, "discovery at %s: %s",
                            shoal__host_show(current_host(poll)).text, doing);
    return try_next(poll, now_ns);
}

/* --- RESOLVE --- */

static bool remember_addresses(struct shoal__address_list *all, const struct shoal__address_list *found) {
    struct shoal__address *grown = realloc(all->addresses, (all->count + found->count) * sizeof(*all->addresses));
    if (grown == NULL)
        return false;
    memcpy(grown + all->count, found->addresses, found->count * sizeof(*grown));
    all->addresses = grown;
    all->count += found->count;
    return true;
}

static bool advance_resolve(struct shoal__discovery *poll, int64_t now_ns) {
    const struct shoal__node_spec *host = current_host(poll);
    struct shoal__fault *fault = &poll->result.fault;
    if (poll->query == NULL) {
        allot_time(poll, now_ns);
        poll->query = shoal__dns_query_new(host->host, host->port, poll->options.family, fault);
        if (poll->query == NULL)
            return try_next(poll, now_ns);
    }
    if (!shoal__dns_query_advance(poll->query))
        return false;
    struct shoal__fault reason = {0};
    if (shoal__dns_query_take(poll->query, &poll->addresses, &reason) != SHOAL_OK)
        return fail(poll, reason.text, now_ns);
    shoal__dns_query_free(poll->query);
    poll->query = NULL;
    remember_addresses(&poll->result.endpoint_found, &poll->addresses);
    allot_time(poll, now_ns);
    poll->stage = CONNECT;
    return false;
}

/* --- CONNECT --- */

static bool advance_connect(struct shoal__discovery *poll, int64_t now_ns) {
    if (poll->options.tls != NULL && poll->peer == NULL &&
        (poll->peer = shoal__tls_peer_new(poll->options.tls, current_host(poll)->host)) == NULL)
        return fail_os(poll, "no memory for TLS", ENOMEM, now_ns);
    struct shoal__stream_options options = {.peer = poll->peer, .login = poll->options.login};
    bool begun = shoal__stream_begin(&poll->stream, &poll->addresses.addresses[poll->address_index], &options);
    int why = errno;
    poll->descriptor = shoal__descriptor_adopt(poll->stream.fd);
    if (!begun)
        return fail_os(poll, "cannot connect", why, now_ns);
    poll->stage = ASK;
    return false;
}

/* --- ASK --- */

/* False where the stream is not ready; a failed connection shows itself here too. */
static bool send_question(struct shoal__discovery *poll, int *os_error) {
    const char *text = question_texts[poll->question];
    for (size_t left; (left = strlen(text) - poll->sent) > 0;) {
        struct iovec piece = shoal__stream_piece(text + poll->sent, left);
        ssize_t count = shoal__stream_send_now(&poll->stream, &piece, 1);
        if (count < 0) {
            *os_error = errno == EAGAIN ? 0 : errno;
            return false;
        }
        poll->sent += (size_t)count;
    }
    return true;
}

/* A server that closes on `config`, which it does not know, is asked for the legacy key on a new connection. */
static bool reply_closed(struct shoal__discovery *poll, int64_t now_ns) {
    if (poll->question == LEGACY_KEY || poll->reply.size > 0)
        return fail_os(poll,
                       "the connection was closed before the answer was complete (where it wants TLS, set tls=true)",
                       ECONNRESET, now_ns);
    hang_up(poll);
    poll->question = LEGACY_KEY;
    poll->stage = CONNECT;
    return false;
}

static bool ask_legacy_key(struct shoal__discovery *poll) {
    poll->question = LEGACY_KEY;
    poll->sent = 0;
    poll->reply.size = 0;
    return false;
}

static bool take_list(struct shoal__discovery *poll, const struct shoal__cluster_frame *frame, int64_t now_ns) {
    struct shoal__fault reason = {0};
    if (shoal__cluster_parse(frame->payload, frame->payload_size, &poll->result.cluster, &reason) != SHOAL_OK)
        return fail(poll, reason.text, now_ns);
    poll->result.by_legacy_key = poll->question == LEGACY_KEY;
    poll->result.length_differs = frame->length_differs;
    poll->result.answered_by = poll->addresses.addresses[poll->address_index];
    poll->result.host_index = poll->host_index;
    return finish(poll, SHOAL__DISCOVERY_LIST);
}

/* True where the poll is over. *more: nothing was decided, read on. */
static bool take_reply(struct shoal__discovery *poll, bool *more, int64_t now_ns) {
    struct shoal__cluster_frame frame;
    struct shoal__fault reason = {0};
    *more = false;
    switch (shoal__cluster_scan_reply(poll->reply.bytes, poll->reply.size, &frame, &reason)) {
    case SHOAL__CLUSTER_INCOMPLETE:
        *more = true;
        return false;
    case SHOAL__CLUSTER_PAYLOAD:
        return take_list(poll, &frame, now_ns);
    case SHOAL__CLUSTER_EMPTY:
        return finish(poll, poll->question == LEGACY_KEY ? SHOAL__DISCOVERY_UNKNOWN : SHOAL__DISCOVERY_UNLISTED);
    case SHOAL__CLUSTER_REFUSED:
        return poll->question == LEGACY_KEY ? finish(poll, SHOAL__DISCOVERY_UNKNOWN) : ask_legacy_key(poll);
    default:
        return fail(poll, reason.text, now_ns);
    }
}

#define READ_SIZE 16384

/* How much of a flood is read before other tasks have their turn. */
#define READS_A_TURN 4

/* Whether what came behind the first `before` bytes can have completed the reply: looking through all of it each time
 * would cost a large one the square of its size. */
static bool may_be_complete(const struct shoal__buffer *reply, size_t before) {
    if (reply->size >= SHOAL__CLUSTER_REPLY_MAX || before == 0 || memchr(reply->bytes, '\n', before) == NULL)
        return true;
    size_t longest_start = sizeof("END\r") - 1; /* of the last line, in what was there before */
    for (size_t i = before > longest_start ? before - longest_start : 0; i + 3 <= reply->size; i++)
        if (memcmp(reply->bytes + i, "END", 3) == 0)
            return true;
    return false;
}

static bool advance_ask(struct shoal__discovery *poll, int64_t now_ns) {
    int os_error = 0;
    if (!send_question(poll, &os_error))
        return os_error ? fail_os(poll, "cannot connect", os_error, now_ns) : false;
    for (int reads = 0; reads < READS_A_TURN; reads++) {
        char *room = shoal__buffer_reserve(&poll->reply, READ_SIZE);
        if (room == NULL)
            return fail_os(poll, "no memory for the answer", ENOMEM, now_ns);
        ssize_t count = shoal__stream_receive_now(&poll->stream, room, READ_SIZE);
        if (count < 0 && errno == EAGAIN)
            return false;
        if (count == 0 || (count < 0 && errno == ECONNRESET))
            return reply_closed(poll, now_ns);
        if (count < 0)
            return fail_os(poll, "cannot read", errno, now_ns);
        size_t before = poll->reply.size;
        poll->reply.size += (size_t)count;
        if (!may_be_complete(&poll->reply, before))
            continue;
        bool more;
        bool over = take_reply(poll, &more, now_ns);
        if (!more)
            return over;
    }
    return false;
}

static bool time_ran_out(struct shoal__discovery *poll, int64_t now_ns) {
    static const char *const doing[] = {
        [RESOLVE] = "its name was not resolved in time; see discovery_timeout_ms",
        [CONNECT] = "the connection was not made in time; see discovery_timeout_ms",
        [ASK] = "no complete answer in time; see discovery_timeout_ms",
    };
    const char *complaint = shoal__stream_complaint(&poll->stream, ETIMEDOUT);
    return fail(poll, complaint != NULL ? complaint : doing[poll->stage], now_ns);
}

static bool advance_once(struct shoal__discovery *poll, int64_t now_ns) {
    switch (poll->stage) {
    case RESOLVE:
        return advance_resolve(poll, now_ns);
    case CONNECT:
        return advance_connect(poll, now_ns);
    case ASK:
        return advance_ask(poll, now_ns);
    default:
        return true;
    }
}

bool shoal__discovery_advance(struct shoal__discovery *poll, int64_t now_ns) {
    if (poll->try_deadline_ns == 0)
        begin_host(poll, now_ns);
    enum stage before;
    enum question asked;
    size_t place;
    do {
        before = poll->stage;
        asked = poll->question;
        place = poll->host_index + poll->address_index;
        if (advance_once(poll, now_ns))
            return true;
        if (now_ns >= poll->try_deadline_ns && time_ran_out(poll, now_ns))
            return true;
    } while (poll->stage != before || poll->question != asked || place != poll->host_index + poll->address_index);
    return false;
}

void shoal__discovery_watch(struct shoal__discovery *poll, struct shoal__watch *watch, int64_t now_ns) {
    shoal__watch_until(watch, poll->try_deadline_ns);
    if (poll->query != NULL)
        shoal__dns_query_watch(poll->query, watch, now_ns);
    if (poll->stream.fd < 0)
        return;
    bool has_asked = poll->sent == strlen(question_texts[poll->question]);
    shoal__watch_add(watch, poll->stream.fd, shoal__stream_events(&poll->stream, has_asked ? POLLIN : POLLOUT));
    if (shoal__stream_has_more(&poll->stream))
        shoal__watch_until(watch, now_ns);
}

struct shoal__discovery_result *shoal__discovery_result(struct shoal__discovery *poll) {
    return &poll->result;
}

void shoal__discovery_free(struct shoal__discovery *poll) {
    if (poll == NULL)
        return;
    hang_up(poll);
    shoal__tls_peer_free(poll->peer);
    shoal__dns_query_free(poll->query);
    shoal__address_list_clear(&poll->addresses);
    shoal__address_list_clear(&poll->result.endpoint_found);
    shoal__cluster_clear(&poll->result.cluster);
    shoal__buffer_clear(&poll->reply);
    free(poll);
}
