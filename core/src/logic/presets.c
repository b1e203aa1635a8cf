/* The table of presets, and a configuration that takes one. tests/golden shows that keys stay where they were.
 * May include: base/, config_private, presets, text. */
#include "logic/presets.h"

#include "logic/config_private.h"
#include "logic/text.h"

#include <stdio.h>
#include <string.h>

/* name, distribution, hash, ring_identity, description */
static const shoal_preset presets[] = {
    {"django-elasticache", "ketama", "one_at_a_time", "ip",
     "django-elasticache without OPTIONS. Values: codec pylibmc."},
    {"django-elasticache-options", "modula", "one_at_a_time", "ip",
     "django-elasticache with OPTIONS that do not name ketama: its own behaviors hold only without any. Values: codec "
     "pylibmc."},
    {"pylibmc", "modula", "one_at_a_time", "hostname",
     "pylibmc and Django's PyLibMCCache without behaviors that say otherwise: for ketama set distribution=ketama, for "
     "ketama_weighted distribution=ketama_weighted and hash=md5. Values: codec pylibmc."},
    {"pymemcache", "rendezvous", "murmur3_32", "hostname",
     "pymemcache's HashClient and Django's PyMemcacheCache. Values: codec pymemcache."},
    {"django-elastipymemcache", "rendezvous", "murmur3_32", "ip",
     "django-elastipymemcache, which names nodes by their addresses. Values: codec pymemcache."},
    {"php-memcached", "modula", "one_at_a_time", "hostname",
     "php-memcached without options that say otherwise (with OPT_LIBKETAMA_COMPATIBLE take symfony). Values: codec "
     "php-memcached."},
    {"laravel", "modula", "one_at_a_time", "hostname",
     "Laravel's memcached store without options that say otherwise. Values: codec php-memcached."},
    {"symfony", "ketama_weighted", "md5", "hostname",
     "Symfony's MemcachedAdapter, and php-memcached with OPT_LIBKETAMA_COMPATIBLE. Values: codec php-memcached."},
    {"dalli", "dalli", "crc32", "hostname",
     "dalli. Its namespace is hashed with the key: give it, with its colon, as key_prefix. Values: codec dalli."},
    {"rails", "dalli", "crc32", "hostname", "Rails' mem_cache_store, which is dalli. Values: codec dalli."},
    {"dalli-elasticache", "dalli", "crc32", "hostname",
     "dalli with the nodes that dalli-elasticache discovers. Values: codec dalli."},
    {"aws-php", "modula", "one_at_a_time", "hostname",
     "Amazon's ElastiCache client for PHP. Values: codec php-memcached."},
};

#define PRESET_COUNT (sizeof(presets) / sizeof(presets[0]))

size_t shoal_preset_count(void) {
    return PRESET_COUNT;
}

const shoal_preset *shoal_preset_at(size_t index) {
    return index < PRESET_COUNT ? &presets[index] : NULL;
}

const shoal_preset *shoal_preset_find(const char *name) {
    for (size_t i = 0; name != NULL && i < PRESET_COUNT; i++)
        if (strcmp(presets[i].name, name) == 0)
            return &presets[i];
    return NULL;
}

const char *shoal_preset_name(const shoal_preset *preset) {
    return preset ? preset->name : "";
}

const char *shoal_preset_description(const shoal_preset *preset) {
    return preset ? preset->description : "";
}

/* There are few enough to be told in full. */
static shoal_status refuse_unknown(const char *name, shoal_error **error) {
    char names[240] = "";
    struct shoal__quote quote;
    for (size_t i = 0, size = 0; i < PRESET_COUNT && size < sizeof(names); i++)
        size += (size_t)snprintf(names + size, sizeof(names) - size, "%s%s", i == 0 ? "" : ", ", presets[i].name);
    shoal__quote_slice(&quote, shoal__slice_of(name));
    return shoal__error_fail(error, SHOAL_E_BAD_OPTION, "unknown preset \"%s\"; there are %s", quote.text, names);
}

#define SETTINGS 3

/* All are read before the first is put in its place, so that a configuration has a preset whole or not at all. */
static shoal_status take(shoal_config *config, const shoal_preset *preset, struct shoal__fault *fault) {
    const enum shoal__option_id ids[SETTINGS] = {SHOAL__OPTION_distribution, SHOAL__OPTION_hash,
                                                 SHOAL__OPTION_ring_identity};
    const char *values[SETTINGS] = {preset->distribution, preset->hash, preset->ring_identity};
    struct shoal__setting fresh[SETTINGS] = {0};
    shoal_status status = SHOAL_OK;
    for (size_t i = 0; i < SETTINGS && status == SHOAL_OK; i++)
        status = shoal__setting_read(&fresh[i], shoal_option_at(ids[i]), values[i], false, fault);
    for (size_t i = 0; i < SETTINGS; i++) {
        struct shoal__setting *place = &config->settings[ids[i]];
        shoal__setting_clear(status == SHOAL_OK ? place : &fresh[i]);
        if (status == SHOAL_OK)
            *place = fresh[i];
    }
    return status;
}

shoal_status shoal_config_set_preset(shoal_config *config, const char *name, shoal_error **error) {
    struct shoal__fault fault;
    shoal__error_begin(error);
    if (config == NULL || name == NULL)
        return shoal__error_fail(error, SHOAL_E_INVALID, "shoal_config_set_preset: %s is NULL",
                                 config == NULL ? "config" : "name");
    const shoal_preset *preset = shoal_preset_find(name);
    if (preset == NULL)
        return refuse_unknown(name, error);
    if (take(config, preset, &fault) != SHOAL_OK)
        return shoal__error_report(error, &fault, NULL, 0);
    return SHOAL_OK;
}
