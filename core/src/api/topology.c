/* The topology in use, and where a key goes.
 * May include: base/, logic/, client. */
#include "api/client.h"

#include <shoal/topology.h>

shoal_status shoal_client_topology(shoal_client *client, shoal_topology **topology, shoal_error **error) {
    struct shoal__fault fault = {0};
    struct shoal__scene scene;
    shoal__error_begin(error);
    if (topology == NULL)
        return shoal__error_fail(error, SHOAL_E_INVALID,
                                 "there is no place for the topology: give a shoal_topology ** that is not NULL");
    *topology = NULL;
    shoal_status status = shoal__client_enter(client, &scene, &fault);
    if (status != SHOAL_OK)
        return shoal__error_report(error, &fault, NULL, 0);
    *topology = shoal__topology_acquire(scene.view->topology);
    shoal__view_release(scene.view);
    return SHOAL_OK;
}

shoal_status shoal_route(shoal_client *client, const char *key, size_t key_len, shoal_node **node,
                         shoal_error **error) {
    struct shoal__fault fault = {0};
    struct shoal__path path;
    shoal__error_begin(error);
    if (node == NULL)
        return shoal__error_fail(error, SHOAL_E_INVALID,
                                 "there is no place for the node: give a shoal_node ** that is not NULL");
    *node = NULL;
    shoal_status status = shoal__client_route(client, key, key_len, &path, &fault);
    if (status != SHOAL_OK)
        return shoal__error_report(error, &fault, NULL, 0);
    *node = shoal__topology_share_node(path.scene.view->topology, path.node);
    shoal__view_release(path.scene.view);
    return SHOAL_OK;
}
