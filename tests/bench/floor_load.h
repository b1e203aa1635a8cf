/* What is stored and read: keys, their values, and where the floor puts what it reads.
 * May include: libc. Used by floor.c and floor_*.c. */
#ifndef TESTS_BENCH_FLOOR_LOAD_H
#define TESTS_BENCH_FLOOR_LOAD_H

#include <stdbool.h>
#include <stddef.h>

#define LOAD_KEY_ROOM 16

struct load_key {
    char text[LOAD_KEY_ROOM];
    size_t size;
};

struct load {
    size_t count;
    size_t value_size; /* of every value */
    struct load_key *keys;
    char *values;  /* one behind the other; no two alike */
    char *results; /* the same for what was read */
    bool *done;    /* whether a key was found, or stored */
};

/* The caller's: load_clear. */
struct load load_new(size_t count, size_t value_size);
void load_clear(struct load *load);

char *load_value(const struct load *load, size_t index);
char *load_result(const struct load *load, size_t index);

/* Ends the process with a line on stderr. */
__attribute__((noreturn)) void give_up(const char *what);

#endif
