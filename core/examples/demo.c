/* What `./dev demo` shows: a client that follows its fleet. Starts `shoal local` (the first argument is the path of the
 * command), stores and reads keys, takes a node away and adds one, and tells which share of the keys moved. */
#include <shoal/shoal.h>

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KEYS 10000
#define NODES "4"

static const char *shoal_command;
static char directory[] = "/tmp/shoal-demo-XXXXXX";
static pid_t local_fleet;
static shoal_client *client;
static char *homes[KEYS]; /* the node of each key, as last seen */

static void clean_up(void) {
    if (local_fleet > 0) {
        kill(local_fleet, SIGTERM);
        waitpid(local_fleet, NULL, 0);
    }
    rmdir(directory);
}

static void give_up(const char *what, shoal_error *error) {
    fprintf(stderr, "demo: %s%s%s\n", what, error ? ": " : "", shoal_error_message(error));
    clean_up();
    exit(1);
}

static double now_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* --- The fleet of real memcached processes --- */

static pid_t spawn(const char *const *arguments, int output) {
    pid_t process = fork();
    if (process == 0) {
        dup2(output, STDOUT_FILENO);
        execv(shoal_command, (char *const *)arguments);
        _exit(127);
    }
    return process;
}

/* Its first line is `endpoint<TAB>HOST:PORT`, printed once everything answers. */
static void start_fleet(char *endpoint, size_t size) {
    const char *const arguments[] = {"shoal", "local", "--nodes", NODES, "--dir", directory, NULL};
    int output[2];
    if (mkdtemp(directory) == NULL || pipe(output) != 0)
        give_up("cannot prepare", NULL);
    fflush(stdout);
    local_fleet = spawn(arguments, output[1]);
    close(output[1]);
    FILE *lines = fdopen(output[0], "r");
    char line[256];
    if (lines == NULL || fgets(line, sizeof(line), lines) == NULL || strncmp(line, "endpoint\t", 9) != 0)
        give_up("`shoal local` did not start", NULL);
    line[strcspn(line, "\n")] = '\0';
    snprintf(endpoint, size, "%s", line + 9);
}

/* A removed node serves on for a moment, as a real one does: the client is to notice before it stops. */
static void change_fleet(const char *change) {
    const char *const adding[] = {"shoal", "local", "add", "--dir", directory, NULL};
    const char *const removing[] = {"shoal", "local", "remove", "--grace", "5", "--dir", directory, NULL};
    int status;
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    fflush(stdout);
    pid_t process = spawn(strcmp(change, "add") == 0 ? adding : removing, nowhere);
    close(nowhere);
    if (waitpid(process, &status, 0) != process || status != 0)
        give_up("`shoal local` could not change the fleet", NULL);
}

/* --- The client --- */

static void make_client(const char *endpoint) {
    shoal_error *error = NULL;
    shoal_config *config = NULL;
    if (shoal_config_new(&config, &error) < 0 || shoal_config_set(config, "endpoint", endpoint, &error) < 0 ||
        shoal_config_set(config, "discovery_interval_ms", "500", &error) < 0 ||
        shoal_config_set(config, "operation_timeout_ms", "10000", &error) < 0 ||
        shoal_client_new(config, &client, &error) < 0)
        give_up("no client", error);
    shoal_config_free(config);
}

static size_t make_key(size_t i, char key[32]) {
    return (size_t)snprintf(key, 32, "user:%zu", i);
}

/* The batch borrows its keys, so they need a place of their own. */
static char keys[KEYS][32];

static void run_batch(const char *doing, bool storing) {
    shoal_error *error = NULL;
    shoal_batch *batch = NULL;
    size_t right = 0, missing = 0, wrong = 0, failed = 0;
    if (shoal_batch_new(client, &batch, &error) < 0)
        give_up("no batch", error);
    for (size_t i = 0; i < KEYS; i++) {
        size_t size = make_key(i, keys[i]);
        if (storing)
            shoal_batch_store(batch, SHOAL_SET, keys[i], size, keys[i], size, 0, 0, 0, &error);
        else
            shoal_batch_get(batch, keys[i], size, &error);
    }
    if (shoal_batch_run(batch, &error) < 0)
        give_up("the batch did not run", error);
    for (size_t i = 0; i < KEYS; i++) {
        const void *value;
        size_t size;
        shoal_status status = shoal_batch_value(batch, i, &value, &size, NULL, NULL);
        if (status < 0)
            failed++;
        else if (status == SHOAL_NOT_FOUND)
            missing++;
        else if (storing || (size == strlen(keys[i]) && memcmp(value, keys[i], size) == 0))
            right++;
        else
            wrong++;
    }
    shoal_batch_free(batch);
    printf("%-12s%zu of %d keys%s, %zu misses, %zu wrong values, %zu errors\n", doing, right, KEYS,
           storing ? "" : " came back", missing, wrong, failed);
}

static void show_topology(const char *what) {
    shoal_error *error = NULL;
    shoal_topology *topology = NULL;
    if (shoal_client_topology(client, &topology, &error) < 0)
        give_up("no list of nodes", error);
    printf("%-12sversion %llu:", what, (unsigned long long)shoal_topology_version(topology));
    for (size_t i = 0; i < shoal_topology_node_count(topology); i++)
        printf(" %s", shoal_node_name(shoal_topology_node_at(topology, i)));
    printf("\n");
    shoal_topology_free(topology);
}

/* How many keys have another home than before. */
static size_t count_moved(void) {
    size_t moved = 0;
    for (size_t i = 0; i < KEYS; i++) {
        shoal_error *error = NULL;
        shoal_node *node = NULL;
        if (shoal_route(client, keys[i], make_key(i, keys[i]), &node, &error) < 0)
            give_up("no route", error);
        moved += homes[i] != NULL && strcmp(homes[i], shoal_node_name(node)) != 0;
        free(homes[i]);
        homes[i] = strdup(shoal_node_name(node));
        shoal_node_free(node);
    }
    return moved;
}

/* Works on, as an application would, until the news has come. */
static void follow(const char *what, double ideal_share) {
    double begin_s = now_s();
    size_t calls = 0, errors = 0;
    char message[256] = "";
    while (message[0] == '\0' && now_s() - begin_s < 30) {
        char key[32];
        shoal_value *value = NULL;
        shoal_event *event = NULL;
        errors += shoal_get(client, key, make_key(calls % KEYS, key), &value, NULL) < 0;
        shoal_value_free(value);
        calls++;
        if (shoal_client_next_event(client, &event, NULL) != SHOAL_OK)
            continue;
        if (shoal_event_kind(event) == SHOAL_EVENT_TOPOLOGY_CHANGED)
            snprintf(message, sizeof(message), "%s", shoal_event_message(event));
        shoal_event_free(event);
    }
    if (message[0] == '\0')
        give_up("the client did not follow within 30 s", NULL);
    printf("%-12s%s; noticed after %.2f s, %zu errors in %zu calls meanwhile\n", what, message, now_s() - begin_s,
           errors, calls);
    printf("%-12s%.1f %% of the keys; no way of hashing can do with less than %.1f %%\n", "moved",
           100.0 * (double)count_moved() / KEYS, 100.0 * ideal_share);
}

static void forget_old_events(void) {
    for (shoal_event *event = NULL; shoal_client_next_event(client, &event, NULL) == SHOAL_OK;)
        shoal_event_free(event);
}

int main(int argc, char **argv) {
    char endpoint[256];
    if (argc != 2) {
        fprintf(stderr, "usage: demo PATH-OF-SHOAL-COMMAND\n");
        return 64;
    }
    shoal_command = argv[1];
    start_fleet(endpoint, sizeof(endpoint));
    printf("%-12s%s memcached processes, and a discovery endpoint at %s\n", "running", NODES, endpoint);
    make_client(endpoint);
    show_topology("discovered");
    run_batch("stored", true);
    run_batch("read", false);
    count_moved();

    forget_old_events();
    change_fleet("remove");
    follow("removed", 1.0 / 4);
    run_batch("read", false);
    run_batch("stored", true);

    forget_old_events();
    change_fleet("add");
    follow("added", 1.0 / 4);
    run_batch("read", false);
    show_topology("now");

    shoal_client_free(client);
    for (size_t i = 0; i < KEYS; i++)
        free(homes[i]);
    clean_up();
    return 0;
}
