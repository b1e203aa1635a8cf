/* What all transports share: which one a protocol name means, and how failures are told.
 * May include: base/, logic/, transport. */
#include "net/transport.h"

#include <errno.h>
#include <string.h>

/* --- protocol=auto: each new connection asks its server anew, as fleets are upgraded a node at a time --- */

static shoal_status open_best(struct shoal__lane *lane, const struct shoal__address *address,
                              const struct shoal__lane_options *options, int64_t deadline_ns,
                              struct shoal__fault *fault) {
    bool is_not_meta = false;
    shoal_status status = shoal__meta_open(lane, address, options, deadline_ns, &is_not_meta, fault);
    return is_not_meta ? shoal__transport_libmemcached.open(lane, address, options, deadline_ns, fault) : status;
}

static const struct shoal__transport transport_auto = {.name = "auto", .open = open_best};

static const struct shoal__transport *const transports[] = {
    &transport_auto,
    &shoal__transport_meta,
    &shoal__transport_libmemcached,
};

const struct shoal__transport *shoal__transport_find(const char *protocol) {
    for (size_t i = 0; i < sizeof(transports) / sizeof(transports[0]); i++)
        if (strcmp(transports[i]->name, protocol) == 0)
            return transports[i];
    return NULL;
}

bool shoal__lane_is_quiet(struct shoal__lane *lane) {
    char byte;
    return recv(lane->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && (errno == EAGAIN || errno == EINTR);
}

shoal_status shoal__lane_break(struct shoal__lane *lane, const struct shoal__command *command, shoal_status status,
                               const char *what, struct shoal__fault *fault) {
    lane->broken = true;
    shoal__fault_set(fault, status, "%s", what);
    fault->outcome_unknown = shoal__command_changes_items(command);
    return status;
}

shoal_status shoal__lane_late(struct shoal__lane *lane, const struct shoal__command *command,
                              struct shoal__fault *fault) {
    shoal__lane_break(
        lane, command, SHOAL_E_TIMEOUT,
        "no complete answer in time: see operation_timeout_ms and attempt_timeout_ms, and how the node is", fault);
    fault->is_hard = true;
    return SHOAL_E_TIMEOUT;
}

static bool is_own_shortage(int os_error) {
    return os_error == EMFILE || os_error == ENFILE || os_error == ENOBUFS || os_error == ENOMEM;
}

shoal_status shoal__lane_lost(struct shoal__lane *lane, const struct shoal__command *command, int os_error,
                              struct shoal__fault *fault) {
    lane->broken = true;
    if (is_own_shortage(os_error))
        return shoal__fault_set_os(fault, SHOAL_E_SYSTEM, os_error, "no socket for a connection (see ulimit -n)");
    if (os_error != 0)
        shoal__fault_set_os(fault, SHOAL_E_NODE_DOWN, os_error, "the connection failed (is memcached running there?)");
    else
        shoal__fault_set(fault, SHOAL_E_NODE_DOWN, "the node closed the connection");
    fault->outcome_unknown = shoal__command_changes_items(command);
    return fault->status;
}

shoal_status shoal__lane_unopened(int os_error, struct shoal__fault *fault) {
    if (is_own_shortage(os_error))
        return shoal__fault_set_os(fault, SHOAL_E_SYSTEM, os_error, "no socket for a connection (see ulimit -n)");
    if (os_error == ETIMEDOUT || os_error == EAGAIN)
        return shoal__fault_set(fault, SHOAL_E_TIMEOUT,
                                "no connection and answer in time: see connect_timeout_ms and operation_timeout_ms");
    if (os_error == 0)
        return shoal__fault_set(
            fault, SHOAL_E_NODE_DOWN,
            "the node closed the connection at once: it may be at its connection limit (-c), or want TLS "
            "(tls=true)");
    return shoal__fault_set_os(fault, SHOAL_E_NODE_DOWN, os_error, "no connection: is memcached running there?");
}

shoal_status shoal__lane_unsent(struct shoal__fault *fault) {
    return shoal__fault_set(fault, SHOAL_E_TIMEOUT, "the call's time ran out before the command was sent");
}
