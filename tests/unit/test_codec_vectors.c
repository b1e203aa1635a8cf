/* Codecs against what the clients themselves wrote: tests/golden/codec, made by make_codec_vectors.py.
 * May include: public headers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <shoal/codec.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bytes {
    unsigned char *data;
    size_t size;
};

/* One line; see make_codec_vectors.py for its form. */
struct vector {
    const shoal_codec *codec;
    const char *name;
    int kind;
    uint32_t user_flags;
    struct bytes plain;
    uint32_t flags;
    struct bytes stored;
};

static int kind_of(const char *name) {
    for (int kind = SHOAL_KIND_BYTES; kind <= SHOAL_KIND_JSON; kind++)
        if (strcmp(shoal_kind_name(kind), name) == 0)
            return kind;
    fail_msg("no kind %s", name);
    return 0;
}

static unsigned digit_of(char digit) {
    return (unsigned)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

static void append(struct bytes *bytes, const char *hex, size_t digits, size_t times) {
    size_t size = digits / 2;
    bytes->data = realloc(bytes->data, bytes->size + size * times + 1);
    assert_non_null(bytes->data);
    for (size_t i = 0; i < size * times; i++) {
        const char *pair = hex + i % size * 2;
        bytes->data[bytes->size++] = (unsigned char)(digit_of(pair[0]) << 4 | digit_of(pair[1]));
    }
}

/* "6162+63*100": pieces in hexadecimal, some of them repeated. */
static struct bytes unfold(char *text) {
    struct bytes bytes = {0};
    append(&bytes, "", 0, 0);
    char *rest = NULL;
    for (char *piece = strtok_r(text, "+-", &rest); piece; piece = strtok_r(NULL, "+-", &rest)) {
        size_t digits = strcspn(piece, "*");
        append(&bytes, piece, digits, piece[digits] == '*' ? strtoul(piece + digits + 1, NULL, 10) : 1);
    }
    return bytes;
}

static char *next_word(char **rest) {
    char *word = strtok_r(NULL, " \n", rest);
    assert_non_null(word);
    return word;
}

static void parse(char *line, struct vector *vector) {
    char *rest = NULL;
    vector->codec = shoal_codec_find(strtok_r(line, " \n", &rest));
    assert_non_null(vector->codec);
    vector->name = next_word(&rest);
    vector->kind = kind_of(next_word(&rest));
    vector->user_flags = (uint32_t)strtoul(next_word(&rest), NULL, 10);
    vector->plain = unfold(next_word(&rest));
    vector->flags = (uint32_t)strtoul(next_word(&rest), NULL, 10);
    vector->stored = unfold(next_word(&rest));
}

/* The size before php-memcached's compressed bytes is in the order of the machine that wrote the vectors. */
static bool is_readable_here(const struct vector *vector) {
    const uint16_t one = 1;
    bool little = *(const unsigned char *)&one == 1;
    return little || (vector->flags & 0x10) == 0 || strcmp(shoal_codec_name(vector->codec), "php-memcached") != 0;
}

static void decodes_to(const struct vector *vector, uint32_t flags, const void *stored, size_t stored_size) {
    int kind;
    const void *plain;
    size_t size;
    uint32_t user_flags;
    shoal_value *owner;
    shoal_error *error = NULL;
    if (shoal_codec_decode(vector->codec, flags, stored, stored_size, 0, &kind, &plain, &size, &user_flags, &owner,
                           &error) != SHOAL_OK)
        fail_msg("%s: %s", vector->name, shoal_error_message(error));
    if (kind != vector->kind || size != vector->plain.size || memcmp(plain, vector->plain.data, size) != 0 ||
        user_flags != vector->user_flags)
        fail_msg("%s: %s, %zu bytes, user flags %u", vector->name, shoal_kind_name(kind), size, (unsigned)user_flags);
    shoal_value_free(owner);
}

/* What is not compressed is stored byte for byte as the client does; but Python's ints, of which there are two. */
static void encodes_back(const struct vector *vector, int compress) {
    const void *stored;
    size_t size;
    uint32_t flags;
    shoal_value *owner;
    shoal_error *error = NULL;
    if (shoal_codec_encode(vector->codec, vector->kind, vector->plain.data, vector->plain.size, compress, 0,
                           vector->user_flags, &stored, &size, &flags, &owner, &error) != SHOAL_OK)
        fail_msg("%s: %s", vector->name, shoal_error_message(error));
    decodes_to(vector, flags, stored, size);
    if (compress == SHOAL_COMPRESS_NONE && vector->kind != SHOAL_KIND_INTEGER &&
        vector->stored.size >= vector->plain.size) {
        assert_int_equal(flags, vector->flags);
        assert_int_equal(size, vector->stored.size);
        assert_memory_equal(stored, vector->stored.data, size);
    }
    shoal_value_free(owner);
}

static void check_vector(char *line) {
    struct vector vector;
    parse(line, &vector);
    if (is_readable_here(&vector))
        decodes_to(&vector, vector.flags, vector.stored.data, vector.stored.size);
    encodes_back(&vector, SHOAL_COMPRESS_NONE);
    encodes_back(&vector, SHOAL_COMPRESS_ZLIB);
    free(vector.plain.data);
    free(vector.stored.data);
}

static void check_file(const char *path, int least) {
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    char *line = NULL;
    size_t room = 0;
    int count = 0;
    while (getline(&line, &room, file) > 0) {
        if (line[0] == '#')
            continue;
        check_vector(line);
        count++;
    }
    free(line);
    fclose(file);
    assert_true(count >= least);
}

static void test_pylibmc(void **state) {
    (void)state;
    check_file(SHOAL_GOLDEN "/codec/pylibmc.txt", 18);
}

static void test_pymemcache(void **state) {
    (void)state;
    check_file(SHOAL_GOLDEN "/codec/pymemcache.txt", 27);
}

static void test_dalli(void **state) {
    (void)state;
    check_file(SHOAL_GOLDEN "/codec/dalli.txt", 23);
}

static void test_php_memcached(void **state) {
    (void)state;
    check_file(SHOAL_GOLDEN "/codec/php-memcached.txt", 38);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pylibmc),
        cmocka_unit_test(test_pymemcache),
        cmocka_unit_test(test_dalli),
        cmocka_unit_test(test_php_memcached),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
