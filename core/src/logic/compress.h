/* Compressing and decompressing whole values. Pure.
 * May include: base/, value. Called by codec.c. */
#ifndef SHOAL_LOGIC_COMPRESS_H
#define SHOAL_LOGIC_COMPRESS_H

#include "base/error.h"

#include <shoal/value.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum shoal__packing { SHOAL__PACKING_NONE, SHOAL__PACKING_ZLIB, SHOAL__PACKING_ZSTD, SHOAL__PACKING_FASTLZ };

/* Compresses into a new value, by zlib or zstd. Its first `head` bytes are for the caller to fill. *packed is NULL,
 * and nothing failed, where value and head would not be smaller than what is there. */
shoal_status shoal__compress(enum shoal__packing packing, const void *data, size_t size, size_t head,
                             shoal_value **packed, struct shoal__fault *fault);

struct shoal__packed {
    enum shoal__packing packing;
    const uint8_t *data;
    size_t size;
    bool plain_size_known; /* must be, for fastlz */
    size_t plain_size;
    size_t max_bytes; /* how large it may become */
};

/* Decompresses into a new value, which allocates no more than max_bytes. SHOAL_E_BAD_VALUE where the bytes are no
 * whole compressed value, or not of the size that is known; SHOAL_E_TOO_LARGE. A gzip header does for zlib's, as
 * dalli's GzipCompressor writes one. */
shoal_status shoal__decompress(const struct shoal__packed *packed, shoal_value **plain, struct shoal__fault *fault);

#endif
