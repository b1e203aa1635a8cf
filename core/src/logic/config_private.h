/* What the files of config share: the descriptors, and the options of one configuration.
 * May include: base/, config. Included by config*.c and presets.c alone. */
#ifndef SHOAL_LOGIC_CONFIG_PRIVATE_H
#define SHOAL_LOGIC_CONFIG_PRIVATE_H

#include "logic/config.h"

/* Named as in the table, as the names are pasted together. */
enum shoal__option_type {
    SHOAL__TYPE_endpoint,
    SHOAL__TYPE_text,
    SHOAL__TYPE_integer,
    SHOAL__TYPE_number,
    SHOAL__TYPE_span,
    SHOAL__TYPE_boolean,
    SHOAL__TYPE_choice,
    SHOAL__TYPE_fallback,
    SHOAL__TYPE_allow,
    SHOAL__TYPE_prefix,
    SHOAL__TYPE_path,
    SHOAL__TYPE_file,
    SHOAL__TYPE_word,
    SHOAL__TYPE_secret,
};

enum shoal__option_scope {
    SHOAL__SCOPE_fleet,
    SHOAL__SCOPE_client,
};

struct shoal_option {
    enum shoal__option_scope scope;
    enum shoal__option_type type;
    const char *name;
    const char *unit;
    const char *range;
    const char *initial;
    const char *since;
    const char *description;
};

/* One option's value. */
struct shoal__setting {
    char *text;      /* what was set, booleans and integers in their one spelling; NULL: the default holds */
    int64_t integer; /* of an integer, or 0 and 1 of a boolean, or the lower end of a span */
    int64_t high;    /* the upper end of a span */
    double number;   /* of a number */
    struct shoal__node_list nodes;   /* of a fallback that is a list */
    struct shoal__endpoint endpoint; /* of the endpoint */
};

struct shoal_config {
    struct shoal__setting settings[SHOAL__OPTION_COUNT];
};

/* Reads a value into a fresh setting; zeroed on failure. is_secret: the value comes from the `?` part and is not
 * quoted in the fault. */
shoal_status shoal__setting_read(struct shoal__setting *setting, const shoal_option *option, const char *text,
                                 bool is_secret, struct shoal__fault *fault);

bool shoal__setting_copy(struct shoal__setting *copy, const struct shoal__setting *setting);

void shoal__setting_clear(struct shoal__setting *setting);

/* The option whose name looks most like this one; NULL where none is near. */
const shoal_option *shoal__option_nearest(const char *name);

#endif
