/* The configuration that a client works with, and the identity by which fleets and clients are shared.
 * May include: base/, config_private. */
#include "logic/config_private.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static shoal_status out_of_memory(struct shoal__fault *fault) {
    return shoal__fault_set(fault, SHOAL_E_NO_MEMORY, "out of memory while copying a configuration");
}

static bool has_same_value(const shoal_option *option, const struct shoal__setting *a, const struct shoal__setting *b) {
    return option->type == SHOAL__TYPE_number ? a->number == b->number : strcmp(a->text, b->text) == 0;
}

static enum shoal__option_id id_of(const shoal_option *option) {
    return (enum shoal__option_id)(option - shoal_option_at(0));
}

/* Reads the `?` part into settings of its own, so that what it says twice is seen before anything is filled in. */
static shoal_status read_query(const struct shoal__endpoint *endpoint, struct shoal__setting *query,
                               struct shoal__fault *fault) {
    for (size_t i = 0; i < endpoint->option_count; i++) {
        const shoal_option *option = shoal_option_find(endpoint->options[i].name);
        struct shoal__setting *place = &query[id_of(option)];
        struct shoal__setting setting;
        shoal_status status = shoal__setting_read(&setting, option, endpoint->options[i].value, true, fault);
        if (status != SHOAL_OK)
            return status;
        if (place->text != NULL && !has_same_value(option, place, &setting))
            status = shoal__fault_set(fault, SHOAL_E_BAD_OPTION,
                                      "%s stands twice after the endpoint's \"?\" with different values: leave one out",
                                      option->name);
        shoal__setting_clear(place);
        *place = setting;
        if (status != SHOAL_OK)
            return status;
    }
    return SHOAL_OK;
}

static shoal_status fill_from_query(shoal_config *config, struct shoal__fault *fault) {
    struct shoal__setting query[SHOAL__OPTION_COUNT] = {0};
    shoal_status status = read_query(shoal__config_endpoint(config), query, fault);
    for (size_t i = 0; i < SHOAL__OPTION_COUNT; i++) {
        if (status == SHOAL_OK && query[i].text != NULL && config->settings[i].text == NULL)
            config->settings[i] = query[i];
        else
            shoal__setting_clear(&query[i]);
    }
    return status;
}

/* --- Options that only make sense together --- */

static bool is_given(const shoal_config *config, enum shoal__option_id option) {
    return shoal__config_text(config, option)[0] != '\0';
}

static shoal_status refuse(struct shoal__fault *fault, const char *complaint) {
    return shoal__fault_set(fault, SHOAL_E_BAD_OPTION, "%s", complaint);
}

/* elasticaches:// stands for tls=true, and so does a name of ElastiCache Serverless. */
static shoal_status set_tls_by_scheme(shoal_config *config, struct shoal__fault *fault) {
    struct shoal__setting *tls = &config->settings[SHOAL__OPTION_tls];
    if (!shoal__config_endpoint(config)->tls)
        return SHOAL_OK;
    if (tls->text == NULL)
        return shoal__setting_read(tls, shoal_option_at(SHOAL__OPTION_tls), "true", false, fault);
    return tls->integer ? SHOAL_OK
                        : refuse(fault, "tls is false and the endpoint is elasticaches:// or a name of ElastiCache "
                                        "Serverless, which mean TLS: write elasticache://, or leave tls out");
}

/* Who gives a certificate believes that there is TLS. Where tls=false says otherwise, it was meant. */
static shoal_status check_tls_wanted(const shoal_config *config, struct shoal__fault *fault) {
    static const enum shoal__option_id needing[] = {SHOAL__OPTION_tls_ca_file, SHOAL__OPTION_tls_cert_file,
                                                    SHOAL__OPTION_tls_key_file, SHOAL__OPTION_tls_server_name};
    for (size_t i = 0; i < sizeof(needing) / sizeof(needing[0]); i++)
        if (is_given(config, needing[i]) && config->settings[SHOAL__OPTION_tls].text == NULL)
            return shoal__fault_set(fault, SHOAL_E_BAD_OPTION,
                                    "%s is set and tls is not: set tls=true, or tls=false to do without",
                                    shoal_option_name(shoal_option_at(needing[i])));
    return SHOAL_OK;
}

static bool names_path(const struct shoal__endpoint *endpoint) {
    for (size_t i = 0; i < endpoint->nodes.count; i++)
        if (endpoint->nodes.nodes[i].host[0] == '/')
            return true;
    return false;
}

static shoal_status check_tls(const shoal_config *config, struct shoal__fault *fault) {
    if (!shoal__config_boolean(config, SHOAL__OPTION_tls))
        return check_tls_wanted(config, fault);
    if (is_given(config, SHOAL__OPTION_tls_key_file) && !is_given(config, SHOAL__OPTION_tls_cert_file))
        return refuse(fault, "tls_key_file is set and tls_cert_file is not: a key needs its certificate");
    if (names_path(shoal__config_endpoint(config)))
        return refuse(fault,
                      "tls is true and the endpoint is the path of a Unix socket, where memcached has no TLS: leave "
                      "tls out");
    return SHOAL_OK;
}

/* What the classic protocol, as libmemcached speaks it, cannot do. */
static shoal_status check_protocol(const shoal_config *config, struct shoal__fault *fault) {
    if (strcmp(shoal__config_text(config, SHOAL__OPTION_protocol), "libmemcached") != 0)
        return SHOAL_OK;
    if (shoal__config_boolean(config, SHOAL__OPTION_tls))
        return refuse(fault,
                      "tls is true and protocol is libmemcached, which has no TLS: set protocol to meta or auto");
    if (is_given(config, SHOAL__OPTION_user))
        return refuse(fault,
                      "user is set and protocol is libmemcached, which cannot log in: set protocol to meta or auto");
    return SHOAL_OK;
}

static shoal_status check_login(const shoal_config *config, struct shoal__fault *fault) {
    bool has_user = is_given(config, SHOAL__OPTION_user);
    if (has_user == is_given(config, SHOAL__OPTION_password))
        return SHOAL_OK;
    return refuse(fault,
                  has_user ? "user is set and password is not: set both" : "password is set and user is not: set both");
}

static shoal_status check_together(shoal_config *config, struct shoal__fault *fault) {
    shoal_status status = set_tls_by_scheme(config, fault);
    if (status == SHOAL_OK)
        status = check_tls(config, fault);
    if (status == SHOAL_OK)
        status = check_protocol(config, fault);
    return status == SHOAL_OK ? check_login(config, fault) : status;
}

/* --- Resolving --- */

shoal_config *shoal__config_copy(const shoal_config *config) {
    shoal_config *copy = calloc(1, sizeof(*copy));
    for (size_t i = 0; copy != NULL && i < SHOAL__OPTION_COUNT; i++) {
        if (!shoal__setting_copy(&copy->settings[i], &config->settings[i])) {
            shoal_config_free(copy);
            return NULL;
        }
    }
    return copy;
}

shoal_status shoal__config_resolve(const shoal_config *config, shoal_config **resolved, struct shoal__fault *fault) {
    *resolved = NULL;
    if (shoal__config_endpoint(config) == NULL)
        return shoal__fault_set(fault, SHOAL_E_BAD_ENDPOINT,
                                "no endpoint is set: set the option endpoint, for example to cache.example:11211");
    shoal_config *copy = shoal__config_copy(config);
    if (copy == NULL)
        return out_of_memory(fault);
    shoal_status status = fill_from_query(copy, fault);
    if (status == SHOAL_OK)
        status = check_together(copy, fault);
    if (status != SHOAL_OK) {
        shoal_config_free(copy);
        return status;
    }
    *resolved = copy;
    return SHOAL_OK;
}

enum shoal__fallback shoal__config_fallback(const shoal_config *config, const struct shoal__node_list **nodes) {
    const struct shoal__setting *setting = &config->settings[SHOAL__OPTION_discovery_fallback];
    const struct shoal__endpoint *endpoint = shoal__config_endpoint(config);
    const char *text = shoal__config_text(config, SHOAL__OPTION_discovery_fallback);
    *nodes = NULL;
    if (setting->nodes.count > 0) {
        *nodes = &setting->nodes;
        return SHOAL__FALLBACK_STATIC;
    }
    if (strcmp(text, "single") == 0)
        return SHOAL__FALLBACK_SINGLE;
    if (strcmp(text, "") == 0 && endpoint != NULL && endpoint->service == SHOAL__SERVICE_ANY)
        return SHOAL__FALLBACK_SINGLE;
    return SHOAL__FALLBACK_STRICT;
}

/* A string that grows; NULL for ever once memory ran out. */
struct identity {
    char *text;
    size_t size;
    size_t capacity;
    bool failed;
};

static void append(struct identity *identity, const char *bytes, size_t size) {
    if (!identity->failed && identity->size + size + 1 > identity->capacity) {
        size_t capacity = (identity->size + size + 1) * 2;
        char *text = realloc(identity->text, capacity);
        identity->failed = text == NULL;
        identity->text = text ? text : identity->text;
        identity->capacity = text ? capacity : identity->capacity;
    }
    if (identity->failed)
        return;
    memcpy(identity->text + identity->size, bytes, size);
    identity->size += size;
    identity->text[identity->size] = '\0';
}

static void append_integer(struct identity *identity, int64_t integer) {
    char text[24];
    append(identity, text, (size_t)snprintf(text, sizeof(text), "%" PRId64 " ", integer));
}

/* With its length before it, so that no text can be taken for two. */
static void append_text(struct identity *identity, const char *text) {
    append_integer(identity, (int64_t)strlen(text));
    append(identity, text, strlen(text));
}

/* By its bits: a decimal form would depend on the locale. */
static void append_number(struct identity *identity, double number) {
    int64_t bits;
    memcpy(&bits, &number, sizeof(bits));
    append_integer(identity, bits);
}

static void append_nodes(struct identity *identity, const struct shoal__node_list *nodes) {
    append_integer(identity, (int64_t)nodes->count);
    for (size_t i = 0; i < nodes->count; i++) {
        append_text(identity, nodes->nodes[i].host);
        append_integer(identity, nodes->nodes[i].port);
        append_integer(identity, nodes->nodes[i].weight);
    }
}

static void append_endpoint(struct identity *identity, const struct shoal__endpoint *endpoint) {
    if (endpoint == NULL)
        return;
    append_integer(identity, endpoint->kind);
    append_integer(identity, endpoint->service);
    append_integer(identity, endpoint->tls);
    append_nodes(identity, &endpoint->nodes);
}

static void append_fallback(struct identity *identity, const shoal_config *config) {
    const struct shoal__node_list *nodes;
    append_integer(identity, shoal__config_fallback(config, &nodes));
    if (nodes != NULL)
        append_nodes(identity, nodes);
}

static void append_option(struct identity *identity, const shoal_config *config, const shoal_option *option) {
    enum shoal__option_id id = id_of(option);
    append(identity, option->name, strlen(option->name));
    append(identity, "=", 1);
    switch (option->type) {
    case SHOAL__TYPE_endpoint:
        append_endpoint(identity, shoal__config_endpoint(config));
        break;
    case SHOAL__TYPE_fallback:
        append_fallback(identity, config);
        break;
    case SHOAL__TYPE_number:
        append_number(identity, config->settings[id].number);
        break;
    default:
        append_text(identity, shoal__config_text(config, id));
    }
    append(identity, ";", 1);
}

static char *make_identity(const shoal_config *config, bool whole, bool with_secrets) {
    struct identity identity = {0};
    for (size_t i = 0; i < shoal_option_count(); i++) {
        const shoal_option *option = shoal_option_at(i);
        if ((whole || option->scope == SHOAL__SCOPE_fleet) && (with_secrets || option->type != SHOAL__TYPE_secret))
            append_option(&identity, config, option);
    }
    if (!identity.failed)
        return identity.text;
    free(identity.text);
    return NULL;
}

char *shoal__config_identity(const shoal_config *config, bool whole) {
    return make_identity(config, whole, true);
}

char *shoal__config_public_identity(const shoal_config *config) {
    return make_identity(config, false, false);
}
