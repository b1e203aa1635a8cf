/* codec_encode: what Shoal stores for values, so that make_codec_vectors.py can have other clients read it. For each
 * line `codec kind compression user-flags plain` of its input it prints `flags stored`, bytes in hexadecimal.
 * May include: public headers alone. */
#include <shoal/codec.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int fail(const char *what, const char *detail) {
    fprintf(stderr, "codec_encode: %s: %s\n", what, detail);
    return 1;
}

static int kind_of(const char *name) {
    for (int kind = SHOAL_KIND_BYTES; kind <= SHOAL_KIND_JSON; kind++)
        if (strcmp(shoal_kind_name(kind), name) == 0)
            return kind;
    return 0;
}

static int digit_of(char digit) {
    const char *digits = "0123456789abcdef";
    const char *found = strchr(digits, digit);
    return found ? (int)(found - digits) : 0;
}

/* In place; `-` stands for no bytes. */
static size_t from_hex(char *text) {
    size_t size = strlen(text) / 2;
    for (size_t i = 0; i < size; i++)
        text[i] = (char)(digit_of(text[2 * i]) << 4 | digit_of(text[2 * i + 1]));
    return size;
}

static void print_stored(uint32_t flags, const unsigned char *stored, size_t size) {
    printf("%lu ", (unsigned long)flags);
    for (size_t i = 0; i < size; i++)
        printf("%02x", stored[i]);
    puts(size ? "" : "-");
}

static int encode_line(char *line) {
    char *words[5];
    char *rest = NULL;
    for (int i = 0; i < 5; i++)
        if ((words[i] = strtok_r(i == 0 ? line : NULL, " \n", &rest)) == NULL)
            return fail("a line has too few words", line);
    int compress = strcmp(words[2], "zlib") == 0   ? SHOAL_COMPRESS_ZLIB
                   : strcmp(words[2], "zstd") == 0 ? SHOAL_COMPRESS_ZSTD
                                                   : SHOAL_COMPRESS_NONE;
    size_t size = from_hex(words[4]);
    const void *stored;
    size_t stored_size;
    uint32_t flags;
    shoal_value *owner;
    shoal_error *error = NULL;
    if (shoal_codec_encode(shoal_codec_find(words[0]), kind_of(words[1]), words[4], size, compress, 0,
                           (uint32_t)strtoul(words[3], NULL, 10), &stored, &stored_size, &flags, &owner, &error) < 0) {
        int status = fail(words[0], shoal_error_message(error));
        shoal_error_free(error);
        return status;
    }
    print_stored(flags, stored, stored_size);
    shoal_value_free(owner);
    return 0;
}

int main(void) {
    char *line = NULL;
    size_t room = 0;
    int status = 0;
    while (status == 0 && getline(&line, &room, stdin) > 0)
        status = encode_line(line);
    free(line);
    return status;
}
