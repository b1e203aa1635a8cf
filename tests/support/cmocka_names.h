/* cmocka with its newest names put away, for every program that links it: the build includes this file first.
 * cmocka 2, of Debian 14, makes `stop` a macro, and the teardown beside a test's `start` is called so.
 * May include: libc, cmocka. */
#ifndef SUPPORT_CMOCKA_NAMES_H
#define SUPPORT_CMOCKA_NAMES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#undef stop

#endif
