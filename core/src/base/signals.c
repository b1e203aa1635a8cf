/* Blocking and restoring a thread's signals.
 * May include: base/ and libc. */
#include "base/signals.h"

#include <pthread.h>
#include <stddef.h>

void shoal__signals_block(sigset_t *before) {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, before);
}

void shoal__signals_restore(const sigset_t *before) {
    pthread_sigmask(SIG_SETMASK, before, NULL);
}
