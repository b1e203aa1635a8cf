/* Batches over three memcached servers and one that speaks meta badly: the call ends at its deadline at the latest,
 * what the three hold is all there, what the bad one said reaches nobody, and nothing that counts is sent twice.
 * May include: the public headers, support/. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/fleets.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_MS 1500
#define SLACK_MS test_patience_ms(1500)
#define OPTIONS "operation_timeout_ms=1500&connect_timeout_ms=1500&failure_threshold=1000&protocol=meta"
#define ONCE OPTIONS "&retry_attempts=0"
#define KEYS 100
#define KEY_SIZE 16

/* What the bad server does with the read that opens a line of keys, and with the line. In what it says, '#' is the
 * opaque number of that read, '+' the next; '*' is an item, with the value "bad", for every key of the line. */
struct manners {
    const char *to_first;
    const char *to_line;
    enum test_answer then; /* after the line */
    int pause_ms;          /* before every byte of the first answer */
    shoal_status first;    /* of the key that opens the line */
    shoal_status rest;     /* of the keys on it */
};

static _Atomic(const struct manners *) manners;
static _Atomic(const char *) version = "VERSION 1.6.18\r\n";
static struct test_fleet fleet;
static struct test_script *script;
static char endpoint[320];
static char keys[KEYS][KEY_SIZE];
static bool is_bad[KEYS]; /* belongs to the bad server */
static atomic_uint seen[KEYS];
static atomic_uint closes_after; /* so many stores; 0: never */
static atomic_uint stores;
static unsigned opened_by;         /* the opaque number of the read that was asked singly last */
static atomic_bool closes_on_line; /* the next one, and no more */

static void say_items(struct test_script *to, const char *line) {
    char item[64];
    char key[KEY_SIZE];
    int used;
    for (const char *at = line + 4; sscanf(at, " %15s%n", key, &used) == 1; at += used) {
        snprintf(item, sizeof(item), "VALUE %s 0 3 1\r\nbad\r\n", key);
        test_script_say(to, item, strlen(item));
    }
}

static void say(struct test_script *to, const char *text, const char *line, int pause_ms) {
    const char *opaque = strrchr(line, 'O');
    if (opaque != NULL)
        opened_by = (unsigned)strtoul(opaque + 1, NULL, 10);
    for (const char *at = text; *at != '\0'; at++) {
        char piece[16];
        int size = *at == '#' || *at == '+' ? snprintf(piece, sizeof(piece), "O%u", opened_by + (*at == '+'))
                                            : snprintf(piece, sizeof(piece), "%c", *at);
        if (*at == '*')
            say_items(to, line);
        else
            test_script_say_slowly(to, piece, (size_t)size, 1, pause_ms);
    }
}

/* Counts what is to be done once, by its key's number. */
static enum test_answer take_store(struct test_script *to, const char *line) {
    atomic_fetch_add(&seen[strtoul(strchr(line, '-') + 1, NULL, 10) % KEYS], 1);
    if (atomic_fetch_add(&stores, 1) + 1 == closes_after)
        return TEST_CLOSE;
    say(to, "HD #\r\n", line, 0);
    return TEST_ANSWERED;
}

static enum test_answer take_line(struct test_script *to, const char *line) {
    if (atomic_exchange(&closes_on_line, false))
        return TEST_CLOSE;
    say(to, manners->to_line, line, 0);
    return manners->then;
}

static enum test_answer answer(struct test_script *to, const char *line, void *context) {
    (void)context;
    if (strcmp(line, "version") == 0)
        say(to, version, line, 0);
    else if (strcmp(line, "mn") == 0)
        say(to, "MN\r\n", line, 0);
    else if (strcmp(line, "stats settings") == 0)
        say(to, "STAT item_size_max 1048576\r\nEND\r\n", line, 0);
    else if (strcmp(line, "close") == 0)
        return TEST_CLOSE;
    else if (strncmp(line, "mg ", 3) == 0)
        say(to, manners->to_first, line, manners->pause_ms);
    else if (strncmp(line, "ms ", 3) == 0)
        return take_store(to, line);
    else if (strncmp(line, "gets ", 5) == 0)
        return take_line(to, line);
    return TEST_ANSWERED;
}

static int start(void **state) {
    (void)state;
    test_fleet_start(&fleet, 3);
    script = test_script_start(answer, NULL);
    snprintf(endpoint, sizeof(endpoint), "%s,%s", fleet.endpoint, test_script_name(script));
    shoal_client *filler = test_client(endpoint, "operation_timeout_ms=20000&protocol=libmemcached");
    size_t bad = 0;
    for (size_t i = 0; i < KEYS; i++) {
        char name[300];
        snprintf(keys[i], KEY_SIZE, "key-%zu", i);
        test_route(filler, keys[i], name);
        is_bad[i] = strcmp(name, test_script_name(script)) == 0;
        bad += is_bad[i];
        if (!is_bad[i])
            assert_int_equal(test_set(filler, keys[i], keys[i]), SHOAL_OK);
    }
    shoal_client_free(filler);
    return bad >= 8 ? 0 : -1; /* enough for a line */
}

static int stop(void **state) {
    (void)state;
    test_script_stop(script);
    test_fleet_stop(&fleet);
    return 0;
}

static void assert_item(const shoal_batch *batch, size_t index, shoal_status wanted) {
    const void *data = NULL;
    size_t size = 0;
    const char *text = is_bad[index] ? "bad" : keys[index];
    shoal_status status = shoal_batch_value(batch, index, &data, &size, NULL, NULL);
    if (status != wanted)
        fail_msg("%s: %s, not %s after '%s' and '%s'", keys[index], shoal_status_name(status),
                 shoal_status_name(wanted), manners->to_first, manners->to_line);
    assert_int_equal(size, wanted == SHOAL_OK ? strlen(text) : 0);
    assert_true(wanted == SHOAL_OK ? memcmp(data, text, size) == 0 : data == NULL);
}

static void assert_items(const shoal_batch *batch) {
    bool is_opened = false;
    for (size_t i = 0; i < KEYS; i++) {
        shoal_status of_bad = is_opened ? manners->rest : manners->first;
        assert_item(batch, i, is_bad[i] ? of_bad : SHOAL_OK);
        is_opened = is_opened || is_bad[i];
    }
}

/* A server of one thread that trickles has no ear for the next connection. */
static void await_the_script(void) {
    char reply[64];
    size_t size = 0;
    for (int tries = 0; size == 0 && tries < 10; tries++)
        size = test_ask(test_script_port(script), "version\r\nclose\r\n", reply, sizeof(reply));
    assert_true(size > 0);
}

static void assert_batch_of(const struct manners *next, const char *options) {
    shoal_batch *batch = NULL;
    manners = next;
    shoal_client *client = test_client(endpoint, options);
    assert_int_equal(shoal_batch_new(client, &batch, NULL), SHOAL_OK);
    for (size_t i = 0; i < KEYS; i++)
        assert_int_equal(shoal_batch_get(batch, keys[i], strlen(keys[i]), NULL), SHOAL_OK);
    int64_t began_ms = test_now_ms();
    assert_int_equal(shoal_batch_run(batch, NULL), next->first < 0 || next->rest < 0 ? SHOAL_PARTIAL : SHOAL_OK);
    assert_true(test_now_ms() - began_ms < TIMEOUT_MS + SLACK_MS);
    assert_items(batch);
    shoal_batch_free(batch);
    shoal_client_free(client);
    await_the_script();
}

static const struct manners all[] = {
    {"EN +\r\n", "*END\r\n", TEST_ANSWERED, 0, SHOAL_E_PROTOCOL, SHOAL_E_PROTOCOL},
    {"EN\r\n", "*END\r\n", TEST_ANSWERED, 0, SHOAL_E_PROTOCOL, SHOAL_E_PROTOCOL},
    {"VA 3 +\r\nbad\r\n", "*END\r\n", TEST_ANSWERED, 0, SHOAL_E_PROTOCOL, SHOAL_E_PROTOCOL},
    {"", "*END\r\n", TEST_ANSWERED, 0, SHOAL_E_PROTOCOL, SHOAL_E_PROTOCOL},
    {"", "*END\r\nEN #\r\n", TEST_ANSWERED, 0, SHOAL_E_PROTOCOL, SHOAL_E_PROTOCOL}, /* swapped */
    {"EN #\r\n", "VALUE foreign 0 3 1\r\nbad\r\nEND\r\n", TEST_ANSWERED, 0, SHOAL_NOT_FOUND, SHOAL_E_PROTOCOL},
    {"EN #\r\nEN #\r\n", "*END\r\n", TEST_ANSWERED, 0, SHOAL_NOT_FOUND, SHOAL_E_PROTOCOL},
    {"EN #\r\n", "garbage\r\n", TEST_ANSWERED, 0, SHOAL_NOT_FOUND, SHOAL_E_PROTOCOL},
    {"garbage\r\n", "garbage\r\n", TEST_ANSWERED, 0, SHOAL_E_PROTOCOL, SHOAL_E_PROTOCOL},
    {"EN #\r\n", "**END\r\n", TEST_ANSWERED, 0, SHOAL_NOT_FOUND, SHOAL_OK}, /* what is complete stands */
    {"EN #\r\n", "*END\r\n*END\r\n", TEST_ANSWERED, 0, SHOAL_NOT_FOUND, SHOAL_OK},
    {"EN #\r\n", "*", TEST_CLOSE, 0, SHOAL_NOT_FOUND, SHOAL_OK},
    {"EN #\r\n", "VALUE key-0 0 3", TEST_CLOSE, 0, SHOAL_NOT_FOUND, SHOAL_E_NODE_DOWN},
    {"EN #\r\n", "", TEST_CLOSE, 0, SHOAL_NOT_FOUND, SHOAL_E_NODE_DOWN},
    {"VA 3 #\r\nba", "", TEST_CLOSE, 0, SHOAL_E_NODE_DOWN, SHOAL_E_NODE_DOWN},
    {"VA 3 #\r\nba", "", TEST_HANG, 0, SHOAL_E_TIMEOUT, SHOAL_E_TIMEOUT},
    {"", "", TEST_HANG, 0, SHOAL_E_TIMEOUT, SHOAL_E_TIMEOUT},
    {"EN #\r\n", "", TEST_HANG, 0, SHOAL_NOT_FOUND, SHOAL_E_TIMEOUT},
    {"VA 20 f0 c1 #\r\n01234567890123456789\r\n", "", TEST_ANSWERED, 100, SHOAL_E_TIMEOUT, SHOAL_E_TIMEOUT},
    {"EN #\r\n", "SERVER_ERROR out of memory\r\n", TEST_ANSWERED, 0, SHOAL_NOT_FOUND, SHOAL_E_SERVER},
    {"EN #\r\n", "ERROR\r\n", TEST_ANSWERED, 0, SHOAL_NOT_FOUND, SHOAL_E_UNSUPPORTED},
    {"EN #\r\n", "END\r\n", TEST_ANSWERED, 0, SHOAL_NOT_FOUND, SHOAL_NOT_FOUND},
    {"VA 3 f0 c1 #\r\nbad\r\n", "*END\r\n", TEST_ANSWERED, 0, SHOAL_OK, SHOAL_OK},
};

static void a_bad_server_harms_no_key_but_its_own(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        assert_batch_of(&all[i], ONCE);
}

static void misses_of_1_6_12_have_no_number(void **state) {
    (void)state;
    static const struct manners missing = {"EN\r\n", "END\r\n", TEST_ANSWERED, 0, SHOAL_NOT_FOUND, SHOAL_NOT_FOUND};
    version = "VERSION 1.6.12\r\n";
    assert_batch_of(&missing, ONCE);
    version = "VERSION 1.6.18\r\n";
}

static void reads_of_a_lane_that_broke_are_asked_again(void **state) {
    (void)state;
    static const struct manners good = {"VA 3 f0 c1 #\r\nbad\r\n", "*END\r\n", TEST_ANSWERED, 0, SHOAL_OK, SHOAL_OK};
    unsigned before = test_script_connections(script);
    atomic_store(&closes_on_line, true);
    assert_batch_of(&good, OPTIONS);
    assert_false(atomic_load(&closes_on_line));
    assert_true(test_script_connections(script) >= before + 2);
}

/* The connection closes in the midst of them; each is sent once at most, and those that were answered stand. */
static void assert_sent_once(int mode) {
    shoal_batch *batch = NULL;
    shoal_client *client = test_client(endpoint, OPTIONS);
    assert_int_equal(shoal_batch_new(client, &batch, NULL), SHOAL_OK);
    for (size_t i = 0; i < KEYS; i++) {
        atomic_store(&seen[i], 0);
        assert_int_equal(shoal_batch_store(batch, mode, keys[i], strlen(keys[i]), "v", 1, 0, 0, 0, NULL), SHOAL_OK);
    }
    atomic_store(&stores, 0);
    assert_int_equal(shoal_batch_run(batch, NULL), SHOAL_PARTIAL);
    assert_int_equal(atomic_load(&stores), closes_after);
    for (size_t i = 0; i < KEYS; i++) {
        shoal_status status = shoal_batch_status(batch, i);
        assert_int_equal(status < 0, is_bad[i] && status == SHOAL_E_NODE_DOWN);
        assert_true(atomic_load(&seen[i]) <= 1);
        if (is_bad[i] && status == SHOAL_OK)
            assert_int_equal(atomic_load(&seen[i]), 1);
    }
    shoal_batch_free(batch);
    shoal_client_free(client);
}

static void what_must_not_be_done_twice_is_sent_once(void **state) {
    (void)state;
    for (closes_after = 1; closes_after <= 4; closes_after++) {
        assert_sent_once(SHOAL_APPEND);
        assert_sent_once(SHOAL_ADD);
        assert_sent_once(SHOAL_PREPEND);
    }
    closes_after = 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bad_server_harms_no_key_but_its_own),
        cmocka_unit_test(misses_of_1_6_12_have_no_number),
        cmocka_unit_test(reads_of_a_lane_that_broke_are_asked_again),
        cmocka_unit_test(what_must_not_be_done_twice_is_sent_once),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
