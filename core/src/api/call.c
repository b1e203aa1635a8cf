/* A call, step by step; core/doc/ARCHITECTURE.md has the picture.
 * May include: base/, logic/, net/. */
#include "api/call.h"

#include "base/clock.h"

#include <shoal/operations.h>

#include <poll.h>

shoal_status shoal__call_node(shoal_client *client, struct shoal__pool *pool, struct shoal__command *command,
                              int64_t deadline_ns, struct shoal__fault *fault, unsigned *attempts) {
    struct shoal__lane *lane;
    shoal_status status = shoal__pool_lease(pool, deadline_ns, &lane, fault);
    if (status != SHOAL_OK) {
        shoal__fleet_note(client->fleet, pool, fault);
        return status;
    }
    ++*attempts;
    status = lane->transport->execute(lane, command, deadline_ns, fault);
    shoal__fleet_note(client->fleet, pool, lane->broken ? fault : NULL);
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

/* Pauses before another try; false where there is to be none. A node out of use is not tried again. */
static bool wait_to_retry(shoal_client *client, struct shoal__pool *pool, const struct shoal__command *command,
                          const struct shoal__fault *fault, unsigned tries, int64_t deadline_ns) {
    int64_t pause_ns;
    if (tries > client->retry.attempts || !shoal__pool_is_in_use(pool) ||
        !shoal__retry_may_repeat(shoal__call_repeatability(command), fault) ||
        !shoal__fleet_grant_retry(client->fleet, tries, &client->retry, &pause_ns))
        return false;
    int64_t now_ns = shoal__now_ns();
    if (now_ns + pause_ns >= deadline_ns)
        return false;
    poll(NULL, 0, (int)(pause_ns / SHOAL__NS_PER_MS));
    return true;
}

static shoal_status try_node(shoal_client *client, struct shoal__pool *pool, struct shoal__command *command,
                             int64_t deadline_ns, struct shoal__fault *fault, unsigned *attempts) {
    bool outcome_unknown = false;
    for (unsigned tries = 1;; tries++) {
        int64_t attempt_ns = shoal__now_ns() + client->attempt_timeout_ns;
        int64_t until_ns = attempt_ns < deadline_ns ? attempt_ns : deadline_ns;
        shoal_status status = shoal__call_node(client, pool, command, until_ns, fault, attempts);
        if (status >= 0)
            return status;
        fault->outcome_unknown = outcome_unknown = outcome_unknown || fault->outcome_unknown;
        if (!wait_to_retry(client, pool, command, fault, tries, deadline_ns))
            return status;
    }
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
    struct shoal__pool *pool = path.scene.view->pools[path.node];
    status = try_node(client, pool, command, path.scene.deadline_ns, &fault, &attempts);
    if (status < 0)
        status = end_call(client, command, &fault, shoal__pool_name(pool), attempts, error);
    shoal__view_release(path.scene.view);
    return status;
}
