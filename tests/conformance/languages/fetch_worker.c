/* Does what fetch.py asks for, by the library itself; fetch_worker.py tells the argument and the lines.
 * May include: libc and the public headers. */
#include <shoal/shoal.h>

#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)
#define PAUSE_MS 50

static int journal;

struct task {
    char endpoint[256], key[64], value[80];
    int64_t seconds, ttl_s, stale_ttl_s, cost_ms;
};

struct told {
    int64_t calls, slow, longest_ns, wrong;
};

static void check(shoal_status status, shoal_error *error) {
    if (status < 0) {
        fprintf(stderr, "fetch_worker: %s\n", shoal_error_message(error));
        exit(1);
    }
}

static int64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void sleep_ms(int64_t ms) {
    struct timespec span = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * NS_PER_MS};
    nanosleep(&span, NULL);
}

static shoal_client *connect_to(const char *endpoint) {
    shoal_config *config = NULL;
    shoal_client *client = NULL;
    shoal_error *error = NULL;
    check(shoal_config_new(&config, &error), error);
    check(shoal_config_set(config, "endpoint", endpoint, &error), error);
    check(shoal_client_new(config, &client, &error), error);
    shoal_config_free(config);
    return client;
}

static void compute(const struct task *task, shoal_lease *lease, int64_t begun_ns) {
    char line[64];
    shoal_error *error = NULL;
    sleep_ms(task->cost_ms);
    int size = snprintf(line, sizeof(line), "%" PRId64 " %" PRId64 "\n", begun_ns, now_ns());
    if (write(journal, line, (size_t)size) != size)
        exit(1);
    check(shoal_lease_store(lease, task->value, strlen(task->value), 0, &error), error);
}

static bool is_right(const struct task *task, const shoal_value *value) {
    return shoal_value_size(value) == strlen(task->value) &&
           memcmp(shoal_value_data(value), task->value, strlen(task->value)) == 0;
}

static void fetch(const struct task *task, shoal_client *client, struct told *told) {
    shoal_value *value = NULL;
    shoal_lease *lease = NULL;
    shoal_error *error = NULL;
    int64_t begun_ns = now_ns();
    shoal_status status =
        shoal_fetch_begin(client, task->key, strlen(task->key), task->ttl_s, task->stale_ttl_s, &value, &lease, &error);
    check(status, error);
    int64_t ended_ns = now_ns();
    if (status == SHOAL_COMPUTE)
        compute(task, lease, ended_ns);
    else if (!is_right(task, value))
        told->wrong++;
    shoal_value_free(value);
    shoal_lease_free(lease);
    told->calls++;
    told->slow += ended_ns - begun_ns >= task->cost_ms * NS_PER_MS / 2;
    if (ended_ns - begun_ns > told->longest_ns)
        told->longest_ns = ended_ns - begun_ns;
}

static void run(const struct task *task) {
    struct told told = {0};
    shoal_client *client = connect_to(task->endpoint);
    int64_t until_ns = now_ns() + task->seconds * NS_PER_S;
    do {
        fetch(task, client, &told);
        sleep_ms(PAUSE_MS);
    } while (now_ns() < until_ns);
    shoal_client_free(client);
    printf("%" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 "\n", told.calls, told.slow, told.longest_ns, told.wrong);
}

int main(int argc, char **argv) {
    struct task task;
    if (argc != 2 || (journal = open(argv[1], O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600)) < 0)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    puts("ready");
    while (scanf("%255s %63s %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64, task.endpoint, task.key, &task.seconds,
                 &task.ttl_s, &task.stale_ttl_s, &task.cost_ms) == 6) {
        snprintf(task.value, sizeof(task.value), "value of %s", task.key);
        run(&task);
    }
    return 0;
}
