/* What the outage of one node of four costs: 2000 calls a second (four reads to a store; a miss is followed by a
 * store), node 3 stopped or killed for 4 s, and what the calls were like before, meanwhile and afterwards. Usage:
 * outage stopped|killed [OPTION=VALUE&...]. May include: the public headers, support/. */
#include "support/clients.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NODES 4
#define FAULTED 2
#define KEYS 2000
#define PACE_US 500
#define BEFORE_S 2
#define OUTAGE_S 4
#define AFTER_S 3
#define LATE_US 50000.0

enum phase { BEFORE, MEANWHILE, AFTERWARDS, PHASES };

struct tally {
    long calls[PHASES];
    long fine[PHASES];
    double longest_us;
    double late_us; /* the sum of the calls that took long */
    double last_error_us;
};

static double now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static unsigned next_random(void) {
    static uint64_t state = 1;
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(state >> 33);
}

static shoal_status call(shoal_client *client) {
    static const char value[200] = "v";
    char key[16];
    shoal_value *found = NULL;
    size_t size = (size_t)snprintf(key, sizeof(key), "key:%u", next_random() % KEYS);
    shoal_status status = SHOAL_NOT_FOUND;
    if (next_random() % 5 != 0)
        status = shoal_get(client, key, size, &found, NULL);
    shoal_value_free(found);
    return status == SHOAL_NOT_FOUND ? shoal_set(client, key, size, value, sizeof(value), 0, NULL) : status;
}

static void count_call(struct tally *tally, enum phase phase, shoal_client *client) {
    double began_us = now_us();
    shoal_status status = call(client);
    double taken_us = now_us() - began_us;
    tally->calls[phase]++;
    tally->fine[phase] += status >= 0;
    if (status < 0)
        tally->last_error_us = now_us();
    if (taken_us > tally->longest_us)
        tally->longest_us = taken_us;
    if (taken_us > LATE_US)
        tally->late_us += taken_us;
}

static void run_phase(struct tally *tally, enum phase phase, shoal_client *client, int seconds) {
    double began_us = now_us();
    for (long i = 0; now_us() < began_us + seconds * 1e6; i++) {
        count_call(tally, phase, client);
        double ahead_us = began_us + (double)(i + 1) * PACE_US - now_us();
        struct timespec pause = {.tv_nsec = ahead_us > 0 ? (long)(ahead_us * 1e3) : 0};
        nanosleep(&pause, NULL);
    }
}

int main(int argc, char **argv) {
    struct test_memcached nodes[NODES];
    struct tally tally = {0};
    char endpoint[NODES * 32] = "";
    char options[256];
    if (argc < 2 || (strcmp(argv[1], "stopped") != 0 && strcmp(argv[1], "killed") != 0)) {
        fprintf(stderr, "usage: outage stopped|killed [OPTION=VALUE&...]\n");
        return 64;
    }
    bool killed = strcmp(argv[1], "killed") == 0;
    for (int i = 0; i < NODES; i++) {
        nodes[i] = test_memcached_start(0);
        strcat(strcat(endpoint, i > 0 ? "," : ""), nodes[i].name);
    }
    snprintf(options, sizeof(options), "operation_timeout_ms=200%s%s", argc > 2 ? "&" : "", argc > 2 ? argv[2] : "");
    shoal_client *client = test_client(endpoint, options);
    run_phase(&tally, BEFORE, client, BEFORE_S);
    if (killed)
        test_memcached_stop(&nodes[FAULTED]);
    else
        test_memcached_freeze(&nodes[FAULTED]);
    run_phase(&tally, MEANWHILE, client, OUTAGE_S);
    if (killed)
        nodes[FAULTED] = test_memcached_start(nodes[FAULTED].port);
    else
        test_memcached_thaw(&nodes[FAULTED]);
    double back_us = now_us();
    run_phase(&tally, AFTERWARDS, client, AFTER_S);

    printf(
        "%s: calls that succeed: before %.3f, meanwhile %.3f of %ld a second; longest call %.0f ms; stalled %.0f ms in "
        "all; served again after %.0f ms\n",
        argv[1], (double)tally.fine[BEFORE] / (double)tally.calls[BEFORE],
        (double)tally.fine[MEANWHILE] / (double)tally.calls[MEANWHILE], tally.calls[MEANWHILE] / OUTAGE_S,
        tally.longest_us / 1e3, tally.late_us / 1e3,
        tally.last_error_us > back_us ? (tally.last_error_us - back_us) / 1e3 : 0.0);
    shoal_client_free(client);
    for (int i = 0; i < NODES; i++)
        test_memcached_stop(&nodes[i]);
    return 0;
}
