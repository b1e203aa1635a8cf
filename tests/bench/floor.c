/* What Shoal costs beside the least that the same exchange can cost: a blocking socket with nothing around it. Starts a
 * memcached of its own. Pin it, as waking another core costs more than either: taskset -c 0
 * build/release/tests/bench/floor May include: the public headers, support/. core/doc/PERFORMANCE.md has the figures.
 */
#include "support/servers.h"

#include <shoal/shoal.h>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 41
#define KEYS 100
#define VALUE_SIZE 100

static shoal_client *client;
static int floor_fd;
static char keys[KEYS][16];
static char value[VALUE_SIZE];
static char reply[KEYS * 256];
static char get_line[KEYS * 16 + 8];

static void give_up(const char *what) {
    fprintf(stderr, "floor: %s\n", what);
    exit(1);
}

static double now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* --- The floor --- */

static void exchange(const char *bytes, size_t size, const char *end) {
    size_t end_size = strlen(end);
    size_t received = 0;
    if (send(floor_fd, bytes, size, 0) != (ssize_t)size)
        give_up("cannot send");
    while (received < end_size || memcmp(reply + received - end_size, end, end_size) != 0) {
        ssize_t count = recv(floor_fd, reply + received, sizeof(reply) - received, 0);
        if (count <= 0)
            give_up("cannot receive");
        received += (size_t)count;
    }
}

static void floor_get(void) {
    exchange("get key:0\r\n", 11, "END\r\n");
}

static void floor_set(void) {
    char line[VALUE_SIZE + 64];
    int size = snprintf(line, sizeof(line), "set key:0 0 0 %d\r\n%.*s\r\n", VALUE_SIZE, VALUE_SIZE, value);
    exchange(line, (size_t)size, "STORED\r\n");
}

static void floor_get_many(void) {
    exchange(get_line, strlen(get_line), "END\r\n");
}

/* Classic pipelining: all sets in one send, then all replies. */
static void floor_set_many(void) {
    static char lines[KEYS * (VALUE_SIZE + 64)];
    size_t size = 0;
    for (int i = 0; i < KEYS; i++)
        size += (size_t)snprintf(lines + size, sizeof(lines) - size, "set %s 0 0 %d\r\n%.*s\r\n", keys[i], VALUE_SIZE,
                                 VALUE_SIZE, value);
    if (send(floor_fd, lines, size, 0) != (ssize_t)size)
        give_up("cannot send");
    for (size_t received = 0; received < KEYS * strlen("STORED\r\n");) {
        ssize_t count = recv(floor_fd, reply, sizeof(reply), 0);
        if (count <= 0)
            give_up("cannot receive");
        received += (size_t)count;
    }
}

/* --- Shoal --- */

static void shoal_one_get(void) {
    shoal_value *found = NULL;
    if (shoal_get(client, keys[0], strlen(keys[0]), &found, NULL) != SHOAL_OK)
        give_up("a get failed");
    shoal_value_free(found);
}

static void shoal_one_set(void) {
    if (shoal_set(client, keys[0], strlen(keys[0]), value, VALUE_SIZE, 0, NULL) != SHOAL_OK)
        give_up("a set failed");
}

static void run_batch(bool stores) {
    static shoal_batch *batch;
    if (batch == NULL && shoal_batch_new(client, &batch, NULL) != SHOAL_OK)
        give_up("no batch");
    for (int i = 0; i < KEYS; i++)
        if (stores)
            shoal_batch_store(batch, SHOAL_SET, keys[i], strlen(keys[i]), value, VALUE_SIZE, 0, 0, 0, NULL);
        else
            shoal_batch_get(batch, keys[i], strlen(keys[i]), NULL);
    if (shoal_batch_run(batch, NULL) != SHOAL_OK)
        give_up("a batch failed");
    shoal_batch_clear(batch);
}

static void shoal_get_many(void) {
    run_batch(false);
}

static void shoal_set_many(void) {
    run_batch(true);
}

/* --- Measuring: interleaved rounds, medians --- */

struct contest {
    const char *name;
    void (*ours)(void);
    void (*floor)(void);
    int repetitions; /* a round */
};

static int compare(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return a < b ? -1 : a > b;
}

static double time_once_us(void (*act)(void), int repetitions) {
    double began = now_us();
    for (int i = 0; i < repetitions; i++)
        act();
    return (now_us() - began) / repetitions;
}

static void hold(const struct contest *contest) {
    double ours[ROUNDS], floor[ROUNDS], ratios[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        floor[i] = time_once_us(contest->floor, contest->repetitions);
        ours[i] = time_once_us(contest->ours, contest->repetitions);
        ratios[i] = ours[i] / floor[i];
    }
    qsort(ours, ROUNDS, sizeof(double), compare);
    qsort(floor, ROUNDS, sizeof(double), compare);
    qsort(ratios, ROUNDS, sizeof(double), compare);
    printf("%-14s %8.2f us   floor %8.2f us   ratio %.2f (%.2f to %.2f)\n", contest->name, ours[ROUNDS / 2],
           floor[ROUNDS / 2], ratios[ROUNDS / 2], ratios[ROUNDS / 10], ratios[ROUNDS - 1 - ROUNDS / 10]);
}

static void connect_both(const struct test_memcached *server) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(server->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1;
    char endpoint[96];
    shoal_config *config = NULL;
    snprintf(endpoint, sizeof(endpoint), "static://%s?operation_timeout_ms=10000", server->name);
    floor_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (floor_fd < 0 || connect(floor_fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        setsockopt(floor_fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0)
        give_up("cannot connect");
    if (shoal_config_new(&config, NULL) != SHOAL_OK ||
        shoal_config_set(config, "endpoint", endpoint, NULL) != SHOAL_OK ||
        shoal_client_new(config, &client, NULL) != SHOAL_OK)
        give_up("no client");
    shoal_config_free(config);
}

int main(void) {
    static const struct contest contests[] = {
        {"get", shoal_one_get, floor_get, 1000},
        {"set", shoal_one_set, floor_set, 1000},
        {"get_many 100", shoal_get_many, floor_get_many, 50},
        {"set_many 100", shoal_set_many, floor_set_many, 20},
    };
    struct test_memcached server = test_memcached_start(0);
    memset(value, 'v', sizeof(value));
    strcpy(get_line, "get");
    for (int i = 0; i < KEYS; i++) {
        snprintf(keys[i], sizeof(keys[i]), "key:%d", i);
        strcat(strcat(get_line, " "), keys[i]);
    }
    strcat(get_line, "\r\n");
    connect_both(&server);
    shoal_set_many();
    for (size_t i = 0; i < sizeof(contests) / sizeof(contests[0]); i++)
        hold(&contests[i]);
    shoal_client_free(client);
    close(floor_fd);
    test_memcached_stop(&server);
    return 0;
}
