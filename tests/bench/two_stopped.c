/* What two stopped nodes of four cost a get_many of 100 keys: the first batch that meets them, the batches after it,
 * and what was told of each key. Usage: two_stopped [OPTION=VALUE&...]. May include: the public headers, support/. */
#include "support/clients.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NODES 4
#define KEYS 100
#define BATCHES 200

static char keys[KEYS][16];

static double now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void fill(shoal_batch *batch) {
    for (int i = 0; i < KEYS; i++)
        shoal_batch_store(batch, SHOAL_SET, keys[i], strlen(keys[i]), keys[i], strlen(keys[i]), 0, 0, 0, NULL);
    shoal_batch_run(batch, NULL);
    shoal_batch_clear(batch);
}

/* How long a get_many took; *hits and *told: keys that were found, and that an error was told for. */
static double ask(shoal_batch *batch, int *hits, int *told) {
    double began_ms = now_ms();
    for (int i = 0; i < KEYS; i++)
        shoal_batch_get(batch, keys[i], strlen(keys[i]), NULL);
    shoal_batch_run(batch, NULL);
    double taken_ms = now_ms() - began_ms;
    *hits = *told = 0;
    for (size_t i = 0; i < KEYS; i++) {
        *hits += shoal_batch_status(batch, i) == SHOAL_OK;
        *told += shoal_batch_status(batch, i) < 0;
    }
    shoal_batch_clear(batch);
    return taken_ms;
}

static int compare(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return a < b ? -1 : a > b;
}

static void tell(shoal_batch *batch, const char *what, int count) {
    double taken_ms[BATCHES];
    int hits = 0;
    int told = 0;
    for (int i = 0; i < count; i++)
        taken_ms[i] = ask(batch, &hits, &told);
    qsort(taken_ms, (size_t)count, sizeof(double), compare);
    printf("%-24s median %7.2f ms, longest %7.2f ms; of %d keys %d hits, %d told as failed\n", what,
           taken_ms[count / 2], taken_ms[count - 1], KEYS, hits, told);
}

int main(int argc, char **argv) {
    struct test_memcached nodes[NODES];
    char endpoint[NODES * 32] = "";
    char options[256];
    shoal_batch *batch = NULL;
    for (int i = 0; i < KEYS; i++)
        snprintf(keys[i], sizeof(keys[i]), "key:%d", i);
    for (int i = 0; i < NODES; i++) {
        nodes[i] = test_memcached_start(0);
        strcat(strcat(endpoint, i > 0 ? "," : ""), nodes[i].name);
    }
    snprintf(options, sizeof(options), "operation_timeout_ms=200%s%s", argc > 1 ? "&" : "", argc > 1 ? argv[1] : "");
    shoal_client *client = test_client(endpoint, options);
    if (shoal_batch_new(client, &batch, NULL) != SHOAL_OK)
        return 1;
    fill(batch);
    tell(batch, "all up", BATCHES);
    test_memcached_freeze(&nodes[0]);
    test_memcached_freeze(&nodes[2]);
    tell(batch, "two stopped, the first", 1);
    tell(batch, "two stopped, the others", BATCHES);
    shoal_batch_free(batch);
    shoal_client_free(client);
    for (int i = 0; i < NODES; i++)
        test_memcached_stop(&nodes[i]);
    return 0;
}
