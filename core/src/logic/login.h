/* Memcached's authentication of the ASCII protocol (-Y): what a new connection says first, and what is answered. Pure.
 * May include: base/. Called by net/fleet (the command) and net/stream (the answer). Source: memcached's
 * doc/protocol.txt, "Authentication". */
#ifndef SHOAL_LOGIC_LOGIN_H
#define SHOAL_LOGIC_LOGIN_H

#include <stddef.h>

/* The caller's; NULL where memory ran out. */
char *shoal__login_command(const char *user, const char *password);

enum shoal__login_verdict { SHOAL__LOGIN_INCOMPLETE, SHOAL__LOGIN_ACCEPTED, SHOAL__LOGIN_REFUSED };

/* *complaint, of REFUSED: what to do. */
enum shoal__login_verdict shoal__login_judge(const char *answer, size_t size, const char **complaint);

#endif
