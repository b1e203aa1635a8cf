/* The ring against the golden vectors: where the clients that Shoal takes the place of put keys, as they said
 * themselves when tests/golden/make_vectors asked them. Its head tells what the lines of a file mean. May include: the
 * core's internals. SHOAL_GOLDEN names tests/golden. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "logic/config.h"
#include "logic/key.h"
#include "logic/ring.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FLEETS_MAX 8
#define NODES_MAX 40

/* A file while it is read: its settings, a ring a fleet, and what was found. */
struct vectors {
    const char *path;
    const struct shoal__distribution *distribution;
    char hash[32];
    struct shoal__ring *rings[FLEETS_MAX];
    size_t fleet_count;
    size_t placements;
    size_t mismatches;
};

/* Which distributions and hashes some file is about, by name, with bars around. */
static char seen[1024] = "|";

static void note_seen(const char *name) {
    char word[40];
    snprintf(word, sizeof(word), "|%s|", name);
    if (strstr(seen, word) == NULL)
        snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "%s|", name);
}

/* The rest of a line up to the next separator, which is overwritten; NULL at its end. */
static char *take(char **rest, const char *separators) {
    return strtok_r(*rest, separators, rest);
}

static void add_fleet(struct vectors *vectors, char *rest) {
    struct shoal__ring_node nodes[NODES_MAX];
    size_t count = 0;
    take(&rest, "\t"); /* its name */
    for (char *node; (node = take(&rest, "\t")) != NULL; count++) {
        assert_true(count < NODES_MAX);
        nodes[count].host = take(&node, " ");
        nodes[count].port = (uint16_t)strtoul(take(&node, " "), NULL, 10);
        nodes[count].weight = (uint32_t)strtoul(take(&node, " "), NULL, 10);
    }
    assert_true(vectors->fleet_count < FLEETS_MAX);
    assert_non_null(vectors->distribution);
    struct shoal__ring *ring = shoal__ring_new(vectors->distribution, shoal__hash_find(vectors->hash), nodes, count);
    assert_non_null(ring);
    vectors->rings[vectors->fleet_count++] = ring;
}

static size_t decode(const char *text, char *key) {
    size_t size = 0;
    while (*text != '\0') {
        assert_true(size < SHOAL__KEY_MAX);
        unsigned byte = (unsigned char)*text++;
        if (byte == '%') {
            assert_int_equal(sscanf(text, "%2x", &byte), 1);
            text += 2;
        }
        key[size++] = (char)byte;
    }
    return size;
}

/* The vectors come from x86, where char has a sign: of the hashes that read it, keys beyond ASCII differ elsewhere. */
static bool differs_by_machine(const char *hash, const char *key, size_t size) {
    if (CHAR_MIN < 0 || !(strncmp(hash, "fnv", 3) == 0 || strcmp(hash, "one_at_a_time") == 0))
        return false;
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)key[i] > 0x7f)
            return true;
    return false;
}

static void check_key(struct vectors *vectors, char *rest) {
    char key[SHOAL__KEY_MAX];
    const char *text = take(&rest, "\t");
    size_t size = decode(text, key);
    if (differs_by_machine(vectors->hash, key, size))
        return;
    for (size_t fleet = 0; fleet < vectors->fleet_count; fleet++) {
        const char *word = take(&rest, " ");
        assert_non_null(word);
        size_t wanted = strtoul(word, NULL, 10);
        size_t found = shoal__ring_route(vectors->rings[fleet], key, size);
        vectors->placements++;
        if (found == wanted)
            continue;
        if (vectors->mismatches++ < 5)
            print_error("%s: %s belongs to node %zu of fleet %zu, not to %zu\n", vectors->path, text, wanted, fleet + 1,
                        found);
    }
    assert_null(take(&rest, " "));
}

static void read_line(struct vectors *vectors, char *line) {
    char *rest = line;
    const char *what = take(&rest, "\t");
    if (line[0] == '#')
        return;
    if (strcmp(what, "distribution") == 0) {
        note_seen(rest);
        vectors->distribution = shoal__distribution_find(rest);
    } else if (strcmp(what, "hash") == 0) {
        note_seen(rest);
        assert_non_null(shoal__hash_find(rest));
        snprintf(vectors->hash, sizeof(vectors->hash), "%s", rest);
    } else if (strcmp(what, "fleet") == 0) {
        add_fleet(vectors, rest);
    } else {
        assert_string_equal(what, "key");
        check_key(vectors, rest);
    }
}

/* How many placements it holds. */
static size_t check_file(const char *path, size_t *mismatches) {
    char line[4096];
    struct vectors vectors = {.path = path};
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file) != NULL) {
        char *end = strchr(line, '\n');
        assert_non_null(end);
        *end = '\0';
        read_line(&vectors, line);
    }
    assert_int_equal(fclose(file), 0);
    assert_true(vectors.placements > 0);
    for (size_t i = 0; i < vectors.fleet_count; i++)
        shoal__ring_free(vectors.rings[i]);
    print_message("%s: %zu placements, %zu mismatches\n", strrchr(path, '/') + 1, vectors.placements,
                  vectors.mismatches);
    *mismatches += vectors.mismatches;
    return vectors.placements;
}

/* Every name that an option takes, but `default`, is in some file. */
static void assert_all_seen(const char *option) {
    char names[256];
    snprintf(names, sizeof(names), "%s", shoal_option_range(shoal_option_find(option)));
    char *rest = names;
    for (const char *name; (name = take(&rest, "|")) != NULL;) {
        char word[40];
        snprintf(word, sizeof(word), "|%s|", name);
        if (strcmp(name, "default") != 0 && strstr(seen, word) == NULL)
            fail_msg("no golden vector is about %s %s", option, name);
    }
}

static void test_every_key_is_where_its_client_put_it(void **state) {
    (void)state;
    size_t placements = 0;
    size_t mismatches = 0;
    DIR *folder = opendir(SHOAL_GOLDEN "/vectors");
    assert_non_null(folder);
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char path[4096];
        snprintf(path, sizeof(path), "%s/vectors/%s", SHOAL_GOLDEN, entry->d_name);
        if (entry->d_name[0] != '.')
            placements += check_file(path, &mismatches);
    }
    closedir(folder);
    print_message("%zu placements in all\n", placements);
    assert_int_equal(mismatches, 0);
    assert_all_seen("distribution");
    assert_all_seen("hash");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_key_is_where_its_client_put_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
