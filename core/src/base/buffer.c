/* A growing run of bytes.
 * May include: base/ and libc. */
#include "base/buffer.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SMALLEST_CAPACITY 256

char *shoal__buffer_reserve(struct shoal__buffer *buffer, size_t more) {
    if (more > SIZE_MAX / 4 || buffer->size > SIZE_MAX / 4)
        return NULL;
    if (buffer->capacity - buffer->size < more) {
        size_t capacity = buffer->capacity ? buffer->capacity : SMALLEST_CAPACITY;
        while (capacity - buffer->size < more)
            capacity *= 2;
        char *bytes = realloc(buffer->bytes, capacity);
        if (bytes == NULL)
            return NULL;
        buffer->bytes = bytes;
        buffer->capacity = capacity;
    }
    return buffer->bytes + buffer->size;
}

bool shoal__buffer_append(struct shoal__buffer *buffer, const char *bytes, size_t size) {
    char *room = shoal__buffer_reserve(buffer, size);
    if (room == NULL)
        return false;
    memcpy(room, bytes, size);
    buffer->size += size;
    return true;
}

void shoal__buffer_clear(struct shoal__buffer *buffer) {
    free(buffer->bytes);
    *buffer = (struct shoal__buffer){0};
}
