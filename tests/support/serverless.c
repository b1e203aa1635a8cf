/* The stand-in for ElastiCache Serverless: a TLS front whose filter reads commands as memcached does, values aside.
 * What is to be refused becomes a command to which memcached itself says so, which keeps the answers in their order.
 * May include: libc and support/. */
#include "support/serverless.h"

#include "support/servers.h"
#include "support/tls_front.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ERROR_FROM_MEMCACHED "unknown\r\n"
#define CLIENT_ERROR_FROM_MEMCACHED "touch key never\r\n"

struct test_serverless {
    struct test_memcached memcached;
    struct test_front *front;
    size_t get_max;
    atomic_size_t longest_get;
    atomic_uint refused_gets;
};

/* What one connection is saying. */
struct talk {
    char line[TEST_SERVERLESS_GET_MAX + 1024]; /* its beginning, where it is longer */
    size_t line_size;
    size_t value_left; /* of a store, with its line end */
};

static bool begins_with(const char *line, const char *start) {
    return strncmp(line, start, strlen(start)) == 0;
}

static const char *judge_get(struct test_serverless *serverless, size_t size) {
    size_t longest = atomic_load(&serverless->longest_get);
    while (size > longest && !atomic_compare_exchange_weak(&serverless->longest_get, &longest, size))
        continue;
    if (size <= serverless->get_max)
        return NULL;
    atomic_fetch_add(&serverless->refused_gets, 1);
    return CLIENT_ERROR_FROM_MEMCACHED;
}

/* What memcached is told in place of a line; NULL: the line itself. */
static const char *judge(struct test_serverless *serverless, const char *line, size_t size) {
    static const char *const unknown[] = {"lru ", "lru_crawler ", "watch", "verbosity ", "me ", "config ", "stats "};
    if (begins_with(line, "get ") || begins_with(line, "gets "))
        return judge_get(serverless, size);
    if (begins_with(line, "flush_all ") && atoi(line + strlen("flush_all ")) > 0)
        return CLIENT_ERROR_FROM_MEMCACHED;
    if (begins_with(line, "stats reset"))
        return NULL;
    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
        if (begins_with(line, unknown[i]))
            return ERROR_FROM_MEMCACHED;
    return NULL;
}

/* How many bytes follow a line as its value, with their line end; 0: none. */
static size_t value_size(const char *line) {
    static const char *const classic[] = {"set ", "add ", "replace ", "append ", "prepend ", "cas "};
    size_t size;
    if (sscanf(line, "ms %*s %zu", &size) == 1)
        return size + 2;
    for (size_t i = 0; i < sizeof(classic) / sizeof(classic[0]); i++)
        if (begins_with(line, classic[i]) && sscanf(line, "%*s %*s %*s %*s %zu", &size) == 1)
            return size + 2;
    return 0;
}

static bool end_line(struct test_serverless *serverless, struct talk *talk, int target) {
    size_t kept = talk->line_size < sizeof(talk->line) ? talk->line_size : sizeof(talk->line) - 1;
    talk->line[kept] = '\0';
    const char *instead = judge(serverless, talk->line, talk->line_size);
    talk->value_left = instead == NULL ? value_size(talk->line) : 0;
    talk->line_size = 0;
    return instead ? test_front_pass(target, instead, strlen(instead)) : test_front_pass(target, talk->line, kept);
}

static void add_to_line(struct talk *talk, const char *bytes, size_t size) {
    if (talk->line_size < sizeof(talk->line)) {
        size_t room = sizeof(talk->line) - talk->line_size;
        memcpy(talk->line + talk->line_size, bytes, size < room ? size : room);
    }
    talk->line_size += size;
}

static bool filter(void *state, const char *bytes, size_t size, int target, void *context) {
    struct talk *talk = state;
    while (size > 0) {
        const char *end = memchr(bytes, '\n', size);
        size_t taken = talk->value_left > 0 ? talk->value_left : end ? (size_t)(end - bytes) + 1 : size;
        taken = taken < size ? taken : size;
        if (talk->value_left > 0) {
            talk->value_left -= taken;
            if (!test_front_pass(target, bytes, taken))
                return false;
        } else {
            add_to_line(talk, bytes, taken);
            if (end != NULL && !end_line(context, talk, target))
                return false;
        }
        bytes += taken;
        size -= taken;
    }
    return true;
}

struct test_serverless *test_serverless_start(const char *certificate, size_t get_max) {
    struct test_serverless *serverless = calloc(1, sizeof(*serverless));
    if (serverless == NULL)
        abort();
    serverless->get_max = get_max;
    serverless->memcached = test_memcached_start_with(0, "-m", "256");
    serverless->front = test_front_start(&(struct test_front_options){
        .target = serverless->memcached.port,
        .certificate = certificate,
        .filter = filter,
        .filter_context = serverless,
        .filter_state_size = sizeof(struct talk),
    });
    return serverless;
}

const char *test_serverless_name(const struct test_serverless *serverless) {
    return test_front_name(serverless->front);
}

size_t test_serverless_longest_get(const struct test_serverless *serverless) {
    return atomic_load(&serverless->longest_get);
}

unsigned test_serverless_refused_gets(const struct test_serverless *serverless) {
    return atomic_load(&serverless->refused_gets);
}

void test_serverless_stop(struct test_serverless *serverless) {
    test_front_stop(serverless->front);
    test_memcached_stop(&serverless->memcached);
    free(serverless);
}
