/* A call, step by step; core/doc/ARCHITECTURE.md has the picture.
 * May include: base/, logic/, net/. */
#include "api/call.h"

shoal_status shoal__call_node(shoal_client *client, struct shoal__pool *pool, struct shoal__command *command,
                              int64_t deadline_ns, struct shoal__fault *fault, unsigned *attempts) {
    struct shoal__lane *lane;
    shoal_status status = shoal__pool_lease(pool, deadline_ns, &lane, fault);
    if (status != SHOAL_OK) {
        shoal__fleet_note(client->fleet, pool, fault);
        return status;
    }
    *attempts = 1;
    status = lane->transport->execute(lane, command, deadline_ns, fault);
    shoal__fleet_note(client->fleet, pool, lane->broken ? fault : NULL);
    shoal__pool_return(pool, lane);
    return status;
}

shoal_status shoal__call_key(shoal_client *client, const char *key, size_t key_len, struct shoal__command *command,
                             shoal_error **error) {
    struct shoal__fault fault = {0};
    struct shoal__path path;
    unsigned attempts = 0;
    shoal__error_begin(error);
    shoal_status status = shoal__client_route(client, key, key_len, &path, &fault);
    if (status != SHOAL_OK)
        return shoal__error_report(error, &fault, NULL, attempts);
    command->key = path.key.bytes;
    command->key_len = path.key.size;
    struct shoal__pool *pool = path.scene.view->pools[path.node];
    status = shoal__call_node(client, pool, command, path.scene.deadline_ns, &fault, &attempts);
    if (status < 0)
        shoal__error_report(error, &fault, shoal__pool_name(pool), attempts);
    shoal__view_release(path.scene.view);
    return status;
}
