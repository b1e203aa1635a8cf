/* zlib and zstd, each told how much it may write: what a value claims of its size is never believed beyond that.
 * May include: base/, value, fastlz, and the one place for zlib's and zstd's headers. */
#include "logic/compress.h"

#include "logic/fastlz.h"
#include "logic/value.h"

#include <limits.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#define ZSTD_LEVEL 3           /* zstd's own default */
#define FIRST_CAPACITY 1024    /* the least room for a value of unknown size */
#define USUAL_RATIO 4          /* what zlib makes of text, roughly */
#define ZLIB_OR_GZIP (15 + 32) /* any window; the header tells which of the two it is */

static shoal_status out_of_memory(size_t size, struct shoal__fault *fault) {
    return shoal__fault_set(fault, SHOAL_E_NO_MEMORY, "there is no memory for a value of %zu bytes", size);
}

static shoal_status damaged(const char *how, struct shoal__fault *fault) {
    return shoal__fault_set(fault, SHOAL_E_BAD_VALUE,
                            "the compressed value is damaged: %s; store it again, and see what else writes to this key",
                            how);
}

static shoal_status too_large(const struct shoal__packed *packed, struct shoal__fault *fault) {
    return shoal__fault_set(fault, SHOAL_E_TOO_LARGE,
                            "the compressed value of %zu bytes becomes larger than the %zu bytes allowed: allow more, "
                            "or delete it",
                            packed->size, packed->max_bytes);
}

/* These give the size written; 0, which no compressed value has, where it did not fit. */
static shoal_status deflate_into(const void *data, size_t size, uint8_t *room, size_t *room_size,
                                 struct shoal__fault *fault) {
    uLongf written = *room_size;
    int result = compress(room, &written, data, size);
    if (result == Z_MEM_ERROR)
        return out_of_memory(size, fault);
    *room_size = result == Z_OK ? written : 0;
    return SHOAL_OK;
}

static shoal_status zstd_into(const void *data, size_t size, uint8_t *room, size_t *room_size,
                              struct shoal__fault *fault) {
    size_t written = ZSTD_compress(room, *room_size, data, size, ZSTD_LEVEL);
    if (ZSTD_getErrorCode(written) == ZSTD_error_memory_allocation)
        return out_of_memory(size, fault);
    *room_size = ZSTD_isError(written) ? 0 : written;
    return SHOAL_OK;
}

shoal_status shoal__compress(enum shoal__packing packing, const void *data, size_t size, size_t head,
                             shoal_value **packed, struct shoal__fault *fault) {
    *packed = NULL;
    if (size <= head + 1)
        return SHOAL_OK;
    shoal_value *value = shoal__value_new(size - 1, 0, 0);
    if (value == NULL)
        return out_of_memory(size, fault);
    uint8_t *room = (uint8_t *)shoal__value_bytes(value) + head;
    size_t written = size - 1 - head;
    shoal_status status = packing == SHOAL__PACKING_ZSTD ? zstd_into(data, size, room, &written, fault)
                                                         : deflate_into(data, size, room, &written, fault);
    if (status == SHOAL_OK && written > 0)
        *packed = shoal__value_resize(value, head + written);
    else
        shoal_value_free(value);
    return status;
}

static size_t first_capacity(const struct shoal__packed *packed) {
    if (packed->plain_size_known)
        return packed->plain_size;
    size_t usual = packed->size > packed->max_bytes / USUAL_RATIO ? packed->max_bytes : packed->size * USUAL_RATIO;
    size_t least = packed->max_bytes < FIRST_CAPACITY ? packed->max_bytes : FIRST_CAPACITY;
    return usual > least ? usual : least;
}

/* Doubles the room, up to what is allowed. */
static shoal_status grow(const struct shoal__packed *packed, shoal_value **plain, struct shoal__fault *fault) {
    size_t capacity = shoal_value_size(*plain);
    if (packed->plain_size_known)
        return damaged("it goes on behind the size that it tells", fault);
    if (capacity == packed->max_bytes)
        return too_large(packed, fault);
    capacity = capacity > packed->max_bytes / 2 ? packed->max_bytes : capacity * 2;
    shoal_value *larger = shoal__value_resize(*plain, capacity);
    if (larger == NULL)
        return out_of_memory(capacity, fault);
    *plain = larger;
    return SHOAL_OK;
}

static shoal_status check_inflated(const struct shoal__packed *packed, const z_stream *stream, size_t done,
                                   struct shoal__fault *fault) {
    if (stream->avail_in > 0)
        return damaged("more bytes follow it, as if something had been appended", fault);
    if (packed->plain_size_known && done != packed->plain_size)
        return damaged("it is shorter than the size that it tells", fault);
    return SHOAL_OK;
}

/* Inflates into *plain, which grows and moves as needed, and ends with the size it has to have. */
static shoal_status inflate_all(const struct shoal__packed *packed, z_stream *stream, shoal_value **plain,
                                struct shoal__fault *fault) {
    size_t done = 0;
    for (;;) {
        size_t room = shoal_value_size(*plain) - done;
        stream->next_out = (Bytef *)shoal__value_bytes(*plain) + done;
        stream->avail_out = room < UINT_MAX ? (uInt)room : UINT_MAX;
        uInt offered = stream->avail_out;
        int result = inflate(stream, Z_NO_FLUSH);
        done += offered - stream->avail_out;
        if (result == Z_STREAM_END)
            break;
        if (result == Z_MEM_ERROR)
            return out_of_memory(packed->size, fault);
        if (result != Z_OK && result != Z_BUF_ERROR)
            return damaged("it is no zlib stream, or its checksum is wrong", fault);
        if (stream->avail_out > 0)
            return damaged("its end is missing", fault);
        shoal_status status = done < shoal_value_size(*plain) ? SHOAL_OK : grow(packed, plain, fault);
        if (status != SHOAL_OK)
            return status;
    }
    *plain = shoal__value_resize(*plain, done);
    return check_inflated(packed, stream, done, fault);
}

static shoal_status unpack_zlib(const struct shoal__packed *packed, shoal_value **plain, struct shoal__fault *fault) {
    if (packed->size > UINT_MAX)
        return damaged("it is larger than any item of memcached", fault);
    /* next_in is not const in every build of zlib; inflate only reads. */
    z_stream stream = {.next_in = (Bytef *)packed->data, .avail_in = (uInt)packed->size};
    if (inflateInit2(&stream, ZLIB_OR_GZIP) != Z_OK)
        return out_of_memory(packed->size, fault);
    shoal_status status = inflate_all(packed, &stream, plain, fault);
    inflateEnd(&stream);
    return status;
}

/* Takes the size from the frame where it is not known from elsewhere. */
static shoal_status measure_zstd(struct shoal__packed *packed, struct shoal__fault *fault) {
    unsigned long long told = ZSTD_getFrameContentSize(packed->data, packed->size);
    size_t frame = ZSTD_findFrameCompressedSize(packed->data, packed->size);
    if (told == ZSTD_CONTENTSIZE_ERROR || ZSTD_isError(frame))
        return damaged("it is no zstd frame, or its end is missing", fault);
    if (frame < packed->size)
        return damaged("more bytes follow it, as if something had been appended", fault);
    if (packed->plain_size_known)
        return SHOAL_OK;
    if (told == ZSTD_CONTENTSIZE_UNKNOWN)
        return damaged("its zstd frame does not tell how large it becomes", fault);
    if (told > packed->max_bytes)
        return too_large(packed, fault);
    packed->plain_size_known = true;
    packed->plain_size = (size_t)told;
    return SHOAL_OK;
}

/* In one step: zstd's streams would take up to 128 MiB for the window that a frame of few bytes may ask for. */
static shoal_status unpack_zstd(const struct shoal__packed *packed, shoal_value **plain, struct shoal__fault *fault) {
    size_t size = shoal_value_size(*plain);
    size_t done = ZSTD_decompress(shoal__value_bytes(*plain), size, packed->data, packed->size);
    if (ZSTD_getErrorCode(done) == ZSTD_error_memory_allocation)
        return out_of_memory(size, fault);
    if (ZSTD_isError(done) || done != size)
        return damaged("its zstd frame cannot be read, or is not of the size that it tells", fault);
    return SHOAL_OK;
}

static shoal_status unpack_fastlz(const struct shoal__packed *packed, shoal_value **plain, struct shoal__fault *fault) {
    if (!shoal__fastlz_decode(packed->data, packed->size, shoal__value_bytes(*plain), shoal_value_size(*plain)))
        return damaged("its FastLZ block cannot be read, or is not of the size that it tells", fault);
    return SHOAL_OK;
}

static shoal_status unpack(const struct shoal__packed *packed, shoal_value **plain, struct shoal__fault *fault) {
    switch (packed->packing) {
    case SHOAL__PACKING_ZLIB:
        return unpack_zlib(packed, plain, fault);
    case SHOAL__PACKING_ZSTD:
        return unpack_zstd(packed, plain, fault);
    default:
        return unpack_fastlz(packed, plain, fault);
    }
}

shoal_status shoal__decompress(const struct shoal__packed *packed, shoal_value **plain, struct shoal__fault *fault) {
    struct shoal__packed measured = *packed;
    *plain = NULL;
    shoal_status status = packed->packing == SHOAL__PACKING_ZSTD ? measure_zstd(&measured, fault) : SHOAL_OK;
    if (status != SHOAL_OK)
        return status;
    if (measured.plain_size_known && measured.plain_size > measured.max_bytes)
        return too_large(&measured, fault);
    shoal_value *value = shoal__value_new(first_capacity(&measured), 0, 0);
    if (value == NULL)
        return out_of_memory(first_capacity(&measured), fault);
    status = unpack(&measured, &value, fault);
    if (status == SHOAL_OK)
        *plain = value;
    else
        shoal_value_free(value);
    return status;
}
