/* Encoding and decoding by a codec's table. Everything that differs between clients stands in codec_layout.c, but for
 * the two things that no table can say: php-memcached's size before compressed bytes, and dalli's flag 2.
 * May include: base/, compress, codec_layout, codec_shape, value. */
#include "logic/codec_layout.h"
#include "logic/codec_shape.h"
#include "logic/value.h"

#include <inttypes.h>
#include <string.h>

struct plain {
    int kind;
    const char *bytes;
    size_t size;
};

struct stored {
    const char *bytes;
    size_t size;
    uint32_t flags;
};

/* A NULL of no size is fine for a caller, and not for memcpy. */
static const char *bytes_of(const void *data) {
    return data ? data : "";
}

/* Encoding. */

/* These find what they are asked for, or fill the fault and give NULL. */
static const struct shoal__codec_packing *find_packing(const shoal_codec *codec, int compress,
                                                       struct shoal__fault *fault) {
    static const struct {
        enum shoal__packing packing;
        const char *name;
    } known[] = {
        [SHOAL_COMPRESS_NONE] = {SHOAL__PACKING_NONE, "none"},
        [SHOAL_COMPRESS_ZLIB] = {SHOAL__PACKING_ZLIB, "zlib"},
        [SHOAL_COMPRESS_ZSTD] = {SHOAL__PACKING_ZSTD, "zstd"},
    };
    if (compress < SHOAL_COMPRESS_NONE || compress > SHOAL_COMPRESS_ZSTD) {
        shoal__fault_set(fault, SHOAL_E_INVALID, "%d is no way to compress: use SHOAL_COMPRESS_*", compress);
        return NULL;
    }
    const struct shoal__codec_packing *packing = shoal__codec_packing_of(codec, known[compress].packing);
    if (packing == NULL)
        shoal__fault_set(fault, SHOAL_E_UNSUPPORTED,
                         "the codec %s has no flag for %s, so that nobody could read it: choose %s", codec->name,
                         known[compress].name, codec->packing_mask ? "none or zlib" : "none");
    return packing;
}

static const struct shoal__codec_type *find_type(const shoal_codec *codec, int kind, struct shoal__fault *fault) {
    if (kind < SHOAL_KIND_BYTES || kind > SHOAL_KIND_JSON) {
        shoal__fault_set(fault, SHOAL_E_INVALID, "%d is no kind of value: use SHOAL_KIND_*", kind);
        return NULL;
    }
    const struct shoal__codec_type *type = shoal__codec_type_of(codec, kind);
    if (type == NULL)
        shoal__fault_set(fault, SHOAL_E_UNSUPPORTED, "the codec %s has no flag for the kind %s: %s", codec->name,
                         shoal_kind_name(kind), codec->serialiser);
    return type;
}

static shoal_status check_value(const shoal_codec *codec, const struct plain *plain, uint32_t user_flags,
                                struct shoal__fault *fault) {
    uint32_t room = codec->user_mask >> codec->user_shift;
    if ((user_flags & ~room) != 0)
        return shoal__fault_set(fault, SHOAL_E_INVALID,
                                "the user flags 0x%" PRIx32
                                " have no place in the codec %s, which has room for 0x%" PRIx32,
                                user_flags, codec->name, room);
    if (!shoal__shape_is(plain->kind, plain->bytes, plain->size))
        return shoal__fault_set(fault, SHOAL_E_INVALID, "the %zu bytes given are no %s as shoal/codec.h describes it",
                                plain->size, shoal_kind_name(plain->kind));
    return SHOAL_OK;
}

static shoal_status pack(const shoal_codec *codec, enum shoal__packing packing, const struct plain *plain,
                         shoal_value **owner, struct shoal__fault *fault) {
    uint32_t told = (uint32_t)plain->size;
    size_t head = codec->tells_size ? sizeof(told) : 0;
    if (codec->tells_size && plain->size > UINT32_MAX)
        return SHOAL_OK;
    shoal_status status = shoal__compress(packing, plain->bytes, plain->size, head, owner, fault);
    if (*owner != NULL && head > 0)
        memcpy(shoal__value_bytes(*owner), &told, sizeof(told));
    return status;
}

static shoal_status encode(const shoal_codec *codec, const struct plain *plain, int compress, size_t compress_min_bytes,
                           uint32_t user_flags, struct stored *stored, shoal_value **owner,
                           struct shoal__fault *fault) {
    const struct shoal__codec_packing *packing = find_packing(codec, compress, fault);
    const struct shoal__codec_type *type = packing ? find_type(codec, plain->kind, fault) : NULL;
    if (type == NULL)
        return fault->status;
    shoal_status status = check_value(codec, plain, user_flags, fault);
    if (status == SHOAL_OK && packing->packing != SHOAL__PACKING_NONE && type->packs &&
        plain->size >= compress_min_bytes)
        status = pack(codec, packing->packing, plain, owner, fault);
    if (status != SHOAL_OK)
        return status;
    stored->bytes = *owner ? shoal_value_data(*owner) : plain->bytes;
    stored->size = *owner ? shoal_value_size(*owner) : plain->size;
    stored->flags = type->bits | (*owner ? packing->bits : 0) | user_flags << codec->user_shift;
    /* PHP's false is nothing at all. */
    if (plain->kind == SHOAL_KIND_BOOL && plain->bytes[0] == '0')
        stored->size = 0;
    return SHOAL_OK;
}

shoal_status shoal_codec_encode(const shoal_codec *codec, int kind, const void *data, size_t size, int compress,
                                size_t compress_min_bytes, uint32_t user_flags, const void **stored,
                                size_t *stored_size, uint32_t *flags, shoal_value **owner, shoal_error **error) {
    shoal__error_begin(error);
    if (stored == NULL || stored_size == NULL || flags == NULL || owner == NULL)
        return shoal__error_fail(error, SHOAL_E_INVALID, "shoal_codec_encode needs a place for each of its outputs");
    *stored = NULL;
    *stored_size = 0;
    *flags = 0;
    *owner = NULL;
    if (codec == NULL || (data == NULL && size > 0))
        return shoal__error_fail(error, SHOAL_E_INVALID, "shoal_codec_encode needs a codec and a value");
    struct plain plain = {kind, bytes_of(data), size};
    struct stored result = {0};
    struct shoal__fault fault;
    shoal_status status = encode(codec, &plain, compress, compress_min_bytes, user_flags, &result, owner, &fault);
    if (status != SHOAL_OK)
        return shoal__error_report(error, &fault, NULL, 0);
    *stored = result.bytes;
    *stored_size = result.size;
    *flags = result.flags;
    return SHOAL_OK;
}

/* Decoding. */

static shoal_status foreign_flags(const shoal_codec *codec, uint32_t flags, struct shoal__fault *fault) {
    return shoal__fault_set(fault, SHOAL_E_BAD_VALUE,
                            "the flags 0x%" PRIx32
                            " are none that the codec %s knows: another client wrote this value; "
                            "set the codec that is that client's, or delete it",
                            flags, codec->name);
}

/* dalli 4.0 to 5.0.3, with string_fastpath, wrote 2 beside plain UTF-8; every dalli writes 2 beside zlib's bytes. The
 * two never meet: these begin with 78 9c, as dalli compresses at the default level, and text with that is no UTF-8. */
static bool is_text_of_dalli(const shoal_codec *codec, const struct stored *stored) {
    return codec->text_or_packed && stored->flags == codec->packing_mask &&
           shoal__shape_is_utf8(stored->bytes, stored->size);
}

static shoal_status unpack(const shoal_codec *codec, enum shoal__packing packing, const struct stored *stored,
                           size_t max_bytes, shoal_value **owner, struct shoal__fault *fault) {
    struct shoal__packed packed = {
        .packing = packing,
        .data = (const uint8_t *)stored->bytes,
        .size = stored->size,
        .max_bytes = max_bytes,
    };
    if (codec->tells_size) {
        uint32_t told;
        if (packed.size < sizeof(told))
            return shoal__fault_set(fault, SHOAL_E_BAD_VALUE,
                                    "the compressed value of %zu bytes is too short for its size; store it again",
                                    packed.size);
        memcpy(&told, packed.data, sizeof(told));
        packed.data += sizeof(told);
        packed.size -= sizeof(told);
        packed.plain_size_known = true;
        packed.plain_size = told;
    }
    return shoal__decompress(&packed, owner, fault);
}

static shoal_status shape(const shoal_codec *codec, struct plain *plain, struct shoal__fault *fault) {
    if (plain->kind == SHOAL_KIND_INTEGER)
        plain->size = shoal__shape_unpadded(plain->bytes, plain->size);
    if (plain->kind == SHOAL_KIND_BOOL && plain->size == 0) {
        plain->bytes = "0";
        plain->size = 1;
    }
    if (!shoal__shape_is(plain->kind, plain->bytes, plain->size))
        return shoal__fault_set(fault, SHOAL_E_BAD_VALUE,
                                "the flags say %s by the codec %s, and the value of %zu bytes is none: another client "
                                "wrote it, or it is damaged",
                                shoal_kind_name(plain->kind), codec->name, plain->size);
    return SHOAL_OK;
}

/* stored->flags is without the user's. */
static shoal_status decode(const shoal_codec *codec, const struct stored *stored, size_t max_bytes, struct plain *plain,
                           shoal_value **owner, struct shoal__fault *fault) {
    const struct shoal__codec_packing *packing = shoal__codec_packing_in(codec, stored->flags);
    const struct shoal__codec_type *type = shoal__codec_type_in(codec, stored->flags);
    if ((stored->flags & ~(codec->type_mask | codec->packing_mask)) != 0 || packing == NULL || type == NULL)
        return foreign_flags(codec, stored->flags, fault);
    *plain = (struct plain){type->kind, stored->bytes, stored->size};
    if (is_text_of_dalli(codec, stored)) {
        plain->kind = SHOAL_KIND_TEXT;
    } else if (packing->packing != SHOAL__PACKING_NONE) {
        shoal_status status = unpack(codec, packing->packing, stored, max_bytes, owner, fault);
        if (status != SHOAL_OK)
            return status;
        plain->bytes = shoal_value_data(*owner);
        plain->size = shoal_value_size(*owner);
    }
    return shape(codec, plain, fault);
}

shoal_status shoal_codec_decode(const shoal_codec *codec, uint32_t flags, const void *data, size_t size,
                                size_t max_bytes, int *kind, const void **plain, size_t *plain_size,
                                uint32_t *user_flags, shoal_value **owner, shoal_error **error) {
    shoal__error_begin(error);
    if (kind == NULL || plain == NULL || plain_size == NULL || user_flags == NULL || owner == NULL)
        return shoal__error_fail(error, SHOAL_E_INVALID, "shoal_codec_decode needs a place for each of its outputs");
    *kind = 0;
    *plain = NULL;
    *plain_size = 0;
    *user_flags = 0;
    *owner = NULL;
    if (codec == NULL || (data == NULL && size > 0))
        return shoal__error_fail(error, SHOAL_E_INVALID, "shoal_codec_decode needs a codec and a value");
    struct stored stored = {bytes_of(data), size, flags & ~codec->user_mask};
    struct plain result = {0};
    struct shoal__fault fault;
    shoal_status status = decode(codec, &stored, max_bytes ? max_bytes : SHOAL_CODEC_MAX_BYTES, &result, owner, &fault);
    if (status != SHOAL_OK) {
        shoal_value_free(*owner);
        *owner = NULL;
        return shoal__error_report(error, &fault, NULL, 0);
    }
    *kind = result.kind;
    *plain = result.bytes;
    *plain_size = result.size;
    *user_flags = (flags & codec->user_mask) >> codec->user_shift;
    return SHOAL_OK;
}
