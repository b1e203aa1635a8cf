/* FastLZ. A block is a run of instructions, each of which begins with a byte TTTLLLLL:
 *
 *     TTT = 0        copy the LLLLL + 1 bytes that follow
 *     TTT = 1 .. 6   repeat TTT + 2 bytes from before
 *     TTT = 7        repeat 9 bytes and more: level 1 adds the next byte, level 2 all up to one that is not 255
 *
 * From how far before: LLLLL * 256 + the next byte + 1. In level 2, where that is as far as it can say (8192), two more
 * bytes, the higher first, are added. The first byte's TTT is the level less 1, and stands for 0.
 * May include: libc. */
#include "logic/fastlz.h"

#include <string.h>

#define FARTHEST (31 * 256 + 255)

struct decoder {
    const uint8_t *next;
    const uint8_t *end;
    uint8_t *plain;
    size_t done;
    size_t size;
};

static bool take(struct decoder *decoder, size_t *byte) {
    if (decoder->next == decoder->end)
        return false;
    *byte = *decoder->next++;
    return true;
}

static bool copy_literals(struct decoder *decoder, size_t count) {
    if (count > (size_t)(decoder->end - decoder->next) || count > decoder->size - decoder->done)
        return false;
    memcpy(decoder->plain + decoder->done, decoder->next, count);
    decoder->next += count;
    decoder->done += count;
    return true;
}

static bool take_length(struct decoder *decoder, int level, size_t *length) {
    size_t byte;
    do {
        if (!take(decoder, &byte))
            return false;
        *length += byte;
    } while (level == 2 && byte == 255);
    return true;
}

static bool take_distance(struct decoder *decoder, int level, size_t high, size_t *distance) {
    size_t low;
    if (!take(decoder, &low))
        return false;
    *distance = high * 256 + low;
    if (level == 2 && *distance == FARTHEST) {
        size_t far_high;
        size_t far_low;
        if (!take(decoder, &far_high) || !take(decoder, &far_low))
            return false;
        *distance += far_high * 256 + far_low;
    }
    *distance += 1;
    return true;
}

/* Byte by byte, as what is repeated may still be growing. */
static bool repeat(struct decoder *decoder, size_t distance, size_t length) {
    if (distance > decoder->done || length > decoder->size - decoder->done)
        return false;
    uint8_t *to = decoder->plain + decoder->done;
    const uint8_t *from = to - distance;
    for (size_t i = 0; i < length; i++)
        to[i] = from[i];
    decoder->done += length;
    return true;
}

static bool run(struct decoder *decoder, int level, size_t instruction) {
    size_t type = instruction >> 5;
    size_t low = instruction & 31;
    if (type == 0)
        return copy_literals(decoder, low + 1);
    size_t length = type + 2;
    size_t distance;
    return (type != 7 || take_length(decoder, level, &length)) && take_distance(decoder, level, low, &distance) &&
           repeat(decoder, distance, length);
}

bool shoal__fastlz_decode(const uint8_t *packed, size_t packed_size, uint8_t *plain, size_t plain_size) {
    struct decoder decoder = {.next = packed, .end = packed + packed_size, .plain = plain, .size = plain_size};
    size_t instruction;
    if (!take(&decoder, &instruction) || instruction >> 5 > 1)
        return false;
    int level = (int)(instruction >> 5) + 1;
    instruction &= 31;
    do {
        if (!run(&decoder, level, instruction))
            return false;
    } while (take(&decoder, &instruction));
    return decoder.done == decoder.size;
}
