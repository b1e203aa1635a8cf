/* The background thread.
 * May include: base/, fork, watch. Locks: `control` is held while the thread is started or joined, `tasks_lock` while
 * tasks are touched; the first is always taken before the second. */
#include "net/background.h"

#include "base/clock.h"
#include "base/signals.h"
#include "net/fork.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct background {
    struct shoal__process_part part; /* first */
    pthread_mutex_t control;
    pthread_mutex_t tasks_lock;
    pthread_t thread;
    atomic_bool running;
    atomic_bool ending;
    int wake_fds[2]; /* a socket pair: the second wakes whoever polls the first. Not an eventfd, as all of those share
                        one inode, by which a child tells an inherited descriptor from one of its host's */
    struct shoal__descriptor *wake_descriptors[2];
    struct shoal__task *tasks;
};

static struct shoal__process_slot slot;

static struct shoal__process_part *create(void *context, struct shoal__process_part *inherited) {
    (void)context;
    (void)inherited;
    struct background *background = calloc(1, sizeof(*background));
    if (background == NULL)
        return NULL;
    pthread_mutex_init(&background->control, NULL);
    pthread_mutex_init(&background->tasks_lock, NULL);
    return &background->part;
}

static void destroy(struct shoal__process_part *part) {
    free(part);
}

static struct background *here(void) {
    static const struct shoal__process_part_type type = {create, destroy};
    return (struct background *)shoal__process_part_get(&slot, &type, NULL);
}

static void run_round(struct background *background, struct shoal__watch *watch) {
    shoal__watch_reset(watch);
    shoal__watch_add(watch, background->wake_fds[0], POLLIN);
    pthread_mutex_lock(&background->tasks_lock);
    for (struct shoal__task *task = background->tasks; task != NULL; task = task->next) {
        int64_t now_ns = shoal__now_ns();
        task->advance(task, now_ns);
        task->watch(task, watch, now_ns);
    }
    pthread_mutex_unlock(&background->tasks_lock);
    shoal__watch_wait(watch);
    char wakes[64];
    while (recv(background->wake_fds[0], wakes, sizeof(wakes), 0) > 0)
        continue;
}

static void *run(void *context) {
    struct background *background = context;
    struct shoal__watch watch = {0};
    while (!atomic_load(&background->ending))
        run_round(background, &watch);
    pthread_mutex_lock(&background->tasks_lock);
    for (struct shoal__task *task = background->tasks; task != NULL; task = task->next)
        task->interrupt(task, shoal__now_ns());
    pthread_mutex_unlock(&background->tasks_lock);
    shoal__watch_clear(&watch);
    return NULL;
}

static bool open_wake(struct background *background) {
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, background->wake_fds) != 0)
        return false;
    for (int i = 0; i < 2; i++)
        background->wake_descriptors[i] = shoal__descriptor_adopt(background->wake_fds[i]);
    return true;
}

static void close_wake(struct background *background) {
    for (int i = 0; i < 2; i++) {
        shoal__descriptor_release(background->wake_descriptors[i]);
        close(background->wake_fds[i]);
    }
}

/* With `control` held. The host's signals are the host's: this thread takes none. 0 or an errno. */
static int start(struct background *background) {
    sigset_t before;
    if (!open_wake(background))
        return errno;
    atomic_store(&background->ending, false);
    shoal__signals_block(&before);
    int failure = pthread_create(&background->thread, NULL, run, background);
    shoal__signals_restore(&before);
    if (failure != 0)
        close_wake(background);
    atomic_store(&background->running, failure == 0);
    return failure;
}

/* Where so many wakes wait that this one does not fit, it makes no difference. */
static void wake(struct background *background) {
    if (atomic_load(&background->running))
        send(background->wake_fds[1], "", 1, MSG_NOSIGNAL);
}

/* With `control` held. */
static void stop(struct background *background) {
    if (!atomic_load(&background->running))
        return;
    atomic_store(&background->ending, true);
    wake(background);
    pthread_join(background->thread, NULL);
    atomic_store(&background->running, false);
    close_wake(background);
}

int shoal__background_ensure(struct shoal__task *task) {
    struct background *background = here();
    if (background == NULL)
        return ENOMEM;
    pthread_mutex_lock(&background->control);
    pthread_mutex_lock(&background->tasks_lock);
    if (!task->listed && !task->removed) {
        task->next = background->tasks;
        background->tasks = task;
        task->listed = true;
    }
    bool wanted = task->listed;
    pthread_mutex_unlock(&background->tasks_lock);
    int failure = !wanted || atomic_load(&background->running) ? 0 : start(background);
    wake(background);
    pthread_mutex_unlock(&background->control);
    return failure;
}

bool shoal__background_is_running(void) {
    struct background *background = here();
    return background != NULL && atomic_load(&background->running) && !atomic_load(&background->ending);
}

static void unlist(struct background *background, struct shoal__task *task) {
    struct shoal__task **link = &background->tasks;
    while (*link != task)
        link = &(*link)->next;
    *link = task->next;
    task->listed = false;
}

void shoal__background_remove(struct shoal__task *task) {
    struct background *background = here();
    if (background == NULL)
        return;
    pthread_mutex_lock(&background->control);
    pthread_mutex_lock(&background->tasks_lock);
    task->removed = true;
    if (task->listed) {
        unlist(background, task);
        task->interrupt(task, shoal__now_ns());
    }
    bool last = background->tasks == NULL;
    pthread_mutex_unlock(&background->tasks_lock);
    if (last)
        stop(background);
    pthread_mutex_unlock(&background->control);
}

void shoal__background_wake(void) {
    struct background *background = here();
    if (background == NULL)
        return;
    pthread_mutex_lock(&background->control);
    wake(background);
    pthread_mutex_unlock(&background->control);
}

void shoal__background_quiesce(void) {
    struct background *background = here();
    if (background == NULL)
        return;
    pthread_mutex_lock(&background->control);
    stop(background);
    pthread_mutex_unlock(&background->control);
}
