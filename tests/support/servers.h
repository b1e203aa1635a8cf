/* Servers for tests: real memcached processes, and scripted TCP servers that say what a test tells them.
 * May include: libc. Used by tests/integration. Everything listens on loopback addresses and is ended by its own id. */
#ifndef TESTS_SUPPORT_SERVERS_H
#define TESTS_SUPPORT_SERVERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A port that nothing listens on, and that nobody else gets while this process lives. */
uint16_t test_free_port(void);

/* --- A real memcached; it ends with this process at the latest --- */

struct test_memcached {
    pid_t process;
    uint16_t port;
    char name[32]; /* 127.0.0.1:PORT */
};

/* Returns once it answers. port 0: a free one. Fails the test run (abort) where memcached cannot be started. */
struct test_memcached test_memcached_start(uint16_t port);
/* The same with an option of its command line. */
struct test_memcached test_memcached_start_with(uint16_t port, const char *option, const char *value);
struct test_memcached test_memcached_start_local(const char *path); /* on a Unix socket; its port is 0 */
void test_memcached_stop(struct test_memcached *server);            /* SIGKILL and wait; may be called twice */
void test_memcached_freeze(const struct test_memcached *server);
void test_memcached_thaw(const struct test_memcached *server);

/* With TLS, by certificates that are made here; NULL: the usual ones. */
struct test_tls_server {
    const char *certificate; /* by its name; NULL: "server" */
    const char *client_ca;   /* whose clients alone it lets in; NULL: anybody's */
    const char *option;      /* more of its command line; may be NULL */
    const char *value;
};

struct test_memcached test_memcached_start_tls(uint16_t port, const struct test_tls_server *options);

/* The port at which a server started with TLS can be spoken to without; of others the same port. */
uint16_t test_plain_port(uint16_t port);

/* Whether all servers and clients of this run are to speak TLS: SHOAL_TEST_TLS is set. */
bool test_speaks_tls(void);

/* A counter of `stats`, asked on a connection of its own, e.g. "curr_connections"; -1 where it is missing. */
long test_memcached_stat(const struct test_memcached *server, const char *name);

/* --- A scripted server: one thread, which answers each line it is sent --- */

struct test_script;

/* How a connection goes on after a line was answered. */
enum test_answer {
    TEST_ANSWERED,
    TEST_CLOSE, /* after what was said */
    TEST_HANG,  /* never says anything again */
};

/* Called on the server's thread for each line (without its end). Answers by test_script_say. */
typedef enum test_answer (*test_answerer)(struct test_script *script, const char *line, void *context);

struct test_script *test_script_start(test_answerer answerer, void *context);

/* At an address and port (0: a free one); NULL where this machine does not have the address, as ::1, or the port. */
struct test_script *test_script_start_at(const char *address, uint16_t port, test_answerer answerer, void *context);
uint16_t test_script_port(const struct test_script *script);
const char *test_script_name(const struct test_script *script); /* 127.0.0.1:PORT */
void test_script_say(struct test_script *script, const void *bytes, size_t size);
void test_script_say_slowly(struct test_script *script, const void *bytes, size_t size, size_t piece, int pause_ms);
/* As a memcached of before meta that holds nothing. */
enum test_answer test_script_say_miss(struct test_script *script, const char *line);
unsigned test_script_connections(const struct test_script *script); /* accepted so far */
void test_script_stop(struct test_script *script);

/* --- A discovery endpoint made of a script: what it says can be changed while clients poll it --- */

struct test_endpoint;

struct test_endpoint *test_endpoint_start(void);
struct test_endpoint *test_endpoint_start_at(const char *address, uint16_t port); /* NULL as test_script_start_at */
const char *test_endpoint_name(const struct test_endpoint *endpoint);             /* 127.0.0.1:PORT */

/* Whole replies, bytes as they are; NULL: closes without an answer. Both are "ERROR\r\n" at first. */
void test_endpoint_set_config(struct test_endpoint *endpoint, const char *reply);
void test_endpoint_set_legacy(struct test_endpoint *endpoint, const char *reply);

/* A well-formed reply to `config get cluster`: payload "VERSION\nNODES\n". nodes: "localhost|127.0.0.1|11211 ..." */
void test_endpoint_set_nodes(struct test_endpoint *endpoint, uint64_t version, const char *nodes);

/* Says replies in pieces with a pause before each; 0: at once. */
void test_endpoint_set_pace(struct test_endpoint *endpoint, size_t piece, int pause_ms);

void test_endpoint_set_hang(struct test_endpoint *endpoint, bool hang); /* accepts and never answers */
unsigned test_endpoint_polls(const struct test_endpoint *endpoint);     /* `config get cluster` received so far */
void test_endpoint_stop(struct test_endpoint *endpoint);

/* --- Waiting --- */

int64_t test_now_ms(void);
void test_sleep_ms(int ms);

/* Asks every 5 ms until the condition holds; false after timeout_ms. */
bool test_eventually(bool (*condition)(void *context), void *context, int timeout_ms);

#endif
