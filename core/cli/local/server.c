/* The loop of a local fleet. One thread, everything non-blocking, everything bounded.
 * May include: libc, answers, certificates, connection, directory, fleet. */
#include "local/server.h"

#include "local/answers.h"
#include "local/certificates.h"
#include "local/connection.h"
#include "local/fleet.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define ENDPOINT_CONNECTIONS_MAX 256
#define CONTROL_CONNECTIONS_MAX 16
#define CONNECTIONS_MAX (ENDPOINT_CONNECTIONS_MAX + CONTROL_CONNECTIONS_MAX)
#define ACCEPTED_AT_ONCE 32
#define END_PATIENCE_MS 5000

struct server {
    struct local_fleet fleet;
    struct connection *connections; /* the endpoint's first, then the control socket's */
    int endpoint; /* -1 with TLS, where a memcached listens in our place; poll takes no notice of it */
    int control;
    int signals;
    bool stops;
};

static void close_connection(struct connection *connection) {
    close(connection->file);
    connection->file = -1;
}

/* A free place; where there is none, that of the connection which has asked for nothing for the longest time. */
static struct connection *make_room(struct server *server, bool is_control) {
    size_t first = is_control ? ENDPOINT_CONNECTIONS_MAX : 0;
    size_t end = is_control ? CONNECTIONS_MAX : ENDPOINT_CONNECTIONS_MAX;
    struct connection *oldest = &server->connections[first];
    for (size_t i = first; i < end; i++) {
        struct connection *connection = &server->connections[i];
        if (connection->file < 0)
            return connection;
        if (connection->used_ms < oldest->used_ms)
            oldest = connection;
    }
    close_connection(oldest);
    return oldest;
}

static void take_in(struct server *server, bool is_control, int file) {
    if (fcntl(file, F_SETFD, FD_CLOEXEC) != 0 || fcntl(file, F_SETFL, O_NONBLOCK) != 0) {
        close(file);
        return;
    }
    struct connection *connection = make_room(server, is_control);
    memset(connection, 0, sizeof(*connection));
    connection->file = file;
    connection->is_control = is_control;
    connection->used_ms = local_now_ms();
}

static void accept_some(struct server *server, bool is_control) {
    for (int i = 0; i < ACCEPTED_AT_ONCE; i++) {
        int file = accept(is_control ? server->control : server->endpoint, NULL, NULL);
        if (file >= 0) {
            take_in(server, is_control, file);
            continue;
        }
        /* Out of descriptors, the listener stays readable: wait rather than spin. */
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            poll(NULL, 0, 50);
        return;
    }
}

static void answer_line(struct server *server, struct connection *connection, const char *line) {
    connection->used_ms = local_now_ms();
    if (connection->is_control)
        answer_control(connection, &server->fleet, line, &server->stops);
    else
        answer_endpoint(connection, &server->fleet, line);
}

/* Answers the lines that are there, as long as the peer takes the answers. False where the connection broke. */
static bool answer_lines(struct server *server, struct connection *connection) {
    char line[CONNECTION_LINE_MAX];
    enum line_kind kind = LINE_WHOLE;
    while (connection_is_idle(connection) && kind != LINE_NONE && !connection->awaits && !connection->wants_close) {
        do {
            kind = connection_next_line(connection, line);
            if (kind != LINE_NONE)
                answer_line(server, connection, kind == LINE_WHOLE ? line : NULL);
        } while (kind != LINE_NONE && connection_has_room(connection) && !connection->awaits &&
                 !connection->wants_close);
        if (!connection_send(connection))
            return false;
    }
    return true;
}

static void serve_connection(struct server *server, struct connection *connection, short events) {
    bool works = true;
    if (events & POLLIN)
        works = connection_receive(connection);
    if (works && (events & POLLOUT))
        works = connection_send(connection);
    works = works && answer_lines(server, connection);
    if (server->stops && connection->is_control && connection->wants_close)
        return; /* told at the very end */
    bool is_over = connection->wants_close || connection->input_ended;
    if (!works || (events & (POLLERR | POLLHUP | POLLNVAL)) ||
        (is_over && connection_is_idle(connection) && !connection->awaits))
        close_connection(connection);
}

/* Tells those that wait for a new node, and answers what they sent behind it. */
static void serve_awaiting(struct server *server) {
    for (size_t i = ENDPOINT_CONNECTIONS_MAX; i < CONNECTIONS_MAX; i++) {
        struct connection *connection = &server->connections[i];
        if (connection->file < 0 || !connection->awaits)
            continue;
        answer_awaited(connection, &server->fleet);
        if (!connection->awaits)
            serve_connection(server, connection, POLLOUT);
    }
}

static void read_signals(struct server *server) {
    struct signalfd_siginfo told;
    while (read(server->signals, &told, sizeof(told)) == (ssize_t)sizeof(told))
        if (told.ssi_signo != SIGCHLD)
            server->stops = true;
    local_fleet_reap(&server->fleet);
}

/* One turn: waits for something to happen, and sees to it. Before the fleet is ready only signals are looked at. */
static void take_turn(struct server *server, bool is_ready, int wait_ms) {
    struct pollfd files[CONNECTIONS_MAX + 3] = {{.fd = server->signals, .events = POLLIN}};
    struct connection *of_file[CONNECTIONS_MAX + 3] = {NULL};
    nfds_t count = 1;
    if (is_ready) {
        files[count++] = (struct pollfd){.fd = server->endpoint, .events = POLLIN};
        files[count++] = (struct pollfd){.fd = server->control, .events = POLLIN};
    }
    for (size_t i = 0; is_ready && i < CONNECTIONS_MAX; i++) {
        struct connection *connection = &server->connections[i];
        if (connection->file < 0)
            continue;
        of_file[count] = connection;
        files[count++] = (struct pollfd){.fd = connection->file, .events = connection_events(connection)};
    }
    if (poll(files, count, wait_ms) <= 0)
        return;
    if (files[0].revents)
        read_signals(server);
    for (nfds_t i = 3; i < count; i++)
        if (files[i].revents)
            serve_connection(server, of_file[i], files[i].revents);
    /* Last, as a newcomer may take the place of a connection that was looked at above. */
    if (is_ready && files[1].revents)
        accept_some(server, false);
    if (is_ready && files[2].revents)
        accept_some(server, true);
}

static bool watch_signals(struct server *server, struct problem *problem) {
    sigset_t watched;
    sigemptyset(&watched);
    sigaddset(&watched, SIGINT);
    sigaddset(&watched, SIGTERM);
    sigaddset(&watched, SIGCHLD);
    struct sigaction hang_up;
    if (sigaction(SIGHUP, NULL, &hang_up) == 0 && hang_up.sa_handler != SIG_IGN) /* as nohup leaves it */
        sigaddset(&watched, SIGHUP);
    signal(SIGCHLD, SIG_DFL); /* ignored, as some parents leave it, the children's ends would go unnoticed */
    server->signals = -1;
    if (sigprocmask(SIG_BLOCK, &watched, NULL) == 0)
        server->signals = signalfd(-1, &watched, SFD_NONBLOCK | SFD_CLOEXEC);
    return server->signals >= 0 || problem_set(problem, "cannot watch for signals: %s", strerror(errno));
}

static bool open_endpoint(struct server *server, const struct local_request *request, struct problem *problem) {
    if (request->has_tls)
        return local_fleet_add_endpoint(&server->fleet, request->port, problem);
    server->endpoint = local_bind(request->port, &server->fleet.endpoint_port);
    return server->endpoint >= 0 ||
           problem_set(problem, "cannot use port %u: %s", (unsigned)request->port, strerror(errno));
}

static bool open_control(struct server *server, const struct local_request *request, struct problem *problem) {
    const struct sockaddr_un *address = &request->directory->control;
    server->control = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t before = umask(0177);
    bool bound = server->control >= 0 && bind(server->control, (const struct sockaddr *)address, sizeof(*address)) == 0;
    int reason = errno;
    umask(before);
    return bound || problem_set(problem, "cannot make %s: %s", address->sun_path, strerror(reason));
}

/* Starts the first nodes and waits until all of them answer. */
static bool start_nodes(struct server *server, const struct local_request *request, struct problem *problem) {
    struct local_fleet *fleet = &server->fleet;
    for (unsigned i = 0; i < request->nodes; i++)
        if (local_fleet_add(fleet, problem) == 0)
            return false;
    for (;;) {
        int wait_ms = local_fleet_advance(fleet);
        bool is_ready = local_fleet_listed_count(fleet) == request->nodes && local_fleet_has_endpoint(fleet);
        if (server->stops || is_ready)
            break;
        if (fleet->problem.text[0] != '\0')
            return problem_set(problem, "%s", fleet->problem.text);
        take_turn(server, false, wait_ms);
    }
    fleet->version = 1;
    if (server->stops)
        return true;
    if (!local_fleet_tell(fleet))
        return problem_set(problem, "the endpoint's memcached does not take the list");
    if ((server->endpoint >= 0 && listen(server->endpoint, SOMAXCONN) != 0) || listen(server->control, SOMAXCONN) != 0)
        return problem_set(problem, "cannot listen: %s", strerror(errno));
    return true;
}

/* False where the fleet came to its end unasked. */
static bool run(struct server *server, const struct local_request *request, struct problem *problem) {
    json_t *description = local_fleet_describe(&server->fleet);
    if (!server->stops)
        server->stops = !request->ready(description, request->context);
    json_decref(description);
    while (!server->stops && !server->fleet.endpoint_lost) {
        int wait_ms = local_fleet_advance(&server->fleet);
        serve_awaiting(server);
        take_turn(server, true, wait_ms);
    }
    return server->stops || problem_set(problem, "%s", server->fleet.problem.text);
}

/* Ends the children and waits for them, for a bounded time: at the end they are killed anyway. */
static void end_nodes(struct server *server) {
    int64_t until_ms = local_now_ms() + END_PATIENCE_MS;
    local_fleet_end_all(&server->fleet);
    while (server->fleet.count > 0 && local_now_ms() < until_ms) {
        int wait_ms = local_fleet_advance(&server->fleet);
        take_turn(server, false, wait_ms);
        local_fleet_end_all(&server->fleet); /* one that was started again meanwhile */
    }
}

static void close_sockets(struct server *server) {
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        struct connection *connection = &server->connections[i];
        if (connection->file < 0)
            continue;
        if (connection->is_control && connection->wants_close) {
            answer_stopped(connection);
            connection_send(connection);
        }
        close_connection(connection);
    }
    if (server->endpoint >= 0)
        close(server->endpoint);
    if (server->control >= 0)
        close(server->control);
    if (server->signals >= 0)
        close(server->signals);
}

/* With its directory claimed: starts everything, serves, ends everything. */
static bool serve(struct server *server, const struct local_request *request, struct problem *problem) {
    struct local_certificates certificates = {0};
    struct local_fleet *fleet = &server->fleet;
    bool served = watch_signals(server, problem);
    if (served && request->has_tls) {
        served = local_certificates_make(&certificates, request->directory, &fleet->program, problem);
        fleet->program.tls_folder = certificates.folder;
        fleet->ca_file = certificates.ca_file;
    }
    served = served && open_endpoint(server, request, problem) && open_control(server, request, problem) &&
             start_nodes(server, request, problem) && run(server, request, problem);
    end_nodes(server);
    local_certificates_remove(&certificates);
    local_directory_release(request->directory);
    close_sockets(server);
    return served;
}

bool local_serve(const struct local_request *request, struct problem *problem) {
    struct server *server = require_memory(calloc(1, sizeof(*server)));
    server->connections = require_memory(calloc(CONNECTIONS_MAX, sizeof(*server->connections)));
    for (size_t i = 0; i < CONNECTIONS_MAX; i++)
        server->connections[i].file = -1;
    server->endpoint = server->control = server->signals = -1;
    bool served = local_program_find(&server->fleet.program, problem) &&
                  local_directory_claim(request->directory, problem) && serve(server, request, problem);
    free(server->connections);
    free(server);
    return served;
}
