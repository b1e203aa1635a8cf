/* Logging in: what is said, and what the answers mean, however they are cut.
 * May include: the core's internals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "logic/login.h"

#include <stdlib.h>
#include <string.h>

/* A server without -Y takes it for a store: of an item that is gone at once. */
static void test_says_user_and_password_as_a_store_that_leaves_nothing(void **state) {
    (void)state;
    char *command = shoal__login_command("bob", "a:secret");
    assert_string_equal(command, "set shoal:login 0 -1 12\r\nbob a:secret\r\n");
    free(command);
    command = shoal__login_command("", "");
    assert_string_equal(command, "set shoal:login 0 -1 1\r\n \r\n");
    free(command);
}

static const struct {
    const char *text;
    enum shoal__login_verdict verdict;
    const char *complaint;
} answers[] = {
    {"", SHOAL__LOGIN_INCOMPLETE, NULL},
    {"STORED\r", SHOAL__LOGIN_INCOMPLETE, NULL},
    {"STORED\r\n", SHOAL__LOGIN_ACCEPTED, NULL},
    {"STORED\r\nX", SHOAL__LOGIN_REFUSED, "did not take"},
    {"CLIENT_ERROR authentication failure", SHOAL__LOGIN_INCOMPLETE, NULL},
    {"CLIENT_ERROR authentication failure\r\n", SHOAL__LOGIN_REFUSED, "authentication failed"},
    {"CLIENT_ERROR bad authentication token format\r\n", SHOAL__LOGIN_REFUSED, "authentication failed"},
    {"ERROR Too many open connections\r\n", SHOAL__LOGIN_REFUSED, "connection limit"},
    {"ERROR\r\n", SHOAL__LOGIN_REFUSED, "did not take"},
    {"\n", SHOAL__LOGIN_REFUSED, "did not take"},
    {"a line without an end that is as long as no answer would be", SHOAL__LOGIN_REFUSED, "did not take"},
};

static void test_an_answer_is_judged_once_it_is_there(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        const char *complaint = NULL;
        size_t size = strlen(answers[i].text);
        assert_int_equal(shoal__login_judge(answers[i].text, size, &complaint), answers[i].verdict);
        const char *wanted = answers[i].complaint ? answers[i].complaint : "";
        assert_int_equal(complaint != NULL, wanted[0] != '\0');
        if (complaint != NULL && strstr(complaint, wanted) == NULL)
            fail_msg("%s: %s", answers[i].text, complaint);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_says_user_and_password_as_a_store_that_leaves_nothing),
        cmocka_unit_test(test_an_answer_is_judged_once_it_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
