/* Codecs: which flags say what, what is compressed and what is not, and what is refused. What the clients themselves
 * write is in test_codec_vectors.c, what is damaged in test_codec_damage.c.
 * May include: public headers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <shoal/codec.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const shoal_codec *codec;
static shoal_error *error;

/* What the last call gave. */
static int kind;
static const void *bytes;
static size_t size;
static uint32_t flags;
static uint32_t user_flags;
static shoal_value *owner;

static shoal_status encode(int of_kind, const char *text, int compress, uint32_t own_flags) {
    shoal_value_free(owner);
    return shoal_codec_encode(codec, of_kind, text, strlen(text), compress, 0, own_flags, &bytes, &size, &flags, &owner,
                              &error);
}

static shoal_status decode(uint32_t from_flags, const void *stored, size_t stored_size) {
    shoal_value_free(owner);
    return shoal_codec_decode(codec, from_flags, stored, stored_size, 0, &kind, &bytes, &size, &user_flags, &owner,
                              &error);
}

static void use(const char *name) {
    codec = shoal_codec_find(name);
    assert_non_null(codec);
}

static int clean(void **state) {
    (void)state;
    shoal_value_free(owner);
    owner = NULL;
    shoal_error_free(error);
    error = NULL;
    return 0;
}

static void assert_writes(int of_kind, const char *text, uint32_t wanted_flags) {
    assert_int_equal(encode(of_kind, text, SHOAL_COMPRESS_NONE, 0), SHOAL_OK);
    assert_int_equal(flags, wanted_flags);
    assert_null(owner);
}

static void assert_reads(uint32_t from_flags, const char *stored, int wanted_kind, const char *wanted) {
    assert_int_equal(decode(from_flags, stored, strlen(stored)), SHOAL_OK);
    assert_int_equal(kind, wanted_kind);
    assert_int_equal(size, strlen(wanted));
    assert_memory_equal(bytes, wanted, size);
}

/* A refusal leaves nothing behind, and says in words why. */
static void assert_refuses(uint32_t from_flags, const char *stored, const char *word) {
    assert_int_equal(decode(from_flags, stored, strlen(stored)), SHOAL_E_BAD_VALUE);
    assert_non_null(strstr(shoal_error_message(error), word));
    assert_int_equal(shoal_error_is_retriable(error), 0);
    assert_int_equal(kind, 0);
    assert_null(bytes);
    assert_int_equal(size, 0);
    assert_int_equal(user_flags, 0);
    assert_null(owner);
}

static void test_codecs_are_listed_and_found(void **state) {
    (void)state;
    for (size_t i = 0; i < shoal_codec_count(); i++)
        assert_ptr_equal(shoal_codec_find(shoal_codec_name(shoal_codec_at(i))), shoal_codec_at(i));
    assert_int_equal(shoal_codec_count(), 6);
    assert_null(shoal_codec_at(shoal_codec_count()));
    assert_ptr_equal(shoal_codec_find("php"), shoal_codec_find("php-memcached"));
    assert_null(shoal_codec_find("Pylibmc"));
    assert_null(shoal_codec_find(NULL));
    assert_string_equal(shoal_codec_name(NULL), "");
    assert_string_equal(shoal_kind_name(SHOAL_KIND_IGBINARY), "igbinary");
    assert_string_equal(shoal_kind_name(0), "unknown");
    assert_string_equal(shoal_kind_name(SHOAL_KIND_JSON + 1), "unknown");
}

static void test_each_codec_carries_its_kinds_alone(void **state) {
    (void)state;
    static const struct {
        const char *name;
        const char *kinds; /* one digit a kind, from bytes on */
    } table[] = {
        {"raw", "10000000000"},           {"pylibmc", "11100100000"}, {"pymemcache", "11100100000"},
        {"php-memcached", "10111001111"}, {"dalli", "11000010000"},   {"json", "11000000001"},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        use(table[i].name);
        for (int each = SHOAL_KIND_BYTES; each <= SHOAL_KIND_JSON; each++) {
            int carried = table[i].kinds[each - SHOAL_KIND_BYTES] - '0';
            assert_int_equal(shoal_codec_carries(codec, each), carried);
            assert_int_equal(encode(each, "1", SHOAL_COMPRESS_NONE, 0), carried ? SHOAL_OK : SHOAL_E_UNSUPPORTED);
        }
        assert_int_equal(shoal_codec_carries(codec, 0), 0);
    }
    assert_int_equal(shoal_codec_carries(NULL, SHOAL_KIND_BYTES), 0);
}

static void test_a_kind_without_a_flag_is_refused_with_what_to_do(void **state) {
    (void)state;
    use("pylibmc");
    assert_int_equal(encode(SHOAL_KIND_BOOL, "1", SHOAL_COMPRESS_NONE, 0), SHOAL_E_UNSUPPORTED);
    assert_non_null(strstr(shoal_error_message(error), "pylibmc"));
    assert_non_null(strstr(shoal_error_message(error), "bool"));
    assert_non_null(strstr(shoal_error_message(error), "pickle it"));
    assert_null(bytes);
    assert_int_equal(size, 0);
}

static void test_what_is_not_compressed_is_not_copied(void **state) {
    (void)state;
    use("pylibmc");
    const char *text = "value";
    assert_writes(SHOAL_KIND_TEXT, text, 16);
    assert_ptr_equal(bytes, text);
    assert_reads(16, text, SHOAL_KIND_TEXT, text);
    assert_ptr_equal(bytes, text);
    assert_null(owner);
}

static void test_raw_leaves_flags_and_bytes_alone(void **state) {
    (void)state;
    use("raw");
    assert_int_equal(encode(SHOAL_KIND_BYTES, "x", SHOAL_COMPRESS_NONE, 0xdeadbeef), SHOAL_OK);
    assert_int_equal(flags, 0xdeadbeef);
    assert_reads(0xdeadbeef, "x", SHOAL_KIND_BYTES, "x");
    assert_int_equal(user_flags, 0xdeadbeef);
    assert_int_equal(encode(SHOAL_KIND_BYTES, "x", SHOAL_COMPRESS_ZLIB, 0), SHOAL_E_UNSUPPORTED);
}

static void test_python_integers_have_two_flags(void **state) {
    (void)state;
    use("pylibmc");
    assert_writes(SHOAL_KIND_INTEGER, "42", 4);
    assert_reads(2, "1", SHOAL_KIND_INTEGER, "1");
    use("pymemcache");
    assert_writes(SHOAL_KIND_INTEGER, "42", 2);
    assert_reads(4, "-42", SHOAL_KIND_INTEGER, "-42");
}

static void test_a_number_counted_down_loses_its_padding(void **state) {
    (void)state;
    use("php");
    assert_reads(1, "9   ", SHOAL_KIND_INTEGER, "9");
    assert_refuses(1, "   ", "integer");
}

static void test_php_bools_and_doubles(void **state) {
    (void)state;
    use("php");
    assert_writes(SHOAL_KIND_BOOL, "1", 3);
    assert_int_equal(size, 1);
    assert_writes(SHOAL_KIND_BOOL, "0", 3);
    assert_int_equal(size, 0);
    assert_reads(3, "", SHOAL_KIND_BOOL, "0");
    assert_reads(3, "1", SHOAL_KIND_BOOL, "1");
    static const char *const doubles[] = {"0", "-2", ".5", "1.", "1.5e10", "1e-07", "Infinity", "-Infinity", "NaN"};
    for (size_t i = 0; i < sizeof(doubles) / sizeof(doubles[0]); i++)
        assert_reads(2, doubles[i], SHOAL_KIND_DOUBLE, doubles[i]);
}

static void test_numbers_that_are_none_are_refused_both_ways(void **state) {
    (void)state;
    static const struct {
        int kind;
        uint32_t flags;
        const char *text;
    } table[] = {
        {SHOAL_KIND_INTEGER, 1, ""},     {SHOAL_KIND_INTEGER, 1, "-"},  {SHOAL_KIND_INTEGER, 1, "+1"},
        {SHOAL_KIND_INTEGER, 1, "1.0"},  {SHOAL_KIND_INTEGER, 1, " 1"}, {SHOAL_KIND_INTEGER, 1, "1_0"},
        {SHOAL_KIND_DOUBLE, 2, ""},      {SHOAL_KIND_DOUBLE, 2, "."},   {SHOAL_KIND_DOUBLE, 2, "1e"},
        {SHOAL_KIND_DOUBLE, 2, "1,5"},   {SHOAL_KIND_DOUBLE, 2, "inf"}, {SHOAL_KIND_DOUBLE, 2, "NaN "},
        {SHOAL_KIND_DOUBLE, 2, "1.5.5"}, {SHOAL_KIND_BOOL, 3, "2"},     {SHOAL_KIND_BOOL, 3, "true"},
    };
    use("php");
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        assert_int_equal(encode(table[i].kind, table[i].text, SHOAL_COMPRESS_NONE, 0), SHOAL_E_INVALID);
        assert_refuses(table[i].flags, table[i].text, shoal_kind_name(table[i].kind));
    }
}

static void test_user_flags_are_php_s_upper_half(void **state) {
    (void)state;
    use("php");
    assert_int_equal(encode(SHOAL_KIND_JSON, "{}", SHOAL_COMPRESS_NONE, 0xbeef), SHOAL_OK);
    assert_int_equal(flags, 0xbeef0006);
    assert_reads(flags, "{}", SHOAL_KIND_JSON, "{}");
    assert_int_equal(user_flags, 0xbeef);
    assert_int_equal(encode(SHOAL_KIND_JSON, "{}", SHOAL_COMPRESS_NONE, 0x10000), SHOAL_E_INVALID);
    use("dalli");
    assert_int_equal(encode(SHOAL_KIND_BYTES, "x", SHOAL_COMPRESS_NONE, 1), SHOAL_E_INVALID);
    assert_non_null(strstr(shoal_error_message(error), "dalli"));
}

/* dalli 4.0 to 5.0.3 with string_fastpath: 2 beside UTF-8 as it is. From 5.0.4 on that is 4, and 6 where compressed. */
static void test_dalli_s_flag_two_is_text_where_it_is_utf8(void **state) {
    (void)state;
    use("dalli");
    assert_reads(2, "text: \xc3\xa4 \xe2\x82\xac \xf0\x9f\x90\x9f", SHOAL_KIND_TEXT,
                 "text: \xc3\xa4 \xe2\x82\xac \xf0\x9f\x90\x9f");
    assert_reads(2, "", SHOAL_KIND_TEXT, "");
    assert_reads(4, "text", SHOAL_KIND_TEXT, "text");
    static const char *const neither[] = {"\xc3",         "\xc3(",        "\xc0\x80",         "\xe0\x80\x80",
                                          "\xed\xa0\x80", "\xf5\x80\x80", "\xf4\x90\x80\x80", "x\x9c"};
    for (size_t i = 0; i < sizeof(neither) / sizeof(neither[0]); i++)
        assert_refuses(2, neither[i], "damaged");
    use("json");
    assert_refuses(2, "text", "damaged");
}

/* What zlib makes of 5000 times "a": dalli's raw values were compressed before 5.2.1. */
static void test_dalli_s_flag_two_is_zlib_elsewhere(void **state) {
    (void)state;
    static const unsigned char packed[] = {0x78, 0x9c, 0xed, 0xc1, 0x31, 0x01, 0x00, 0x00, 0x00, 0xc2,
                                           0xa0, 0xac, 0xeb, 0x5f, 0xc2, 0x14, 0x7e, 0x40, 0x01, 0x00,
                                           0x00, 0x00, 0x00, 0x6f, 0x03, 0x4b, 0x6f, 0x66, 0xf2};
    use("dalli");
    assert_int_equal(decode(2, packed, sizeof(packed)), SHOAL_OK);
    assert_int_equal(kind, SHOAL_KIND_BYTES);
    assert_int_equal(size, 5000);
    assert_int_equal(decode(6, packed, sizeof(packed)), SHOAL_OK);
    assert_int_equal(kind, SHOAL_KIND_TEXT);
    assert_int_equal(decode(3, packed, sizeof(packed)), SHOAL_OK);
    assert_int_equal(kind, SHOAL_KIND_MARSHAL);
}

static char *repeated(const char *piece, size_t times) {
    size_t length = strlen(piece);
    char *text = malloc(length * times + 1);
    assert_non_null(text);
    for (size_t i = 0; i < times; i++)
        memcpy(text + i * length, piece, length);
    text[length * times] = '\0';
    return text;
}

static bool is_countable(int of_kind) {
    return of_kind == SHOAL_KIND_INTEGER || of_kind == SHOAL_KIND_DOUBLE || of_kind == SHOAL_KIND_BOOL;
}

static void round_trip(int of_kind, int compress, const char *text) {
    bool raw = of_kind == SHOAL_KIND_BYTES && strcmp(shoal_codec_name(codec), "php-memcached") != 0 &&
               strncmp(shoal_codec_name(codec), "py", 2) != 0;
    bool compresses = compress != SHOAL_COMPRESS_NONE && !is_countable(of_kind) && !raw && strlen(text) > 30;
    shoal_status status = encode(of_kind, text, compress, 0);
    if (status == SHOAL_E_UNSUPPORTED || status == SHOAL_E_INVALID)
        return; /* no such kind or compression, or not of this kind: tested above */
    assert_int_equal(status, SHOAL_OK);
    assert_int_equal(owner != NULL, compresses);
    assert_true(size <= strlen(text));
    shoal_value *stored = owner;
    owner = NULL;
    assert_int_equal(decode(flags, bytes, size), SHOAL_OK);
    assert_int_equal(kind, of_kind);
    assert_int_equal(size, strlen(text));
    assert_memory_equal(bytes, text, size);
    shoal_value_free(stored);
}

static void test_every_kind_comes_back_from_every_codec(void **state) {
    (void)state;
    char *texts[] = {repeated("", 0),        repeated("1", 1),     repeated("text ", 1),    repeated("0", 100),
                     repeated("text ", 900), repeated("1", 70000), repeated("text ", 40000)};
    for (size_t i = 0; i < shoal_codec_count(); i++) {
        codec = shoal_codec_at(i);
        for (int each = SHOAL_KIND_BYTES; each <= SHOAL_KIND_JSON; each++)
            for (int compress = SHOAL_COMPRESS_NONE; compress <= SHOAL_COMPRESS_ZSTD; compress++)
                for (size_t j = 0; j < sizeof(texts) / sizeof(texts[0]); j++)
                    round_trip(each, compress, texts[j]);
    }
    for (size_t j = 0; j < sizeof(texts) / sizeof(texts[0]); j++)
        free(texts[j]);
}

static void test_compression_has_its_flags_and_php_its_size(void **state) {
    (void)state;
    static const struct {
        const char *name;
        int kind;
        int compress;
        uint32_t flags;
    } table[] = {
        {"pylibmc", SHOAL_KIND_TEXT, SHOAL_COMPRESS_ZLIB, 16 | 8},
        {"pymemcache", SHOAL_KIND_PICKLE, SHOAL_COMPRESS_ZLIB, 1 | 8},
        {"php", SHOAL_KIND_BYTES, SHOAL_COMPRESS_ZLIB, 0x30},
        {"php", SHOAL_KIND_PHP, SHOAL_COMPRESS_ZSTD, 0x94},
        {"dalli", SHOAL_KIND_MARSHAL, SHOAL_COMPRESS_ZLIB, 1 | 2},
        {"dalli", SHOAL_KIND_TEXT, SHOAL_COMPRESS_ZLIB, 4 | 2},
        {"json", SHOAL_KIND_JSON, SHOAL_COMPRESS_ZLIB, 1 | 2},
        {"json", SHOAL_KIND_JSON, SHOAL_COMPRESS_ZSTD, 1 | 8},
    };
    char *text = repeated("text ", 100);
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        use(table[i].name);
        assert_int_equal(encode(table[i].kind, text, table[i].compress, 0), SHOAL_OK);
        assert_int_equal(flags, table[i].flags);
        assert_ptr_equal(bytes, shoal_value_data(owner));
        uint32_t told;
        memcpy(&told, bytes, sizeof(told));
        assert_int_equal(told == 500, strcmp(table[i].name, "php") == 0);
    }
    use("pylibmc");
    assert_int_equal(encode(SHOAL_KIND_TEXT, text, SHOAL_COMPRESS_ZSTD, 0), SHOAL_E_UNSUPPORTED);
    assert_non_null(strstr(shoal_error_message(error), "zlib"));
    free(text);
}

static void test_short_values_and_noise_stay_as_they_are(void **state) {
    (void)state;
    use("json");
    char *text = repeated("text ", 100);
    shoal_status status = shoal_codec_encode(codec, SHOAL_KIND_JSON, text, 500, SHOAL_COMPRESS_ZSTD, 501, 0, &bytes,
                                             &size, &flags, &owner, &error);
    assert_int_equal(status, SHOAL_OK);
    assert_ptr_equal(bytes, text);
    assert_int_equal(flags, 1);
    status = shoal_codec_encode(codec, SHOAL_KIND_JSON, text, 500, SHOAL_COMPRESS_ZSTD, 500, 0, &bytes, &size, &flags,
                                &owner, &error);
    assert_int_equal(status, SHOAL_OK);
    assert_int_equal(flags, 9);
    free(text);
    static char noise[5000];
    uint32_t random = 1;
    for (size_t i = 0; i < sizeof(noise) - 1; i++) {
        random = random * 1664525 + 1013904223;
        noise[i] = (char)(random >> 24 ? random >> 24 : 1);
    }
    for (int compress = SHOAL_COMPRESS_ZLIB; compress <= SHOAL_COMPRESS_ZSTD; compress++) {
        assert_int_equal(encode(SHOAL_KIND_JSON, noise, compress, 0), SHOAL_OK);
        assert_ptr_equal(bytes, noise);
        assert_int_equal(flags, 1);
    }
}

/* Flags that none of the codec's clients writes belong to somebody else: guessing would give wrong values. */
static void test_foreign_flags_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *name;
        uint32_t flags[6];
    } table[] = {
        {"pylibmc", {32, 3, 17, 22, 0x80000000, 0x100}}, {"pymemcache", {32, 3, 17, 22, 0x80000000, 0x100}},
        {"php", {8, 15, 0x10, 0x20, 0x70, 0x100}},       {"dalli", {5, 7, 8, 16, 0x80000000, 0x100}},
        {"json", {5, 10, 16, 11, 0x80000000, 0x100}},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        use(table[i].name);
        for (size_t j = 0; j < 6; j++)
            assert_refuses(table[i].flags[j], "1", "another client");
    }
    assert_non_null(strstr(shoal_error_message(error), "0x100"));
}

static void test_arguments_that_cannot_be_right(void **state) {
    (void)state;
    use("php");
    assert_int_equal(encode(0, "x", SHOAL_COMPRESS_NONE, 0), SHOAL_E_INVALID);
    assert_int_equal(encode(SHOAL_KIND_JSON + 1, "x", SHOAL_COMPRESS_NONE, 0), SHOAL_E_INVALID);
    assert_int_equal(encode(SHOAL_KIND_BYTES, "x", 3, 0), SHOAL_E_INVALID);
    assert_int_equal(encode(SHOAL_KIND_BYTES, "x", -1, 0), SHOAL_E_INVALID);
    assert_int_equal(decode(0, NULL, 1), SHOAL_E_INVALID);
    assert_int_equal(decode(0, NULL, 0), SHOAL_OK);
    assert_non_null(bytes);
    assert_int_equal(shoal_codec_encode(codec, SHOAL_KIND_BYTES, NULL, 0, 0, 0, 0, &bytes, &size, &flags, &owner, NULL),
                     SHOAL_OK);
    assert_int_equal(shoal_codec_encode(codec, SHOAL_KIND_BYTES, NULL, 0, 0, 0, 0, NULL, &size, &flags, &owner, NULL),
                     SHOAL_E_INVALID);
    assert_int_equal(shoal_codec_decode(codec, 0, "x", 1, 0, NULL, &bytes, &size, &flags, &owner, NULL),
                     SHOAL_E_INVALID);
    codec = NULL;
    assert_int_equal(encode(SHOAL_KIND_BYTES, "x", SHOAL_COMPRESS_NONE, 0), SHOAL_E_INVALID);
    assert_int_equal(decode(0, "x", 1), SHOAL_E_INVALID);
}

#define CODEC_TEST(test) cmocka_unit_test_teardown(test, clean)

int main(void) {
    const struct CMUnitTest tests[] = {
        CODEC_TEST(test_codecs_are_listed_and_found),
        CODEC_TEST(test_each_codec_carries_its_kinds_alone),
        CODEC_TEST(test_a_kind_without_a_flag_is_refused_with_what_to_do),
        CODEC_TEST(test_what_is_not_compressed_is_not_copied),
        CODEC_TEST(test_raw_leaves_flags_and_bytes_alone),
        CODEC_TEST(test_python_integers_have_two_flags),
        CODEC_TEST(test_a_number_counted_down_loses_its_padding),
        CODEC_TEST(test_php_bools_and_doubles),
        CODEC_TEST(test_numbers_that_are_none_are_refused_both_ways),
        CODEC_TEST(test_user_flags_are_php_s_upper_half),
        CODEC_TEST(test_dalli_s_flag_two_is_text_where_it_is_utf8),
        CODEC_TEST(test_dalli_s_flag_two_is_zlib_elsewhere),
        CODEC_TEST(test_every_kind_comes_back_from_every_codec),
        CODEC_TEST(test_compression_has_its_flags_and_php_its_size),
        CODEC_TEST(test_short_values_and_noise_stay_as_they_are),
        CODEC_TEST(test_foreign_flags_are_refused),
        CODEC_TEST(test_arguments_that_cannot_be_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
