/* The library as a guest of its process: the host's exit, signals and descriptors stay the host's, and a copy of the
 * library may be loaded, unloaded and used beside another.
 * May include: the public headers, support/. Each test has a process of its own, judged by its exit status. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/fleets.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define OPTIONS "operation_timeout_ms=60000"

static struct test_fleet fleet;

static int start(void **state) {
    (void)state;
    test_fleet_start(&fleet, 2);
    return 0;
}

static int stop(void **state) {
    (void)state;
    test_fleet_stop(&fleet);
    return 0;
}

/* The exit status of a process that does only this; negative where a signal ended it. */
static int live(int (*life)(void)) {
    int status = -1;
    fflush(NULL);
    pid_t process = fork();
    if (process == 0)
        exit(life());
    if (process < 0 || waitpid(process, &status, 0) != process)
        return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* An endpoint in the process that asks for it. */
static struct test_endpoint *announce(void) {
    struct test_endpoint *endpoint = test_endpoint_start();
    test_fleet_announce(&fleet, endpoint, 1);
    return endpoint;
}

static bool use(shoal_client *client) {
    bool fine = true;
    char key[32];
    for (int i = 0; i < 20; i++) {
        snprintf(key, sizeof(key), "use-%d", i);
        fine = fine && test_set(client, key, key) == SHOAL_OK && test_holds(client, key, key);
    }
    return fine;
}

/* --- Its end --- */

static void *call_for_ever(void *client) {
    while (use(client))
        continue;
    return NULL;
}

static shoal_client *begin_calls(void) {
    shoal_client *client = test_client(test_endpoint_name(announce()), OPTIONS "&discovery_interval_ms=10");
    for (int i = 0; i < 4; i++) {
        pthread_t thread;
        pthread_create(&thread, NULL, call_for_ever, client);
        pthread_detach(thread);
    }
    test_sleep_ms(50);
    return client;
}

static int exit_in_mid_call(void) {
    return use(begin_calls()) ? 0 : 1;
}

static int leave_in_mid_call(void) {
    _exit(use(begin_calls()) ? 0 : 1);
}

static int return_with_an_open_batch(void) {
    static shoal_batch *batch;
    shoal_client *client = begin_calls();
    return shoal_batch_new(client, &batch, NULL) != SHOAL_OK || shoal_batch_get(batch, "key", 3, NULL) != SHOAL_OK;
}

static void a_process_may_end_with_calls_under_way(void **state) {
    (void)state;
    for (int i = 0; i < test_rounds(10); i++) {
        assert_int_equal(live(exit_in_mid_call), 0);
        assert_int_equal(live(leave_in_mid_call), 0);
        assert_int_equal(live(return_with_an_open_batch), 0);
    }
}

/* --- Its signals --- */

static bool are_default(void) {
    struct sigaction action;
    for (int number = 1; number < NSIG; number++)
        if (sigaction(number, NULL, &action) == 0 && action.sa_handler != SIG_DFL)
            return false;
    return true;
}

static bool is_mask(const sigset_t *expected) {
    sigset_t now;
    pthread_sigmask(SIG_SETMASK, NULL, &now);
    for (int number = 1; number < NSIG; number++)
        if (sigismember(&now, number) != sigismember(expected, number))
            return false;
    return true;
}

/* Sanitizers have handlers of their own before the library does anything. */
static void reset_handlers(void) {
    struct sigaction action = {.sa_handler = SIG_DFL};
    for (int number = 1; number < NSIG; number++)
        sigaction(number, &action, NULL);
}

static int keep_signals(void) {
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR2);
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    reset_handlers();
    struct test_endpoint *endpoint = announce();
    shoal_client *client = test_client(test_endpoint_name(endpoint), OPTIONS);
    shoal_client *lonely = test_client("static://127.0.0.1:1", OPTIONS);
    bool fine = use(client) && is_mask(&mask) && are_default();
    fine = fine && test_get(lonely, "key") == SHOAL_E_NODE_DOWN && is_mask(&mask);
    shoal_client_free(client);
    shoal_client_free(lonely);
    return !(fine && is_mask(&mask) && are_default());
}

static void handlers_and_masks_stay_as_they_were(void **state) {
    (void)state;
    assert_int_equal(live(keep_signals), 0);
}

static volatile sig_atomic_t caught_elsewhere;
static pthread_t main_thread;

static void note_thread(int number) {
    (void)number;
    caught_elsewhere |= !pthread_equal(pthread_self(), main_thread);
}

/* The library's thread takes no signal, so that the host's handlers run where the host expects them. */
static int catch_signals(void) {
    struct sigaction action = {.sa_handler = note_thread};
    sigset_t usr1;
    main_thread = pthread_self();
    sigaction(SIGUSR1, &action, NULL);
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    struct test_endpoint *endpoint = announce();
    shoal_client *client = test_client(test_endpoint_name(endpoint), OPTIONS "&discovery_interval_ms=10");
    bool fine = use(client);
    pthread_sigmask(SIG_BLOCK, &usr1, NULL); /* now nobody takes it, unless the library's thread does */
    for (int i = 0; i < 20; i++) {
        kill(getpid(), SIGUSR1);
        test_sleep_ms(2);
    }
    shoal_client_free(client);
    return !(fine && !caught_elsewhere);
}

static void the_background_thread_takes_no_signal(void **state) {
    (void)state;
    assert_int_equal(live(catch_signals), 0);
}

static enum test_answer close_at_values(struct test_script *script, const char *line, void *context) {
    (void)context;
    if (strncmp(line, "get", 3) != 0)
        return TEST_CLOSE;
    test_script_say(script, "END\r\n", 5);
    return TEST_ANSWERED;
}

/* Writes to a connection that the server has closed, while it is being written to and before. */
static int write_to_closed(void) {
    static char large[1000000];
    char endpoint[64];
    int fine = 0;
    reset_handlers();
    struct test_script *script = test_script_start(close_at_values, NULL);
    snprintf(endpoint, sizeof(endpoint), "static://%s", test_script_name(script));
    shoal_client *client = test_client(endpoint, OPTIONS "&lane_idle_s=86400");
    for (int i = 0; i < 50; i++)
        fine += shoal_set(client, "key", 3, large, sizeof(large), 0, NULL) == SHOAL_E_NODE_DOWN;
    test_get(client, "key");
    test_script_stop(script);
    fine += test_set(client, "key", "x") < 0;
    shoal_client_free(client);
    return fine != 51;
}

static void a_closed_connection_raises_no_sigpipe(void **state) {
    (void)state;
    assert_int_equal(live(write_to_closed), 0);
}

/* --- Its descriptors --- */

static bool is_local_to(int fd, const char *name) {
    struct sockaddr_in own = {0};
    socklen_t size = sizeof(own);
    return getsockname(fd, (struct sockaddr *)&own, &size) == 0 && own.sin_family == AF_INET &&
           ntohs(own.sin_port) == strtol(strchr(name, ':') + 1, NULL, 10);
}

static int close_on_exec(void) {
    enum { FDS = 256 };
    bool open_before[FDS];
    int opened = 0;
    int kept = 0;
    struct test_endpoint *endpoint = announce();
    for (int fd = 0; fd < FDS; fd++)
        open_before[fd] = fcntl(fd, F_GETFD) >= 0;
    shoal_client *client = test_client(test_endpoint_name(endpoint), OPTIONS "&discovery_interval_ms=10");
    bool fine = use(client);
    test_endpoint_set_hang(endpoint, true);
    fine = fine && test_polled(endpoint, 1); /* and that poll's connection stays open */
    for (int fd = 0; fd < FDS; fd++) {
        int flags = fcntl(fd, F_GETFD);
        if (flags < 0 || open_before[fd] || is_local_to(fd, test_endpoint_name(endpoint)))
            continue;
        opened++;
        kept += (flags & FD_CLOEXEC) == 0;
    }
    shoal_client_free(client);
    return fine && opened >= 4 ? kept : 100; /* two lanes, a poll, and what wakes the thread */
}

static void every_descriptor_is_closed_on_exec(void **state) {
    (void)state;
    assert_int_equal(live(close_on_exec), 0);
}

static int leave_nothing(void) {
    struct test_endpoint *endpoint = announce();
    int threads = test_threads();
    for (int i = 0; i < 3; i++) {
        shoal_client *client = test_client(test_endpoint_name(endpoint), OPTIONS);
        if (!use(client))
            return 1;
        shoal_client_free(client);
    }
    int connections = test_connections_to(fleet.nodes[0].port) + test_connections_to(fleet.nodes[1].port);
    test_sleep_ms(100); /* a thread that was joined may be listed for a moment */
    return connections != 0 || test_threads() != threads;
}

static void freed_clients_leave_no_connection_and_no_thread(void **state) {
    (void)state;
    assert_int_equal(live(leave_nothing), 0);
}

static int go_quiet(void) {
    struct test_endpoint *endpoint = announce();
    shoal_client *client = test_client(test_endpoint_name(endpoint), OPTIONS "&discovery_interval_ms=10");
    int threads = test_threads();
    bool fine = use(client) && test_threads() == threads + 1;
    shoal_quiesce();
    shoal_quiesce();
    test_sleep_ms(100);
    fine = fine && test_threads() == threads;
    unsigned polls = test_endpoint_polls(endpoint);
    test_sleep_ms(50);
    fine = fine && test_endpoint_polls(endpoint) == polls && use(client) && test_polled(endpoint, 2);
    shoal_client_free(client);
    return !fine;
}

static void quiesce_ends_the_thread_until_the_next_call(void **state) {
    (void)state;
    assert_int_equal(live(go_quiet), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_process_may_end_with_calls_under_way),
        cmocka_unit_test(handlers_and_masks_stay_as_they_were),
        cmocka_unit_test(the_background_thread_takes_no_signal),
        cmocka_unit_test(a_closed_connection_raises_no_sigpipe),
        cmocka_unit_test(every_descriptor_is_closed_on_exec),
        cmocka_unit_test(freed_clients_leave_no_connection_and_no_thread),
        cmocka_unit_test(quiesce_ends_the_thread_until_the_next_call),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
