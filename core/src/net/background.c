/* The background thread.
 * May include: base/, fork, watch. Locks: `control` is held while the thread is started or joined, `tasks_lock` while
 * tasks are touched; the first is always taken before the second. */
#include "net/background.h"

#include "base/clock.h"
#include "net/fork.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct background {
    struct shoal__process_part part; /* first */
    pthread_mutex_t control;
    pthread_mutex_t tasks_lock;
    pthread_t thread;
    atomic_bool running;
    atomic_bool ending;
    int wake_fd;
    struct shoal__descriptor *wake_descriptor;
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
    background->wake_fd = -1;
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
    shoal__watch_add(watch, background->wake_fd, POLLIN);
    pthread_mutex_lock(&background->tasks_lock);
    for (struct shoal__task *task = background->tasks; task != NULL; task = task->next) {
        int64_t now_ns = shoal__now_ns();
        task->advance(task, now_ns);
        task->watch(task, watch, now_ns);
    }
    pthread_mutex_unlock(&background->tasks_lock);
    shoal__watch_wait(watch);
    uint64_t wakes;
    if (read(background->wake_fd, &wakes, sizeof(wakes)) < 0)
        return; /* nobody woke us: a task's moment has come */
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

/* With `control` held. The host's signals are the host's: this thread takes none. */
static bool start(struct background *background) {
    sigset_t all;
    sigset_t before;
    background->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (background->wake_fd < 0)
        return false;
    background->wake_descriptor = shoal__descriptor_adopt(background->wake_fd);
    atomic_store(&background->ending, false);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = pthread_create(&background->thread, NULL, run, background) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!started) {
        shoal__descriptor_release(background->wake_descriptor);
        close(background->wake_fd);
    }
    atomic_store(&background->running, started);
    return started;
}

static void wake(struct background *background) {
    uint64_t one = 1;
    if (atomic_load(&background->running) && write(background->wake_fd, &one, sizeof(one)) < 0)
        return; /* so many wakes wait already that one more makes no difference */
}

/* With `control` held. */
static void stop(struct background *background) {
    if (!atomic_load(&background->running))
        return;
    atomic_store(&background->ending, true);
    wake(background);
    pthread_join(background->thread, NULL);
    atomic_store(&background->running, false);
    shoal__descriptor_release(background->wake_descriptor);
    close(background->wake_fd);
}

bool shoal__background_ensure(struct shoal__task *task) {
    struct background *background = here();
    if (background == NULL)
        return false;
    pthread_mutex_lock(&background->control);
    pthread_mutex_lock(&background->tasks_lock);
    if (!task->listed && !task->removed) {
        task->next = background->tasks;
        background->tasks = task;
        task->listed = true;
    }
    bool wanted = task->listed;
    pthread_mutex_unlock(&background->tasks_lock);
    bool fine = !wanted || atomic_load(&background->running) || start(background);
    if (fine)
        wake(background);
    pthread_mutex_unlock(&background->control);
    return fine;
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
