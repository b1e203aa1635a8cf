/* A TLS front: takes TLS connections and passes what comes over them on to a plain server of this machine, and back. So
 * a scripted server speaks TLS, and does at the level of TLS what a test wants.
 * May include: libc. Used by tests/integration. */
#ifndef TESTS_SUPPORT_TLS_FRONT_H
#define TESTS_SUPPORT_TLS_FRONT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct test_front;

/* Takes what a client said, and passes on what the plain server is to hear. `state` is the connection's own, zeroed at
 * first. False ends the connection. */
typedef bool (*test_front_filter)(void *state, const char *bytes, size_t size, int target, void *context);

bool test_front_pass(int target, const char *bytes, size_t size);

struct test_front_options {
    uint16_t target;         /* the plain server's port */
    const char *certificate; /* by its name; NULL: "server" */
    const char *client_ca;   /* whose clients alone it lets in; NULL: anybody's */
    bool is_tls_12;          /* no more than that */
    bool has_no_tickets;
    const char *last_words;   /* an answer that begins so comes together with TLS's good-bye; the socket stays open */
    test_front_filter filter; /* NULL: all is passed on as it is */
    void *filter_context;
    size_t filter_state_size;
};

struct test_front *test_front_start(const struct test_front_options *options);
uint16_t test_front_port(const struct test_front *front);
const char *test_front_name(const struct test_front *front); /* 127.0.0.1:PORT */

unsigned test_front_handshakes(const struct test_front *front); /* that worked */
unsigned test_front_resumed(const struct test_front *front);    /* of these */

/* The name that the last handshake asked for (SNI); "" where it asked for none. Valid until the next handshake. */
const char *test_front_asked_name(const struct test_front *front);

/* Before the next answer on each connection: new keys (TLS 1.3), or a renegotiation (1.2). */
void test_front_change_keys(struct test_front *front);

/* Answers a byte at a time, each in a record of its own, with pauses; 0 ends that. */
void test_front_set_pace(struct test_front *front, int pause_ms);

/* Ends all connections: with a word of TLS, or without. */
void test_front_hang_up(struct test_front *front, bool with_notice);

/* Until nobody is connected any more; false after 10 seconds. */
bool test_front_has_hung_up(struct test_front *front);

void test_front_stop(struct test_front *front);

#endif
