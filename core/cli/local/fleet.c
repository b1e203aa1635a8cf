/* Nodes that start, die, are removed and end, and the list that tells of them.
 * May include: libc, json, node, report. */
#include "local/fleet.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define START_WITHIN_MS 5000
#define ASK_EVERY_MS 10
#define END_WITHIN_MS 1000
#define LAUNCHES_MAX 3

/* Where clients look for the list that is no answer to `config get cluster`. */
#define LIST_KEY "AmazonElastiCache:cluster"

bool local_node_is_listed(const struct local_node *node) {
    return !node->is_endpoint && (node->state == LOCAL_UP || node->state == LOCAL_DOWN);
}

size_t local_fleet_listed_count(const struct local_fleet *fleet) {
    size_t listed = 0;
    for (size_t i = 0; i < fleet->count; i++)
        listed += local_node_is_listed(&fleet->nodes[i]);
    return listed;
}

const struct local_node *local_fleet_find(const struct local_fleet *fleet, unsigned serial) {
    for (size_t i = 0; i < fleet->count; i++)
        if (fleet->nodes[i].serial == serial)
            return &fleet->nodes[i];
    return NULL;
}

static void forget(struct local_fleet *fleet, struct local_node *node) {
    local_node_release(node);
    size_t behind = fleet->count - 1 - (size_t)(node - fleet->nodes);
    memmove(node, node + 1, behind * sizeof(*node));
    fleet->count--;
}

static unsigned start(struct local_fleet *fleet, struct local_node node, struct problem *problem) {
    node.serial = fleet->last_serial + 1;
    node.due_ms = local_now_ms() + START_WITHIN_MS;
    if (!local_node_launch(&node, &fleet->program, problem))
        return 0;
    fleet->last_serial = node.serial;
    fleet->nodes[fleet->count++] = node;
    return node.serial;
}

unsigned local_fleet_add(struct local_fleet *fleet, struct problem *problem) {
    if (fleet->count == LOCAL_NODES_MAX + (fleet->ca_file != NULL)) {
        problem_set(problem, "a local fleet has at most %d nodes", LOCAL_NODES_MAX);
        return 0;
    }
    return start(fleet, (struct local_node){0}, problem);
}

bool local_fleet_add_endpoint(struct local_fleet *fleet, uint16_t port, struct problem *problem) {
    return start(fleet, (struct local_node){.is_endpoint = true, .wanted_port = port}, problem) != 0;
}

/* NULL where there is none that answers. */
static const struct local_node *find_endpoint(const struct local_fleet *fleet) {
    for (size_t i = 0; i < fleet->count; i++)
        if (fleet->nodes[i].is_endpoint && fleet->nodes[i].state == LOCAL_UP)
            return &fleet->nodes[i];
    return NULL;
}

bool local_fleet_has_endpoint(const struct local_fleet *fleet) {
    return fleet->ca_file == NULL || find_endpoint(fleet) != NULL;
}

bool local_fleet_tell(struct local_fleet *fleet) {
    if (fleet->ca_file == NULL || fleet->told == fleet->version)
        return true;
    const struct local_node *endpoint = find_endpoint(fleet);
    char payload[LOCAL_PAYLOAD_MAX];
    if (endpoint && local_node_store(endpoint, LIST_KEY, payload, local_fleet_payload(fleet, payload)))
        fleet->told = fleet->version;
    return fleet->told == fleet->version;
}

static void end(struct local_node *node) {
    kill(node->pid, node->state == LOCAL_ENDING ? SIGKILL : SIGTERM);
    node->state = LOCAL_ENDING;
    node->due_ms = local_now_ms() + END_WITHIN_MS;
}

static struct local_node *choose(struct local_fleet *fleet, uint16_t port) {
    for (size_t i = fleet->count; i-- > 0;)
        if (local_node_is_listed(&fleet->nodes[i]) && (port == 0 || fleet->nodes[i].port == port))
            return &fleet->nodes[i];
    return NULL;
}

uint16_t local_fleet_remove(struct local_fleet *fleet, uint16_t port, int64_t grace_ms, struct problem *problem) {
    struct local_node *node = choose(fleet, port);
    if (node == NULL) {
        problem_set(problem, "the fleet has no node 127.0.0.1:%u", (unsigned)port);
        return 0;
    }
    if (local_fleet_listed_count(fleet) == 1) {
        problem_set(problem, "the last node cannot be removed; 'shoal local stop' ends the fleet");
        return 0;
    }
    fleet->version++;
    uint16_t removed = node->port;
    if (node->state == LOCAL_DOWN) {
        forget(fleet, node);
    } else {
        node->state = LOCAL_LEAVING;
        node->due_ms = local_now_ms() + grace_ms;
    }
    local_fleet_tell(fleet); /* before anybody hears that it is done */
    return removed;
}

static void advance_node(struct local_fleet *fleet, struct local_node *node) {
    bool is_due = local_now_ms() >= node->due_ms;
    if (node->state == LOCAL_STARTING && local_node_answers(node)) {
        node->state = LOCAL_UP;
        if (node->is_endpoint)
            fleet->endpoint_port = node->port;
        else if (fleet->version > 0)
            fleet->version++;
    } else if (node->state == LOCAL_STARTING && is_due) {
        problem_set(&fleet->problem, "memcached on port %u did not answer within %d s", (unsigned)node->port,
                    START_WITHIN_MS / 1000);
        end(node);
    } else if ((node->state == LOCAL_LEAVING || node->state == LOCAL_ENDING) && is_due) {
        end(node);
    }
}

static int64_t next_due_ms(const struct local_node *node, int64_t now_ms) {
    if (node->state == LOCAL_UP || node->state == LOCAL_DOWN)
        return INT64_MAX;
    if (node->state == LOCAL_STARTING)
        return ASK_EVERY_MS;
    return node->due_ms > now_ms ? node->due_ms - now_ms : 0;
}

int local_fleet_advance(struct local_fleet *fleet) {
    int64_t soonest = INT64_MAX;
    for (size_t i = 0; i < fleet->count; i++) {
        advance_node(fleet, &fleet->nodes[i]);
        int64_t due = next_due_ms(&fleet->nodes[i], local_now_ms());
        soonest = due < soonest ? due : soonest;
    }
    if (!local_fleet_tell(fleet) && soonest > ASK_EVERY_MS)
        soonest = ASK_EVERY_MS;
    return soonest == INT64_MAX ? -1 : (int)soonest;
}

static void tell_death(const struct local_node *node, pid_t pid, int how) {
    const char *stays = "it stays in the list until 'shoal local remove' takes it out";
    if (WIFSIGNALED(how))
        report(STATUS_ERROR, "local", "memcached on port %u (process %ld) was ended by signal %d; %s",
               (unsigned)node->port, (long)pid, WTERMSIG(how), stays);
    else
        report(STATUS_ERROR, "local", "memcached on port %u (process %ld) ended with status %d; %s",
               (unsigned)node->port, (long)pid, WEXITSTATUS(how), stays);
}

/* The child of this node has ended. */
static void notice_end(struct local_fleet *fleet, struct local_node *node, int how) {
    pid_t pid = node->pid;
    node->pid = 0;
    if (node->state == LOCAL_UP && node->is_endpoint) {
        fleet->endpoint_lost = true;
        problem_set(&fleet->problem, "the endpoint's memcached (process %ld) ended, and the fleet with it", (long)pid);
    } else if (node->state == LOCAL_UP) {
        node->state = LOCAL_DOWN;
        tell_death(node, pid, how);
        return;
    }
    if (node->state == LOCAL_STARTING) {
        bool runs_at_all = !WIFEXITED(how) || WEXITSTATUS(how) != 127;
        if (!runs_at_all)
            problem_set(&fleet->problem, "%s cannot be run", fleet->program.path);
        else if (node->launches == LAUNCHES_MAX)
            problem_set(&fleet->problem, "memcached ended %d times at its start%s", LAUNCHES_MAX,
                        fleet->ca_file ? "; it has to be one with TLS, as Debian's is" : "");
        else if (local_node_launch(node, &fleet->program, &fleet->problem))
            return;
    }
    forget(fleet, node);
}

void local_fleet_reap(struct local_fleet *fleet) {
    /* Backwards, as those that ended may be forgotten on the way. */
    for (size_t i = fleet->count; i-- > 0;) {
        int how;
        if (fleet->nodes[i].pid != 0 && waitpid(fleet->nodes[i].pid, &how, WNOHANG) == fleet->nodes[i].pid)
            notice_end(fleet, &fleet->nodes[i], how);
    }
}

void local_fleet_end_all(struct local_fleet *fleet) {
    for (size_t i = fleet->count; i-- > 0;) {
        if (fleet->nodes[i].pid == 0)
            forget(fleet, &fleet->nodes[i]);
        else if (fleet->nodes[i].state != LOCAL_ENDING)
            end(&fleet->nodes[i]);
    }
}

size_t local_fleet_payload(const struct local_fleet *fleet, char *payload) {
    size_t length = (size_t)snprintf(payload, LOCAL_PAYLOAD_MAX, "%" PRIu64 "\n", fleet->version);
    const char *space = "";
    for (size_t i = 0; i < fleet->count; i++) {
        if (!local_node_is_listed(&fleet->nodes[i]))
            continue;
        length += (size_t)snprintf(payload + length, LOCAL_PAYLOAD_MAX - length, "%slocalhost|127.0.0.1|%u", space,
                                   (unsigned)fleet->nodes[i].port);
        space = " ";
    }
    payload[length++] = '\n';
    return length;
}

json_t *local_fleet_describe(const struct local_fleet *fleet) {
    json_t *nodes = json_new_array();
    for (size_t i = 0; i < fleet->count; i++) {
        const struct local_node *node = &fleet->nodes[i];
        if (!local_node_is_listed(node))
            continue;
        json_t *object = json_new_object();
        json_put_text(object, "host", "localhost");
        json_put_text(object, "address", "127.0.0.1");
        json_put_unsigned(object, "port", node->port);
        json_put_text(object, "state", node->state == LOCAL_UP ? "up" : "down");
        json_put_unsigned(object, "pid", (uint64_t)node->pid);
        json_append(nodes, object);
    }
    char endpoint[640];
    if (fleet->ca_file)
        snprintf(endpoint, sizeof(endpoint), "elasticaches://localhost:%u?tls_ca_file=%s",
                 (unsigned)fleet->endpoint_port, fleet->ca_file);
    else
        snprintf(endpoint, sizeof(endpoint), "127.0.0.1:%u", (unsigned)fleet->endpoint_port);
    json_t *whole = json_new_object();
    json_put_text(whole, "endpoint", endpoint);
    json_put_unsigned(whole, "version", fleet->version);
    json_put(whole, "nodes", nodes);
    return whole;
}
