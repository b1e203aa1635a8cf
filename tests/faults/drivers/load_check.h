/* What a value of the load carries, and what is wrong with one that came back: its key, its version and filling, 200
 * bytes in all. May include: libc. Used by load.c, and by load_check.c alone. */
#ifndef TESTS_FAULTS_LOAD_CHECK_H
#define TESTS_FAULTS_LOAD_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#define LOAD_KEY_MAX 32
#define LOAD_VALUE_SIZE 200

/* By key: the last version that was sent, and the last that is known to be stored. */
struct load_versions {
    size_t keys;
    unsigned *tried;
    unsigned *stored;
};

enum load_verdict {
    LOAD_RIGHT,
    LOAD_STALE, /* older than what this process knows to be stored */
    LOAD_WRONG, /* another key's, one that was never written, or no value of the load's */
};

void load_versions_init(struct load_versions *versions, size_t keys);
void load_versions_clear(struct load_versions *versions);

size_t load_key(char name[LOAD_KEY_MAX], size_t key);
void load_value(char value[LOAD_VALUE_SIZE], size_t key, unsigned version);
enum load_verdict load_judge(const struct load_versions *versions, size_t key, const char *value, size_t size);

#endif
