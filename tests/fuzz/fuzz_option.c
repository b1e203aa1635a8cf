/* Options by name and value: a value that is taken reads back as one that is taken again and means the same; one that
 * is refused leaves the configuration as it was; what stands behind an endpoint's `?` is never shown; what was set
 * explicitly survives it. The input: settings of the form name=value, with a NUL between them.
 * May include: common, <shoal/config.h>, logic/config. */
#include "common.h"

#include "logic/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Stands in no message of the library's. */
#define CANARY "Xq7ZkW"

/* More than these show nothing new and cost time. */
#define SETTINGS_MAX 8

static char *identity_of(const shoal_config *config, bool whole) {
    char *identity = shoal__config_identity(config, whole);
    CHECK(identity != NULL);
    return identity;
}

static void check_same_identity(const shoal_config *config, const char *wanted) {
    char *identity = identity_of(config, true);
    CHECK(strcmp(identity, wanted) == 0);
    free(identity);
}

/* The caller's. */
static char *value_of(const shoal_config *config, const char *name) {
    const char *value;
    shoal_error *error = NULL;
    CHECK(shoal_config_get(config, name, &value, &error) == SHOAL_OK);
    CHECK(error == NULL && value != NULL);
    return fuzz_text(value, strlen(value));
}

static bool is_number_in(const char *value, const char *range) {
    char *end;
    const char *dots = strstr(range, "..");
    CHECK(dots != NULL);
    double number = strtod(value, &end);
    return *end == '\0' && number >= strtod(range, NULL) && number <= strtod(dots + 2, NULL);
}

static bool is_choice_of(const char *value, const char *range) {
    size_t size = strlen(value);
    for (const char *at = range; (at = strstr(at, value)) != NULL; at++)
        if ((at == range || at[-1] == '|') && (at[size] == '|' || at[size] == '\0'))
            return true;
    return false;
}

/* What the description promises. */
static void check_value(const shoal_option *option, const char *value) {
    const char *type = shoal_option_type(option), *range = shoal_option_range(option);
    if (strcmp(type, "integer") == 0) {
        CHECK(strspn(value, "-0123456789") == strlen(value) && is_number_in(value, range));
    } else if (strcmp(type, "number") == 0) {
        CHECK(strspn(value, "-.0123456789eE") == strlen(value) && is_number_in(value, range));
    } else if (strcmp(type, "boolean") == 0 || strcmp(type, "choice") == 0) {
        CHECK(value[0] != '\0' && is_choice_of(value, range));
    }
}

static void check_error(const shoal_error *error, shoal_status status) {
    struct shoal__fault fault = {.status = shoal_error_status(error)};
    CHECK(error != NULL);
    snprintf(fault.text, sizeof(fault.text), "%s", shoal_error_message(error));
    fuzz_check_fault(&fault, status);
    CHECK(status == SHOAL_E_BAD_OPTION || status == SHOAL_E_BAD_ENDPOINT || status == SHOAL_E_UNSUPPORTED);
}

/* The same endpoint with a secret at the start of every name, or of every value, of its `?` part. */
static void check_discretion(const char *endpoint, bool in_names) {
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    CHECK(stream != NULL);
    const char *query = strchr(endpoint, '?');
    for (const char *byte = endpoint; *byte != '\0'; byte++) {
        fputc(*byte, stream);
        if (byte >= query && (in_names ? byte == query || *byte == '&' : *byte == '='))
            fputs(CANARY, stream);
    }
    CHECK(fclose(stream) == 0);
    shoal_config *config = NULL;
    shoal_error *error = NULL;
    CHECK(shoal_config_new(&config, NULL) == SHOAL_OK);
    if (shoal_config_set(config, "endpoint", text, &error) != SHOAL_OK)
        CHECK(strstr(shoal_error_message(error), CANARY) == NULL);
    shoal_error_free(error);
    shoal_config_free(config);
    free(text);
}

static void check_taken(shoal_config *config, const char *name) {
    shoal_error *error = NULL;
    char *value = value_of(config, name), *identity = identity_of(config, true);
    check_value(shoal_option_find(name), value);
    if (strcmp(name, "password") == 0) { /* which is not shown */
        CHECK(strcmp(value, "") == 0 || strcmp(value, "***") == 0);
        free(identity);
        free(value);
        return;
    }
    CHECK(shoal_config_set(config, name, value, &error) == SHOAL_OK && error == NULL);
    char *again = value_of(config, name);
    CHECK(strcmp(again, value) == 0);
    check_same_identity(config, identity);
    free(again);
    free(identity);
    free(value);
}

/* Whether it was taken. */
static bool set_one(shoal_config *config, const char *name, const char *value) {
    const shoal_option *option = shoal_option_find(name);
    shoal_error *error = NULL;
    char *before = option ? value_of(config, name) : NULL, *identity = identity_of(config, true);
    shoal_status status = shoal_config_set(config, name, value, &error);
    if (status == SHOAL_OK) {
        CHECK(option != NULL && error == NULL);
        check_taken(config, name);
    } else {
        check_error(error, status);
        CHECK(option != NULL || status == SHOAL_E_BAD_OPTION);
        check_same_identity(config, identity);
        char *after = option ? value_of(config, name) : NULL;
        CHECK(option == NULL || strcmp(before, after) == 0);
        free(after);
    }
    if (strcmp(name, "endpoint") == 0 && strchr(value, '?') != NULL && strstr(value, CANARY) == NULL) {
        check_discretion(value, true);
        check_discretion(value, false);
    }
    shoal_error_free(error);
    free(identity);
    free(before);
    return status == SHOAL_OK;
}

static void check_resolved(const shoal_config *config, const shoal_config *resolved, const bool *is_set) {
    for (size_t i = 0; i < shoal_option_count(); i++) {
        const shoal_option *option = shoal_option_at(i);
        char *own = value_of(config, shoal_option_name(option));
        char *final = value_of(resolved, shoal_option_name(option));
        check_value(option, final);
        CHECK(!is_set[i] || strcmp(own, final) == 0);
        free(final);
        free(own);
    }
    const struct shoal__node_list *nodes;
    enum shoal__fallback fallback = shoal__config_fallback(resolved, &nodes);
    CHECK((nodes != NULL) == (fallback == SHOAL__FALLBACK_STATIC));
    if (nodes != NULL)
        fuzz_check_list(nodes);
}

static void resolve(const shoal_config *config, const bool *is_set) {
    shoal_config *resolved, *again;
    struct shoal__fault fault = {0};
    char *before = identity_of(config, true);
    shoal_status status = shoal__config_resolve(config, &resolved, &fault);
    check_same_identity(config, before);
    if (status == SHOAL_OK) {
        check_resolved(config, resolved, is_set);
        char *identity = identity_of(resolved, true);
        CHECK(shoal__config_resolve(resolved, &again, &fault) == SHOAL_OK);
        check_same_identity(again, identity);
        free(identity);
        shoal_config_free(again);
    } else {
        fuzz_check_fault(&fault, status);
        CHECK(status == (shoal__config_endpoint(config) ? SHOAL_E_BAD_OPTION : SHOAL_E_BAD_ENDPOINT));
        CHECK(resolved == NULL);
    }
    shoal_config_free(resolved);
    free(before);
}

static void check_copy(const shoal_config *config) {
    char *identity = identity_of(config, true);
    shoal_config *copy = shoal__config_copy(config);
    CHECK(copy != NULL);
    check_same_identity(copy, identity);
    shoal_config_free(copy);
    free(identity);
}

static size_t index_of(const char *name) {
    size_t index = 0;
    while (shoal_option_at(index) != shoal_option_find(name))
        index++;
    return index;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    shoal_config *config = NULL;
    bool is_set[SHOAL__OPTION_COUNT] = {false};
    CHECK(shoal_config_new(&config, NULL) == SHOAL_OK);
    char *text = fuzz_text(data, size);
    size_t count = 0;
    for (size_t at = 0; at < size && count < SETTINGS_MAX; at += strlen(text + at) + 1, count++) {
        char *setting = fuzz_text(text + at, strlen(text + at));
        char *equals = strchr(setting, '=');
        if (equals != NULL)
            *equals = '\0';
        if (set_one(config, setting, equals ? equals + 1 : ""))
            is_set[index_of(setting)] = true;
        free(setting);
    }
    free(text);
    check_copy(config);
    resolve(config, is_set);
    shoal_config_free(config);
    return 0;
}
