/* Three answers: VERSION, MN, and counters up to END.
 * May include: base/, logic/. */
#include "logic/meta_greeting.h"

#include "logic/text.h"

#include <string.h>

#define META_SINCE 10610
#define MISSES_MARKED_SINCE 10618

/* Digits at the front, and a dot behind them if there is one, are taken off; 0 where there are none. */
static unsigned take_number(struct shoal__slice *rest) {
    unsigned number = 0;
    while (rest->size > 0 && *rest->bytes >= '0' && *rest->bytes <= '9' && number < 100000) {
        number = number * 10 + (unsigned)(*rest->bytes - '0');
        rest->bytes++;
        rest->size--;
    }
    if (rest->size > 0 && *rest->bytes == '.') {
        rest->bytes++;
        rest->size--;
    }
    return number;
}

/* A version as one number, 1.6.18 as 10618; 0 for what numbers itself in another way. */
static unsigned version_of(const struct shoal__meta_line *line) {
    struct shoal__slice rest = {line->text, line->text_size};
    unsigned major = take_number(&rest);
    unsigned minor = take_number(&rest);
    unsigned patch = take_number(&rest);
    return major < 100 && minor < 100 && patch < 100 ? major * 10000 + minor * 100 + patch : 0;
}

static bool says_full(const struct shoal__meta_line *line) {
    static const char words[] = "Too many open connections";
    return line->kind == SHOAL__META_UNKNOWN && line->text_size >= sizeof(words) - 1 &&
           memcmp(line->text, words, sizeof(words) - 1) == 0;
}

static bool says_locked(const struct shoal__meta_line *line) {
    static const char words[] = "unauthenticated";
    return line->kind == SHOAL__META_CLIENT_ERROR && line->text_size == sizeof(words) - 1 &&
           memcmp(line->text, words, line->text_size) == 0;
}

/* A record of TLS: its type, and the first byte of every version of it. */
static bool is_tls_alert(const char *bytes, size_t size) {
    return size >= 2 && bytes[0] == 0x15 && bytes[1] == 0x03;
}

static bool is_refusal(const struct shoal__meta_line *line) {
    return line->kind == SHOAL__META_UNKNOWN || line->kind == SHOAL__META_CLIENT_ERROR ||
           line->kind == SHOAL__META_SERVER_ERROR;
}

static enum shoal__greeted take_version(struct shoal__greeting *greeting, const struct shoal__meta_line *line) {
    unsigned version = line->kind == SHOAL__META_VERSION ? version_of(line) : 0;
    if (says_full(line))
        return SHOAL__GREETED_FULL;
    if (says_locked(line))
        return SHOAL__GREETED_LOCKED;
    if (line->kind != SHOAL__META_VERSION)
        return is_refusal(line) ? SHOAL__GREETED_OTHER : SHOAL__GREETED_STRANGE;
    if (version > 0 && version < META_SINCE)
        return SHOAL__GREETED_OTHER;
    greeting->misses_unmarked = version < MISSES_MARKED_SINCE;
    greeting->answers++;
    return SHOAL__GREETED_PARTLY;
}

static enum shoal__greeted take_noop(struct shoal__greeting *greeting, const struct shoal__meta_line *line) {
    greeting->answers++;
    if (line->kind == SHOAL__META_NOOP)
        return SHOAL__GREETED_PARTLY;
    /* EN is what mn was answered with while meta was being made. */
    return is_refusal(line) || line->kind == SHOAL__META_MISS ? SHOAL__GREETED_OTHER : SHOAL__GREETED_STRANGE;
}

/* A server that does not tell its settings speaks meta all the same. */
static enum shoal__greeted take_setting(struct shoal__greeting *greeting, const struct shoal__meta_line *line) {
    static const char name[] = "item_size_max ";
    size_t name_size = sizeof(name) - 1;
    uint64_t number;
    if (line->kind == SHOAL__META_MALFORMED)
        return SHOAL__GREETED_STRANGE;
    if (line->kind != SHOAL__META_STAT)
        return SHOAL__GREETED_META;
    if (line->text_size > name_size && memcmp(line->text, name, name_size) == 0 &&
        shoal__slice_number((struct shoal__slice){line->text + name_size, line->text_size - name_size},
                            SHOAL__META_VALUE_MAX, &number))
        greeting->item_max = (size_t)number;
    return SHOAL__GREETED_PARTLY;
}

enum shoal__greeted shoal__greeting_take(struct shoal__greeting *greeting, const char *bytes, size_t size,
                                         size_t *taken) {
    static enum shoal__greeted (*const steps[])(struct shoal__greeting *, const struct shoal__meta_line *) = {
        take_version, take_noop, take_setting};
    enum shoal__greeted greeted = SHOAL__GREETED_PARTLY;
    struct shoal__meta_line line;
    *taken = 0;
    if (greeting->answers == 0 && is_tls_alert(bytes, size))
        return SHOAL__GREETED_TLS;
    while (greeted == SHOAL__GREETED_PARTLY &&
           shoal__meta_parse(bytes + *taken, size - *taken, &line) != SHOAL__META_INCOMPLETE) {
        greeted = steps[greeting->answers](greeting, &line);
        *taken += line.size;
    }
    return greeted;
}
