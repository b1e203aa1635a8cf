/* Codecs: whatever stands in a cache, decoding ends with an error or with a value within its bound, and what came out
 * goes back in and comes out the same. The input: a byte for the codec, four of flags, the value. May include: common,
 * public headers. */
#include "common.h"

#include <shoal/codec.h>

#include <stdlib.h>
#include <string.h>

#define MAX_BYTES 65536

struct decoded {
    int kind;
    const void *plain;
    size_t size;
    uint32_t user_flags;
    shoal_value *owner;
};

static shoal_status decode(const shoal_codec *codec, uint32_t flags, const void *data, size_t size,
                           struct decoded *decoded) {
    shoal_error *error = NULL;
    shoal_status status = shoal_codec_decode(codec, flags, data, size, MAX_BYTES, &decoded->kind, &decoded->plain,
                                             &decoded->size, &decoded->user_flags, &decoded->owner, &error);
    CHECK((status == SHOAL_OK) == (error == NULL));
    CHECK(status == SHOAL_OK || (decoded->plain == NULL && decoded->size == 0 && decoded->owner == NULL));
    CHECK(status != SHOAL_OK || decoded->size <= MAX_BYTES || decoded->plain == data);
    shoal_error_free(error);
    return status;
}

static void check_round_trip(const shoal_codec *codec, const struct decoded *first) {
    const void *stored = NULL;
    size_t stored_size = 0;
    uint32_t flags = 0;
    shoal_value *owner = NULL;
    struct decoded second = {0};
    shoal_status status = shoal_codec_encode(codec, first->kind, first->plain, first->size, SHOAL_COMPRESS_NONE, 0,
                                             first->user_flags, &stored, &stored_size, &flags, &owner, NULL);
    if (status == SHOAL_OK) {
        CHECK(decode(codec, flags, stored, stored_size, &second) == SHOAL_OK);
        CHECK(second.kind == first->kind && second.size == first->size);
        CHECK(second.size == 0 || memcmp(second.plain, first->plain, second.size) == 0);
        shoal_value_free(second.owner);
    }
    shoal_value_free(owner);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint32_t flags;
    struct decoded decoded = {0};
    if (size < 1 + sizeof(flags))
        return 0;
    const shoal_codec *codec = shoal_codec_at(data[0] % shoal_codec_count());
    memcpy(&flags, data + 1, sizeof(flags));
    size_t value_size = size - 1 - sizeof(flags);
    char *value = fuzz_copy(data + 1 + sizeof(flags), value_size);
    if (decode(codec, flags, value, value_size, &decoded) == SHOAL_OK)
        check_round_trip(codec, &decoded);
    shoal_value_free(decoded.owner);
    free(value);
    return 0;
}
