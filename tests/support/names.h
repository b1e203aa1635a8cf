/* Names that a test makes up: a private mount namespace brings this process an /etc/hosts and an /etc/resolv.conf of
 * its own.
 * May include: libc. Used by tests/integration. */
#ifndef TESTS_SUPPORT_NAMES_H
#define TESTS_SUPPORT_NAMES_H

#include <stdbool.h>

/* Where the private resolv.conf leads. Nobody listens there, unless a test does. */
#define TEST_NAME_SERVER "127.0.0.77"

/* Before any thread is there. False, now and later, where it is not allowed here. */
bool test_names_make_private(void);
bool test_names_are_private(void);

/* The lines of /etc/hosts beside localhost's. */
void test_names_set(const char *lines);

#endif
