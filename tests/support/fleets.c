/* Fleets of memcached servers for tests.
 * May include: libc, <shoal/shoal.h> and support/. */
#include "support/fleets.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void check(bool fine, const char *what) {
    if (fine)
        return;
    fprintf(stderr, "tests: fleet: %s\n", what);
    abort();
}

/* --- How much, and how long --- */

#if defined(__has_feature)
#define HAS_FEATURE(name) __has_feature(name)
#else
#define HAS_FEATURE(name) 0
#endif

static int slowness(void) {
#if defined(__SANITIZE_THREAD__) || HAS_FEATURE(thread_sanitizer)
    return 10;
#elif defined(__SANITIZE_ADDRESS__) || HAS_FEATURE(address_sanitizer)
    return 3;
#else
    return getenv("SHOAL_VALGRIND") != NULL ? 20 : 1;
#endif
}

int test_rounds(int full) {
    int rounds = full / slowness();
    return rounds > 0 ? rounds : 1;
}

int test_patience_ms(int ms) {
    return ms * slowness();
}

bool test_may_fork_beside_threads(void) {
#if defined(__SANITIZE_ADDRESS__) || HAS_FEATURE(address_sanitizer)
    return false;
#else
    return true;
#endif
}

bool test_child_may_start_threads(void) {
#if defined(__SANITIZE_THREAD__) || HAS_FEATURE(thread_sanitizer)
    return false;
#else
    return test_may_fork_beside_threads();
#endif
}

/* --- Fleets --- */

void test_fleet_start(struct test_fleet *fleet, size_t count) {
    size_t used = (size_t)snprintf(fleet->endpoint, sizeof(fleet->endpoint), "static://");
    check(count <= TEST_FLEET_MAX, "too many nodes");
    fleet->count = count;
    for (size_t i = 0; i < count; i++) {
        fleet->nodes[i] = test_memcached_start(0);
        used += (size_t)snprintf(fleet->endpoint + used, sizeof(fleet->endpoint) - used, "%s%s", i > 0 ? "," : "",
                                 fleet->nodes[i].name);
    }
}

void test_fleet_stop(struct test_fleet *fleet) {
    for (size_t i = 0; i < fleet->count; i++)
        test_memcached_stop(&fleet->nodes[i]);
}

void test_fleet_announce(const struct test_fleet *fleet, struct test_endpoint *endpoint, uint64_t version) {
    char nodes[512];
    size_t used = 0;
    for (size_t i = 0; i < fleet->count; i++)
        used += (size_t)snprintf(nodes + used, sizeof(nodes) - used, "%s127.0.0.1|127.0.0.1|%u", i > 0 ? " " : "",
                                 fleet->nodes[i].port);
    test_endpoint_set_nodes(endpoint, version, nodes);
}

size_t test_fleet_place(const struct test_fleet *fleet, shoal_client *client, const char *key) {
    shoal_node *node = NULL;
    size_t place = 0;
    check(shoal_route(client, key, strlen(key), &node, NULL) == SHOAL_OK, "a key cannot be routed");
    while (place < fleet->count && strcmp(fleet->nodes[place].name, shoal_node_name(node)) != 0)
        place++;
    check(place < fleet->count, "a key is routed out of the fleet");
    shoal_node_free(node);
    return place;
}

/* --- Calls --- */

shoal_status test_set(shoal_client *client, const char *key, const char *text) {
    return shoal_set(client, key, strlen(key), text, strlen(text), 0, NULL);
}

shoal_status test_get(shoal_client *client, const char *key) {
    shoal_value *value = NULL;
    shoal_status status = shoal_get(client, key, strlen(key), &value, NULL);
    shoal_value_free(value);
    return status;
}

bool test_holds(shoal_client *client, const char *key, const char *text) {
    shoal_value *value = NULL;
    bool same = shoal_get(client, key, strlen(key), &value, NULL) == SHOAL_OK &&
                shoal_value_size(value) == strlen(text) && memcmp(shoal_value_data(value), text, strlen(text)) == 0;
    shoal_value_free(value);
    return same;
}

/* --- What others see --- */

size_t test_ask(uint16_t port, const char *question, char *reply, size_t room) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(test_plain_port(port)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    size_t size = 0;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    check(fd >= 0, "no socket");
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
        send(fd, question, strlen(question), MSG_NOSIGNAL) > 0 && send(fd, "quit\r\n", 6, MSG_NOSIGNAL) > 0)
        for (ssize_t count; size + 1 < room && (count = recv(fd, reply + size, room - 1 - size, 0)) > 0;)
            size += (size_t)count;
    close(fd);
    reply[size] = '\0';
    return size;
}

/* By memcached's meta get: HD where it is there, EN where not. */
bool test_node_holds(uint16_t port, const char *key) {
    char question[300];
    char reply[64];
    snprintf(question, sizeof(question), "mg %s\r\n", key);
    test_ask(port, question, reply, sizeof(reply));
    return strncmp(reply, "HD", 2) == 0;
}

long test_node_ttl(uint16_t port, const char *key) {
    char question[300];
    char reply[64];
    snprintf(question, sizeof(question), "mg %s t\r\n", key);
    test_ask(port, question, reply, sizeof(reply));
    return strncmp(reply, "HD t", 4) == 0 ? strtol(reply + 4, NULL, 10) : -2;
}

static int count_entries(const char *folder, bool (*counts)(const char *name, const void *context),
                         const void *context) {
    int count = 0;
    DIR *entries = opendir(folder);
    check(entries != NULL, folder);
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;)
        count += entry->d_name[0] != '.' && counts(entry->d_name, context);
    closedir(entries);
    return count;
}

static bool leads_to(const char *name, const void *context) {
    const uint16_t *port = context;
    struct sockaddr_in peer = {0};
    socklen_t size = sizeof(peer);
    return getpeername((int)strtol(name, NULL, 10), (struct sockaddr *)&peer, &size) == 0 &&
           peer.sin_family == AF_INET && ntohs(peer.sin_port) == *port;
}

int test_connections_to(uint16_t port) {
    return count_entries("/proc/self/fd", leads_to, &port);
}

static bool is_any(const char *name, const void *context) {
    (void)name;
    (void)context;
    return true;
}

int test_threads(void) {
    return count_entries("/proc/self/task", is_any, NULL);
}
