/* The words of a line of cases.txt: bytes of any kind, with escapes and repetitions resolved.
 * May include: libc. Used by the runner of the conformance cases. */
#ifndef TESTS_CONFORMANCE_WORDS_H
#define TESTS_CONFORMANCE_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WORDS_MAX 16

struct word {
    char *bytes; /* a NUL byte stands behind them */
    size_t size;
    bool used; /* by what reads the line: a word that nobody asked for is a mistake */
};

struct words {
    struct word at[WORDS_MAX];
    size_t count;
};

/* False where the line does not keep to the grammar; words_free in either case. */
bool words_read(struct words *words, const char *line);
void words_free(struct words *words);

bool word_is(const struct word *word, const char *text);

/* The text of the first unused word `name=TEXT` among those from `first` up to `end`, which is used then; else NULL. */
const char *words_named(struct words *words, size_t first, size_t end, const char *name);

/* Decimal numbers, whole and within their range. */
bool read_signed(const char *text, int64_t *number);
bool read_unsigned(const char *text, uint64_t *number);

#endif
