/* The single operations: each says what its command is and what comes back of it.
 * May include: base/, logic/, call. */
#include "api/call.h"
#include "api/store_check.h"
#include "base/clock.h"
#include "logic/expiry.h"

#include <shoal/operations.h>

static int64_t expiry_of(int64_t ttl_s) {
    return shoal__expiry_on_wire(ttl_s, shoal__wall_now_s());
}

static shoal_status read_value(shoal_client *client, const char *key, size_t key_len, struct shoal__command *command,
                               shoal_value **value, shoal_error **error) {
    if (value == NULL) {
        shoal__error_begin(error);
        return shoal__error_fail(error, SHOAL_E_INVALID,
                                 "there is no place for the value: give a shoal_value ** that is not NULL");
    }
    *value = NULL;
    shoal_status status = shoal__call_key(client, key, key_len, command, error);
    if (status == SHOAL_OK)
        *value = command->found;
    return status;
}

shoal_status shoal_get(shoal_client *client, const char *key, size_t key_len, shoal_value **value,
                       shoal_error **error) {
    struct shoal__command command = {.verb = SHOAL__VERB_GET};
    return read_value(client, key, key_len, &command, value, error);
}

shoal_status shoal_gets(shoal_client *client, const char *key, size_t key_len, shoal_value **value,
                        shoal_error **error) {
    struct shoal__command command = {.verb = SHOAL__VERB_GET, .wants_metadata = true};
    return read_value(client, key, key_len, &command, value, error);
}

shoal_status shoal_get_and_touch(shoal_client *client, const char *key, size_t key_len, int64_t ttl_s,
                                 shoal_value **value, shoal_error **error) {
    struct shoal__command command = {.verb = SHOAL__VERB_GET_AND_TOUCH, .expiry = expiry_of(ttl_s)};
    return read_value(client, key, key_len, &command, value, error);
}

shoal_status shoal_set(shoal_client *client, const char *key, size_t key_len, const void *value, size_t value_len,
                       int64_t ttl_s, shoal_error **error) {
    return shoal_store(client, SHOAL_SET, key, key_len, value, value_len, 0, ttl_s, 0, NULL, error);
}

shoal_status shoal_store(shoal_client *client, int mode, const char *key, size_t key_len, const void *value,
                         size_t value_len, uint32_t flags, int64_t ttl_s, uint64_t cas, uint64_t *new_cas,
                         shoal_error **error) {
    struct shoal__fault fault = {0};
    struct shoal__command command = {
        .verb = SHOAL__VERB_STORE,
        .mode = mode,
        .value = value,
        .value_len = value_len,
        .flags = flags,
        .expiry = expiry_of(ttl_s),
        .cas = cas,
        .wants_new_cas = new_cas != NULL,
    };
    if (new_cas != NULL)
        *new_cas = 0;
    if (shoal__store_check(&command, &fault) != SHOAL_OK ||
        (client != NULL && shoal__store_fits(&command, client->value_max, &fault) != SHOAL_OK)) {
        shoal__error_begin(error);
        return shoal__error_report(error, &fault, NULL, 0);
    }
    shoal_status status = shoal__call_key(client, key, key_len, &command, error);
    if (status == SHOAL_OK && new_cas != NULL)
        *new_cas = command.new_cas;
    return status;
}

shoal_status shoal_delete(shoal_client *client, const char *key, size_t key_len, shoal_error **error) {
    struct shoal__command command = {.verb = SHOAL__VERB_DELETE};
    return shoal__call_key(client, key, key_len, &command, error);
}

shoal_status shoal_touch(shoal_client *client, const char *key, size_t key_len, int64_t ttl_s, shoal_error **error) {
    struct shoal__command command = {.verb = SHOAL__VERB_TOUCH, .expiry = expiry_of(ttl_s)};
    return shoal__call_key(client, key, key_len, &command, error);
}

shoal_status shoal_increment(shoal_client *client, const char *key, size_t key_len, int64_t delta,
                             const uint64_t *initial, int64_t ttl_s, uint64_t *value, shoal_error **error) {
    struct shoal__command command = {
        .verb = SHOAL__VERB_INCREMENT,
        .delta = delta,
        .initial = initial,
        .expiry = expiry_of(ttl_s),
    };
    if (value != NULL)
        *value = 0;
    shoal_status status = shoal__call_key(client, key, key_len, &command, error);
    if (status == SHOAL_OK && value != NULL)
        *value = command.number;
    return status;
}

/* Every node is emptied, whatever becomes of the others; what is told is the first failure. */
static void flush_nodes(shoal_client *client, const struct shoal__scene *scene, shoal_status *status,
                        shoal_error **error) {
    size_t count = shoal_topology_node_count(scene->view->topology);
    for (size_t i = 0; i < count; i++) {
        struct shoal__fault fault = {0};
        struct shoal__command command = {.verb = SHOAL__VERB_FLUSH_ALL};
        struct shoal__pool *pool = scene->view->pools[i];
        unsigned attempts = 0;
        int64_t until_ns = shoal__fair_share(scene->deadline_ns, shoal__now_ns(), count - i);
        if (shoal__call_node(client, pool, &command, until_ns, &fault, &attempts) < 0 && *status == SHOAL_OK)
            *status = shoal__error_report(error, &fault, shoal__pool_name(pool), attempts);
    }
}

shoal_status shoal_flush_all(shoal_client *client, shoal_error **error) {
    struct shoal__fault fault = {0};
    struct shoal__scene scene;
    shoal__error_begin(error);
    shoal_status status = shoal__client_enter(client, &scene, &fault);
    if (status != SHOAL_OK)
        return shoal__error_report(error, &fault, NULL, 0);
    flush_nodes(client, &scene, &status, error);
    shoal__view_release(scene.view);
    return status;
}
