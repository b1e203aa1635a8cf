/* Options by name and value, and their description at run time.
 * May include: <shoal/status.h>. One table, core/src/logic/config_table.def, stands behind all of it. */
#ifndef SHOAL_CONFIG_H
#define SHOAL_CONFIG_H

#include <shoal/status.h>

SHOAL_BEGIN_DECLS

/**
 * Makes a configuration in which every option has its default.
 *
 * @param config out, the caller's: shoal_config_free.
 * @return 0, SHOAL_E_INVALID, SHOAL_E_NO_MEMORY.
 * Thread safety: any thread. Blocks: never. Since 0.1.
 */
SHOAL_API shoal_status shoal_config_new(shoal_config **config, shoal_error **error);

/**
 * Sets one option. A value that is refused leaves the option as it was. An option set here beats the same
 * option in the endpoint's `?name=value` part.
 *
 * @param name the option's name; NUL-terminated, copied.
 * @param value as text, as `shoal config` lists it; NUL-terminated, copied.
 * @return 0, SHOAL_E_BAD_OPTION (the message names the nearest option or the range), SHOAL_E_BAD_ENDPOINT,
 *         SHOAL_E_UNSUPPORTED (an endpoint of a kind that is not built in), SHOAL_E_INVALID, SHOAL_E_NO_MEMORY.
 * Thread safety: a configuration belongs to one thread at a time. Blocks: never. Since 0.1.
 */
SHOAL_API shoal_status shoal_config_set(shoal_config *config, const char *name, const char *value, shoal_error **error);

/**
 * Reads one option: what was set, else its default. Options given in the endpoint's `?` part are not shown here.
 *
 * @param value out; borrowed until the option is set again or the configuration freed.
 * @return 0, SHOAL_E_BAD_OPTION, SHOAL_E_INVALID.
 * Thread safety: a configuration belongs to one thread at a time. Blocks: never. Since 0.1.
 */
SHOAL_API shoal_status shoal_config_get(const shoal_config *config, const char *name, const char **value,
                                        shoal_error **error);

/**
 * Frees a configuration. Clients made of it keep their copy.
 *
 * @param config may be NULL.
 * Thread safety: a configuration belongs to one thread at a time. Blocks: never. Since 0.1.
 */
SHOAL_API void shoal_config_free(shoal_config *config);

/**
 * How many options there are.
 * Thread safety: any thread. Blocks: never. Since 0.1.
 */
SHOAL_API size_t shoal_option_count(void);

/**
 * The option at a place in the table, in the order of the documentation.
 *
 * @param index 0 .. shoal_option_count() - 1.
 * @return static; NULL beyond the end.
 * Thread safety: any thread. Blocks: never. Since 0.1.
 */
SHOAL_API const shoal_option *shoal_option_at(size_t index);

/**
 * The option of a name.
 *
 * @param name NUL-terminated; may be NULL.
 * @return static; NULL where there is no such option.
 * Thread safety: any thread. Blocks: never. Since 0.1.
 */
SHOAL_API const shoal_option *shoal_option_find(const char *name);

/** The option's name. NULL-safe (""); static; any thread; never blocks. Since 0.1. */
SHOAL_API const char *shoal_option_name(const shoal_option *option);
/** Its type: "string", "integer", "number", "span", "boolean" or "choice". NULL-safe (""); static; any thread; never
 * blocks. Since 0.1. */
SHOAL_API const char *shoal_option_type(const shoal_option *option);
/** Its unit, e.g. "ms"; "" where it has none. NULL-safe (""); static; any thread; never blocks. Since 0.1. */
SHOAL_API const char *shoal_option_unit(const shoal_option *option);
/** What it takes: "1..600000", or its choices with bars between them; "" for free text. NULL-safe (""); static; any
 * thread; never blocks. Since 0.1. */
SHOAL_API const char *shoal_option_range(const shoal_option *option);
/** Its default, as text. NULL-safe (""); static; any thread; never blocks. Since 0.1. */
SHOAL_API const char *shoal_option_default(const shoal_option *option);
/** The release that brought it, e.g. "0.1". NULL-safe (""); static; any thread; never blocks. Since 0.1. */
SHOAL_API const char *shoal_option_since(const shoal_option *option);
/** One sentence on what it does. NULL-safe (""); static; any thread; never blocks. Since 0.1. */
SHOAL_API const char *shoal_option_description(const shoal_option *option);

/* Presets: what to set so that every key stays on its node when Shoal takes the place of another client. */

/**
 * Sets the options distribution, hash and ring_identity as a predecessor places keys: all three, or none where it
 * fails. It is as if each were set with shoal_config_set: a later call may set one anew, and they beat the same
 * options in the endpoint's `?name=value` part.
 *
 * @param name the preset's name, e.g. "pylibmc"; NUL-terminated.
 * @return 0, SHOAL_E_BAD_OPTION (the message names the presets there are), SHOAL_E_INVALID, SHOAL_E_NO_MEMORY.
 * Thread safety: a configuration belongs to one thread at a time. Blocks: never. Since 0.1.
 * Source: the clients named, whose placement is checked key by key.
 */
SHOAL_API shoal_status shoal_config_set_preset(shoal_config *config, const char *name, shoal_error **error);

/**
 * How many presets there are.
 * Thread safety: any thread. Blocks: never. Since 0.1.
 */
SHOAL_API size_t shoal_preset_count(void);

/**
 * The preset at a place in the table.
 *
 * @param index 0 .. shoal_preset_count() - 1.
 * @return static; NULL beyond the end.
 * Thread safety: any thread. Blocks: never. Since 0.1.
 */
SHOAL_API const shoal_preset *shoal_preset_at(size_t index);

/**
 * The preset of a name.
 *
 * @param name NUL-terminated; may be NULL.
 * @return static; NULL where there is no such preset.
 * Thread safety: any thread. Blocks: never. Since 0.1.
 */
SHOAL_API const shoal_preset *shoal_preset_find(const char *name);

/** The preset's name. NULL-safe (""); static; any thread; never blocks. Since 0.1. */
SHOAL_API const char *shoal_preset_name(const shoal_preset *preset);
/** Whose placement it is, when it fits, and the format of that client's values. NULL-safe (""); static; any thread;
 * never blocks. Since 0.1. */
SHOAL_API const char *shoal_preset_description(const shoal_preset *preset);

SHOAL_END_DECLS

#endif
