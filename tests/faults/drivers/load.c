/* The load of the fault bench through the public C API; tests/faults/drivers/load.py says what every driver does.
 * Usage: load c ENDPOINT RATE SECONDS KEYS. May include: the public headers, load_check.h. Started by tests/faults. */
#include "load_check.h"

#include <shoal/shoal.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BUCKET_S 0.1
#define STALLED_S 0.05
#define BACKLOG_S 0.02
#define ERRORS_TOLD 8

struct bucket {
    long index;
    long calls, fine, errors, wrong, stale;
    double longest_s, stalled_s;
};

struct load {
    shoal_client *client;
    struct load_versions versions;
    struct bucket bucket;
    int errors_told;
};

static double now_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static unsigned next_random(void) {
    static uint64_t state = 1;
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(state >> 33);
}

static void flush_bucket(struct bucket *bucket) {
    if (bucket->calls > 0)
        printf("bucket %ld %ld %ld %ld %ld %ld %.0f %.0f\n", bucket->index, bucket->calls, bucket->fine, bucket->errors,
               bucket->wrong, bucket->stale, bucket->longest_s * 1e6, bucket->stalled_s * 1e6);
    fflush(stdout);
}

/* One call's time and what became of it. */
static void note_call(struct load *load, double began_s, shoal_status status, const shoal_error *error) {
    double taken_s = now_s() - began_s;
    if (taken_s > load->bucket.longest_s)
        load->bucket.longest_s = taken_s;
    if (taken_s > STALLED_S)
        load->bucket.stalled_s += taken_s;
    if (status < 0 && load->errors_told++ < ERRORS_TOLD)
        printf("error %s\n", shoal_error_message(error));
}

static shoal_status store(struct load *load, size_t key) {
    char name[LOAD_KEY_MAX];
    char value[LOAD_VALUE_SIZE];
    shoal_error *error = NULL;
    size_t size = load_key(name, key);
    unsigned version = ++load->versions.tried[key];
    load_value(value, key, version);
    double began_s = now_s();
    shoal_status status = shoal_set(load->client, name, size, value, sizeof(value), 0, &error);
    note_call(load, began_s, status, error);
    if (status == SHOAL_OK)
        load->versions.stored[key] = version;
    shoal_error_free(error);
    return status;
}

static shoal_status read(struct load *load, size_t key) {
    char name[LOAD_KEY_MAX];
    shoal_value *found = NULL;
    shoal_error *error = NULL;
    size_t size = load_key(name, key);
    double began_s = now_s();
    shoal_status status = shoal_get(load->client, name, size, &found, &error);
    note_call(load, began_s, status, error);
    if (status == SHOAL_OK) {
        enum load_verdict verdict = load_judge(&load->versions, key, shoal_value_data(found), shoal_value_size(found));
        load->bucket.wrong += verdict == LOAD_WRONG;
        load->bucket.stale += verdict == LOAD_STALE;
    }
    shoal_value_free(found);
    shoal_error_free(error);
    return status;
}

static void operate(struct load *load, size_t keys) {
    size_t key = next_random() % keys;
    shoal_status status = SHOAL_NOT_FOUND;
    if (next_random() % 5 != 0)
        status = read(load, key);
    if (status == SHOAL_NOT_FOUND)
        status = store(load, key);
    load->bucket.calls++;
    load->bucket.fine += status >= 0;
    load->bucket.errors += status < 0;
}

static void run(struct load *load, size_t keys, double rate, double seconds) {
    double began_s = now_s();
    double due_s = began_s;
    printf("start %.6f\n", began_s);
    for (;;) {
        double now = now_s();
        if (now >= began_s + seconds)
            break;
        if (now < due_s) {
            double ahead_s = due_s - now;
            nanosleep(&(struct timespec){.tv_sec = (time_t)ahead_s,
                                         .tv_nsec = (long)((ahead_s - (double)(time_t)ahead_s) * 1e9)},
                      NULL);
            continue;
        }
        due_s = (now - due_s > BACKLOG_S ? now : due_s) + 1 / rate;
        long index = (long)((now - began_s) / BUCKET_S);
        if (index != load->bucket.index) {
            flush_bucket(&load->bucket);
            load->bucket = (struct bucket){.index = index};
        }
        operate(load, keys);
    }
    flush_bucket(&load->bucket);
    puts("end");
}

static shoal_client *make_client(const char *endpoint) {
    shoal_config *config = NULL;
    shoal_client *client = NULL;
    shoal_error *error = NULL;
    if (shoal_config_new(&config, &error) < 0 || shoal_config_set(config, "endpoint", endpoint, &error) < 0 ||
        shoal_client_new(config, &client, &error) < 0) {
        fprintf(stderr, "load: %s\n", shoal_error_message(error));
        exit(1);
    }
    shoal_config_free(config);
    return client;
}

int main(int argc, char **argv) {
    size_t keys = argc == 6 ? strtoul(argv[5], NULL, 10) : 0;
    if (keys == 0) {
        fprintf(stderr, "usage: load c ENDPOINT RATE SECONDS KEYS\n");
        return 64;
    }
    struct load load = {.client = make_client(argv[2])};
    load_versions_init(&load.versions, keys);
    for (size_t key = 0; key < load.versions.keys; key++)
        store(&load, key);
    load.bucket = (struct bucket){0};
    run(&load, keys, strtod(argv[3], NULL), strtod(argv[4], NULL));
    load_versions_clear(&load.versions);
    shoal_client_free(load.client);
    return 0;
}
