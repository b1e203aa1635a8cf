/* Three answers: VERSION, MN, and counters up to END.
 * May include: base/, logic/. */
#include "logic/meta_greeting.h"

#include "logic/text.h"

#include <string.h>

#define META_SINCE 10
#define MISSES_MARKED_SINCE 18

/* The N of 1.6.N; 0 for what numbers itself in another way. */
static uint64_t patch_of(const struct shoal__meta_line *line) {
    struct shoal__slice rest = {line->text, line->text_size};
    struct shoal__slice piece[3];
    uint64_t patch = 0;
    for (size_t i = 0; i < 3; i++)
        if (!shoal__slice_next(&rest, '.', &piece[i]))
            return 0;
    if (!shoal__slice_equals(piece[0], "1") || !shoal__slice_equals(piece[1], "6") ||
        !shoal__slice_number(piece[2], 10000, &patch))
        return 0;
    return patch;
}

static enum shoal__greeted take_version(struct shoal__greeting *greeting, const struct shoal__meta_line *line) {
    uint64_t patch = line->kind == SHOAL__META_VERSION ? patch_of(line) : 0;
    if (line->kind != SHOAL__META_VERSION || (patch > 0 && patch < META_SINCE))
        return SHOAL__GREETED_OTHER;
    greeting->misses_unmarked = patch < MISSES_MARKED_SINCE;
    greeting->answers++;
    return SHOAL__GREETED_PARTLY;
}

static enum shoal__greeted take_noop(struct shoal__greeting *greeting, const struct shoal__meta_line *line) {
    greeting->answers++;
    return line->kind == SHOAL__META_NOOP ? SHOAL__GREETED_PARTLY : SHOAL__GREETED_OTHER;
}

/* A server that does not tell its settings speaks meta all the same. */
static enum shoal__greeted take_setting(struct shoal__greeting *greeting, const struct shoal__meta_line *line) {
    static const char name[] = "item_size_max ";
    size_t name_size = sizeof(name) - 1;
    uint64_t number;
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
    while (greeted == SHOAL__GREETED_PARTLY &&
           shoal__meta_parse(bytes + *taken, size - *taken, &line) != SHOAL__META_INCOMPLETE) {
        greeted = steps[greeting->answers](greeting, &line);
        *taken += line.size;
    }
    return greeted;
}
