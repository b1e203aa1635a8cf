/* A growing run of bytes.
 * May include: libc. */
#ifndef SHOAL_BASE_BUFFER_H
#define SHOAL_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

/* A zeroed one is empty. */
struct shoal__buffer {
    char *bytes;
    size_t size;
    size_t capacity;
};

/* Room for `more` bytes behind the ones there: write them, then add to size. NULL where memory ran out. */
char *shoal__buffer_reserve(struct shoal__buffer *buffer, size_t more);

/* Copies bytes behind those there. False where memory ran out. */
bool shoal__buffer_append(struct shoal__buffer *buffer, const char *bytes, size_t size);

void shoal__buffer_clear(struct shoal__buffer *buffer);

#endif
