/* The one background thread of a process: it turns tasks over, and never blocks in any of them.
 * May include: base/, fork, watch. Tasks are fleets' discovery. Started when first needed, after a fork again by the
 * next call. */
#ifndef SHOAL_NET_BACKGROUND_H
#define SHOAL_NET_BACKGROUND_H

#include "net/watch.h"

#include <stdatomic.h>
#include <stdbool.h>

/* Embedded in what it is a task of. The functions are called on the background thread, one task at a time; none may
 * block, and none may add or remove tasks. */
struct shoal__task {
    void (*advance)(struct shoal__task *task, int64_t now_ns);
    void (*watch)(struct shoal__task *task, struct shoal__watch *watch, int64_t now_ns);
    void (*interrupt)(struct shoal__task *task, int64_t now_ns); /* the thread ends, or the task was removed: put down
                                                                    what is under way and wake who waits for it */
    atomic_bool listed;
    atomic_bool removed; /* for good */
    struct shoal__task *next;
};

/* Lists the task, unless it was removed, and sees that the thread runs. 0, or the errno of why it cannot. */
int shoal__background_ensure(struct shoal__task *task);

/* Whether the thread runs in this process now, and nobody is ending it. */
bool shoal__background_is_running(void);

/* Takes the task out for good; it is not in use any more when this returns. The last one ends the thread. */
void shoal__background_remove(struct shoal__task *task);

/* Has the thread look at its tasks now. */
void shoal__background_wake(void);

/* Joins the thread; tasks stay listed. */
void shoal__background_quiesce(void);

#endif
