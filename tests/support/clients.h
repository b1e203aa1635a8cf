/* Clients for tests of discovery: made in one line, and asked what they see.
 * May include: the public headers, support/servers.h. Used by tests/integration. */
#ifndef TESTS_SUPPORT_CLIENTS_H
#define TESTS_SUPPORT_CLIENTS_H

#include "servers.h"

#include <shoal/shoal.h>

/* Tests with the label `transports` are run once for each: the environment's SHOAL_TEST_PROTOCOL is then what clients
 * have for `protocol`, unless a test says otherwise. */
bool test_speaks_meta(void);

/* A configuration with this endpoint (and what its `?` part says); the caller's. */
shoal_config *test_config(const char *endpoint);

/* options: "name=value&name=value"; a value may hold anything but '&'. Fails the test run (abort) where it cannot be
 * made. */
shoal_client *test_client(const char *endpoint, const char *options);

/* --- Which nodes it uses --- */

#define TEST_NODES_SIZE 16384

/* The version in use; UINT64_MAX where none is known. */
uint64_t test_version(shoal_client *client);

/* The names of the nodes in the order of the list, with spaces between; "" where none are known. */
void test_nodes(shoal_client *client, char text[TEST_NODES_SIZE]);

/* Waits until it uses that version, or that list ("a:1 b:2"); false after 10 seconds. */
bool test_sees_version(shoal_client *client, uint64_t version);
bool test_sees_nodes(shoal_client *client, const char *names);

/* The name of the node of a key; "" where there is none. */
void test_route(shoal_client *client, const char *key, char name[300]);

/* --- Calls --- */

#define TEST_MESSAGE_SIZE 512

/* A read of a key, its outcome or error, and the message ("" where it did not fail; may be NULL). */
shoal_status test_read(shoal_client *client, const char *key, char message[TEST_MESSAGE_SIZE]);

/* Stores and reads back a few keys; false where any of it failed. */
bool test_works(shoal_client *client);

/* --- Events --- */

/* Takes all that wait; how many were of this kind. */
unsigned test_count_events(shoal_client *client, int kind);

/* Takes events until one of this kind comes; false after 10 seconds. message may be NULL. */
bool test_meets_event(shoal_client *client, int kind, char message[TEST_MESSAGE_SIZE]);

/* --- Polls --- */

/* Waits for this many polls from now on, or in all; false after 10 seconds. */
bool test_polled(const struct test_endpoint *endpoint, unsigned more);
bool test_polls_reach(const struct test_endpoint *endpoint, unsigned polls);

#endif
