/* Stand-ins and tombstones, as calls use them.
 * May include: base/, logic/, net/, client. */
#include "api/failover.h"

#include "api/call.h"
#include "base/clock.h"
#include "logic/expiry.h"
#include "logic/standin.h"

/* What needs to know what the owner holds: a stand-in does not. */
static bool is_atomic(const struct shoal__command *command) {
    return command->verb != SHOAL__VERB_GET && !shoal__command_overwrites(command);
}

/* A failure of the node, or its being out of use; not that all of its connections were taken, nor what it said itself.
 */
static bool is_absence(const struct shoal__fault *fault) {
    return shoal__fault_blames_node(fault) || (fault->is_local && fault->status == SHOAL_E_NODE_DOWN);
}

bool shoal__failover_helps(const shoal_client *client, const struct shoal__command *command,
                           const struct shoal__fault *fault) {
    return client->fails_over && is_absence(fault) &&
           (!is_atomic(command) || command->is_advisory || client->fails_over_atomic) &&
           shoal__retry_may_repeat(shoal__call_repeatability(command), fault);
}

struct candidates {
    const struct shoal__view *view;
    size_t owner;
};

static bool may_take(void *context, size_t node) {
    const struct candidates *candidates = context;
    return node != candidates->owner && shoal__pool_is_in_use(candidates->view->pools[node]);
}

size_t shoal__failover_standin(const struct shoal__view *view, size_t owner, const struct shoal__command *command) {
    struct candidates candidates = {.view = view, .owner = owner};
    return shoal__standin_choose(command->key, command->key_len, view->figures,
                                 shoal_topology_node_count(view->topology), may_take, &candidates);
}

unsigned shoal__failover_begin(shoal_client *client, const struct shoal__view *view, size_t owner, size_t standin,
                               struct shoal__command *command) {
    unsigned rounds = 0;
    if (!shoal__command_changes_items(command))
        return rounds;
    command->expiry = shoal__expiry_capped(command->expiry, client->standin_ttl_s, shoal__wall_now_s());
    shoal__fleet_bury(client->fleet, view->pools[owner], command, view->pools[standin], &rounds);
    for (size_t node = 0; node < shoal_topology_node_count(view->topology); node++)
        if (node != owner && node != standin && !shoal__pool_is_in_use(view->pools[node]))
            shoal__fleet_bury(client->fleet, view->pools[node], command, NULL, NULL);
    return rounds;
}

void shoal__failover_end(shoal_client *client, const struct shoal__command *command, struct shoal__pool *owner,
                         struct shoal__pool *standin, unsigned rounds) {
    if (shoal__command_changes_items(command) && shoal__pool_replay_rounds(owner) != rounds)
        shoal__fleet_bury(client->fleet, owner, command, standin, NULL);
}

void shoal__failover_doubt(shoal_client *client, const struct shoal__command *command, struct shoal__pool *pool) {
    if (client->fails_over && shoal__command_changes_items(command))
        shoal__fleet_bury(client->fleet, pool, command, NULL, NULL);
}

void shoal__failover_note_departed(shoal_client *client, const struct shoal__view *view, const char *routed,
                                   size_t routed_len, const struct shoal__command *command) {
    struct shoal__pool *departed[SHOAL__PAST_MAX];
    if (view->past_count == 0 || !client->fails_over || !shoal__command_changes_items(command))
        return;
    size_t count = shoal__view_departed(view, routed, routed_len, shoal__now_coarse_ns(), departed);
    for (size_t i = 0; i < count; i++)
        shoal__fleet_bury(client->fleet, departed[i], command, NULL, NULL);
}
