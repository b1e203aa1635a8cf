/* A stand-in for ElastiCache Serverless: TLS in front of a real memcached, which never sees what Amazon's guide
 * ("Supported Memcached commands") says is refused. The refusal comes in its place among the other answers.
 * May include: libc. Used by tests/integration. */
#ifndef TESTS_SUPPORT_SERVERLESS_H
#define TESTS_SUPPORT_SERVERLESS_H

#include <stddef.h>

/* The most that a line of get or gets may have. */
#define TEST_SERVERLESS_GET_MAX ((size_t)16 * 1024)

struct test_serverless;

/* certificate: by its name; NULL: "server". get_max: TEST_SERVERLESS_GET_MAX, or less. */
struct test_serverless *test_serverless_start(const char *certificate, size_t get_max);
const char *test_serverless_name(const struct test_serverless *serverless); /* 127.0.0.1:PORT */

/* Of the lines of get and gets so far. */
size_t test_serverless_longest_get(const struct test_serverless *serverless);
unsigned test_serverless_refused_gets(const struct test_serverless *serverless);

void test_serverless_stop(struct test_serverless *serverless);

#endif
