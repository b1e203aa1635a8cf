/* Fleets of memcached servers for tests, and what a test asks about the items and connections in them.
 * May include: libc, <shoal/shoal.h>, support/. Nothing here asserts, so that threads and forked children may call it
 * too; a failure that no test is about ends the run (abort). Used by tests/integration. */
#ifndef TESTS_SUPPORT_FLEETS_H
#define TESTS_SUPPORT_FLEETS_H

#include "support/clients.h"

/* --- How much, and how long: fewer rounds and more patience under valgrind or a sanitizer --- */

int test_rounds(int full);
int test_patience_ms(int ms); /* for upper bounds alone */

/* AddressSanitizer's allocator takes no locks at a fork: a child may wait for ever for one that another thread held. */
bool test_may_fork_beside_threads(void);

/* Nor does ThreadSanitizer bear a thread that is started in a child of a process with threads. */
bool test_child_may_start_threads(void);

/* --- A fleet of memcached servers, each on its own port --- */

#define TEST_FLEET_MAX 8

struct test_fleet {
    size_t count;
    struct test_memcached nodes[TEST_FLEET_MAX];
    char endpoint[256]; /* static://127.0.0.1:PORT,... */
};

void test_fleet_start(struct test_fleet *fleet, size_t count);
void test_fleet_stop(struct test_fleet *fleet);

/* Has an endpoint tell this fleet, with this version, to whoever asks for discovery. */
void test_fleet_announce(const struct test_fleet *fleet, struct test_endpoint *endpoint, uint64_t version);

/* Which of its nodes the client sends a key to. */
size_t test_fleet_place(const struct test_fleet *fleet, shoal_client *client, const char *key);

/* --- Calls, with keys and values that are C strings --- */

shoal_status test_set(shoal_client *client, const char *key, const char *text);
shoal_status test_get(shoal_client *client, const char *key); /* the value is dropped */
bool test_holds(shoal_client *client, const char *key, const char *text);

/* --- What others see of a client --- */

/* What a server on this port answers to whole lines, on a connection of its own; 0 where it does not answer. */
size_t test_ask(uint16_t port, const char *question, char *reply, size_t room);

bool test_node_holds(uint16_t port, const char *key);
long test_node_ttl(uint16_t port, const char *key); /* seconds left, -1 for ever, -2 where there is no such item */

/* TCP connections that this process holds to a port of 127.0.0.1. */
int test_connections_to(uint16_t port);

/* How many threads this process has. */
int test_threads(void);

#endif
