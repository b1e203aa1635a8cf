/* A memcached in a few lines: reads what an exchange asks, checks that it is well formed, and answers it.
 * May include: common, libc. */
#include "meta_server.h"

#include "common.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- The world --- */

#define LONG_SIZE 17000 /* too large to be read, refused when stored, and sent from its place */

static const char *filler(void) {
    static char bytes[LONG_SIZE + 1];
    if (bytes[0] == '\0')
        for (size_t i = 0; i < LONG_SIZE; i++)
            bytes[i] = "VALUE a 0 1\r\nEND\r\n"[i % 18];
    return bytes;
}

struct model_item model_item_at(size_t index) {
    const struct model_item items[MODEL_ITEMS] = {
        {.key = "a", .value = "11", .size = 2, .number = 12, .exists = true},
        {.key = "bb", .value = "", .flags = 3, .exists = true},
        {.key = "ccc", .value = "EN O3\r\nEND\r\n", .size = 12, .flags = UINT32_MAX, .exists = true},
        {.key = "d", .value = "1 ", .size = 2, .number = UINT64_MAX, .exists = true},
        {.key = "e", .value = filler(), .size = LONG_SIZE, .exists = true, .is_refused = true},
        {.key = "f", .value = "gone", .size = 4},
        {.key = "g", .value = "refused", .size = 7, .is_refused = true},
        {.key = "h", .value = filler(), .size = MODEL_VALUE_MAX, .flags = 1, .exists = true},
    };
    return items[index % MODEL_ITEMS];
}

struct model_item model_find(const char *key, size_t size) {
    for (size_t i = 0; i < MODEL_ITEMS; i++) {
        struct model_item item = model_item_at(i);
        if (strlen(item.key) == size && memcmp(item.key, key, size) == 0)
            return item;
    }
    fuzz_fail("a key that was never given", __FILE__, __LINE__);
}

/* --- Answers --- */

struct asked {
    const char *at; /* in the line */
    const char *end;
    struct model_item item;
    bool is_quiet, wants_value, wants_metadata, wants_cas, has_opaque;
    char mode;
    uint32_t opaque;
    size_t size;
};

static void add_bytes(struct model_answers *answers, const void *bytes, size_t size) {
    char *at = shoal__buffer_reserve(&answers->text, size + 1);
    CHECK(at != NULL);
    if (size > 0)
        memcpy(at, bytes, size);
    answers->text.size += size;
    answers->parts[answers->count - 1].size += size;
}

__attribute__((format(printf, 2, 3))) static void add(struct model_answers *answers, const char *format, ...) {
    char text[128];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    CHECK(size >= 0 && (size_t)size < sizeof(text));
    add_bytes(answers, text, (size_t)size);
}

static void begin_part(struct model_answers *answers) {
    CHECK(answers->count < MODEL_PARTS_MAX);
    answers->parts[answers->count++] = (struct model_part){.at = answers->text.size};
}

static void answer_word(struct model_answers *answers, const struct asked *asked, const char *word) {
    begin_part(answers);
    CHECK(asked->has_opaque);
    add(answers, "%s O%" PRIu32 "\r\n", word, asked->opaque);
}

static void answer_plainly(struct model_answers *answers, const char *line) {
    begin_part(answers);
    add(answers, "%s\r\n", line);
}

/* --- Lines --- */

static bool next_word(struct asked *asked, const char **word, size_t *size) {
    while (asked->at < asked->end && *asked->at == ' ')
        asked->at++;
    *word = asked->at;
    while (asked->at < asked->end && *asked->at != ' ')
        asked->at++;
    *size = (size_t)(asked->at - *word);
    return *size > 0;
}

static bool is_word(const char *word, size_t size, const char *text) {
    return strlen(text) == size && memcmp(word, text, size) == 0;
}

static void read_flags(struct asked *asked) {
    const char *word;
    size_t size;
    while (next_word(asked, &word, &size)) {
        asked->is_quiet = asked->is_quiet || *word == 'q';
        asked->wants_value = asked->wants_value || *word == 'v';
        asked->wants_metadata = asked->wants_metadata || *word == 't';
        asked->wants_cas = asked->wants_cas || *word == 'c';
        if (*word == 'M')
            asked->mode = word[1];
        if (*word == 'C')
            asked->mode = 'C';
        if (*word == 'O') {
            asked->has_opaque = true;
            asked->opaque = (uint32_t)strtoul(word + 1, NULL, 10);
        }
    }
}

static void answer_gets(struct model_answers *answers, struct asked *asked) {
    const char *key;
    size_t size;
    while (next_word(asked, &key, &size)) {
        struct model_item item = model_find(key, size);
        if (!item.exists)
            continue;
        begin_part(answers);
        add(answers, "VALUE %s %" PRIu32 " %zu 7\r\n", item.key, item.flags, item.size);
        add_bytes(answers, item.value, item.size);
        add(answers, "\r\n");
    }
    answer_plainly(answers, "END");
}

static void answer_get(struct model_answers *answers, const struct asked *asked, bool misses_unmarked) {
    const struct model_item *item = &asked->item;
    if (!item->exists && misses_unmarked) {
        answer_plainly(answers, "EN");
    } else if (!item->exists) {
        answer_word(answers, asked, "EN");
    } else if (!asked->wants_value) {
        answer_word(answers, asked, "HD");
    } else {
        begin_part(answers);
        add(answers, "VA %zu f%" PRIu32 " c7%s O%" PRIu32 "\r\n", item->size, item->flags,
            asked->wants_metadata ? " t-1 l5 h1" : "", asked->opaque);
        add_bytes(answers, item->value, item->size);
        add(answers, "\r\n");
    }
}

static void answer_store(struct model_answers *answers, const struct asked *asked) {
    if (asked->item.is_refused)
        answer_plainly(answers, "SERVER_ERROR object too large for cache");
    else if (asked->mode == 'C')
        answer_word(answers, asked, "EX");
    else if (asked->mode != 'S')
        answer_word(answers, asked, "NS");
    else if (!asked->is_quiet)
        answer_word(answers, asked, asked->wants_cas ? "HD c8" : "HD");
}

/* The same to a classic verb; 0: the word is none. */
static char mode_of(const char *word, size_t size) {
    static const struct {
        const char *word;
        char mode;
    } verbs[] = {{"add", 'E'}, {"replace", 'R'}, {"append", 'A'}, {"prepend", 'P'}, {"cas", 'C'}};
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
        if (is_word(word, size, verbs[i].word))
            return verbs[i].mode;
    return 0;
}

static void answer_classic_store(struct model_answers *answers, const struct asked *asked) {
    if (asked->item.is_refused)
        answer_plainly(answers, "SERVER_ERROR object too large for cache");
    else
        answer_plainly(answers, asked->mode == 'C' ? "EXISTS" : "NOT_STORED");
}

static void answer_increment(struct model_answers *answers, const struct asked *asked) {
    char number[24];
    if (!asked->item.exists) {
        answer_word(answers, asked, "NF");
    } else if (asked->item.number == 0) {
        answer_plainly(answers, "CLIENT_ERROR cannot increment or decrement non-numeric value");
    } else {
        int size = snprintf(number, sizeof(number), "%" PRIu64, asked->item.number);
        begin_part(answers);
        add(answers, "VA %d O%" PRIu32 "\r\n%s\r\n", size, asked->opaque, number);
    }
}

/* The value behind a line must be the item's. How many bytes it takes. */
static size_t check_value(const struct asked *asked, const char *length, const char *bytes_end) {
    size_t taken = asked->item.size + 2;
    CHECK(strtoul(length, NULL, 10) == asked->item.size);
    CHECK((size_t)(bytes_end - asked->end) >= 2 + taken);
    CHECK(asked->item.size == 0 || memcmp(asked->end + 2, asked->item.value, asked->item.size) == 0);
    CHECK(memcmp(asked->end + taken, "\r\n", 2) == 0);
    return taken;
}

/* <key> <flags> <exptime> <bytes>, and for cas <cas unique>. */
static size_t answer_classic(struct model_answers *answers, struct asked *asked, const char *bytes_end) {
    const char *words[4];
    size_t sizes[4];
    const char *cas;
    size_t cas_size;
    for (size_t i = 0; i < 4; i++)
        CHECK(next_word(asked, &words[i], &sizes[i]));
    CHECK(next_word(asked, &cas, &cas_size) == (asked->mode == 'C'));
    asked->item = model_find(words[0], sizes[0]);
    size_t taken = check_value(asked, words[3], bytes_end);
    answer_classic_store(answers, asked);
    return taken;
}

/* The line of a command on one key; where it has a value, this must be the item's. How many bytes that took. */
static size_t answer_key(struct model_answers *answers, struct asked *asked, char verb, bool misses_unmarked,
                         const char *bytes_end) {
    const char *key;
    const char *length = NULL;
    size_t size;
    size_t length_size = 0;
    size_t taken = 0;
    asked->mode = 'S';
    CHECK(next_word(asked, &key, &size));
    asked->item = model_find(key, size);
    if (verb == 's') {
        CHECK(next_word(asked, &length, &length_size));
        taken = check_value(asked, length, bytes_end);
    }
    read_flags(asked);
    if (verb == 'g')
        answer_get(answers, asked, misses_unmarked);
    else if (verb == 's')
        answer_store(answers, asked);
    else if (verb == 'd')
        answer_word(answers, asked, asked->item.exists ? "HD" : "NF");
    else
        answer_increment(answers, asked);
    return taken;
}

void model_answer(const char *bytes, size_t size, bool misses_unmarked, struct model_answers *answers) {
    const char *end = bytes + size;
    answers->count = 0;
    answers->text.size = 0;
    while (bytes < end) {
        const char *newline = memchr(bytes, '\n', (size_t)(end - bytes));
        CHECK(newline != NULL && newline > bytes && newline[-1] == '\r');
        struct asked asked = {.at = bytes, .end = newline - 1};
        const char *word;
        size_t word_size;
        CHECK(next_word(&asked, &word, &word_size));
        bytes = newline + 1;
        if (is_word(word, word_size, "gets"))
            answer_gets(answers, &asked);
        else if (is_word(word, word_size, "mn"))
            answer_plainly(answers, "MN");
        else if (is_word(word, word_size, "flush_all"))
            answer_plainly(answers, "OK");
        else if (is_word(word, word_size, "stats"))
            answer_plainly(answers, "STAT pid 1\r\nSTAT uptime 2\r\nEND");
        else if ((asked.mode = mode_of(word, word_size)) != 0)
            bytes += answer_classic(answers, &asked, end);
        else
            bytes += answer_key(answers, &asked, word[1], misses_unmarked, end);
    }
}

/* --- On the way --- */

void model_double(struct model_answers *answers, size_t one, size_t before) {
    if (answers->count == MODEL_PARTS_MAX)
        return;
    struct model_part part = answers->parts[one];
    memmove(&answers->parts[before + 1], &answers->parts[before], (answers->count - before) * sizeof(part));
    answers->parts[before] = part;
    answers->count++;
}

void model_swap(struct model_answers *answers, size_t one, size_t other) {
    struct model_part part = answers->parts[one];
    answers->parts[one] = answers->parts[other];
    answers->parts[other] = part;
}

void model_write(const struct model_answers *answers, struct shoal__buffer *bytes) {
    for (size_t i = 0; i < answers->count; i++) {
        char *at = shoal__buffer_reserve(bytes, answers->parts[i].size + 1);
        CHECK(at != NULL);
        memcpy(at, answers->text.bytes + answers->parts[i].at, answers->parts[i].size);
        bytes->size += answers->parts[i].size;
    }
}
