/* Descriptors across fork: a child lets go of what it inherited when it first calls, closes nothing that is its own,
 * and its parent's connections live on.
 * May include: the public headers, support/. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/fleets.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define OPTIONS "operation_timeout_ms=60000"
#define DESCRIPTORS_MAX 1024

static struct test_fleet fleet;
static struct test_endpoint *endpoint;

static int start(void **state) {
    (void)state;
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

static int verdict(pid_t child) {
    int status = -1;
    if (child < 0 || waitpid(child, &status, 0) != child)
        return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* --- What descriptors lead to: "socket:[4711]", by their numbers --- */

struct descriptors {
    char targets[DESCRIPTORS_MAX][64];
};

/* The endpoint lives in this process too, and is not looked at. */
static bool is_the_endpoints(int fd) {
    struct sockaddr_in own = {0};
    socklen_t size = sizeof(own);
    const char *port = strchr(test_endpoint_name(endpoint), ':') + 1;
    return getsockname(fd, (struct sockaddr *)&own, &size) == 0 && own.sin_family == AF_INET &&
           ntohs(own.sin_port) == strtol(port, NULL, 10);
}

static void look(struct descriptors *all) {
    char path[32];
    for (int fd = 0; fd < DESCRIPTORS_MAX; fd++) {
        all->targets[fd][0] = '\0';
        if (is_the_endpoints(fd))
            continue;
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        ssize_t size = readlink(path, all->targets[fd], sizeof(all->targets[fd]) - 1);
        all->targets[fd][size > 0 ? size : 0] = '\0';
    }
}

static bool is_socket(const char *target) {
    return strncmp(target, "socket:", 7) == 0;
}

static bool is_among(const char *target, const struct descriptors *all) {
    for (int fd = 0; fd < DESCRIPTORS_MAX; fd++)
        if (strcmp(all->targets[fd], target) == 0)
            return true;
    return false;
}

/* Static, as they are large: what was open before the client was, with the client, and now. */
static struct descriptors before;
static struct descriptors with_client;
static struct descriptors now;

static bool is_the_clients(int fd) {
    const char *target = with_client.targets[fd];
    return target[0] != '\0' && strcmp(before.targets[fd], target) != 0;
}

static int count_inherited_sockets(void) {
    int count = 0;
    look(&now);
    for (int fd = 0; fd < DESCRIPTORS_MAX; fd++)
        count += is_the_clients(fd) && is_socket(with_client.targets[fd]) && is_among(with_client.targets[fd], &now);
    return count;
}

/* Keys of every node, so that each has a connection. */
static bool use_every_node(shoal_client *client) {
    bool fine = true;
    char key[32];
    for (int i = 0; i < 30; i++) {
        snprintf(key, sizeof(key), "node-%d", i);
        fine = fine && test_set(client, key, key) == SHOAL_OK && test_holds(client, key, key);
    }
    return fine;
}

static shoal_client *begin(const char *at, const char *options) {
    look(&before);
    shoal_client *client = test_client(at, options);
    assert_true(use_every_node(client));
    look(&with_client);
    return client;
}

/* --- The child --- */

static void assert_child_lets_go(const char *at, const char *options) {
    shoal_client *client = begin(at, options);
    assert_true(count_inherited_sockets() >= 3);
    pid_t child = fork();
    if (child == 0)
        _exit(!(use_every_node(client) && count_inherited_sockets() == 0));
    assert_int_equal(verdict(child), 0);
    shoal_client_free(client);
}

static void a_child_lets_go_of_inherited_connections(void **state) {
    (void)state;
    assert_child_lets_go(fleet.endpoint, OPTIONS);
}

static void a_child_lets_go_of_discovery_too(void **state) {
    (void)state;
    if (!test_child_may_start_threads())
        skip();
    assert_child_lets_go(test_endpoint_name(endpoint), OPTIONS "&discovery_interval_ms=10");
}

/* Closing is enough: a routing call needs no connection of its own. */
static void any_call_of_the_child_is_enough(void **state) {
    (void)state;
    shoal_client *client = begin(fleet.endpoint, OPTIONS);
    pid_t child = fork();
    if (child == 0) {
        test_fleet_place(&fleet, client, "key");
        _exit(count_inherited_sockets() != 0);
    }
    assert_int_equal(verdict(child), 0);
    shoal_client_free(client);
}

/* A daemon closes all that it inherited, and opens files of its own under the same numbers. */
static bool replace_all(int (*open_one)(void)) {
    for (int fd = 0; fd < DESCRIPTORS_MAX; fd++)
        if (is_the_clients(fd))
            close(fd);
    for (int fd = 0; fd < DESCRIPTORS_MAX; fd++)
        if (is_the_clients(fd) && dup2(open_one(), fd) != fd)
            return false;
    look(&with_client); /* the daemon's own from now on */
    return true;
}

static bool has_all_of_its_own(void) {
    look(&now);
    for (int fd = 0; fd < DESCRIPTORS_MAX; fd++)
        if (is_the_clients(fd) && strcmp(with_client.targets[fd], now.targets[fd]) != 0)
            return false;
    return true;
}

static int open_file(void) {
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static int open_epoll(void) {
    return epoll_create1(EPOLL_CLOEXEC);
}

static int open_socket(void) {
    return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static void assert_daemon_keeps_its_own(const char *at, int (*open_one)(void)) {
    shoal_client *client = begin(at, OPTIONS);
    pid_t child = fork();
    if (child == 0)
        _exit(!(replace_all(open_one) && use_every_node(client) && has_all_of_its_own()));
    int outcome = verdict(child);
    assert_true(use_every_node(client));
    shoal_client_free(client);
    assert_int_equal(outcome, 0);
}

static void a_daemon_keeps_the_files_that_it_opened(void **state) {
    (void)state;
    assert_daemon_keeps_its_own(fleet.endpoint, open_file);
}

static void a_daemon_keeps_the_sockets_that_it_opened(void **state) {
    (void)state;
    assert_daemon_keeps_its_own(fleet.endpoint, open_socket);
}

static void a_daemon_keeps_them_beside_discovery_too(void **state) {
    (void)state;
    if (!test_child_may_start_threads())
        skip();
    assert_daemon_keeps_its_own(test_endpoint_name(endpoint), open_file);
    assert_daemon_keeps_its_own(test_endpoint_name(endpoint), open_socket);
    assert_daemon_keeps_its_own(test_endpoint_name(endpoint), open_epoll);
}

/* --- The parent --- */

static bool keeps_its_connections(shoal_client *client) {
    look(&now);
    for (int fd = 0; fd < DESCRIPTORS_MAX; fd++)
        if (is_the_clients(fd) && strcmp(with_client.targets[fd], now.targets[fd]) != 0)
            return false;
    return use_every_node(client);
}

static void a_parents_connections_survive_its_children(void **state) {
    (void)state;
    shoal_client *client = begin(fleet.endpoint, OPTIONS);
    for (int way = 0; way < 3; way++) {
        pid_t child = fork();
        if (child == 0) {
            bool fine = way == 0 || use_every_node(client);
            if (way == 2)
                shoal_client_free(client);
            _exit(!fine);
        }
        assert_int_equal(verdict(child), 0);
        assert_true(keeps_its_connections(client));
    }
    for (size_t i = 0; i < fleet.count; i++)
        assert_int_equal(test_connections_to(fleet.nodes[i].port), 1);
    shoal_client_free(client);
}

static void a_childs_connections_survive_its_parents_close(void **state) {
    (void)state;
    shoal_client *client = begin(fleet.endpoint, OPTIONS);
    int go_on[2];
    assert_int_equal(pipe(go_on), 0);
    pid_t child = fork();
    if (child == 0) {
        char byte;
        bool fine = use_every_node(client) && read(go_on[0], &byte, 1) == 1 && use_every_node(client);
        _exit(!(fine && test_connections_to(fleet.nodes[0].port) == 1));
    }
    shoal_client_free(client);
    assert_int_equal(write(go_on[1], "", 1), 1);
    assert_int_equal(verdict(child), 0);
    close(go_on[0]);
    close(go_on[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_lets_go_of_inherited_connections),
        cmocka_unit_test(a_child_lets_go_of_discovery_too),
        cmocka_unit_test(any_call_of_the_child_is_enough),
        cmocka_unit_test(a_daemon_keeps_the_files_that_it_opened),
        cmocka_unit_test(a_daemon_keeps_the_sockets_that_it_opened),
        cmocka_unit_test(a_daemon_keeps_them_beside_discovery_too),
        cmocka_unit_test(a_parents_connections_survive_its_children),
        cmocka_unit_test(a_childs_connections_survive_its_parents_close),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
