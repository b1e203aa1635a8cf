/* What Shoal costs beside the least that the same result can cost. Starts memcached processes of its own. Pin it, as
 * waking another core costs more than either: taskset -c 1 build/release/tests/bench/floor [PROTOCOL] [ROW]
 * May include: floor_*, support/. core/doc/PERFORMANCE.md has the rows and figures. */
#include "floor_load.h"
#include "floor_peer.h"
#include "floor_shoal.h"

#include "support/servers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS 41
#define NODES 4
#define LARGE ((size_t)900 * 1024)

struct contest {
    const char *name;
    size_t nodes; /* 1 or NODES */
    size_t keys;
    size_t value_size;
    void (*ours)(struct ours *, struct load *);
    void (*floor)(struct peer *, struct load *);
    int repetitions; /* a round */
};

static const struct contest contests[] = {
    {"get", 1, 1, 100, ours_get, peer_get, 1000},
    {"set", 1, 1, 100, ours_set, peer_set, 1000},
    {"get_many", 1, 100, 100, ours_get_many, peer_get_many, 50},
    {"get_many_4", NODES, 100, 100, ours_get_many, peer_get_many, 50},
    {"set_many", 1, 100, 100, ours_set_many, peer_set_many, 20},
    {"set_many_4", NODES, 100, 100, ours_set_many, peer_set_many, 20},
    {"get_900k", 1, 1, LARGE, ours_get, peer_get, 20},
    {"set_900k", 1, 1, LARGE, ours_set, peer_set, 20},
    {"get_100000_4", NODES, 100000, 100, ours_get_many, peer_get_many, 1},
};

#define CONTEST_COUNT (sizeof(contests) / sizeof(contests[0]))

static const char *const protocols[] = {"auto", "meta", "libmemcached"};

/* --- Measuring: interleaved rounds, medians --- */

struct arena {
    const struct contest *contest;
    struct ours *ours;
    struct peer *peer;
    struct load load;
};

static double now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static double time_floor_us(struct arena *arena) {
    double began = now_us();
    for (int i = 0; i < arena->contest->repetitions; i++)
        arena->contest->floor(arena->peer, &arena->load);
    return (now_us() - began) / arena->contest->repetitions;
}

static double time_ours_us(struct arena *arena) {
    double began = now_us();
    for (int i = 0; i < arena->contest->repetitions; i++)
        arena->contest->ours(arena->ours, &arena->load);
    return (now_us() - began) / arena->contest->repetitions;
}

static int compare(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return a < b ? -1 : a > b;
}

static void measure(struct arena *arena) {
    double ours[ROUNDS], floor[ROUNDS], ratios[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        floor[i] = time_floor_us(arena);
        ours[i] = time_ours_us(arena);
        ratios[i] = ours[i] / floor[i];
    }
    qsort(ours, ROUNDS, sizeof(double), compare);
    qsort(floor, ROUNDS, sizeof(double), compare);
    qsort(ratios, ROUNDS, sizeof(double), compare);
    printf("%-12s %9.2f us   floor %9.2f us   ratio %.2f (%.2f to %.2f)\n", arena->contest->name, ours[ROUNDS / 2],
           floor[ROUNDS / 2], ratios[ROUNDS / 2], ratios[ROUNDS / 10], ratios[ROUNDS - 1 - ROUNDS / 10]);
    fflush(stdout);
}

/* --- One row --- */

/* Each has to find what the other stored, and where it looks for it. Warms both up, too. */
static void check_both(struct arena *arena) {
    struct load *load = &arena->load;
    size_t size = load->count * load->value_size;
    bool is_batch = load->count > 1;
    (is_batch ? peer_set_many : peer_set)(arena->peer, load);
    if (memchr(load->done, false, load->count) != NULL)
        give_up("the floor cannot store");
    ours_check(arena->ours, load);
    (is_batch ? ours_set_many : ours_set)(arena->ours, load);
    memset(load->results, 0, size);
    (is_batch ? peer_get_many : peer_get)(arena->peer, load);
    if (memcmp(load->results, load->values, size) != 0 || memchr(load->done, false, load->count) != NULL)
        give_up("the floor does not find what Shoal stored");
}

static void name_all(const struct test_memcached *servers, size_t count, char endpoint[512]) {
    int used = snprintf(endpoint, 512, "static://");
    for (size_t i = 0; i < count; i++)
        used += snprintf(endpoint + used, 512 - (size_t)used, "%s%s", i > 0 ? "," : "", servers[i].name);
}

static void hold(const struct contest *contest, const struct test_memcached *servers, const char *protocol) {
    struct arena arena = {.contest = contest};
    char endpoint[512];
    name_all(servers, contest->nodes, endpoint);
    arena.ours = ours_new(endpoint, protocol);
    arena.peer = peer_new(servers, contest->nodes);
    arena.load = load_new(contest->keys, contest->value_size);
    check_both(&arena);
    measure(&arena);
    load_clear(&arena.load);
    ours_free(arena.ours);
}

/* --- The command line --- */

struct choice {
    const char *protocol;
    const char *row; /* NULL: all */
};

static bool choose(struct choice *choice, const char *word) {
    for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++)
        if (strcmp(word, protocols[i]) == 0) {
            choice->protocol = word;
            return true;
        }
    for (size_t i = 0; i < CONTEST_COUNT; i++)
        if (strcmp(word, contests[i].name) == 0) {
            choice->row = word;
            return true;
        }
    return false;
}

static int explain(void) {
    fprintf(stderr, "usage: floor [auto | meta | libmemcached] [ROW]\nrows:");
    for (size_t i = 0; i < CONTEST_COUNT; i++)
        fprintf(stderr, " %s", contests[i].name);
    fputc('\n', stderr);
    return 64;
}

int main(int argc, char **argv) {
    struct choice choice = {.protocol = "auto"};
    struct test_memcached servers[NODES];
    for (int i = 1; i < argc; i++)
        if (!choose(&choice, argv[i]))
            return explain();
    for (size_t i = 0; i < NODES; i++)
        servers[i] = test_memcached_start(0);
    printf("protocol=%s\n", choice.protocol);
    for (size_t i = 0; i < CONTEST_COUNT; i++)
        if (choice.row == NULL || strcmp(choice.row, contests[i].name) == 0)
            hold(&contests[i], servers, choice.protocol);
    for (size_t i = 0; i < NODES; i++)
        test_memcached_stop(&servers[i]);
    return 0;
}
