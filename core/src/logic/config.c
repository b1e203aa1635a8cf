/* The table as descriptors, and configurations: made, set, read, freed.
 * May include: base/, config_private. */
#include "logic/config_private.h"

#include "logic/text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const shoal_option options[SHOAL__OPTION_COUNT] = {
#define SHOAL__OPTION(scope, type, name, unit, range, initial, since, description) \
    {SHOAL__SCOPE_##scope, SHOAL__TYPE_##type, #name, unit, range, initial, since, description},
#include "logic/config_table.def"
#undef SHOAL__OPTION
};

size_t shoal_option_count(void) {
    return SHOAL__OPTION_COUNT;
}

const shoal_option *shoal_option_at(size_t index) {
    return index < SHOAL__OPTION_COUNT ? &options[index] : NULL;
}

const shoal_option *shoal_option_find(const char *name) {
    for (size_t i = 0; name != NULL && i < SHOAL__OPTION_COUNT; i++)
        if (strcmp(options[i].name, name) == 0)
            return &options[i];
    return NULL;
}

const char *shoal_option_name(const shoal_option *option) {
    return option ? option->name : "";
}

const char *shoal_option_type(const shoal_option *option) {
    if (option == NULL)
        return "";
    switch (option->type) {
    case SHOAL__TYPE_integer:
        return "integer";
    case SHOAL__TYPE_number:
        return "number";
    case SHOAL__TYPE_span:
        return "span";
    case SHOAL__TYPE_boolean:
        return "boolean";
    case SHOAL__TYPE_choice:
        return "choice";
    default:
        return "string";
    }
}

const char *shoal_option_unit(const shoal_option *option) {
    return option ? option->unit : "";
}

const char *shoal_option_range(const shoal_option *option) {
    return option ? option->range : "";
}

const char *shoal_option_default(const shoal_option *option) {
    return option ? option->initial : "";
}

const char *shoal_option_since(const shoal_option *option) {
    return option ? option->since : "";
}

const char *shoal_option_description(const shoal_option *option) {
    return option ? option->description : "";
}

/* Longer names than this are nobody's typing error. */
#define NAME_MAX_COMPARED 64

static size_t smallest(size_t a, size_t b, size_t c) {
    size_t least = a < b ? a : b;
    return least < c ? least : c;
}

/* Levenshtein's edit distance of two short strings, case aside. */
static size_t distance(const char *a, const char *b) {
    size_t row[NAME_MAX_COMPARED + 1];
    size_t width = strlen(b);
    for (size_t column = 0; column <= width; column++)
        row[column] = column;
    for (size_t line = 1; a[line - 1] != '\0'; line++) {
        size_t diagonal = row[0];
        row[0] = line;
        for (size_t column = 1; column <= width; column++) {
            bool differs = shoal__byte_lower(a[line - 1]) != shoal__byte_lower(b[column - 1]);
            size_t changed = diagonal + differs;
            diagonal = row[column];
            row[column] = smallest(changed, row[column] + 1, row[column - 1] + 1);
        }
    }
    return row[width];
}

const shoal_option *shoal__option_nearest(const char *name) {
    const shoal_option *nearest = NULL;
    size_t least = 0, size = strlen(name);
    if (size > NAME_MAX_COMPARED)
        return NULL;
    for (size_t i = 0; i < shoal_option_count(); i++) {
        const shoal_option *option = shoal_option_at(i);
        size_t option_size = strlen(option->name);
        size_t bound = 1 + (size > option_size ? size : option_size) / 3;
        size_t found = distance(name, option->name);
        if (found <= bound && (nearest == NULL || found < least)) {
            nearest = option;
            least = found;
        }
    }
    return nearest;
}

/* The defaults are read once, here, so that the getters need not ask whether something was set. */
static shoal_status load_defaults(shoal_config *config, struct shoal__fault *fault) {
    for (size_t i = 0; i < SHOAL__OPTION_COUNT; i++) {
        if (options[i].initial[0] == '\0')
            continue;
        shoal_status status = shoal__setting_read(&config->settings[i], &options[i], options[i].initial, false, fault);
        if (status != SHOAL_OK)
            return status;
        free(config->settings[i].text);
        config->settings[i].text = NULL;
    }
    return SHOAL_OK;
}

shoal_status shoal_config_new(shoal_config **config, shoal_error **error) {
    struct shoal__fault fault;
    shoal__error_begin(error);
    if (config == NULL)
        return shoal__error_fail(error, SHOAL_E_INVALID, "shoal_config_new: config is NULL");
    *config = NULL;
    shoal_config *fresh = calloc(1, sizeof(*fresh));
    if (fresh == NULL)
        return shoal__error_fail(error, SHOAL_E_NO_MEMORY, "out of memory while making a configuration");
    if (load_defaults(fresh, &fault) != SHOAL_OK) {
        shoal_config_free(fresh);
        return shoal__error_report(error, &fault, NULL, 0);
    }
    *config = fresh;
    return SHOAL_OK;
}

static shoal_status refuse_unknown(const char *name, shoal_error **error) {
    struct shoal__quote quote;
    const shoal_option *nearest = shoal__option_nearest(name);
    shoal__quote_slice(&quote, shoal__slice_of(name));
    if (nearest != NULL)
        return shoal__error_fail(error, SHOAL_E_BAD_OPTION, "unknown option \"%s\"; did you mean %s?", quote.text,
                                 nearest->name);
    return shoal__error_fail(error, SHOAL_E_BAD_OPTION, "unknown option \"%s\"; `shoal config` lists those there are",
                             quote.text);
}

shoal_status shoal_config_set(shoal_config *config, const char *name, const char *value, shoal_error **error) {
    struct shoal__fault fault;
    struct shoal__setting setting;
    shoal__error_begin(error);
    if (config == NULL || name == NULL || value == NULL)
        return shoal__error_fail(error, SHOAL_E_INVALID, "shoal_config_set: %s is NULL",
                                 config == NULL ? "config"
                                 : name == NULL ? "name"
                                                : "value");
    const shoal_option *option = shoal_option_find(name);
    if (option == NULL)
        return refuse_unknown(name, error);
    if (shoal__setting_read(&setting, option, value, false, &fault) != SHOAL_OK)
        return shoal__error_report(error, &fault, NULL, 0);
    struct shoal__setting *place = &config->settings[option - options];
    shoal__setting_clear(place);
    *place = setting;
    return SHOAL_OK;
}

shoal_status shoal_config_get(const shoal_config *config, const char *name, const char **value, shoal_error **error) {
    shoal__error_begin(error);
    if (value != NULL)
        *value = NULL;
    if (config == NULL || name == NULL || value == NULL)
        return shoal__error_fail(error, SHOAL_E_INVALID, "shoal_config_get: %s is NULL",
                                 config == NULL ? "config"
                                 : name == NULL ? "name"
                                                : "value");
    const shoal_option *option = shoal_option_find(name);
    if (option == NULL)
        return refuse_unknown(name, error);
    *value = shoal__config_text(config, (enum shoal__option_id)(option - options));
    if (option->type == SHOAL__TYPE_secret && **value != '\0')
        *value = "***";
    return SHOAL_OK;
}

void shoal_config_free(shoal_config *config) {
    if (config == NULL)
        return;
    for (size_t i = 0; i < SHOAL__OPTION_COUNT; i++)
        shoal__setting_clear(&config->settings[i]);
    free(config);
}

int64_t shoal__config_integer(const shoal_config *config, enum shoal__option_id option) {
    assert(options[option].type == SHOAL__TYPE_integer);
    return config->settings[option].integer;
}

double shoal__config_number(const shoal_config *config, enum shoal__option_id option) {
    assert(options[option].type == SHOAL__TYPE_number);
    return config->settings[option].number;
}

int64_t shoal__config_span(const shoal_config *config, enum shoal__option_id option, int64_t *high) {
    assert(options[option].type == SHOAL__TYPE_span);
    *high = config->settings[option].high;
    return config->settings[option].integer;
}

bool shoal__config_boolean(const shoal_config *config, enum shoal__option_id option) {
    assert(options[option].type == SHOAL__TYPE_boolean);
    return config->settings[option].integer != 0;
}

const char *shoal__config_text(const shoal_config *config, enum shoal__option_id option) {
    const char *text = config->settings[option].text;
    return text ? text : options[option].initial;
}

const struct shoal__endpoint *shoal__config_endpoint(const shoal_config *config) {
    const struct shoal__setting *setting = &config->settings[SHOAL__OPTION_endpoint];
    return setting->text ? &setting->endpoint : NULL;
}
