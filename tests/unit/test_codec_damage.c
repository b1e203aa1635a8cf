/* Codecs given what is damaged, cut, made to grow without end, or random: an error each time, no crash, bounded memory.
 * Worth most under AddressSanitizer.
 * May include: the core's internals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "logic/fastlz.h"

#include <shoal/codec.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static uint32_t random_state = 1;

static uint32_t next_random(void) {
    random_state = random_state * 1664525 + 1013904223;
    return random_state >> 8;
}

/* What a codec makes of bytes: the status, and the plain size where it is 0. Everything allocated is freed, and an
 * outcome that is none of the three fails the test. */
static shoal_status try_decode(const char *name, uint32_t flags, const void *stored, size_t size, size_t max_bytes,
                               size_t *plain_size) {
    int kind;
    const void *plain;
    uint32_t user_flags;
    shoal_value *owner;
    shoal_error *error = NULL;
    shoal_status status = shoal_codec_decode(shoal_codec_find(name), flags, stored, size, max_bytes, &kind, &plain,
                                             plain_size, &user_flags, &owner, &error);
    if (status == SHOAL_OK) {
        assert_non_null(plain);
        assert_true(*plain_size <= size || *plain_size <= max_bytes);
    } else {
        assert_true(status == SHOAL_E_BAD_VALUE || status == SHOAL_E_TOO_LARGE);
        assert_true(*shoal_error_message(error) != '\0');
        assert_null(plain);
        assert_null(owner);
    }
    shoal_value_free(owner);
    shoal_error_free(error);
    return status;
}

struct packed {
    const char *codec;
    uint32_t flags;
    unsigned char *bytes;
    size_t size;
    size_t plain_size;
};

#define PACKED_COUNT 5

static const struct {
    const char *codec;
    int kind;
    int compress;
} ways[PACKED_COUNT] = {
    {"pylibmc", SHOAL_KIND_BYTES, SHOAL_COMPRESS_ZLIB}, {"dalli", SHOAL_KIND_MARSHAL, SHOAL_COMPRESS_ZLIB},
    {"php", SHOAL_KIND_BYTES, SHOAL_COMPRESS_ZLIB},     {"php", SHOAL_KIND_BYTES, SHOAL_COMPRESS_ZSTD},
    {"json", SHOAL_KIND_JSON, SHOAL_COMPRESS_ZSTD},
};

/* In a block of exactly its size, so that AddressSanitizer sees a read beyond it. */
static struct packed pack_in(size_t way, const void *plain, size_t size) {
    struct packed packed = {.codec = ways[way].codec, .plain_size = size};
    const void *stored;
    shoal_value *owner;
    assert_int_equal(shoal_codec_encode(shoal_codec_find(packed.codec), ways[way].kind, plain, size, ways[way].compress,
                                        0, 0, &stored, &packed.size, &packed.flags, &owner, NULL),
                     SHOAL_OK);
    assert_non_null(owner);
    packed.bytes = malloc(packed.size);
    assert_non_null(packed.bytes);
    memcpy(packed.bytes, stored, packed.size);
    shoal_value_free(owner);
    return packed;
}

static struct packed pack_text(size_t way) {
    char text[3000];
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (char)('a' + i % 7 + (next_random() % 4 == 0));
    return pack_in(way, text, sizeof(text));
}

static shoal_status try_packed(const struct packed *packed, const void *bytes, size_t size) {
    size_t plain_size;
    return try_decode(packed->codec, packed->flags, bytes, size, 1 << 20, &plain_size);
}

static void test_a_value_cut_anywhere_is_an_error(void **state) {
    (void)state;
    for (size_t way = 0; way < PACKED_COUNT; way++) {
        struct packed packed = pack_text(way);
        for (size_t size = 0; size < packed.size; size++) {
            unsigned char *cut = malloc(size + (size == 0));
            assert_non_null(cut);
            memcpy(cut, packed.bytes, size);
            assert_int_equal(try_packed(&packed, cut, size), SHOAL_E_BAD_VALUE);
            free(cut);
        }
        assert_int_equal(try_packed(&packed, packed.bytes, packed.size), SHOAL_OK);
        free(packed.bytes);
    }
}

static void test_bytes_appended_to_a_compressed_value_are_an_error(void **state) {
    (void)state;
    for (size_t way = 0; way < PACKED_COUNT; way++) {
        struct packed packed = pack_text(way);
        unsigned char *more = calloc(1, packed.size + 3);
        assert_non_null(more);
        memcpy(more, packed.bytes, packed.size);
        for (size_t extra = 1; extra <= 3; extra++)
            assert_int_equal(try_packed(&packed, more, packed.size + extra), SHOAL_E_BAD_VALUE);
        free(more);
        free(packed.bytes);
    }
}

/* zlib has a checksum, and notices all but the bits that fill up its last byte; zstd, as everybody writes it, has none.
 */
static void test_every_bit_of_a_value_turned(void **state) {
    (void)state;
    for (size_t way = 0; way < PACKED_COUNT; way++) {
        struct packed packed = pack_text(way);
        int unnoticed = 0;
        for (size_t bit = 0; bit < packed.size * 8; bit++) {
            packed.bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
            unnoticed += try_packed(&packed, packed.bytes, packed.size) == SHOAL_OK;
            packed.bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
        }
        assert_true(unnoticed < 8 || ways[way].compress == SHOAL_COMPRESS_ZSTD);
        free(packed.bytes);
    }
}

static void test_every_flag_turned(void **state) {
    (void)state;
    for (size_t way = 0; way < PACKED_COUNT; way++) {
        struct packed packed = pack_text(way);
        for (unsigned bit = 0; bit < 32; bit++) {
            size_t plain_size;
            shoal_status status = try_decode(packed.codec, packed.flags ^ UINT32_C(1) << bit, packed.bytes, packed.size,
                                             1 << 20, &plain_size);
            if (bit >= 16)
                assert_int_equal(status, strcmp(packed.codec, "php") == 0 ? SHOAL_OK : SHOAL_E_BAD_VALUE);
        }
        free(packed.bytes);
    }
}

/* 64 MiB of zeros are some 64 KiB or fewer. What is allowed is allowed to the byte. */
static void test_a_bomb_is_an_error_at_the_limit(void **state) {
    (void)state;
    size_t size = 64 << 20;
    void *zeros = calloc(1, size);
    assert_non_null(zeros);
    for (size_t way = 0; way < PACKED_COUNT; way++) {
        struct packed bomb = pack_in(way, zeros, size);
        assert_true(bomb.size < size / 900);
        size_t plain_size = 1;
        assert_int_equal(try_decode(bomb.codec, bomb.flags, bomb.bytes, bomb.size, 1 << 20, &plain_size),
                         SHOAL_E_TOO_LARGE);
        assert_int_equal(plain_size, 0);
        assert_int_equal(try_decode(bomb.codec, bomb.flags, bomb.bytes, bomb.size, size - 1, &plain_size),
                         SHOAL_E_TOO_LARGE);
        assert_int_equal(try_decode(bomb.codec, bomb.flags, bomb.bytes, bomb.size, size, &plain_size), SHOAL_OK);
        assert_int_equal(plain_size, size);
        free(bomb.bytes);
    }
    free(zeros);
}

static void test_php_s_size_must_be_true(void **state) {
    (void)state;
    static const uint32_t lies[] = {0, 1, 2999, 3001, 1 << 20};
    for (size_t way = 2; way <= 3; way++) {
        struct packed packed = pack_text(way);
        for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
            memcpy(packed.bytes, &lies[i], sizeof(lies[i]));
            assert_int_equal(try_packed(&packed, packed.bytes, packed.size), SHOAL_E_BAD_VALUE);
        }
        uint32_t huge = UINT32_MAX;
        memcpy(packed.bytes, &huge, sizeof(huge));
        assert_int_equal(try_packed(&packed, packed.bytes, packed.size), SHOAL_E_TOO_LARGE);
        free(packed.bytes);
    }
}

/* A zstd frame of "abc" without its size: php-memcached's prefix tells it, in the codec json nothing does. */
static void test_a_zstd_frame_without_its_size(void **state) {
    (void)state;
    static const unsigned char frame[] = {0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58, 0x19, 0x00, 0x00, 'a', 'b', 'c'};
    unsigned char with_size[4 + sizeof(frame)];
    uint32_t told = 3;
    memcpy(with_size, &told, sizeof(told));
    memcpy(with_size + 4, frame, sizeof(frame));
    size_t plain_size;
    assert_int_equal(try_decode("json", 9, frame, sizeof(frame), 100, &plain_size), SHOAL_E_BAD_VALUE);
    assert_int_equal(try_decode("php", 0x90, with_size, sizeof(with_size), 100, &plain_size), SHOAL_OK);
    assert_int_equal(plain_size, 3);
}

static bool fastlz(const char *packed, size_t packed_size, const char *wanted) {
    uint8_t plain[600];
    size_t size = strlen(wanted);
    return shoal__fastlz_decode((const uint8_t *)packed, packed_size, plain, size) && memcmp(plain, wanted, size) == 0;
}

static void test_fastlz_blocks(void **state) {
    (void)state;
    assert_true(fastlz("\x02"
                       "abc",
                       4, "abc"));
    assert_true(fastlz("\x00"
                       "a\x40\x00",
                       4, "aaaaa"));
    assert_true(fastlz("\x21"
                       "ab\xe0\x01\x01",
                       6, "abababababab"));
    assert_true(fastlz("\x01"
                       "ab\xe0\x01\x01",
                       6, "abababababab"));
    static const struct {
        const char *packed;
        size_t size;
        const char *wanted;
    } wrong[] = {
        {"", 0, ""},     /* nothing */
        {"\x42", 1, ""}, /* a level that is none */
        {"\x02"
         "ab",
         3, "abc"}, /* too few literals */
        {"\x02"
         "abc",
         4, "ab"}, /* more than the size told */
        {"\x02"
         "abc",
         4, "abcd"}, /* less */
        {"\x00"
         "a\x40\x01",
         4, "aaaaa"}, /* from before the beginning */
        {"\x00"
         "a\x40",
         3, "aaaaa"}, /* no distance */
        {"\x00"
         "a\xe0",
         3, "aaaaa"}, /* no length */
        {"\x20"
         "a\xe0\xff\xff",
         5, "a"}, /* a length without end */
        {"\x20"
         "a\x3f\xff\x00",
         5, "aaaa"}, /* half of a far distance */
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_false(fastlz(wrong[i].packed, wrong[i].size, wrong[i].wanted));
}

/* Random instructions get further into FastLZ than random bytes do into the others, which have headers. */
static void test_random_fastlz(void **state) {
    (void)state;
    for (int round = 0; round < 20000; round++) {
        size_t size = next_random() % 64;
        size_t plain_size = next_random() % 400;
        uint8_t *packed = malloc(size + 1);
        uint8_t *plain = malloc(plain_size + 1);
        assert_true(packed && plain);
        for (size_t i = 0; i < size; i++)
            packed[i] = (uint8_t)(next_random() % (next_random() % 2 ? 64 : 256));
        packed = realloc(packed, size ? size : 1);
        plain = realloc(plain, plain_size ? plain_size : 1);
        (void)shoal__fastlz_decode(packed, size, plain, plain_size);
        free(packed);
        free(plain);
    }
}

static void fill(unsigned char *bytes, size_t size) {
    static const unsigned char heads[][4] = {{0x78, 0x9c}, {0x28, 0xb5, 0x2f, 0xfd}, {0x1f, 0x8b, 8, 0}};
    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)next_random();
    /* Half of them begin as something that is compressed, with php-memcached's size before it or without. */
    if (next_random() % 2 && size >= 8) {
        size_t at = next_random() % 2 * 4;
        const unsigned char *head = heads[next_random() % 3];
        memcpy(bytes + at, head, 4);
        if (at == 4)
            bytes[2] = bytes[3] = 0;
    }
}

static void test_random_bytes_under_every_codec(void **state) {
    (void)state;
    for (int round = 0; round < 30000; round++) {
        size_t size = next_random() % 200;
        unsigned char *bytes = malloc(size ? size : 1);
        assert_non_null(bytes);
        fill(bytes, size);
        const char *name = shoal_codec_name(shoal_codec_at(next_random() % shoal_codec_count()));
        uint32_t flags = next_random() % 256;
        size_t plain_size;
        (void)try_decode(name, flags, bytes, size, 1 << 16, &plain_size);
        free(bytes);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_value_cut_anywhere_is_an_error),
        cmocka_unit_test(test_bytes_appended_to_a_compressed_value_are_an_error),
        cmocka_unit_test(test_every_bit_of_a_value_turned),
        cmocka_unit_test(test_every_flag_turned),
        cmocka_unit_test(test_a_bomb_is_an_error_at_the_limit),
        cmocka_unit_test(test_php_s_size_must_be_true),
        cmocka_unit_test(test_a_zstd_frame_without_its_size),
        cmocka_unit_test(test_fastlz_blocks),
        cmocka_unit_test(test_random_fastlz),
        cmocka_unit_test(test_random_bytes_under_every_codec),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
