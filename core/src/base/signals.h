/* Keeping the host's signals away from code that cannot bear them.
 * May include: libc. Used around calls of libmemcached and when the background thread is made. */
#ifndef SHOAL_BASE_SIGNALS_H
#define SHOAL_BASE_SIGNALS_H

#include <signal.h>

/* Blocks every signal for this thread; restore puts things back as they were. */
void shoal__signals_block(sigset_t *before);
void shoal__signals_restore(const sigset_t *before);

#endif
