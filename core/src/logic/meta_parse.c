/* The grammar of a line: a word, then what belongs to it.
 * May include: base/, logic/text, public headers. */
#include "logic/meta_parse.h"

#include "logic/text.h"

#include <shoal/value.h>

#include <string.h>

/* --- Pieces of a line --- */

/* The rest of a line, without its end. */
struct rest {
    const char *at;
    const char *end;
};

/* Servers before 1.6.18 put two spaces in places. */
static bool next_token(struct rest *rest, struct shoal__slice *token) {
    while (rest->at < rest->end && *rest->at == ' ')
        rest->at++;
    token->bytes = rest->at;
    while (rest->at < rest->end && *rest->at != ' ')
        rest->at++;
    token->size = (size_t)(rest->at - token->bytes);
    return token->size > 0;
}

/* How many digits fit in 64 bits whatever they are. */
#define SAFE_DIGITS 19

/* Digits at the front, as many as there are: the hot path of every reply. */
static size_t scan_digits(const char *digits, size_t size, uint64_t *number) {
    uint64_t value = 0;
    size_t at = 0;
    for (unsigned digit; at < size && (digit = (unsigned)(digits[at] - '0')) <= 9; at++)
        value = value * 10 + digit;
    *number = value;
    return at;
}

/* Decimal digits alone, at most max. */
static bool read_number(const char *digits, size_t size, uint64_t max, uint64_t *number) {
    if (size == 0 || scan_digits(digits, size, number) != size)
        return false;
    if (size > SAFE_DIGITS)
        return shoal__slice_number((struct shoal__slice){digits, size}, max, number);
    return *number <= max;
}

static bool next_number(struct rest *rest, uint64_t max, uint64_t *number) {
    while (rest->at < rest->end && *rest->at == ' ')
        rest->at++;
    const char *digits = rest->at;
    size_t size = scan_digits(digits, (size_t)(rest->end - digits), number);
    rest->at += size;
    bool ends = rest->at == rest->end || *rest->at == ' ';
    return ends && (size > 0 && size <= SAFE_DIGITS ? *number <= max : read_number(digits, size, max, number));
}

/* A number of seconds, -1 for ever. */
static bool read_seconds(const char *digits, size_t size, int64_t *seconds) {
    uint64_t number;
    if (size == 2 && memcmp(digits, "-1", 2) == 0) {
        *seconds = -1;
        return true;
    }
    if (!read_number(digits, size, INT64_MAX, &number))
        return false;
    *seconds = (int64_t)number;
    return true;
}

/* --- What follows the word --- */

/* A flag is a letter and what belongs to it. Those that were not asked for say nothing to us. */
static bool read_flag(struct shoal__meta_line *line, const char *value, size_t size, char letter) {
    uint64_t number = 0;
    switch (letter) {
    case 'f':
        if (!read_number(value, size, UINT32_MAX, &number))
            return false;
        line->flags = (uint32_t)number;
        return true;
    case 'c':
        return read_number(value, size, UINT64_MAX, &line->cas);
    case 'O':
        line->has_opaque = read_number(value, size, UINT32_MAX, &number);
        line->opaque = (uint32_t)number;
        return line->has_opaque;
    case 'k':
        line->has_key = true;
        line->text = value;
        line->text_size = size;
        return true;
    case 't':
        return read_seconds(value, size, &line->ttl_s);
    case 'l':
        return read_seconds(value, size, &line->idle_s);
    case 'h':
        if (!read_number(value, size, 1, &number))
            return false;
        line->was_read = (int)number;
        return true;
    default:
        return true;
    }
}

static bool read_flags(struct shoal__meta_line *line, struct rest rest) {
    struct shoal__slice token;
    while (next_token(&rest, &token))
        if (!read_flag(line, token.bytes + 1, token.size - 1, token.bytes[0]))
            return false;
    return true;
}

static bool read_value(struct shoal__meta_line *line, struct rest rest) {
    uint64_t size;
    if (!next_number(&rest, SHOAL__META_VALUE_MAX, &size))
        return false;
    line->value_size = (size_t)size;
    return read_flags(line, rest);
}

/* VALUE <key> <flags> <bytes> [<cas unique>] */
static bool read_item(struct shoal__meta_line *line, struct rest rest) {
    struct shoal__slice key;
    uint64_t flags;
    uint64_t size;
    if (!next_token(&rest, &key) || !next_number(&rest, UINT32_MAX, &flags) ||
        !next_number(&rest, SHOAL__META_VALUE_MAX, &size))
        return false;
    line->text = key.bytes;
    line->text_size = key.size;
    line->flags = (uint32_t)flags;
    line->value_size = (size_t)size;
    return rest.at == rest.end || (next_number(&rest, UINT64_MAX, &line->cas) && rest.at == rest.end);
}

/* The words after the first space. */
static bool read_text(struct shoal__meta_line *line, struct rest rest) {
    if (rest.at < rest.end)
        rest.at++;
    line->text = rest.at;
    line->text_size = (size_t)(rest.end - rest.at);
    return true;
}

static bool read_nothing(struct shoal__meta_line *line, struct rest rest) {
    (void)line;
    return rest.at == rest.end;
}

/* --- The words --- */

struct word {
    const char *text;
    unsigned char size;
    unsigned char kind;
    bool (*read)(struct shoal__meta_line *line, struct rest rest);
};

#define WORD(text, kind, read) \
    { text, sizeof(text) - 1, SHOAL__META_##kind, read }

static const struct word words[] = {
    WORD("HD", DONE, read_flags),
    WORD("VA", VALUE, read_value),
    WORD("EN", MISS, read_flags),
    WORD("VALUE", ITEM, read_item),
    WORD("END", END, read_nothing),
    WORD("NF", NOT_FOUND, read_flags),
    WORD("NS", NOT_STORED, read_flags),
    WORD("EX", EXISTS, read_flags),
    WORD("MN", NOOP, read_flags),
    WORD("STORED", DONE, read_nothing),
    WORD("NOT_STORED", NOT_STORED, read_nothing),
    WORD("EXISTS", EXISTS, read_nothing),
    WORD("NOT_FOUND", NOT_FOUND, read_nothing),
    WORD("STAT", STAT, read_text),
    WORD("OK", OK, read_nothing),
    WORD("RESET", OK, read_nothing),
    WORD("VERSION", VERSION, read_text),
    WORD("ERROR", UNKNOWN, read_text),
    WORD("CLIENT_ERROR", CLIENT_ERROR, read_text),
    WORD("SERVER_ERROR", SERVER_ERROR, read_text),
};

static const struct word *find_word(const char *text, size_t size) {
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (words[i].size == size && memcmp(words[i].text, text, size) == 0)
            return &words[i];
    return NULL;
}

enum shoal__meta_kind shoal__meta_parse(const char *bytes, size_t size, struct shoal__meta_line *line) {
    size_t looked_at = size < SHOAL__META_LINE_MAX ? size : SHOAL__META_LINE_MAX;
    const char *newline = memchr(bytes, '\n', looked_at);
    *line = (struct shoal__meta_line){.ttl_s = SHOAL_UNKNOWN, .idle_s = SHOAL_UNKNOWN, .was_read = -1};
    if (newline == NULL)
        return line->kind = size < SHOAL__META_LINE_MAX ? SHOAL__META_INCOMPLETE : SHOAL__META_MALFORMED;
    line->size = (size_t)(newline - bytes) + 1;
    line->kind = SHOAL__META_MALFORMED;
    if (newline == bytes || newline[-1] != '\r')
        return line->kind;
    const char *end = newline - 1;
    const char *space = memchr(bytes, ' ', (size_t)(end - bytes));
    struct rest rest = {.at = space ? space : end, .end = end};
    const struct word *word = find_word(bytes, (size_t)(rest.at - bytes));
    if (word != NULL && word->read(line, rest))
        line->kind = (enum shoal__meta_kind)word->kind;
    return line->kind;
}

/* --- The expected item --- */

/* A number, and the byte that ends it; 0 where it is not that. */
static size_t scan_field(const char *bytes, size_t size, char end, uint64_t max, uint64_t *number) {
    size_t digits = scan_digits(bytes, size, number);
    bool fine = digits > 0 && digits <= SAFE_DIGITS && digits < size && bytes[digits] == end && *number <= max;
    return fine ? digits + 1 : 0;
}

bool shoal__meta_parse_item(const char *bytes, size_t size, const char *key, size_t key_size,
                            struct shoal__meta_line *line) {
    static const char word[] = "VALUE ";
    size_t at = sizeof(word) - 1 + key_size;
    uint64_t flags;
    uint64_t value_size;
    size_t used;
    if (size <= at || memcmp(bytes, word, sizeof(word) - 1) != 0 ||
        memcmp(bytes + sizeof(word) - 1, key, key_size) != 0 || bytes[at++] != ' ')
        return false;
    if ((used = scan_field(bytes + at, size - at, ' ', UINT32_MAX, &flags)) == 0)
        return false;
    at += used;
    if ((used = scan_field(bytes + at, size - at, ' ', SHOAL__META_VALUE_MAX, &value_size)) == 0)
        return false;
    at += used;
    if ((used = scan_field(bytes + at, size - at, '\r', UINT64_MAX, &line->cas)) == 0)
        return false;
    at += used;
    if (at == size || bytes[at] != '\n')
        return false;
    line->size = at + 1;
    line->flags = (uint32_t)flags;
    line->value_size = (size_t)value_size;
    return true;
}
