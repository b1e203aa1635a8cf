/* The words of a line of cases.txt.
 * May include: libc, words.h. */
#include "words.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LARGEST_WORD ((size_t)8 * 1024 * 1024)

/* --- Reading --- */

/* Makes room for `size` more bytes and the NUL behind them. */
static bool make_room(struct word *word, size_t size) {
    char *bytes = size < LARGEST_WORD && word->size < LARGEST_WORD ? realloc(word->bytes, word->size + size + 1) : NULL;
    if (bytes != NULL)
        word->bytes = bytes;
    return bytes != NULL;
}

static bool add_byte(struct word *word, char byte) {
    if (!make_room(word, 1))
        return false;
    word->bytes[word->size++] = byte;
    word->bytes[word->size] = '\0';
    return true;
}

static bool read_hex(const char **at, char *byte) {
    char digits[3] = {0};
    for (int i = 0; i < 2; i++) {
        digits[i] = *(*at)++;
        if (!isxdigit((unsigned char)digits[i]))
            return false;
    }
    *byte = (char)strtoul(digits, NULL, 16);
    return true;
}

/* What stands behind a backslash. */
static bool read_escape(const char **at, char *byte) {
    char mark = *(*at)++;
    *byte = mark;
    if (mark == 'r')
        *byte = '\r';
    else if (mark == 'n')
        *byte = '\n';
    else if (mark == 'x')
        return read_hex(at, byte);
    else
        return mark == '"' || mark == '\\';
    return true;
}

/* Makes the bytes from `begin` on stand `*N` times in all, where that follows. */
static bool read_repetition(const char **at, struct word *word, size_t begin) {
    if (**at != '*')
        return true;
    char *end = NULL;
    size_t size = word->size - begin;
    unsigned long times = strtoul(*at + 1, &end, 10);
    if (end == *at + 1 || times == 0 || size == 0 || times > LARGEST_WORD || !make_room(word, size * (times - 1)))
        return false;
    for (unsigned long i = 1; i < times; i++)
        memcpy(word->bytes + begin + i * size, word->bytes + begin, size);
    word->size = begin + size * times;
    word->bytes[word->size] = '\0';
    *at = end;
    return true;
}

static bool read_quoted(const char **at, struct word *word) {
    size_t begin = word->size;
    (*at)++;
    while (**at != '"') {
        char byte = *(*at)++;
        if (byte == '\0' || (byte == '\\' && !read_escape(at, &byte)) || !add_byte(word, byte))
            return false;
    }
    (*at)++;
    return read_repetition(at, word, begin);
}

static bool read_word(const char **at, struct word *word) {
    if (!make_room(word, 0))
        return false;
    word->bytes[0] = '\0';
    while (**at != ' ' && **at != '\0')
        if (**at == '"' ? !read_quoted(at, word) : !add_byte(word, *(*at)++))
            return false;
    return true;
}

bool words_read(struct words *words, const char *line) {
    *words = (struct words){.count = 0};
    while (*(line += strspn(line, " ")) != '\0') {
        if (words->count == WORDS_MAX || *line == '\\' || !read_word(&line, &words->at[words->count++]))
            return false;
    }
    return true;
}

void words_free(struct words *words) {
    for (size_t i = 0; i < words->count; i++)
        free(words->at[i].bytes);
    words->count = 0;
}

/* --- Asking --- */

bool word_is(const struct word *word, const char *text) {
    return word->size == strlen(text) && memcmp(word->bytes, text, word->size) == 0;
}

const char *words_named(struct words *words, size_t first, size_t end, const char *name) {
    size_t size = strlen(name);
    for (size_t i = first; i < end; i++) {
        struct word *word = &words->at[i];
        if (!word->used && strncmp(word->bytes, name, size) == 0 && word->bytes[size] == '=') {
            word->used = true;
            return word->bytes + size + 1;
        }
    }
    return NULL;
}

bool read_signed(const char *text, int64_t *number) {
    char *end = NULL;
    errno = 0;
    *number = strtoll(text, &end, 10);
    return end != text && *end == '\0' && errno == 0;
}

bool read_unsigned(const char *text, uint64_t *number) {
    char *end = NULL;
    errno = 0;
    *number = strtoull(text, &end, 10);
    return isdigit((unsigned char)*text) && *end == '\0' && errno == 0;
}
