/* What a call gave up is not done later: packets that a network lost are sent again by the kernel for as long as the
 * connection is there, and a store that comes when newer ones were made elsewhere would bring an old value back.
 * May include: the public headers, support/. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/fleets.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define OPTIONS "protocol=meta&operation_timeout_ms=300&attempt_timeout_ms=300&retry_attempts=0&on_node_failure=error"
#define SENT_AGAIN_MS 1500 /* the kernel does so after 200, 600 and 1400 ms */

static int listener;
static atomic_int connection = -1; /* the one taken last */
static atomic_uint stores;

static void answer(int to, const char *line) {
    char text[64];
    const char *number = strrchr(line, 'O');
    atomic_fetch_add(&stores, strncmp(line, "ms ", 3) == 0);
    if (strncmp(line, "version", 7) == 0)
        snprintf(text, sizeof(text), "VERSION 1.6.18\r\n");
    else if (strncmp(line, "mn", 2) == 0)
        snprintf(text, sizeof(text), "MN\r\n");
    else if (strncmp(line, "stats", 5) == 0)
        snprintf(text, sizeof(text), "END\r\n");
    else if (strncmp(line, "ms ", 3) == 0)
        snprintf(text, sizeof(text), "HD %.16s\r\n", number != NULL ? number : "");
    else
        return; /* a store's value */
    send(to, text, strlen(text), MSG_NOSIGNAL);
}

static void serve(FILE *lines) {
    char line[512];
    while (fgets(line, sizeof(line), lines) != NULL) {
        line[strcspn(line, "\r\n")] = '\0';
        answer(fileno(lines), line);
    }
}

/* One connection after the other, until the listener is shut down. */
static void *run_server(void *unused) {
    for (int fd; (fd = accept(listener, NULL, NULL)) >= 0;) {
        atomic_store(&connection, fd);
        FILE *lines = fdopen(fd, "r");
        serve(lines);
        fclose(lines);
    }
    return unused;
}

static uint16_t start_listening(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_return_code(bind(listener, (struct sockaddr *)&address, size), 0);
    assert_return_code(listen(listener, 16), 0);
    assert_return_code(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    return ntohs(address.sin_port);
}

/* The kernel lets no packet in. */
static void lose_packets(int fd) {
    struct sock_filter nothing = {.code = BPF_RET | BPF_K, .k = 0};
    struct sock_fprog program = {.len = 1, .filter = &nothing};
    assert_return_code(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)), 0);
}

static void let_packets_in(int fd) {
    int unused = 0;
    assert_return_code(setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof(unused)), 0);
}

static void a_store_that_was_given_up_does_not_come_later(void **state) {
    (void)state;
    pthread_t server;
    char endpoint[64];
    snprintf(endpoint, sizeof(endpoint), "static://127.0.0.1:%u", start_listening());
    assert_int_equal(pthread_create(&server, NULL, run_server, NULL), 0);
    shoal_client *client = test_client(endpoint, OPTIONS);
    assert_int_equal(test_set(client, "key", "first"), SHOAL_OK);
    assert_int_equal(atomic_load(&stores), 1);

    int fd = atomic_load(&connection);
    lose_packets(fd);
    assert_int_equal(test_set(client, "key", "given up"), SHOAL_E_TIMEOUT);
    let_packets_in(fd);
    poll(NULL, 0, SENT_AGAIN_MS);
    assert_int_equal(atomic_load(&stores), 1);

    shoal_client_free(client);
    shutdown(fd, SHUT_RDWR); /* its end was lost too */
    shutdown(listener, SHUT_RDWR);
    assert_int_equal(pthread_join(server, NULL), 0);
    close(listener);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_store_that_was_given_up_does_not_come_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
