/* A call, step by step; core/doc/ARCHITECTURE.md has the picture.
 * May include: base/, logic/, net/. */
#include "api/call.h"

#include "api/failover.h"
#include "base/clock.h"
#include "logic/standin.h"

#include <shoal/operations.h>

#include <poll.h>

bool shoal__call_meets_tombstone(struct shoal__pool *pool, const struct shoal__command *command,
                                 struct shoal__fault *fault, shoal_status *status) {
    if (command->key_len == 0 || !shoal__pool_has_tombstones(pool) || shoal__command_overwrites(command) ||
        !shoal__pool_has_buried(pool, command->key, command->key_len))
        return false;
    *status = SHOAL_NOT_FOUND;
    if (command->verb != SHOAL__VERB_GET) {
        *status = shoal__fault_set(fault, SHOAL_E_NODE_DOWN,
                                   "back in use, but its old item with this key is not "
                                   "deleted yet: try again in a moment");
        fault->is_local = true;
    }
    return true;
}

void shoal__call_judge_fault(const shoal_client *client, const struct shoal__lane *lane, struct shoal__fault *fault) {
    bool is_first = lane->returned_ns == 0;
    fault->is_hard = fault->is_hard || (client->fails_over && is_first && shoal__fault_blames_node(fault));
}

shoal_status shoal__call_node(shoal_client *client, struct shoal__pool *pool, struct shoal__command *command,
                              int64_t deadline_ns, struct shoal__fault *fault, unsigned *attempts) {
    struct shoal__lane *lane;
    shoal_status status = shoal__pool_lease(pool, deadline_ns, &lane, fault);
    if (status != SHOAL_OK) {
        shoal__fleet_note(client->fleet, pool, fault);
        return status;
    }
    if (!shoal__call_meets_tombstone(pool, command, fault, &status)) {
        ++*attempts;
        status = lane->transport->execute(lane, command, deadline_ns, fault);
        if (lane->broken)
            shoal__call_judge_fault(client, lane, fault);
        shoal__fleet_note(client->fleet, pool, lane->broken ? fault : NULL);
    }
    shoal__pool_return(pool, lane);
    return status;
}

/* Those whose second time changes nothing. A
 * repeated add would tell of its own first time; a repeated cas too. */
enum shoal__repeatability shoal__call_repeatability(const struct shoal__command *command) {
    switch (command->verb) {
    case SHOAL__VERB_GET:
    case SHOAL__VERB_DELETE:
    case SHOAL__VERB_TOUCH:
    case SHOAL__VERB_GET_AND_TOUCH:
        return SHOAL__REPEAT_ALWAYS;
    case SHOAL__VERB_STORE:
        return command->mode == SHOAL_SET ? SHOAL__REPEAT_ALWAYS : SHOAL__REPEAT_UNSTARTED;
    default:
        return SHOAL__REPEAT_UNSTARTED;
    }
}

/* Pauses before another try; false where there is to be none. A node out of use is not tried again, nor one that was
 * silent where another may stand in. The first time there is no pause: the connection was at fault, not yet the node.
 */
static bool wait_to_retry(shoal_client *client, struct shoal__pool *pool, const struct shoal__command *command,
                          const struct shoal__fault *fault, unsigned tries, int64_t deadline_ns) {
    int64_t pause_ns;
    if (tries > client->retry.attempts || !shoal__pool_is_in_use(pool) ||
        !shoal__retry_may_repeat(shoal__call_repeatability(command), fault) ||
        (fault->is_hard && shoal__failover_helps(client, command, fault)) ||
        !shoal__fleet_grant_retry(client->fleet, tries, &client->retry, &pause_ns))
        return false;
    if (tries == 1 && !fault->is_hard)
        return true;
    int64_t now_ns = shoal__now_ns();
    if (now_ns + pause_ns >= deadline_ns)
        return false;
    poll(NULL, 0, (int)(pause_ns / SHOAL__NS_PER_MS));
    return true;
}

/* Large values take their time on any node. */
#define PACED_BYTES_MAX ((size_t)64 * 1024)

static void note_pace(shoal_client *client, const struct shoal__scene *scene, size_t node,
                      const struct shoal__command *command, int64_t begin_ns) {
    bool is_small = command->value_len <= PACED_BYTES_MAX &&
                    (command->found == NULL || shoal_value_size(command->found) <= PACED_BYTES_MAX);
    if (client->fails_over && is_small)
        shoal__fleet_note_pace(client->fleet, scene->view, node, shoal__now_ns() - begin_ns,
                               client->attempt_timeout_ns);
}

/* One try on one node of the scene. */
static shoal_status attempt(shoal_client *client, const struct shoal__scene *scene, size_t node,
                            struct shoal__command *command, struct shoal__fault *fault, unsigned *attempts) {
    int64_t begin_ns = shoal__now_ns();
    int64_t attempt_ns = begin_ns + client->attempt_timeout_ns;
    int64_t until_ns = attempt_ns < scene->deadline_ns ? attempt_ns : scene->deadline_ns;
    bool was_unknown = fault->outcome_unknown;
    shoal_status status = shoal__call_node(client, scene->view->pools[node], command, until_ns, fault, attempts);
    if (status >= 0)
        note_pace(client, scene, node, command, begin_ns);
    else
        fault->outcome_unknown = fault->outcome_unknown || was_unknown;
    return status;
}

static shoal_status try_node(shoal_client *client, const struct shoal__scene *scene, size_t node,
                             struct shoal__command *command, struct shoal__fault *fault, unsigned *attempts) {
    for (unsigned tries = 1;; tries++) {
        shoal_status status = attempt(client, scene, node, command, fault, attempts);
        if (status >= 0 || !wait_to_retry(client, scene->view->pools[node], command, fault, tries, scene->deadline_ns))
            return status;
    }
}

/* The fault stays that of the owner where nobody is left. */
static shoal_status try_standins(shoal_client *client, const struct shoal__scene *scene, size_t owner,
                                 struct shoal__command *command, struct shoal__fault *fault, unsigned *attempts) {
    shoal_status status = fault->status;
    for (int tries = 0; tries < SHOAL__STANDINS_MAX && shoal__failover_helps(client, command, fault); tries++) {
        size_t node = shoal__failover_standin(scene->view, owner, command);
        if (node == SHOAL__NOBODY || shoal__now_ns() >= scene->deadline_ns)
            return status;
        struct shoal__pool *absent = scene->view->pools[owner];
        struct shoal__pool *standin = scene->view->pools[node];
        unsigned rounds = shoal__failover_begin(client, scene->view, owner, node, command);
        status = attempt(client, scene, node, command, fault, attempts);
        shoal__failover_end(client, command, absent, standin, rounds);
        if (status >= 0)
            return status;
        if (fault->outcome_unknown)
            shoal__failover_doubt(client, command, standin);
    }
    return status;
}

/* The key's own node, then those that stand in for it. */
static shoal_status run_command(shoal_client *client, const struct shoal__scene *scene, size_t owner,
                                struct shoal__command *command, struct shoal__fault *fault, unsigned *attempts) {
    shoal_status status = try_node(client, scene, owner, command, fault, attempts);
    if (status >= 0)
        return status;
    if (fault->outcome_unknown)
        shoal__failover_doubt(client, command, scene->view->pools[owner]);
    return try_standins(client, scene, owner, command, fault, attempts);
}

bool shoal__call_reads_as_miss(const shoal_client *client, const struct shoal__command *command, shoal_status status) {
    bool is_absence = status == SHOAL_E_TIMEOUT || status == SHOAL_E_NODE_DOWN || status == SHOAL_E_PROTOCOL ||
                      status == SHOAL_E_DISCOVERY;
    return client->misses_on_failure && command->verb == SHOAL__VERB_GET && is_absence;
}

static shoal_status end_call(const shoal_client *client, const struct shoal__command *command,
                             const struct shoal__fault *fault, const char *node, unsigned attempts,
                             shoal_error **error) {
    if (client != NULL && shoal__call_reads_as_miss(client, command, fault->status))
        return SHOAL_NOT_FOUND;
    return shoal__error_report(error, fault, node, attempts);
}

shoal_status shoal__call_key(shoal_client *client, const char *key, size_t key_len, struct shoal__command *command,
                             shoal_error **error) {
    struct shoal__fault fault = {0};
    struct shoal__path path;
    unsigned attempts = 0;
    shoal__error_begin(error);
    shoal_status status = shoal__client_route(client, key, key_len, &path, &fault);
    if (status != SHOAL_OK)
        return end_call(client, command, &fault, NULL, attempts, error);
    command->key = path.key.bytes;
    command->key_len = path.key.size;
    command->key_is_binary = path.key.is_binary;
    shoal__failover_note_departed(client, path.scene.view, path.key.bytes + path.key.routed_from,
                                  path.key.size - path.key.routed_from, command);
    status = run_command(client, &path.scene, path.node, command, &fault, &attempts);
    if (status < 0)
        status =
            end_call(client, command, &fault, shoal__pool_name(path.scene.view->pools[path.node]), attempts, error);
    shoal__view_release(path.scene.view);
    return status;
}
