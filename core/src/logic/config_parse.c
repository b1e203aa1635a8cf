/* Values as text: read by type, checked against the table, refused with what they should look like.
 * May include: base/, endpoint, allow, config_private, text. */
#include "logic/allow.h"
#include "logic/config_private.h"
#include "logic/text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX_MAX 200
#define WORD_MAX 253 /* a host name; and memcached knows no longer user with a password */

/* Room is left for what is put behind the name of a file that is being written. */
#define PATH_SIZE_MAX 4000

/* A value being read. */
struct reading {
    const shoal_option *option;
    const char *text;
    bool is_secret; /* not to be quoted */
    struct shoal__fault *fault;
};

static shoal_status refuse(const struct reading *reading, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static shoal_status refuse(const struct reading *reading, const char *format, ...) {
    struct shoal__quote quote;
    char complaint[180];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(complaint, sizeof(complaint), format, arguments);
    va_end(arguments);
    if (reading->is_secret)
        return shoal__fault_set(reading->fault, SHOAL_E_BAD_OPTION, "%s after the endpoint's \"?\": %s",
                                reading->option->name, complaint);
    return shoal__fault_set(reading->fault, SHOAL_E_BAD_OPTION, "%s \"%s\": %s", reading->option->name,
                            shoal__quote_slice(&quote, shoal__slice_of(reading->text)), complaint);
}

static shoal_status keep(const struct reading *reading, const char *text, struct shoal__setting *setting) {
    setting->text = strdup(text);
    if (setting->text == NULL)
        return shoal__fault_set(reading->fault, SHOAL_E_NO_MEMORY, "out of memory while setting %s",
                                reading->option->name);
    return SHOAL_OK;
}

/* A minus sign is read, so that a negative number is told to be out of range. */
static bool read_integer(struct shoal__slice text, int64_t *integer) {
    uint64_t size;
    bool is_negative = text.size > 0 && text.bytes[0] == '-';
    if (is_negative)
        text = (struct shoal__slice){text.bytes + 1, text.size - 1};
    if (!shoal__slice_number(text, INT64_MAX, &size))
        return false;
    *integer = is_negative ? -(int64_t)size : (int64_t)size;
    return true;
}

/* By a power of ten that is exact up to 22, more than the range of any option needs. */
static double scaled(double number, int64_t power) {
    double scale = 1;
    for (int64_t i = 0; i < (power < 0 ? -power : power); i++)
        scale *= 10;
    return power < 0 ? number / scale : number * scale;
}

/* Digits with at most one point among them. Those beyond what a double can tell apart only move the point. */
static bool read_mantissa(struct shoal__slice text, uint64_t *digits, int64_t *power) {
    bool has_point = false;
    size_t count = 0;
    *digits = 0;
    for (size_t i = 0; i < text.size; i++) {
        bool is_point = text.bytes[i] == '.' && !has_point;
        has_point = has_point || is_point;
        if (is_point)
            continue;
        if (text.bytes[i] < '0' || text.bytes[i] > '9')
            return false;
        count++;
        bool fits = *digits < UINT64_C(100000000000000000);
        if (fits)
            *digits = *digits * 10 + (uint64_t)(text.bytes[i] - '0');
        *power += (fits ? 0 : 1) - (has_point ? 1 : 0);
    }
    return count > 0;
}

/* Not strtod: that reads the locale's decimal sign, infinities and hexadecimal. */
static bool read_number(struct shoal__slice text, double *number) {
    struct shoal__slice mantissa, exponent;
    int64_t power = 0;
    uint64_t digits;
    bool is_negative = text.size > 0 && text.bytes[0] == '-';
    if (is_negative)
        text = (struct shoal__slice){text.bytes + 1, text.size - 1};
    bool has_exponent =
        shoal__slice_cut(text, 'e', &mantissa, &exponent) || shoal__slice_cut(text, 'E', &mantissa, &exponent);
    if (has_exponent && (!read_integer(exponent, &power) || power < -40 || power > 40))
        return false;
    if (!read_mantissa(mantissa, &digits, &power))
        return false;
    *number = scaled((double)digits, power);
    if (is_negative && digits > 0)
        *number = -*number;
    return true;
}

/* "LOW..HIGH" */
static void split_range(const char *range, struct shoal__slice *low, struct shoal__slice *high) {
    const char *dots = strstr(range, "..");
    *low = (struct shoal__slice){range, (size_t)(dots - range)};
    *high = shoal__slice_of(dots + 2);
}

static shoal_status refuse_number(const struct reading *reading, const char *kind) {
    const shoal_option *option = reading->option;
    return refuse(reading, "should be a %s in %s%s%s", kind, option->range, option->unit[0] ? " " : "", option->unit);
}

static shoal_status set_integer(const struct reading *reading, struct shoal__setting *setting) {
    struct shoal__slice low_text, high_text;
    int64_t value, low = 0, high = 0;
    char canonical[24];
    split_range(reading->option->range, &low_text, &high_text);
    read_integer(low_text, &low);
    read_integer(high_text, &high);
    if (!read_integer(shoal__slice_of(reading->text), &value) || value < low || value > high)
        return refuse_number(reading, "whole number");
    setting->integer = value;
    snprintf(canonical, sizeof(canonical), "%" PRId64, value);
    return keep(reading, canonical, setting);
}

/* "LOW..HIGH", or one number for both. */
static shoal_status set_span(const struct reading *reading, struct shoal__setting *setting) {
    struct shoal__slice least_text, most_text, low_text, high_text;
    int64_t least = 0, most = 0;
    char canonical[48];
    split_range(reading->option->range, &least_text, &most_text);
    read_integer(least_text, &least);
    read_integer(most_text, &most);
    if (strstr(reading->text, "..") != NULL)
        split_range(reading->text, &low_text, &high_text);
    else
        low_text = high_text = shoal__slice_of(reading->text);
    if (!read_integer(low_text, &setting->integer) || !read_integer(high_text, &setting->high) ||
        setting->integer < least || setting->high > most || setting->integer > setting->high)
        return refuse_number(reading, "span such as 10..100");
    snprintf(canonical, sizeof(canonical), "%" PRId64 "..%" PRId64, setting->integer, setting->high);
    return keep(reading, canonical, setting);
}

static shoal_status set_number(const struct reading *reading, struct shoal__setting *setting) {
    struct shoal__slice low_text, high_text;
    double value, low = 0, high = 0;
    split_range(reading->option->range, &low_text, &high_text);
    read_number(low_text, &low);
    read_number(high_text, &high);
    if (!read_number(shoal__slice_of(reading->text), &value) || value < low || value > high)
        return refuse_number(reading, "number");
    setting->number = value;
    return keep(reading, reading->text, setting);
}

static shoal_status set_boolean(const struct reading *reading, struct shoal__setting *setting) {
    static const char *const words[] = {"false", "true", "0", "1", "no", "yes", "off", "on"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (!shoal__slice_equals_ignoring_case(shoal__slice_of(reading->text), words[i]))
            continue;
        setting->integer = (int64_t)(i % 2);
        return keep(reading, words[i % 2], setting);
    }
    return refuse(reading, "should be true or false");
}

static shoal_status set_choice(const struct reading *reading, struct shoal__setting *setting) {
    struct shoal__slice rest = shoal__slice_of(reading->option->range), choice;
    while (shoal__slice_next(&rest, '|', &choice))
        if (shoal__slice_equals(choice, reading->text))
            return keep(reading, reading->text, setting);
    return refuse(reading, "should be one of %s", reading->option->range);
}

static shoal_status set_fallback(const struct reading *reading, struct shoal__setting *setting) {
    static const char list[] = "static:";
    const char *text = reading->text;
    if (strcmp(text, "") == 0 || strcmp(text, "strict") == 0 || strcmp(text, "single") == 0)
        return keep(reading, text, setting);
    if (strncmp(text, list, strlen(list)) != 0)
        return refuse(reading, "should be one of %s", reading->option->range);
    text += strlen(list);
    /* As an endpoint spells it; "//" begins no path that anybody means. */
    if (strncmp(text, "//", 2) == 0)
        text += 2;
    shoal_status status = shoal__endpoint_parse_list(reading->option->name, text, &setting->nodes,
                                                     reading->is_secret ? NULL : reading->fault);
    if (status == SHOAL_E_BAD_ENDPOINT && reading->is_secret)
        return refuse(reading, "static: should be followed by host:port or host:port:weight, with commas between them");
    if (status == SHOAL_E_BAD_ENDPOINT) {
        if (reading->fault != NULL)
            reading->fault->status = SHOAL_E_BAD_OPTION;
        return SHOAL_E_BAD_OPTION;
    }
    if (status != SHOAL_OK)
        return shoal__fault_set(reading->fault, status, "out of memory while setting %s", reading->option->name);
    return keep(reading, reading->text, setting);
}

static shoal_status set_allow(const struct reading *reading, struct shoal__setting *setting) {
    shoal_status status = shoal__allow_check(reading->text, reading->is_secret ? NULL : reading->fault);
    if (status == SHOAL_OK)
        return keep(reading, reading->text, setting);
    if (!reading->is_secret)
        return status;
    return refuse(reading, "should be host names, *.domain, addresses or networks, with commas between them");
}

/* A relative path would lead elsewhere after a chdir(). */
static shoal_status set_path(const struct reading *reading, const char *none, struct shoal__setting *setting) {
    size_t size = strlen(reading->text);
    if (strcmp(reading->text, none) == 0)
        return keep(reading, reading->text, setting);
    if (reading->text[0] != '/' || reading->text[size - 1] == '/')
        return refuse(reading, "should be %s, or the absolute path of a file", none[0] != '\0' ? none : "empty");
    if (size > PATH_SIZE_MAX)
        return refuse(reading, "is %zu bytes long, of which %d are allowed", size, PATH_SIZE_MAX);
    return keep(reading, reading->text, setting);
}

/* Text that is not quoted: keys are nobody's business, and secrets even less. */
static shoal_status set_unquoted(const struct reading *reading, size_t most, const char *reason,
                                 struct shoal__setting *setting) {
    const char *text = reading->text;
    size_t size = strlen(text);
    if (size > most)
        return shoal__fault_set(reading->fault, SHOAL_E_BAD_OPTION, "%s: is %zu bytes long, of which %zu are allowed%s",
                                reading->option->name, size, most,
                                most == PREFIX_MAX ? ": a key with its prefix has 250 at most" : "");
    for (size_t i = 0; i < size; i++)
        if (shoal__byte_is_blank(text[i]))
            return shoal__fault_set(reading->fault, SHOAL_E_BAD_OPTION,
                                    "%s: byte %zu is 0x%02x: %s no spaces and no control characters",
                                    reading->option->name, i + 1, (unsigned char)text[i], reason);
    return keep(reading, text, setting);
}

/* Kinds that the parser knows and this release cannot serve. */
static shoal_status check_built_in(const struct shoal__endpoint *endpoint, struct shoal__fault *fault) {
    if (endpoint->kind == SHOAL__ENDPOINT_DNS || endpoint->kind == SHOAL__ENDPOINT_SRV)
        return shoal__fault_set(fault, SHOAL_E_UNSUPPORTED,
                                "endpoint: %s:// is not built in yet; meanwhile list the nodes: "
                                "static://host:port,host:port",
                                endpoint->kind == SHOAL__ENDPOINT_DNS ? "dns" : "srv");
    return SHOAL_OK;
}

/* Names are not quoted either: a password that holds an '&' would be read as one. */
static shoal_status refuse_query_name(size_t number, const char *name, struct shoal__fault *fault) {
    const shoal_option *nearest = shoal__option_nearest(name);
    if (nearest != NULL)
        return shoal__fault_set(fault, SHOAL_E_BAD_OPTION,
                                "option %zu after the endpoint's \"?\" is unknown; did you mean %s?", number,
                                nearest->name);
    return shoal__fault_set(fault, SHOAL_E_BAD_OPTION,
                            "option %zu after the endpoint's \"?\" is unknown; `shoal config` lists those there are",
                            number);
}

static shoal_status check_query(const struct shoal__endpoint *endpoint, struct shoal__fault *fault) {
    for (size_t i = 0; i < endpoint->option_count; i++) {
        const struct shoal__endpoint_option *given = &endpoint->options[i];
        const shoal_option *option = shoal_option_find(given->name);
        struct shoal__setting setting;
        if (option == NULL)
            return refuse_query_name(i + 1, given->name, fault);
        if (option->type == SHOAL__TYPE_endpoint)
            return shoal__fault_set(fault, SHOAL_E_BAD_OPTION,
                                    "option %zu after the endpoint's \"?\" is endpoint itself: leave it out", i + 1);
        shoal_status status = shoal__setting_read(&setting, option, given->value, true, fault);
        if (status != SHOAL_OK)
            return status;
        shoal__setting_clear(&setting);
    }
    return SHOAL_OK;
}

static shoal_status set_endpoint(const struct reading *reading, struct shoal__setting *setting) {
    shoal_status status = shoal__endpoint_parse(reading->text, &setting->endpoint, reading->fault);
    if (status == SHOAL_OK)
        status = check_built_in(&setting->endpoint, reading->fault);
    if (status == SHOAL_OK)
        status = check_query(&setting->endpoint, reading->fault);
    return status == SHOAL_OK ? keep(reading, reading->text, setting) : status;
}

static shoal_status set_by_type(const struct reading *reading, struct shoal__setting *setting) {
    switch (reading->option->type) {
    case SHOAL__TYPE_endpoint:
        return set_endpoint(reading, setting);
    case SHOAL__TYPE_integer:
        return set_integer(reading, setting);
    case SHOAL__TYPE_number:
        return set_number(reading, setting);
    case SHOAL__TYPE_span:
        return set_span(reading, setting);
    case SHOAL__TYPE_boolean:
        return set_boolean(reading, setting);
    case SHOAL__TYPE_choice:
        return set_choice(reading, setting);
    case SHOAL__TYPE_fallback:
        return set_fallback(reading, setting);
    case SHOAL__TYPE_allow:
        return set_allow(reading, setting);
    case SHOAL__TYPE_prefix:
        return set_unquoted(reading, PREFIX_MAX, "a key holds", setting);
    case SHOAL__TYPE_path:
        return set_path(reading, "off", setting);
    case SHOAL__TYPE_file:
        return set_path(reading, "", setting);
    case SHOAL__TYPE_word:
    case SHOAL__TYPE_secret:
        return set_unquoted(reading, WORD_MAX, "it takes", setting);
    case SHOAL__TYPE_text:
        break;
    }
    return keep(reading, reading->text, setting);
}

shoal_status shoal__setting_read(struct shoal__setting *setting, const shoal_option *option, const char *text,
                                 bool is_secret, struct shoal__fault *fault) {
    struct reading reading = {option, text, is_secret, fault};
    *setting = (struct shoal__setting){0};
    shoal_status status = set_by_type(&reading, setting);
    if (status != SHOAL_OK)
        shoal__setting_clear(setting);
    return status;
}

bool shoal__setting_copy(struct shoal__setting *copy, const struct shoal__setting *setting) {
    *copy = (struct shoal__setting){.integer = setting->integer, .high = setting->high, .number = setting->number};
    copy->text = setting->text ? strdup(setting->text) : NULL;
    if ((setting->text == NULL || copy->text != NULL) && shoal__node_list_copy(&copy->nodes, &setting->nodes) &&
        shoal__endpoint_copy(&copy->endpoint, &setting->endpoint))
        return true;
    shoal__setting_clear(copy);
    return false;
}

void shoal__setting_clear(struct shoal__setting *setting) {
    free(setting->text);
    shoal__node_list_clear(&setting->nodes);
    shoal__endpoint_clear(&setting->endpoint);
    *setting = (struct shoal__setting){0};
}
