/* One line of a memcached's answer, of the meta protocol or the classic one. Pure: bytes in, meaning out.
 * May include: base/. Called by meta_exchange and by net/transport_meta for the greeting. Source: memcached's
 * doc/protocol.txt. */
#ifndef SHOAL_LOGIC_META_PARSE_H
#define SHOAL_LOGIC_META_PARSE_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

/* Longer than any line a memcached sends: a key of 250 bytes as base64, numbers, words of an error. */
#define SHOAL__META_LINE_MAX 4096

/* The largest item memcached can be told to take (-I). */
#define SHOAL__META_VALUE_MAX ((size_t)1024 * 1024 * 1024)

enum shoal__meta_kind {
    SHOAL__META_INCOMPLETE,   /* read on */
    SHOAL__META_MALFORMED,    /* nothing that this protocol has */
    SHOAL__META_VALUE,        /* VA: a value follows */
    SHOAL__META_DONE,         /* HD, STORED */
    SHOAL__META_MISS,         /* EN */
    SHOAL__META_NOT_FOUND,    /* NF, NOT_FOUND */
    SHOAL__META_NOT_STORED,   /* NS, NOT_STORED */
    SHOAL__META_EXISTS,       /* EX, EXISTS */
    SHOAL__META_NOOP,         /* MN */
    SHOAL__META_ITEM,         /* VALUE, of a classic get: a value follows */
    SHOAL__META_END,          /* END */
    SHOAL__META_STAT,         /* STAT name value */
    SHOAL__META_OK,           /* OK, RESET */
    SHOAL__META_VERSION,      /* VERSION text */
    SHOAL__META_UNKNOWN,      /* ERROR */
    SHOAL__META_CLIENT_ERROR, /* CLIENT_ERROR words */
    SHOAL__META_SERVER_ERROR, /* SERVER_ERROR words */
};

struct shoal__meta_line {
    enum shoal__meta_kind kind;
    size_t size;       /* with its line end */
    size_t value_size; /* of VALUE and ITEM */
    bool has_opaque;
    bool has_key; /* of VALUE: `text` is the item's key, as base64 where the request's was */
    uint32_t opaque;
    uint32_t flags;
    uint64_t cas;
    int64_t ttl_s;  /* SHOAL_UNKNOWN where it was not told, -1 for ever */
    int64_t idle_s; /* SHOAL_UNKNOWN where it was not told */
    int was_read;   /* -1 where it was not told */
    const char *
        text; /* the key of ITEM and VALUE, the words of errors, the version, a STAT's name and value; into the bytes */
    size_t text_size;
};

/* The line of an item of this very key, as it mostly is the next one on a line of reads. False where it is anything
 * else or not all there: then shoal__meta_parse says what it is. */
bool shoal__meta_parse_item(const char *bytes, size_t size, const char *key, size_t key_size,
                            struct shoal__meta_line *line);

/* Looks at the first line of these bytes. */
enum shoal__meta_kind shoal__meta_parse(const char *bytes, size_t size, struct shoal__meta_line *line);

#endif
