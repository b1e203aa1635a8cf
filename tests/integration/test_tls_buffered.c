/* What OpenSSL has taken from a socket and nobody has read yet, no poll tells of: the end of a connection that lies
 * there behind an answer is met all the same.
 * May include: the public headers, support/. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/certificates.h"
#include "support/fleets.h"
#include "support/tls_front.h"

#include <stdio.h>
#include <string.h>

static struct test_front *start_front(const struct test_script *script, const char *last_words) {
    return test_front_start(&(struct test_front_options){.target = test_script_port(script), .last_words = last_words});
}

#define KEYS 100

/* Says who it is, and answers the first read of a batch, behind which its front says good-bye. Without a context it
 * says no more than who it is: so the batch goes on to its deadline, and polls. */
static enum test_answer answer_first(struct test_script *script, const char *line, void *context) {
    char answer[64] = "";
    bool answers_first = context != NULL;
    if (strcmp(line, "version") == 0)
        snprintf(answer, sizeof(answer), "VERSION 1.6.18\r\n");
    else if (strcmp(line, "mn") == 0)
        snprintf(answer, sizeof(answer), "MN\r\n");
    else if (strcmp(line, "stats settings") == 0)
        snprintf(answer, sizeof(answer), "ERROR\r\n");
    else if (strncmp(line, "mg ", 3) == 0 && answers_first)
        snprintf(answer, sizeof(answer), "EN %s\r\n", strrchr(line, ' ') + 1);
    test_script_say(script, answer, strlen(answer));
    return TEST_ANSWERED;
}

static void a_good_bye_behind_an_answer_is_heard_at_once(void **state) {
    (void)state;
    static char keys[KEYS][16];
    char nodes[80];
    char options[256];
    bool is_other[KEYS];
    shoal_batch *batch = NULL;
    struct test_script *leaving = test_script_start(answer_first, keys);
    struct test_script *silent = test_script_start(answer_first, NULL);
    struct test_front *fronts[] = {start_front(leaving, "EN "), start_front(silent, NULL)};
    snprintf(nodes, sizeof(nodes), "%s,%s", test_front_name(fronts[0]), test_front_name(fronts[1]));
    snprintf(options, sizeof(options), "retry_attempts=0&connect_timeout_ms=%d&operation_timeout_ms=%d",
             test_patience_ms(1500), test_patience_ms(1500));
    shoal_client *client = test_client(nodes, test_tls_options(options));
    assert_int_equal(shoal_batch_new(client, &batch, NULL), SHOAL_OK);
    for (size_t i = 0; i < KEYS; i++) {
        char name[300];
        snprintf(keys[i], sizeof(keys[i]), "key-%zu", i);
        test_route(client, keys[i], name);
        is_other[i] = strcmp(name, test_front_name(fronts[1])) == 0;
        shoal_batch_get(batch, keys[i], strlen(keys[i]), NULL);
    }
    assert_int_equal(shoal_batch_run(batch, NULL), SHOAL_PARTIAL);
    bool is_first = true;
    for (size_t i = 0; i < KEYS; i++) {
        shoal_status wanted = is_other[i] ? SHOAL_E_TIMEOUT : is_first ? SHOAL_NOT_FOUND : SHOAL_E_NODE_DOWN;
        if (shoal_batch_status(batch, i) != wanted)
            fail_msg("%s: %s", keys[i], shoal_error_message(shoal_batch_error(batch, i)));
        is_first = is_first && is_other[i];
    }
    shoal_batch_free(batch);
    shoal_client_free(client);
    for (size_t i = 0; i < 2; i++)
        test_front_stop(fronts[i]);
    test_script_stop(leaving);
    test_script_stop(silent);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_bye_behind_an_answer_is_heard_at_once),
    };
    test_certificates_make_usual();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
