/* topology_cache: a new process has the list at once, one process of a host asks for all, and a file that others may
 * have planted is not believed. May include: the public headers, support/, cmocka. labels: serial */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/fleets.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define HOUR "discovery_interval_ms=3600000&operation_timeout_ms=10000&topology_cache="

static char folder[64];
static char file[96]; /* in the folder, made anew for each test */
static struct test_endpoint *endpoint;

static int start(void **state) {
    (void)state;
    strcpy(folder, "/tmp/shoal-test-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(file, sizeof(file), "%s/topology", folder);
    endpoint = test_endpoint_start();
    test_endpoint_set_nodes(endpoint, 1, "a|127.0.0.1|1");
    return 0;
}

static int stop(void **state) {
    (void)state;
    char path[128];
    test_endpoint_stop(endpoint);
    unlink(file);
    rmdir(file);
    snprintf(path, sizeof(path), "%s.lock", file);
    unlink(path);
    snprintf(path, sizeof(path), "%s.other", file);
    unlink(path);
    assert_int_equal(rmdir(folder), 0); /* nothing was left beside the file */
    return 0;
}

/* A client of the endpoint that uses the file; options end in "topology_cache=". */
static shoal_client *caching(const char *options) {
    char all[256];
    snprintf(all, sizeof(all), "%s%s", options, file);
    return test_client(test_endpoint_name(endpoint), all);
}

static uint64_t version_seen(const char *options) {
    shoal_client *client = caching(options);
    uint64_t version = test_version(client);
    shoal_client_free(client);
    return version;
}

/* --- A new process --- */

static void a_new_client_has_the_last_list_though_the_endpoint_is_silent(void **state) {
    (void)state;
    assert_int_equal(version_seen(HOUR), 1);
    test_endpoint_set_hang(endpoint, true);
    assert_int_equal(version_seen(HOUR), 1);
    assert_int_equal(test_endpoint_polls(endpoint), 1);
}

static void an_old_list_is_used_while_a_newer_one_is_asked_for(void **state) {
    (void)state;
    const char *options = "discovery_interval_ms=20&discovery_jitter=0&operation_timeout_ms=10000&topology_cache=";
    assert_int_equal(version_seen(options), 1);
    test_endpoint_set_nodes(endpoint, 2, "b|127.0.0.1|2");
    test_sleep_ms(50);
    shoal_client *client = caching(options);
    assert_true(test_sees_version(client, 2));
    shoal_client_free(client);
}

static void fleets_share_a_file_without_mixing(void **state) {
    (void)state;
    struct test_endpoint *other = test_endpoint_start();
    char options[256];
    test_endpoint_set_nodes(other, 7, "c|127.0.0.1|3");
    snprintf(options, sizeof(options), HOUR "%s", file);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(version_seen(HOUR), 1);
        shoal_client *client = test_client(test_endpoint_name(other), options);
        assert_int_equal(test_version(client), 7);
        shoal_client_free(client);
    }
    assert_int_equal(test_endpoint_polls(endpoint), 1);
    assert_int_equal(test_endpoint_polls(other), 1);
    test_endpoint_stop(other);
}

/* --- One asks for all --- */

#define PROCESSES 24
#define OFTEN "discovery_interval_ms=300&operation_timeout_ms=10000&topology_cache="

/* In a process of its own: follows the list until it sees the last version. */
static void follow(uint64_t last) {
    shoal_client *client = caching(OFTEN);
    bool fine = test_version(client) != UINT64_MAX && test_sees_version(client, last);
    _exit(fine ? 0 : 1);
}

static void many_processes_ask_as_one(void **state) {
    (void)state;
    pid_t children[PROCESSES];
    if (!test_may_fork_beside_threads() || !test_child_may_start_threads())
        skip();
    int64_t begin_ms = test_now_ms();
    for (int i = 0; i < PROCESSES; i++)
        if ((children[i] = fork()) == 0)
            follow(3);
    test_sleep_ms(1500);
    test_endpoint_set_nodes(endpoint, 2, "b|127.0.0.1|2");
    test_sleep_ms(1500);
    unlink(file); /* lost, which may cost a poll more, and no list */
    test_sleep_ms(500);
    test_endpoint_set_nodes(endpoint, 3, "c|127.0.0.1|3");
    for (int i = 0; i < PROCESSES; i++) {
        int status = 0;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    /* One poll in at least 0.8 intervals; each on its own would have made PROCESSES times as many. */
    int64_t intervals = (test_now_ms() - begin_ms) / 240 + 1;
    print_message("%u polls of %d processes in %d intervals\n", test_endpoint_polls(endpoint), PROCESSES,
                  (int)intervals);
    assert_true(test_endpoint_polls(endpoint) < 3 * intervals);
}

/* The lock of the file, as a process that was stopped in the middle of its poll would hold it. */
static void whoever_asks_and_never_ends_is_not_waited_for(void **state) {
    (void)state;
    char path[128];
    snprintf(path, sizeof(path), "%s.lock", file);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    pid_t holder = fork();
    if (holder == 0) {
        fcntl(fd, F_SETLK, &all);
        pause();
        _exit(0);
    }
    test_sleep_ms(100);
    assert_int_equal(version_seen("discovery_timeout_ms=100&operation_timeout_ms=10000&topology_cache="), 1);
    kill(holder, SIGKILL);
    waitpid(holder, NULL, 0);
    close(fd);
}

/* --- A file that cannot be trusted --- */

/* A client starts without the file, says why once, and asks the endpoint. */
static void assert_distrusted(const char *complaint) {
    char message[TEST_MESSAGE_SIZE];
    unsigned before = test_endpoint_polls(endpoint);
    shoal_client *client = caching(HOUR);
    assert_int_equal(test_version(client), 1);
    assert_true(test_meets_event(client, SHOAL_EVENT_WARNING, message));
    if (strstr(message, complaint) == NULL || strstr(message, file) == NULL)
        fail_msg("it says: %s", message);
    assert_int_equal(test_endpoint_polls(endpoint), before + 1);
    shoal_client_free(client);
}

static void write_file(const char *path, const char *text) {
    FILE *stream = fopen(path, "w");
    assert_non_null(stream);
    fputs(text, stream);
    assert_int_equal(fclose(stream), 0);
}

static void a_damaged_file_is_ignored_and_replaced(void **state) {
    (void)state;
    write_file(file, "shoal-topology 1 but no more");
    assert_distrusted("damaged");
    test_endpoint_set_hang(endpoint, true);
    assert_int_equal(version_seen(HOUR), 1);
}

static void a_file_that_others_may_write_is_ignored(void **state) {
    (void)state;
    assert_int_equal(version_seen(HOUR), 1);
    assert_int_equal(chmod(file, 0666), 0);
    assert_distrusted("chmod go-w");
}

static void a_file_of_somebody_else_is_ignored(void **state) {
    (void)state;
    assert_int_equal(version_seen(HOUR), 1);
    if (chown(file, 12345, (gid_t)-1) != 0)
        skip(); /* it takes root */
    assert_distrusted("belongs to user 12345");
}

static void a_link_is_not_followed(void **state) {
    (void)state;
    char other[128];
    snprintf(other, sizeof(other), "%s.other", file);
    assert_int_equal(version_seen(HOUR), 1);
    assert_int_equal(rename(file, other), 0);
    assert_int_equal(symlink(other, file), 0);
    assert_distrusted("symbolic link");
}

static void a_folder_in_its_place_costs_nothing_but_the_cache(void **state) {
    (void)state;
    assert_int_equal(mkdir(file, 0700), 0);
    assert_distrusted("regular file");
}

/* As somebody would plant it who may write the file: with the right digest. */
static void plant(const char *nodes) {
    char command[512];
    snprintf(command, sizeof(command),
             "set -e; cd %s; sed 1d topology | sed 's/^a|.*/%s/' > body;"
             "{ printf 'shoal-topology 1 %%s\\n' \"$(md5sum < body | cut -c 1-32)\"; cat body; } > topology.other;"
             "mv topology.other topology; rm body",
             folder, nodes);
    assert_int_equal(system(command), 0); /* NOLINT(bugprone-command-processor): all of it is ours */
}

static void allow_nodes_holds_for_the_file_too(void **state) {
    (void)state;
    assert_int_equal(version_seen("allow_nodes=127.0.0.0/8&" HOUR), 1);
    plant("a|192.0.2.1|1"); /* as long as what was there, so that the size holds */
    char message[TEST_MESSAGE_SIZE];
    shoal_client *client = caching("allow_nodes=127.0.0.0/8&" HOUR);
    assert_int_equal(test_version(client), 1);
    assert_true(test_meets_event(client, SHOAL_EVENT_WARNING, message));
    assert_non_null(strstr(message, "allow_nodes does not allow"));
    assert_int_equal(test_endpoint_polls(endpoint), 2);
    shoal_client_free(client);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_new_client_has_the_last_list_though_the_endpoint_is_silent),
        TEST(an_old_list_is_used_while_a_newer_one_is_asked_for),
        TEST(fleets_share_a_file_without_mixing),
        TEST(many_processes_ask_as_one),
        TEST(whoever_asks_and_never_ends_is_not_waited_for),
        TEST(a_damaged_file_is_ignored_and_replaced),
        TEST(a_file_that_others_may_write_is_ignored),
        TEST(a_file_of_somebody_else_is_ignored),
        TEST(a_link_is_not_followed),
        TEST(a_folder_in_its_place_costs_nothing_but_the_cache),
        TEST(allow_nodes_holds_for_the_file_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
