/* The codecs as tables, and finding things in them. The bits are explained, with their sources, in core/doc/CODECS.md.
 * May include: codec_layout. */
#include "logic/codec_layout.h"

#include <string.h>

static const struct shoal__codec_type raw_types[] = {{SHOAL_KIND_BYTES, 0, false}, {0}};

/* Python 3's ints are all long ones to pylibmc; 2 is what it writes of bools, and of Python 2's short ints. */
static const struct shoal__codec_type pylibmc_types[] = {
    {SHOAL_KIND_BYTES, 0, true},    {SHOAL_KIND_TEXT, 16, true},  {SHOAL_KIND_INTEGER, 4, false},
    {SHOAL_KIND_INTEGER, 2, false}, {SHOAL_KIND_PICKLE, 1, true}, {0},
};

static const struct shoal__codec_type pymemcache_types[] = {
    {SHOAL_KIND_BYTES, 0, true},    {SHOAL_KIND_TEXT, 16, true},  {SHOAL_KIND_INTEGER, 2, false},
    {SHOAL_KIND_INTEGER, 4, false}, {SHOAL_KIND_PICKLE, 1, true}, {0},
};

static const struct shoal__codec_type php_types[] = {
    {SHOAL_KIND_BYTES, 0, true}, {SHOAL_KIND_INTEGER, 1, false}, {SHOAL_KIND_DOUBLE, 2, false},
    {SHOAL_KIND_BOOL, 3, false}, {SHOAL_KIND_PHP, 4, true},      {SHOAL_KIND_IGBINARY, 5, true},
    {SHOAL_KIND_JSON, 6, true},  {SHOAL_KIND_MSGPACK, 7, true},  {0},
};

static const struct shoal__codec_type dalli_types[] = {
    {SHOAL_KIND_BYTES, 0, false}, {SHOAL_KIND_MARSHAL, 1, true}, {SHOAL_KIND_TEXT, 4, true}, {0}};

static const struct shoal__codec_type json_types[] = {
    {SHOAL_KIND_BYTES, 0, false}, {SHOAL_KIND_JSON, 1, true}, {SHOAL_KIND_TEXT, 4, true}, {0}};

static const struct shoal__codec_packing raw_packings[] = {{SHOAL__PACKING_NONE, 0}};
static const struct shoal__codec_packing python_packings[] = {{SHOAL__PACKING_ZLIB, 8}, {SHOAL__PACKING_NONE, 0}};
static const struct shoal__codec_packing dalli_packings[] = {{SHOAL__PACKING_ZLIB, 2}, {SHOAL__PACKING_NONE, 0}};
static const struct shoal__codec_packing php_packings[] = {
    {SHOAL__PACKING_ZLIB, 0x10 | 0x20},
    {SHOAL__PACKING_FASTLZ, 0x10 | 0x40},
    {SHOAL__PACKING_ZSTD, 0x10 | 0x80},
    {SHOAL__PACKING_NONE, 0},
};
/* 8 is free in dalli's layout. */
static const struct shoal__codec_packing json_packings[] = {
    {SHOAL__PACKING_ZLIB, 2}, {SHOAL__PACKING_ZSTD, 8}, {SHOAL__PACKING_NONE, 0}};

static const shoal_codec codecs[] = {
    {
        .name = "raw",
        .types = raw_types,
        .packings = raw_packings,
        .user_mask = UINT32_MAX,
        .serialiser = "make bytes of it, or use another codec",
    },
    {
        .name = "pylibmc",
        .types = pylibmc_types,
        .packings = python_packings,
        .type_mask = 1 | 2 | 4 | 16,
        .packing_mask = 8,
        .serialiser = "pickle it",
    },
    {
        .name = "pymemcache",
        .types = pymemcache_types,
        .packings = python_packings,
        .type_mask = 1 | 2 | 4 | 16,
        .packing_mask = 8,
        .serialiser = "pickle it",
    },
    {
        .name = "php-memcached",
        .other_name = "php",
        .types = php_types,
        .packings = php_packings,
        .type_mask = 0x0f,
        .packing_mask = 0x10 | 0x20 | 0x40 | 0x80,
        .user_mask = 0xffff0000,
        .user_shift = 16,
        .tells_size = true,
        .serialiser = "make bytes of it, or serialise it",
    },
    {
        .name = "dalli",
        .types = dalli_types,
        .packings = dalli_packings,
        .type_mask = 1 | 4,
        .packing_mask = 2,
        .text_or_packed = true,
        .serialiser = "marshal it",
    },
    {
        .name = "json",
        .types = json_types,
        .packings = json_packings,
        .type_mask = 1 | 4,
        .packing_mask = 2 | 8,
        .serialiser = "make JSON of it",
    },
};

#define CODEC_COUNT (sizeof(codecs) / sizeof(codecs[0]))

static const char *const kind_names[] = {"unknown", "bytes",   "text", "integer",  "double",  "bool",
                                         "pickle",  "marshal", "php",  "igbinary", "msgpack", "json"};

const char *shoal_kind_name(int kind) {
    return kind_names[kind >= SHOAL_KIND_BYTES && kind <= SHOAL_KIND_JSON ? kind : 0];
}

size_t shoal_codec_count(void) {
    return CODEC_COUNT;
}

const shoal_codec *shoal_codec_at(size_t index) {
    return index < CODEC_COUNT ? &codecs[index] : NULL;
}

const shoal_codec *shoal_codec_find(const char *name) {
    for (size_t i = 0; name != NULL && i < CODEC_COUNT; i++)
        if (strcmp(codecs[i].name, name) == 0 || (codecs[i].other_name && strcmp(codecs[i].other_name, name) == 0))
            return &codecs[i];
    return NULL;
}

const char *shoal_codec_name(const shoal_codec *codec) {
    return codec ? codec->name : "";
}

int shoal_codec_carries(const shoal_codec *codec, int kind) {
    return codec && shoal__codec_type_of(codec, kind) != NULL;
}

const struct shoal__codec_type *shoal__codec_type_of(const shoal_codec *codec, int kind) {
    for (const struct shoal__codec_type *type = codec->types; type->kind != 0; type++)
        if (type->kind == kind)
            return type;
    return NULL;
}

const struct shoal__codec_type *shoal__codec_type_in(const shoal_codec *codec, uint32_t flags) {
    for (const struct shoal__codec_type *type = codec->types; type->kind != 0; type++)
        if (type->bits == (flags & codec->type_mask))
            return type;
    return NULL;
}

/* The last packing of every list is none at all. */
const struct shoal__codec_packing *shoal__codec_packing_of(const shoal_codec *codec, enum shoal__packing packing) {
    const struct shoal__codec_packing *found = codec->packings;
    while (found->packing != packing && found->packing != SHOAL__PACKING_NONE)
        found++;
    return found->packing == packing ? found : NULL;
}

const struct shoal__codec_packing *shoal__codec_packing_in(const shoal_codec *codec, uint32_t flags) {
    uint32_t bits = flags & codec->packing_mask;
    const struct shoal__codec_packing *found = codec->packings;
    while (found->bits != bits && found->packing != SHOAL__PACKING_NONE)
        found++;
    return found->bits == bits ? found : NULL;
}
