/* The codecs' tables: which flag bits say what.
 * May include: compress.h. Read by codec.c. */
#ifndef SHOAL_LOGIC_CODEC_LAYOUT_H
#define SHOAL_LOGIC_CODEC_LAYOUT_H

#include "logic/compress.h"

#include <shoal/codec.h>

/* One value that the bits of the kind can have. */
struct shoal__codec_type {
    int kind;
    uint32_t bits;
    bool packs; /* whether what is written is compressed; what is read may be in any case */
};

/* One value that the bits of the compression can have. */
struct shoal__codec_packing {
    enum shoal__packing packing;
    uint32_t bits;
};

/* Lists end with an element of zeros. */
struct shoal_codec {
    const char *name;
    const char *other_name;
    const struct shoal__codec_type *types; /* the first of a kind is what is written */
    const struct shoal__codec_packing *packings;
    uint32_t type_mask;
    uint32_t packing_mask;
    uint32_t user_mask;
    unsigned user_shift;
    bool tells_size;        /* before compressed bytes stands the plain size, 32 bits in the machine's own order */
    bool text_or_packed;    /* dalli's flag 2: see codec.c */
    const char *serialiser; /* what to do with a kind that has no flag: for the error */
};

/* The type of a kind, of some bits, and the packing of either; NULL where there is none. */
const struct shoal__codec_type *shoal__codec_type_of(const shoal_codec *codec, int kind);
const struct shoal__codec_type *shoal__codec_type_in(const shoal_codec *codec, uint32_t flags);
const struct shoal__codec_packing *shoal__codec_packing_of(const shoal_codec *codec, enum shoal__packing packing);
const struct shoal__codec_packing *shoal__codec_packing_in(const shoal_codec *codec, uint32_t flags);

#endif
