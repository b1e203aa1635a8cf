/* Connections over TLS: what they carry, how they end, and which are resumed.
 * May include: the public headers, support/. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/certificates.h"
#include "support/fleets.h"
#include "support/tls_front.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENT "connect_timeout_ms=10000&operation_timeout_ms=30000&"

static struct test_memcached server; /* with TLS */
static struct test_memcached plain;

static int start(void **state) {
    (void)state;
    test_certificates_make_usual();
    server = test_memcached_start_tls(0, NULL);
    plain = test_memcached_start(0);
    return 0;
}

static int stop(void **state) {
    (void)state;
    test_memcached_stop(&server);
    test_memcached_stop(&plain);
    return 0;
}

static shoal_client *client_of(const char *name, const char *options) {
    char endpoint[64];
    snprintf(endpoint, sizeof(endpoint), "static://%s", name);
    return test_client(endpoint, test_tls_options(options));
}

/* --- What they carry --- */

static void large_values_come_back(void **state) {
    (void)state;
    shoal_client *client = client_of(server.name, PATIENT);
    size_t most = 1024 * 1024 - 200; /* an item of 1 MiB, with what memcached keeps beside the value */
    char *bytes = malloc(most);
    for (size_t i = 0; i < most; i++)
        bytes[i] = (char)(i * 31 % 251);
    for (size_t size = most; size > 10000; size = size * 3 / 4 - 1) {
        shoal_value *value = NULL;
        assert_int_equal(shoal_set(client, "large", 5, bytes, size, 0, NULL), SHOAL_OK);
        assert_int_equal(shoal_get(client, "large", 5, &value, NULL), SHOAL_OK);
        assert_int_equal(shoal_value_size(value), size);
        assert_memory_equal(shoal_value_data(value), bytes, size);
        shoal_value_free(value);
    }
    free(bytes);
    shoal_client_free(client);
}

/* memcached leaves a record lying that holds more than it has room for. Sizes just beside its buffer's, and stores
 * whose values end in the middle of records, met that about every tenth time. */
static void batches_of_any_shape_come_back(void **state) {
    (void)state;
    enum { COUNT = 120 };
    static char bytes[64 * 1024];
    static char keys[COUNT][32];
    shoal_client *client = client_of(server.name, PATIENT);
    shoal_batch *batch = NULL;
    memset(bytes, 'x', sizeof(bytes));
    assert_int_equal(shoal_batch_new(client, &batch, NULL), SHOAL_OK);
    for (int round = 0; round < test_rounds(200); round++) {
        shoal_batch_clear(batch);
        for (unsigned i = 0; i < COUNT; i++) {
            size_t size = (i * 7919U + (unsigned)round * 104729U) % (i % 10 == 0 ? sizeof(bytes) : 400U);
            snprintf(keys[i], sizeof(keys[i]), "shape-%u", i);
            assert_int_equal(shoal_batch_store(batch, SHOAL_SET, keys[i], strlen(keys[i]), bytes, size, 0, 0, 0, NULL),
                             SHOAL_OK);
        }
        assert_int_equal(shoal_batch_run(batch, NULL), SHOAL_OK);
    }
    shoal_batch_free(batch);
    shoal_client_free(client);
}

/* An answer byte by byte, each in a record: the deadline ends it, however many of them come. */
static void a_trickle_ends_in_time(void **state) {
    (void)state;
    struct test_front *front = test_front_start(&(struct test_front_options){.target = plain.port});
    char value[2000];
    memset(value, 'x', sizeof(value));
    shoal_client *client =
        client_of(test_front_name(front), "connect_timeout_ms=10000&operation_timeout_ms=1000&retry_attempts=0");
    assert_int_equal(shoal_set(client, "slow", 4, value, sizeof(value), 0, NULL), SHOAL_OK);
    test_front_set_pace(front, 5);
    int64_t begin_ms = test_now_ms();
    assert_int_equal(test_get(client, "slow"), SHOAL_E_TIMEOUT);
    assert_in_range(test_now_ms() - begin_ms, 400, test_patience_ms(2000));
    shoal_client_free(client);
    test_front_stop(front);
}

static void new_keys_are_taken_and_a_renegotiation_is_refused(void **state) {
    (void)state;
    for (int is_tls_12 = 0; is_tls_12 < 2; is_tls_12++) {
        struct test_front *front =
            test_front_start(&(struct test_front_options){.target = plain.port, .is_tls_12 = is_tls_12});
        shoal_client *client = client_of(test_front_name(front), PATIENT);
        assert_int_equal(test_set(client, "keys", "x"), SHOAL_OK);
        for (int i = 0; i < 5; i++) {
            test_front_change_keys(front);
            assert_true(test_holds(client, "keys", "x"));
        }
        assert_true(is_tls_12 || test_front_handshakes(front) == 1);
        shoal_client_free(client);
        test_front_stop(front);
    }
}

/* --- How they end --- */

static void a_connection_that_the_server_closed_is_not_used(void **state) {
    (void)state;
    for (int with_notice = 0; with_notice < 2; with_notice++) {
        struct test_front *front = test_front_start(&(struct test_front_options){.target = plain.port});
        shoal_client *client = client_of(test_front_name(front), PATIENT "lane_idle_s=0");
        assert_int_equal(test_set(client, "key", "x"), SHOAL_OK);
        for (int i = 0; i < 5; i++) {
            shoal_error *error = NULL;
            uint64_t number;
            test_front_hang_up(front, with_notice);
            assert_true(test_front_has_hung_up(front));
            /* This is not repeated where its outcome is unknown: that the connection is gone must be seen before. */
            if (shoal_increment(client, "counter", 7, 1, &(uint64_t){1}, 0, &number, &error) != SHOAL_OK)
                fail_msg("%s", shoal_error_message(error));
        }
        assert_int_equal(test_front_handshakes(front), 6);
        shoal_client_free(client);
        test_front_stop(front);
    }
}

/* Tickets that come after the first answer, and nothing else, are no reason to close a connection. */
static void an_idle_connection_is_kept(void **state) {
    (void)state;
    struct test_front *front = test_front_start(&(struct test_front_options){.target = plain.port});
    shoal_client *client = client_of(test_front_name(front), PATIENT "lane_idle_s=0");
    for (int i = 0; i < 5; i++) {
        assert_int_equal(test_set(client, "key", "x"), SHOAL_OK);
        test_sleep_ms(20);
    }
    assert_int_equal(test_front_handshakes(front), 1);
    shoal_client_free(client);
    test_front_stop(front);
}

/* Without a handler SIGPIPE would end this process. */
static void no_signal_comes_of_a_broken_connection(void **state) {
    (void)state;
    struct test_front *front = test_front_start(&(struct test_front_options){.target = plain.port});
    shoal_client *client = client_of(test_front_name(front), PATIENT "lane_idle_s=60");
    char *value = calloc(1, 500000);
    for (int i = 0; i < 10; i++) {
        shoal_set(client, "key", 3, value, 500000, 0, NULL);
        test_front_hang_up(front, i % 2 == 0);
        test_sleep_ms(i % 3 * 20);
    }
    assert_int_equal(shoal_set(client, "key", 3, value, 5, 0, NULL), SHOAL_OK);
    free(value);
    shoal_client_free(client);
    test_front_stop(front);
}

/* --- Sessions --- */

static void sessions_are_resumed(void **state) {
    (void)state;
    for (int is_tls_12 = 0; is_tls_12 < 2; is_tls_12++) {
        struct test_front *front =
            test_front_start(&(struct test_front_options){.target = plain.port, .is_tls_12 = is_tls_12});
        shoal_client *client = client_of(test_front_name(front), PATIENT "lane_idle_s=0");
        for (int i = 0; i < 10; i++) {
            assert_int_equal(test_set(client, "key", "x"), SHOAL_OK);
            test_front_hang_up(front, i % 2 == 0);
            assert_true(test_front_has_hung_up(front));
        }
        assert_int_equal(test_front_handshakes(front), 10);
        assert_int_equal(test_front_resumed(front), 9);
        shoal_client_free(client);
        test_front_stop(front);
    }
}

static void without_tickets_each_handshake_is_a_full_one(void **state) {
    (void)state;
    struct test_front *front =
        test_front_start(&(struct test_front_options){.target = plain.port, .has_no_tickets = true});
    shoal_client *client = client_of(test_front_name(front), PATIENT "lane_idle_s=0");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(test_set(client, "key", "x"), SHOAL_OK);
        test_front_hang_up(front, true);
        assert_true(test_front_has_hung_up(front));
    }
    assert_int_equal(test_front_handshakes(front), 3);
    assert_int_equal(test_front_resumed(front), 0);
    shoal_client_free(client);
    test_front_stop(front);
}

/* --- Forks beside handshakes --- */

struct storm {
    char endpoint[64];
    char options[512];
    atomic_bool over;
    atomic_uint wrong;
};

/* A new client each time, so that OpenSSL is at work nearly all the time. */
static void *shake_hands_until_over(void *context) {
    struct storm *storm = context;
    while (!atomic_load(&storm->over)) {
        shoal_client *client = test_client(storm->endpoint, storm->options);
        atomic_fetch_add(&storm->wrong, test_get(client, "nobody") != SHOAL_NOT_FOUND);
        shoal_client_free(client);
    }
    return NULL;
}

static void children_of_a_process_that_shakes_hands_have_tls(void **state) {
    (void)state;
    if (!test_may_fork_beside_threads() || !test_child_may_start_threads())
        skip();
    struct storm storm = {0};
    pthread_t threads[3];
    snprintf(storm.endpoint, sizeof(storm.endpoint), "static://%s", server.name);
    snprintf(storm.options, sizeof(storm.options), "%s", test_tls_options(PATIENT));
    shoal_client *client = client_of(server.name, PATIENT);
    assert_int_equal(test_set(client, "key", "x"), SHOAL_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, shake_hands_until_over, &storm), 0);
    for (int i = 0; i < 100; i++) {
        int status = 0;
        pid_t child = fork();
        if (child == 0) {
            alarm(20); /* ends a child that hangs */
            _exit(test_holds(client, "key", "x") ? 0 : 1);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        assert_true(test_holds(client, "key", "x"));
    }
    atomic_store(&storm.over, true);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&storm.wrong), 0);
    shoal_client_free(client);
}

/* --- With a password as well --- */

static void a_password_goes_over_tls(void **state) {
    (void)state;
    char users[64];
    snprintf(users, sizeof(users), "/tmp/shoal-test-tls-users-%d", (int)getpid());
    FILE *file = fopen(users, "w");
    fputs("bob:open:sesame\n", file);
    fclose(file);
    struct test_memcached both = test_memcached_start_tls(0, &(struct test_tls_server){.option = "-Y", .value = users});
    shoal_client *client = client_of(both.name, PATIENT "user=bob&password=open:sesame");
    assert_true(test_works(client));
    shoal_client_free(client);
    client = client_of(both.name, PATIENT "user=bob&password=wrong");
    char message[TEST_MESSAGE_SIZE];
    assert_int_equal(test_read(client, "key", message), SHOAL_E_NODE_DOWN);
    assert_non_null(strstr(message, "authentication failed"));
    shoal_client_free(client);
    test_memcached_stop(&both);
    unlink(users);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(large_values_come_back),
        cmocka_unit_test(batches_of_any_shape_come_back),
        cmocka_unit_test(a_trickle_ends_in_time),
        cmocka_unit_test(new_keys_are_taken_and_a_renegotiation_is_refused),
        cmocka_unit_test(a_connection_that_the_server_closed_is_not_used),
        cmocka_unit_test(an_idle_connection_is_kept),
        cmocka_unit_test(no_signal_comes_of_a_broken_connection),
        cmocka_unit_test(sessions_are_resumed),
        cmocka_unit_test(without_tickets_each_handshake_is_a_full_one),
        cmocka_unit_test(children_of_a_process_that_shakes_hands_have_tls),
        cmocka_unit_test(a_password_goes_over_tls),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
