/* Forks: parent, child and grandchild go on with the same client, each on connections of its own, and no value is
 * ever the other's. Children are judged by their exit status, as they cannot fail a test themselves.
 * May include: the public headers, support/. What a child inherits is in test_fork_descriptors.c.
 * labels: transports tls */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/fleets.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define OPTIONS "operation_timeout_ms=60000"

static struct test_fleet fleet;
static struct test_endpoint *endpoint;
static int rounds;

static int start(void **state) {
    (void)state;
    rounds = test_rounds(3000);
    test_fleet_start(&fleet, 3);
    endpoint = test_endpoint_start();
    test_fleet_announce(&fleet, endpoint, 1);
    return 0;
}

static int stop(void **state) {
    (void)state;
    test_endpoint_stop(endpoint);
    test_fleet_stop(&fleet);
    return 0;
}

/* Writes and reads back keys of its own; how many were wrong. */
static int count_wrong(shoal_client *client, const char *who) {
    int wrong = 0;
    char key[64];
    char text[64];
    for (int i = 0; i < rounds; i++) {
        snprintf(key, sizeof(key), "%s-%d", who, i % 50);
        snprintf(text, sizeof(text), "%s wrote this in round %d", who, i);
        wrong += test_set(client, key, text) != SHOAL_OK;
        wrong += !test_holds(client, key, text);
    }
    return wrong;
}

/* How many values in a batch were wrong. */
static int count_wrong_in_batch(shoal_client *client, const char *who) {
    enum { COUNT = 200 };
    static char keys[COUNT][64];
    int wrong = 0;
    shoal_batch *batch = NULL;
    if (shoal_batch_new(client, &batch, NULL) != SHOAL_OK)
        return COUNT;
    for (size_t i = 0; i < COUNT; i++) {
        snprintf(keys[i], sizeof(keys[i]), "batch-%s-%zu", who, i);
        shoal_batch_store(batch, SHOAL_SET, keys[i], strlen(keys[i]), keys[i], strlen(keys[i]), 0, 0, 0, NULL);
    }
    for (size_t i = 0; i < COUNT; i++)
        shoal_batch_get(batch, keys[i], strlen(keys[i]), NULL);
    wrong += shoal_batch_run(batch, NULL) != SHOAL_OK;
    for (size_t i = 0; i < COUNT; i++) {
        const void *data = NULL;
        size_t size = 0;
        shoal_batch_value(batch, COUNT + i, &data, &size, NULL, NULL);
        wrong += size != strlen(keys[i]) || memcmp(data, keys[i], size) != 0;
    }
    shoal_batch_free(batch);
    return wrong;
}

static int work(shoal_client *client, const char *who) {
    return count_wrong(client, who) + count_wrong_in_batch(client, who);
}

/* 0 where the child ended by itself and found nothing wrong. */
static int verdict(pid_t child) {
    int status = -1;
    if (child < 0 || waitpid(child, &status, 0) != child)
        return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void needs_threads_in_children(void) {
    if (!test_child_may_start_threads())
        skip();
}

/* --- Three generations at once --- */

static int live_as_child(shoal_client *client) {
    pid_t grandchild = fork();
    if (grandchild == 0)
        _exit(work(client, "grandchild") != 0);
    int wrong = work(client, "child");
    return wrong != 0 || verdict(grandchild) != 0;
}

static void assert_three_generations_work(const char *at, const char *options) {
    shoal_client *client = test_client(at, options);
    assert_int_equal(work(client, "parent"), 0);
    pid_t child = fork();
    if (child == 0)
        _exit(live_as_child(client));
    int wrong = work(client, "parent");
    assert_int_equal(verdict(child), 0);
    assert_int_equal(wrong, 0);
    assert_int_equal(work(client, "parent"), 0);
    shoal_client_free(client);
}

static void three_generations_share_a_client_of_a_list(void **state) {
    (void)state;
    assert_three_generations_work(fleet.endpoint, OPTIONS);
}

static void three_generations_share_a_client_that_discovers(void **state) {
    (void)state;
    needs_threads_in_children();
    assert_three_generations_work(test_endpoint_name(endpoint), OPTIONS "&discovery_interval_ms=10");
}

static void a_client_first_used_in_the_child_works_in_both(void **state) {
    (void)state;
    needs_threads_in_children();
    shoal_client *client = test_client(test_endpoint_name(endpoint), OPTIONS);
    pid_t child = fork();
    if (child == 0)
        _exit(work(client, "child") != 0);
    assert_int_equal(work(client, "parent"), 0);
    assert_int_equal(verdict(child), 0);
    shoal_client_free(client);
}

/* --- Forks beside calls of other threads --- */

struct crowd {
    shoal_client *client;
    atomic_int next;
    atomic_int wrong;
    atomic_bool over;
};

static void *call_until_over(void *context) {
    struct crowd *crowd = context;
    char who[32];
    snprintf(who, sizeof(who), "thread-%d", atomic_fetch_add(&crowd->next, 1));
    while (!atomic_load(&crowd->over)) {
        bool fine = test_set(crowd->client, who, who) == SHOAL_OK && test_holds(crowd->client, who, who);
        atomic_fetch_add(&crowd->wrong, fine ? 0 : 1);
    }
    return NULL;
}

static void assert_forks_beside_threads_work(const char *at, const char *options) {
    struct crowd crowd = {.client = test_client(at, options)};
    pthread_t threads[4];
    int failed = 0;
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, call_until_over, &crowd), 0);
    rounds = test_rounds(100);
    for (int i = 0; i < test_rounds(60); i++) {
        pid_t child = fork();
        if (child == 0)
            _exit(work(crowd.client, "child") != 0);
        failed += verdict(child) != 0;
    }
    rounds = test_rounds(3000);
    atomic_store(&crowd.over, true);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(failed, 0);
    assert_int_equal(atomic_load(&crowd.wrong), 0);
    shoal_client_free(crowd.client);
}

static void a_fork_beside_calls_works(void **state) {
    (void)state;
    if (!test_may_fork_beside_threads())
        skip();
    assert_forks_beside_threads_work(fleet.endpoint, OPTIONS);
}

static void a_fork_beside_calls_and_discovery_works(void **state) {
    (void)state;
    needs_threads_in_children();
    assert_forks_beside_threads_work(test_endpoint_name(endpoint), OPTIONS "&discovery_interval_ms=10");
}

/* --- The child's own discovery --- */

static bool sees_next_version(shoal_client *client, uint64_t version) {
    for (int64_t end_ms = test_now_ms() + 10000; test_now_ms() < end_ms; test_sleep_ms(5))
        if (test_version(client) == version)
            return true;
    return false;
}

static void a_child_discovers_by_itself(void **state) {
    (void)state;
    needs_threads_in_children();
    shoal_client *client = test_client(test_endpoint_name(endpoint), OPTIONS "&discovery_interval_ms=20");
    int told[2];
    assert_int_equal(pipe(told), 0);
    assert_int_equal(test_version(client), 1);
    pid_t child = fork();
    if (child == 0) {
        bool fine = test_version(client) == 1 && test_threads() == 2 && write(told[1], "", 1) == 1;
        _exit(!(fine && sees_next_version(client, 2)));
    }
    char byte;
    close(told[1]);
    ssize_t said = read(told[0], &byte, 1);
    test_fleet_announce(&fleet, endpoint, 2);
    assert_int_equal(verdict(child), 0);
    assert_int_equal(said, 1);
    assert_true(sees_next_version(client, 2));
    close(told[0]);
    shoal_client_free(client);
}

static void a_child_begins_with_its_parents_list(void **state) {
    (void)state;
    needs_threads_in_children();
    shoal_client *client = test_client(test_endpoint_name(endpoint), OPTIONS);
    assert_int_equal(test_set(client, "list", "x"), SHOAL_OK);
    test_endpoint_set_hang(endpoint, true);
    pid_t child = fork();
    if (child == 0)
        _exit(!test_holds(client, "list", "x"));
    int outcome = verdict(child);
    test_endpoint_set_hang(endpoint, false);
    assert_int_equal(outcome, 0);
    shoal_client_free(client);
}

/* --- What a child does to itself does nothing to its parent --- */

static int use_then_leave(shoal_client *client, int way) {
    bool fine = way == 0 || test_holds(client, "leave", "x");
    if (way == 2)
        shoal_client_close(client);
    if (way >= 2)
        fine = fine && (way != 2 || test_get(client, "leave") == SHOAL_E_CLOSED);
    if (way >= 3)
        shoal_client_free(client);
    if (way == 4)
        shoal_quiesce();
    return !fine;
}

static void assert_children_do_not_disturb(const char *at, void (*leave)(int status)) {
    shoal_client *client = test_client(at, OPTIONS);
    assert_int_equal(test_set(client, "leave", "x"), SHOAL_OK);
    size_t place = test_fleet_place(&fleet, client, "leave");
    long before = test_memcached_stat(&fleet.nodes[place], "total_connections");
    for (int way = 0; way < 5; way++) {
        fflush(NULL); /* or exit() writes it twice */
        pid_t child = fork();
        if (child == 0)
            leave(use_then_leave(client, way));
        assert_int_equal(verdict(child), 0);
        assert_true(test_holds(client, "leave", "x"));
    }
    long after = test_memcached_stat(&fleet.nodes[place], "total_connections");
    assert_int_equal(after - before, 4 + 1); /* of the four children that used it, and the question's own */
    shoal_client_free(client);
}

static void a_child_that_leaves_by__exit_disturbs_nobody(void **state) {
    (void)state;
    assert_children_do_not_disturb(fleet.endpoint, _exit);
}

static void a_child_of_a_client_that_discovers_disturbs_nobody(void **state) {
    (void)state;
    needs_threads_in_children();
    assert_children_do_not_disturb(test_endpoint_name(endpoint), _exit);
}

static void a_child_that_leaves_by_exit_disturbs_nobody(void **state) {
    (void)state;
    assert_children_do_not_disturb(fleet.endpoint, exit);
}

/* --- Forks that libc does not know of --- */

static void a_raw_clone_is_noticed(void **state) {
    (void)state;
    shoal_client *client = test_client(fleet.endpoint, OPTIONS);
    assert_int_equal(work(client, "parent"), 0);
    pid_t child = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
    if (child == 0)
        _exit(work(client, "clone") != 0);
    int wrong = work(client, "parent");
    assert_int_equal(verdict(child), 0);
    assert_int_equal(wrong, 0);
    shoal_client_free(client);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_generations_share_a_client_of_a_list),
        cmocka_unit_test(three_generations_share_a_client_that_discovers),
        cmocka_unit_test(a_client_first_used_in_the_child_works_in_both),
        cmocka_unit_test(a_fork_beside_calls_works),
        cmocka_unit_test(a_fork_beside_calls_and_discovery_works),
        cmocka_unit_test(a_child_discovers_by_itself),
        cmocka_unit_test(a_child_begins_with_its_parents_list),
        cmocka_unit_test(a_child_that_leaves_by__exit_disturbs_nobody),
        cmocka_unit_test(a_child_of_a_client_that_discovers_disturbs_nobody),
        cmocka_unit_test(a_child_that_leaves_by_exit_disturbs_nobody),
        cmocka_unit_test(a_raw_clone_is_noticed),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
