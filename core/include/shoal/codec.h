/* Codecs: how other memcached clients lay out values, so that theirs can be read and ours be read by them.
 * May include: <shoal/status.h>, <shoal/value.h>. Pure: a codec knows no client, no server and no clock. */
#ifndef SHOAL_CODEC_H
#define SHOAL_CODEC_H

#include <shoal/status.h>
#include <shoal/value.h>

SHOAL_BEGIN_DECLS

/* memcached stores bytes and 32 flag bits. A codec is one client's convention of what the flags say: which kind of
 * value the bytes are, and whether they were compressed. It turns a kind and plain bytes into flags and stored bytes
 * (encode) and back (decode). The serialisers themselves (pickle, Marshal, serialize, ...) stay with the languages.
 *
 *     name            whose                                       kinds
 *     raw             nobody's: the flags are the caller's own    bytes
 *     pylibmc         pylibmc 1.6, Django PyLibMCCache            bytes, text, integer, pickle
 *     pymemcache      pymemcache, Django PyMemcacheCache          bytes, text, integer, pickle
 *     php-memcached   php-memcached 2 and 3; found as php too     bytes, integer, double, bool, php, igbinary, json,
 * msgpack dalli           dalli, Rails mem_cache_store                bytes, text, marshal json            dalli with
 * `serializer: JSON`; any language bytes, text, json
 *
 * core/doc/CODECS.md has the bits, and which release of which client reads and writes them.
 */

/** Kinds of values, and the bytes that stand for them. */
#define SHOAL_KIND_BYTES 1    /**< bytes, as they are */
#define SHOAL_KIND_TEXT 2     /**< text in UTF-8, which is not checked */
#define SHOAL_KIND_INTEGER 3  /**< decimal digits, any number of them, with `-` where negative */
#define SHOAL_KIND_DOUBLE 4   /**< `1.5`, `-2`, `1.0e+25`, `Infinity`, `-Infinity`, `NaN` */
#define SHOAL_KIND_BOOL 5     /**< `1` or `0` */
#define SHOAL_KIND_PICKLE 6   /**< Python's pickle */
#define SHOAL_KIND_MARSHAL 7  /**< Ruby's Marshal, or whichever serialiser dalli was given */
#define SHOAL_KIND_PHP 8      /**< PHP's serialize */
#define SHOAL_KIND_IGBINARY 9 /**< PHP's igbinary_serialize */
#define SHOAL_KIND_MSGPACK 10 /**< PHP's msgpack_serialize */
#define SHOAL_KIND_JSON 11    /**< JSON in UTF-8 */

/** How shoal_codec_encode compresses. */
#define SHOAL_COMPRESS_NONE 0 /**< not at all */
#define SHOAL_COMPRESS_ZLIB 1 /**< DEFLATE in the zlib format, at zlib's default level; raw has no flag for it */
#define SHOAL_COMPRESS_ZSTD 2 /**< Zstandard at its default level; for json, and for php-memcached from 3.3 on */

/** What shoal_codec_decode takes for `max_bytes` 0: 128 MiB. */
#define SHOAL_CODEC_MAX_BYTES ((size_t)128 * 1024 * 1024)

/**
 * A kind's name, e.g. "integer".
 *
 * @return a static string; "unknown" for a kind this release does not know.
 * Thread safety: any thread. Blocks: never. Since 0.1.
 */
SHOAL_API const char *shoal_kind_name(int kind);

/**
 * How many codecs there are.
 * Thread safety: any thread. Blocks: never. Since 0.1.
 */
SHOAL_API size_t shoal_codec_count(void);

/**
 * The codec at a place in the order of the table above.
 *
 * @param index 0 .. shoal_codec_count() - 1.
 * @return static; NULL beyond the end.
 * Thread safety: any thread. Blocks: never. Since 0.1.
 */
SHOAL_API const shoal_codec *shoal_codec_at(size_t index);

/**
 * The codec of a name.
 *
 * @param name NUL-terminated; may be NULL.
 * @return static; NULL where there is no such codec.
 * Thread safety: any thread. Blocks: never. Since 0.1.
 */
SHOAL_API const shoal_codec *shoal_codec_find(const char *name);

/** Its name. NULL-safe (""); static; any thread; never blocks. Since 0.1. */
SHOAL_API const char *shoal_codec_name(const shoal_codec *codec);

/**
 * 1 where a codec has a flag for this kind, else 0: the value is then to be serialised first. pylibmc and pymemcache
 * have none for bool, so that bools are pickled; only php-memcached has one for doubles.
 *
 * @param codec may be NULL: then 0.
 * Thread safety: any thread. Blocks: never. Since 0.1.
 */
SHOAL_API int shoal_codec_carries(const shoal_codec *codec, int kind);

/**
 * What to store for a value: flags and bytes. The bytes are the caller's own, uncopied, unless they were compressed.
 *
 * Numbers and bools are never compressed, as servers count in them; nor are dalli's bytes, since dalli 5.2.1 reads
 * raw values as they are stored. What would not become smaller is stored as it is.
 *
 * @param kind SHOAL_KIND_*; one that shoal_codec_carries.
 * @param data the value's bytes as SHOAL_KIND_* describes them; may be NULL where size is 0.
 * @param compress SHOAL_COMPRESS_*.
 * @param compress_min_bytes shorter values are not compressed.
 * @param user_flags with raw: the flags, all 32 bits; with php-memcached: its user flags, 16 bits; else 0.
 * @param stored,stored_size out: what to store; borrowed. They lie in `data`, in static memory or in `*owner`.
 * @param flags out: the 32 flag bits to store beside it.
 * @param owner out, the caller's: shoal_value_free when the bytes were stored. NULL, without a status telling so,
 *        where nothing had to be allocated.
 * @return 0; SHOAL_E_UNSUPPORTED (a kind or a compression that the codec has no flag for); SHOAL_E_INVALID (an unknown
 *         kind or compression, bytes that are not of their kind, user flags without room); SHOAL_E_NO_MEMORY.
 * Thread safety: any thread. Blocks: never; compressing takes some 30 ms a megabyte (zlib) or 6 (zstd). Since 0.1.
 * Source: the clients named above, each by what it writes.
 */
SHOAL_API shoal_status shoal_codec_encode(const shoal_codec *codec, int kind, const void *data, size_t size,
                                          int compress, size_t compress_min_bytes, uint32_t user_flags,
                                          const void **stored, size_t *stored_size, uint32_t *flags,
                                          shoal_value **owner, shoal_error **error);

/**
 * What a stored value is: its kind and its plain bytes. They are the caller's own, uncopied, unless they had to be
 * decompressed. Whatever the bytes are, the outcome is a value or an error, and the memory used is bounded.
 *
 * An integer that a server counted down, and padded with spaces, comes back without them. pylibmc writes its bools as
 * integers, and they come back as such.
 *
 * @param flags,data,size what was read; data may be NULL where size is 0.
 * @param max_bytes how large a compressed value may become; 0 for SHOAL_CODEC_MAX_BYTES.
 * @param kind out: SHOAL_KIND_*.
 * @param plain,plain_size out: the value's bytes, as the kind describes them; borrowed. They lie in `data`, in static
 *        memory or in `*owner`.
 * @param user_flags out: the flags' part that is the caller's own (see shoal_codec_encode).
 * @param owner out, the caller's: shoal_value_free. NULL, without a status telling so, where nothing had to be
 *        allocated.
 * @return 0; SHOAL_E_BAD_VALUE (flags that this codec's clients do not write, or damaged bytes); SHOAL_E_TOO_LARGE
 *         (larger than max_bytes); SHOAL_E_INVALID; SHOAL_E_NO_MEMORY.
 * Thread safety: any thread. Blocks: never; decompressing takes some 5 ms a megabyte. Since 0.1.
 * Source: the clients named above, each by what it reads.
 */
SHOAL_API shoal_status shoal_codec_decode(const shoal_codec *codec, uint32_t flags, const void *data, size_t size,
                                          size_t max_bytes, int *kind, const void **plain, size_t *plain_size,
                                          uint32_t *user_flags, shoal_value **owner, shoal_error **error);

SHOAL_END_DECLS

#endif
