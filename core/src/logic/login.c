/* Logging in.
 * May include: base/. */
#include "logic/login.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A server that asks nobody to log in takes it for an item: a negative time to live has that expire at once, so that
 * the password is not there to be read. A server that does ask looks at the size alone. */
static const char format[] = "set shoal:login 0 -1 %zu\r\n%s %s\r\n";

char *shoal__login_command(const char *user, const char *password) {
    size_t value_size = strlen(user) + 1 + strlen(password);
    size_t room = sizeof(format) + 20 + value_size;
    char *command = malloc(room);
    if (command != NULL)
        snprintf(command, room, format, value_size, user, password);
    return command;
}

static const char accepted[] = "STORED\r\n";

/* A line of this length or more is not worth waiting for its end. */
#define ANSWER_MAX 48

enum shoal__login_verdict shoal__login_judge(const char *answer, size_t size, const char **complaint) {
    static const char refused[] = "CLIENT_ERROR";
    size_t whole = sizeof(accepted) - 1;
    if (size <= whole && memcmp(answer, accepted, size) == 0)
        return size < whole ? SHOAL__LOGIN_INCOMPLETE : SHOAL__LOGIN_ACCEPTED;
    if (size < ANSWER_MAX && memchr(answer, '\n', size) == NULL)
        return SHOAL__LOGIN_INCOMPLETE;
    if (size >= sizeof(refused) - 1 && memcmp(answer, refused, sizeof(refused) - 1) == 0)
        *complaint = "authentication failed: check user and password";
    else
        *complaint = "the server did not take user and password: it may be at its connection limit, or not know "
                     "memcached's ASCII authentication";
    return SHOAL__LOGIN_REFUSED;
}
