/* The classic text protocol by libmemcached: one memcached_st a lane, one server in it, by numeric address. Of that
 * library's own ring, ejection, pool and clone nothing is used; core/doc/LIBMEMCACHED.md says why, and which of its
 * faults cannot be mended from outside.
 * May include: base/, logic/, transport, socket_search, and the one place for <libmemcached/>. */
#include "base/clock.h"
#include "base/signals.h"
#include "logic/value.h"
#include "net/socket_search.h"
#include "net/transport.h"

#include <shoal/operations.h>

#include <errno.h>
#include <libmemcached/memcached.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Keys of one get line: libmemcached keeps its own state for each, and other nodes want their turn. */
#define CHUNK_KEYS 1000

struct session {
    memcached_st *memc;
    int64_t deadline_ns; /* of what is under way */
    size_t value_max;
    memcached_result_st result; /* reused by every read */
    const char *keys[CHUNK_KEYS];
    size_t key_sizes[CHUNK_KEYS];
};

/* Gives the next call of libmemcached what is left of the time, and false where nothing is. Its timeout is for one
 * poll(), and 0 is an error to it; so it is set before every call, each read of a reply included. */
static bool has_time(struct session *session) {
    int left_ms = shoal__remaining_ms(session->deadline_ns, shoal__now_ns());
    memcached_behavior_set(session->memc, MEMCACHED_BEHAVIOR_POLL_TIMEOUT, left_ms > 0 ? (uint64_t)left_ms : 1);
    return left_ms > 0;
}

/* --- What libmemcached answers, in Shoal's words --- */

/* The words after CLIENT_ERROR or SERVER_ERROR are the server's own and hold no data of the caller. libmemcached says
 * "(0x55d0) SERVER ERROR, out of memory,  host: 10.0.0.1:11211 -> response.cc:285": the middle is of use. */
static shoal_status refused_by_server(struct shoal__lane *lane, struct shoal__fault *fault) {
    struct session *session = lane->session;
    const char *told = memcached_last_error_message(session->memc);
    const char *begin = told ? strstr(told, ") ") : NULL;
    const char *end = begin ? strstr(begin, ",  host: ") : NULL;
    return shoal__command_refused(end ? begin + 2 : "", end ? (size_t)(end - begin) - 2 : 0, fault);
}

static shoal_status translate(struct shoal__lane *lane, const struct shoal__command *command, memcached_return_t rc,
                              struct shoal__fault *fault) {
    struct session *session = lane->session;
    if (rc == MEMCACHED_SOME_ERRORS && memcached_last_error(session->memc) != MEMCACHED_SUCCESS)
        rc = memcached_last_error(session->memc); /* flush says no more than this, whatever went wrong */
    switch (rc) {
    case MEMCACHED_SUCCESS:
    case MEMCACHED_STORED:
    case MEMCACHED_DELETED:
        return SHOAL_OK;
    case MEMCACHED_NOTFOUND:
        return SHOAL_NOT_FOUND;
    case MEMCACHED_NOTSTORED:
        return SHOAL_NOT_STORED;
    case MEMCACHED_DATA_EXISTS:
        return SHOAL_EXISTS;
    case MEMCACHED_E2BIG:
        return shoal__command_too_large(command, fault);
    case MEMCACHED_SERVER_MEMORY_ALLOCATION_FAILURE:
        return shoal__command_no_room(fault);
    case MEMCACHED_SERVER_ERROR:
        lane->broken = true; /* libmemcached takes it for fatal, and closes the connection by itself */
        return refused_by_server(lane, fault);
    case MEMCACHED_CLIENT_ERROR:
        if (command->verb == SHOAL__VERB_INCREMENT)
            return shoal__command_not_a_number(fault);
        lane->broken = true;
        return refused_by_server(lane, fault);
    case MEMCACHED_ERROR:
    case MEMCACHED_INVALID_ARGUMENTS:
        lane->broken = true;
        return shoal__command_unknown(fault);
    case MEMCACHED_TIMEOUT:
        return shoal__lane_late(lane, command, fault);
    case MEMCACHED_PROTOCOL_ERROR:
    case MEMCACHED_UNKNOWN_READ_FAILURE:
    case MEMCACHED_PARTIAL_READ:
        return shoal__lane_break(lane, command, SHOAL_E_PROTOCOL, "the answer is not memcached's protocol", fault);
    case MEMCACHED_MEMORY_ALLOCATION_FAILURE:
        return shoal__lane_break(lane, command, SHOAL_E_NO_MEMORY, "out of memory for the answer", fault);
    default:
        return shoal__lane_lost(lane, command, memcached_last_error_errno(session->memc), fault);
    }
}

/* --- Reads: mget and fetch, as memcached_get reports timeouts as misses and never compares the key --- */

/* The end of a get's answer: END and nothing wrong underneath. */
static shoal_status end_of_values(struct shoal__lane *lane, const struct shoal__command *command, memcached_return_t rc,
                                  struct shoal__fault *fault) {
    struct session *session = lane->session;
    memcached_return_t underneath = memcached_last_error(session->memc);
    bool ended = rc == MEMCACHED_END || rc == MEMCACHED_NOTFOUND;
    bool clean = underneath == MEMCACHED_SUCCESS || underneath == MEMCACHED_END || underneath == MEMCACHED_NOTFOUND;
    return ended && clean ? SHOAL_OK : translate(lane, command, clean ? rc : underneath, fault);
}

static shoal_status wrong_value(struct shoal__lane *lane, const struct shoal__command *command,
                                struct shoal__fault *fault) {
    return shoal__lane_break(lane, command, SHOAL_E_PROTOCOL, "the server sent an item that was not asked for", fault);
}

static bool is_value_of(memcached_result_st *result, const struct shoal__command *command) {
    return memcached_result_key_length(result) == command->key_len &&
           memcmp(memcached_result_key_value(result), command->key, command->key_len) == 0;
}

/* An item that is larger than max_value_bytes has its status and no value: the answer goes on. */
static shoal_status take_value(struct shoal__lane *lane, memcached_result_st *result, struct shoal__command *command,
                               struct shoal__fault *fault) {
    const struct session *session = lane->session;
    size_t size = memcached_result_length(result);
    if (size > session->value_max) {
        command->status = shoal__command_not_taken(size, session->value_max, fault);
        return SHOAL_OK;
    }
    command->found = shoal__value_new(size, memcached_result_flags(result), memcached_result_cas(result));
    if (command->found == NULL)
        return shoal__lane_break(lane, command, SHOAL_E_NO_MEMORY, "out of memory for a value", fault);
    if (size > 0)
        memcpy(shoal__value_bytes(command->found), memcached_result_value(result), size);
    command->status = SHOAL_OK;
    return SHOAL_OK;
}

static shoal_status send_get(struct shoal__lane *lane, struct shoal__command **commands, size_t count,
                             struct shoal__fault *fault) {
    struct session *session = lane->session;
    if (!has_time(session))
        return shoal__lane_unsent(fault);
    for (size_t i = 0; i < count; i++) {
        session->keys[i] = commands[i]->key;
        session->key_sizes[i] = commands[i]->key_len;
    }
    memcached_return_t rc = memcached_mget(session->memc, session->keys, session->key_sizes, count);
    if (rc == MEMCACHED_SUCCESS)
        return SHOAL_OK;
    memcached_return_t underneath = memcached_last_error(session->memc);
    shoal_status status = translate(lane, commands[0], underneath == MEMCACHED_SUCCESS ? rc : underneath, fault);
    return status < 0 ? status : shoal__lane_lost(lane, commands[0], memcached_last_error_errno(session->memc), fault);
}

/* The next item of an answer, or NULL where it ended or time did. */
static memcached_result_st *fetch(struct session *session, memcached_return_t *rc) {
    if (has_time(session))
        return memcached_fetch_result(session->memc, &session->result, rc);
    *rc = MEMCACHED_TIMEOUT;
    return NULL;
}

static shoal_status run_get(struct shoal__lane *lane, struct shoal__command *command, struct shoal__fault *fault) {
    struct session *session = lane->session;
    shoal_status status = send_get(lane, &command, 1, fault);
    if (status != SHOAL_OK)
        return status;
    memcached_return_t rc;
    memcached_result_st *result;
    while ((result = fetch(session, &rc)) != NULL) {
        if (command->found != NULL || !is_value_of(result, command))
            return wrong_value(lane, command, fault);
        status = take_value(lane, result, command, fault);
        if (status != SHOAL_OK)
            return status;
    }
    status = end_of_values(lane, command, rc, fault);
    if (status != SHOAL_OK || command->found != NULL || command->status == SHOAL_E_TOO_LARGE)
        return status != SHOAL_OK ? status : command->status;
    return SHOAL_NOT_FOUND;
}

/* --- Writes --- */

static memcached_return_t call_store(memcached_st *memc, const struct shoal__command *c, const char *value) {
    static memcached_return_t (*const functions[])(memcached_st *, const char *, size_t, const char *, size_t, time_t,
                                                   uint32_t) = {
        [SHOAL_SET] = memcached_set,       [SHOAL_ADD] = memcached_add,         [SHOAL_REPLACE] = memcached_replace,
        [SHOAL_APPEND] = memcached_append, [SHOAL_PREPEND] = memcached_prepend,
    };
    time_t expiry = (time_t)c->expiry;
    if (c->mode == SHOAL_CAS)
        return memcached_cas(memc, c->key, c->key_len, value, c->value_len, expiry, c->flags, c->cas);
    return functions[c->mode](memc, c->key, c->key_len, value, c->value_len, expiry, c->flags);
}

/* The text protocol does not tell a stored item's token: read it back, and believe it only where it fits. A failure
 * here leaves the token unknown, not the store undone. */
static void read_new_cas(struct shoal__lane *lane, struct shoal__command *command) {
    struct shoal__command read = {.verb = SHOAL__VERB_GET, .key = command->key, .key_len = command->key_len};
    struct shoal__fault ignored;
    if (run_get(lane, &read, &ignored) == SHOAL_OK && shoal__command_stored(command, read.found))
        command->new_cas = shoal_value_cas(read.found);
    shoal_value_free(read.found);
}

static shoal_status run_store(struct shoal__lane *lane, struct shoal__command *command, struct shoal__fault *fault) {
    struct session *session = lane->session;
    const char *value = command->value ? command->value : ""; /* libmemcached copies from it whatever the length */
    shoal_status status = translate(lane, command, call_store(session->memc, command, value), fault);
    if (status == SHOAL_OK && command->wants_new_cas)
        read_new_cas(lane, command);
    return status;
}

static shoal_status run_touch(struct shoal__lane *lane, struct shoal__command *command, int64_t expiry,
                              struct shoal__fault *fault) {
    struct session *session = lane->session;
    if (!has_time(session))
        return shoal__lane_unsent(fault);
    return translate(lane, command, memcached_touch(session->memc, command->key, command->key_len, (time_t)expiry),
                     fault);
}

/* Touch first, as an item about to run out would else be read and then be gone; but one that is to run out at once is
 * read first. */
static shoal_status run_get_and_touch(struct shoal__lane *lane, struct shoal__command *command,
                                      struct shoal__fault *fault) {
    bool ends_now = command->expiry < 0;
    shoal_status status = ends_now ? run_get(lane, command, fault) : run_touch(lane, command, command->expiry, fault);
    if (status != SHOAL_OK || !ends_now)
        return status == SHOAL_OK ? run_get(lane, command, fault) : status;
    status = run_touch(lane, command, command->expiry, fault);
    return status == SHOAL_NOT_FOUND ? SHOAL_OK : status;
}

static shoal_status add_delta(struct shoal__lane *lane, struct shoal__command *command, struct shoal__fault *fault) {
    struct session *session = lane->session;
    if (!has_time(session))
        return shoal__lane_unsent(fault);
    /* The plain functions take 32 bits; those with a master key take 64, and send the same command. */
    uint64_t amount = command->delta < 0 ? (uint64_t)0 - (uint64_t)command->delta : (uint64_t)command->delta;
    memcached_return_t rc = command->delta < 0
                                ? memcached_decrement_by_key(session->memc, command->key, command->key_len,
                                                             command->key, command->key_len, amount, &command->number)
                                : memcached_increment_by_key(session->memc, command->key, command->key_len,
                                                             command->key, command->key_len, amount, &command->number);
    return translate(lane, command, rc, fault);
}

/* A missing counter with an initial number: add it; where somebody else was first, count on from theirs. */
static shoal_status run_increment(struct shoal__lane *lane, struct shoal__command *command,
                                  struct shoal__fault *fault) {
    struct session *session = lane->session;
    shoal_status status = add_delta(lane, command, fault);
    if (status != SHOAL_NOT_FOUND || command->initial == NULL)
        return status;
    if (!has_time(session))
        return shoal__lane_unsent(fault);
    char digits[24];
    int size = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)*command->initial);
    memcached_return_t rc =
        memcached_add(session->memc, command->key, command->key_len, digits, (size_t)size, (time_t)command->expiry, 0);
    status = translate(lane, command, rc, fault);
    if (status == SHOAL_OK)
        command->number = *command->initial;
    return status == SHOAL_NOT_STORED ? add_delta(lane, command, fault) : status;
}

static memcached_return_t pass_stat(const memcached_instance_st *server, const char *name, size_t name_len,
                                    const char *value, size_t value_len, void *context) {
    (void)server;
    const struct shoal__command *command = context;
    return command->stat_sink(command->stat_context, name, name_len, value, value_len)
               ? MEMCACHED_SUCCESS
               : MEMCACHED_MEMORY_ALLOCATION_FAILURE;
}

static shoal_status dispatch(struct shoal__lane *lane, struct shoal__command *command, struct shoal__fault *fault) {
    struct session *session = lane->session;
    if (command->key_is_binary)
        return shoal__command_needs_meta(fault);
    if (!has_time(session))
        return shoal__lane_unsent(fault);
    switch (command->verb) {
    case SHOAL__VERB_GET:
        return run_get(lane, command, fault);
    case SHOAL__VERB_STORE:
        return run_store(lane, command, fault);
    case SHOAL__VERB_DELETE:
        /* memcached 1.6.45 takes the key of `delete noreply` for the option, and never answers. */
        if (command->key_len == 7 && memcmp(command->key, "noreply", 7) == 0)
            return run_touch(lane, command, -1, fault);
        return translate(lane, command, memcached_delete(session->memc, command->key, command->key_len, 0), fault);
    case SHOAL__VERB_TOUCH:
        return run_touch(lane, command, command->expiry, fault);
    case SHOAL__VERB_GET_AND_TOUCH:
        return run_get_and_touch(lane, command, fault);
    case SHOAL__VERB_INCREMENT:
        return run_increment(lane, command, fault);
    case SHOAL__VERB_FLUSH_ALL:
        return translate(lane, command, memcached_flush(session->memc, 0), fault);
    default:
        return translate(lane, command, memcached_stat_execute(session->memc, command->value, pass_stat, command),
                         fault);
    }
}

static shoal_status execute(struct shoal__lane *lane, struct shoal__command *command, int64_t deadline_ns,
                            struct shoal__fault *fault) {
    struct session *session = lane->session;
    sigset_t before;
    shoal__signals_block(&before);
    session->deadline_ns = deadline_ns;
    command->status = dispatch(lane, command, fault);
    shoal__signals_restore(&before);
    if (command->status != SHOAL_OK) {
        shoal_value_free(command->found);
        command->found = NULL;
    }
    return command->status;
}

/* --- Batches: a chunk of reads is sent, and its answers are taken when they have come; writes go one by one --- */

static bool goes_on_a_line(const struct shoal__command *command) {
    return command->verb == SHOAL__VERB_GET && !command->key_is_binary;
}

static enum shoal__step send_chunk(struct shoal__lane *lane, struct shoal__run *run, struct shoal__fault *fault) {
    size_t count = 0;
    while (count < CHUNK_KEYS && run->next + count < run->count && goes_on_a_line(run->commands[run->next + count]))
        count++;
    if (send_get(lane, run->commands + run->next, count, fault) != SHOAL_OK)
        return SHOAL__STEP_BROKEN;
    run->next += count;
    run->in_flight = count;
    run->events = POLLIN;
    return lane->fd >= 0 ? SHOAL__STEP_WAIT : SHOAL__STEP_AGAIN;
}

/* Answers come in the order asked, misses left out; a proxy may mix the order, so look at the rest of the chunk too. */
static struct shoal__command *find_asked(struct shoal__command **chunk, size_t count, size_t *expected,
                                         memcached_result_st *result) {
    for (size_t i = 0; i < count; i++) {
        size_t at = (*expected + i) % count;
        if (chunk[at]->status == SHOAL__UNDECIDED && is_value_of(result, chunk[at])) {
            *expected = at + 1;
            return chunk[at];
        }
    }
    return NULL;
}

static shoal_status take_chunk(struct shoal__lane *lane, struct shoal__run *run, struct shoal__fault *fault) {
    struct session *session = lane->session;
    struct shoal__command **chunk = run->commands + run->next - run->in_flight;
    size_t expected = 0;
    memcached_return_t rc;
    memcached_result_st *result;
    while ((result = fetch(session, &rc)) != NULL) {
        struct shoal__command *command = find_asked(chunk, run->in_flight, &expected, result);
        if (command == NULL)
            return wrong_value(lane, chunk[0], fault);
        shoal_status status = take_value(lane, result, command, fault);
        if (status != SHOAL_OK)
            return status;
        if (command->status < 0)
            run->refused(run->context, command, fault);
    }
    shoal_status status = end_of_values(lane, chunk[0], rc, fault);
    for (size_t i = 0; status == SHOAL_OK && i < run->in_flight; i++)
        if (chunk[i]->status == SHOAL__UNDECIDED)
            chunk[i]->status = SHOAL_NOT_FOUND;
    return status;
}

/* One write, with its answer. What the server said itself decides it, even where the lane is of no more use. */
static enum shoal__step run_next(struct shoal__lane *lane, struct shoal__run *run, struct shoal__fault *fault) {
    struct shoal__command *command = run->commands[run->next++];
    shoal_status status = dispatch(lane, command, fault);
    bool is_answer = !lane->broken || status == SHOAL_E_SERVER || status == SHOAL_E_UNSUPPORTED;
    if (!is_answer) {
        run->in_flight = 1;
        return SHOAL__STEP_BROKEN;
    }
    command->status = status;
    if (status < 0)
        run->refused(run->context, command, fault);
    if (run->next == run->count)
        return SHOAL__STEP_DONE;
    return lane->broken ? SHOAL__STEP_RENEW : SHOAL__STEP_AGAIN;
}

static enum shoal__step go_on(struct shoal__lane *lane, struct shoal__run *run, struct shoal__fault *fault) {
    if (run->in_flight > 0) {
        if (take_chunk(lane, run, fault) != SHOAL_OK)
            return SHOAL__STEP_BROKEN;
        run->in_flight = 0;
    } else if (goes_on_a_line(run->commands[run->next])) {
        return send_chunk(lane, run, fault);
    } else {
        return run_next(lane, run, fault);
    }
    return run->next < run->count ? SHOAL__STEP_AGAIN : SHOAL__STEP_DONE;
}

static enum shoal__step step(struct shoal__lane *lane, struct shoal__run *run, int64_t deadline_ns,
                             struct shoal__fault *fault) {
    struct session *session = lane->session;
    sigset_t before;
    shoal__signals_block(&before);
    session->deadline_ns = deadline_ns;
    enum shoal__step outcome = go_on(lane, run, fault);
    shoal__signals_restore(&before);
    return outcome;
}

/* --- Opening and closing --- */

static bool add_server(memcached_st *memc, const struct shoal__address *address) {
    char text[SHOAL__ADDRESS_TEXT_SIZE];
    if (address->socket.any.sa_family == AF_UNIX)
        return memcached_server_add_unix_socket(memc, address->socket.local.sun_path) == MEMCACHED_SUCCESS;
    shoal__address_print(address, text);
    return memcached_server_add(memc, text, shoal__address_port(address)) == MEMCACHED_SUCCESS;
}

static bool set_up(struct session *session, const struct shoal__address *address,
                   const struct shoal__lane_options *options, int64_t deadline_ns) {
    session->value_max = options->value_max;
    session->memc = memcached_create(NULL);
    if (session->memc == NULL || !add_server(session->memc, address))
        return false;
    int64_t now_ns = shoal__now_ns();
    int64_t connect_by_ns = now_ns + options->connect_timeout_ns;
    int connect_ms = shoal__remaining_ms(connect_by_ns < deadline_ns ? connect_by_ns : deadline_ns, now_ns);
    memcached_behavior_set(session->memc, MEMCACHED_BEHAVIOR_TCP_NODELAY, 1);
    memcached_behavior_set(session->memc, MEMCACHED_BEHAVIOR_TCP_KEEPALIVE, options->stream.keepalive);
    memcached_behavior_set(session->memc, MEMCACHED_BEHAVIOR_SUPPORT_CAS, 1);
    memcached_behavior_set(session->memc, MEMCACHED_BEHAVIOR_SERVER_FAILURE_LIMIT, UINT32_MAX);
    memcached_behavior_set(session->memc, MEMCACHED_BEHAVIOR_CONNECT_TIMEOUT,
                           connect_ms > 0 ? (uint64_t)connect_ms : 1);
    return memcached_result_create(session->memc, &session->result) != NULL;
}

static void tear_down(struct session *session) {
    if (session != NULL && session->memc != NULL) {
        /* It says `quit` and would wait for room to say it. */
        memcached_behavior_set(session->memc, MEMCACHED_BEHAVIOR_POLL_TIMEOUT, 1);
        memcached_result_free(&session->result);
        memcached_free(session->memc);
    }
    free(session);
}

static shoal_status open_lane(struct shoal__lane *lane, const struct shoal__address *address,
                              const struct shoal__lane_options *options, int64_t deadline_ns,
                              struct shoal__fault *fault) {
    /* libmemcached connects with its first command. A read of a key that nobody has is the one that every server and
     * proxy knows; its answer shows that a memcached is there before anything is written. */
    static const char greeting[] = "shoal:hello";
    struct shoal__command hello = {.verb = SHOAL__VERB_GET, .key = greeting, .key_len = sizeof(greeting) - 1};
    struct session *session = calloc(1, sizeof(*session));
    lane->transport = &shoal__transport_libmemcached;
    lane->session = session;
    lane->fd = -1;
    if (session == NULL || !set_up(session, address, options, deadline_ns)) {
        tear_down(session);
        return shoal__fault_set(fault, SHOAL_E_NO_MEMORY, "out of memory for a connection");
    }
    int guess = shoal__socket_guess();
    shoal_status status = execute(lane, &hello, deadline_ns, fault);
    shoal_value_free(hello.found);
    if (status < 0) {
        tear_down(session);
        if (status == SHOAL_E_NODE_DOWN) /* libmemcached does not tell why it could not connect */
            return shoal__fault_set(fault, status, "no connection: is memcached running there? (TLS: tls=true)");
        return status == SHOAL_E_TIMEOUT ? shoal__lane_unopened(ETIMEDOUT, fault) : status;
    }
    lane->fd = shoal__socket_find(
        guess, memcached_server_srcport(memcached_server_instance_by_position(session->memc, 0)), address);
    return SHOAL_OK;
}

static void close_lane(struct shoal__lane *lane) {
    sigset_t before;
    shoal__signals_block(&before);
    tear_down(lane->session);
    shoal__signals_restore(&before);
    lane->session = NULL;
}

const struct shoal__transport shoal__transport_libmemcached = {
    .name = "libmemcached",
    .open = open_lane,
    .close = close_lane,
    .is_quiet = shoal__lane_is_quiet,
    .execute = execute,
    .step = step,
};
