/* Running a batch: a group a node, each on a lane of its own, all going on side by side under one deadline.
 *
 *   NEW --leased--> READY <--> WAITING (its lane's answer has not come)
 *    ^                |
 *    +----------------+  the transport wants another lane; or its lane broke: once, with what may be done again
 *
 *   any --> ENDED: every item of the group is decided, or was given to a stand-in, whose group is one of the next round
 *
 * May include: base/, net/, client, batch, failover. */
#include "api/batch.h"
#include "api/call.h"
#include "api/failover.h"
#include "base/clock.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum group_state { NEW, READY, WAITING, ENDED };

struct group {
    enum group_state state;
    bool renewed;        /* its lane broke once */
    int64_t progress_ns; /* when something came or went last; of failover alone */
    struct shoal__pool *pool;
    struct shoal__lane *lane;
    struct shoal__run run;
    struct work *work;
    shoal_status refusal; /* what the server answered to an item last, the lane went on */
    uint32_t refusal_error;
};

struct work {
    shoal_batch *batch;
    const struct shoal__view *view;
    int64_t deadline_ns;
    struct shoal__command **commands; /* by group, each in the order added */
    struct group *groups;
    size_t group_count;
    size_t unended;
    size_t moved; /* items for the next round */
    struct pollfd *fds;
};

static struct shoal__item *item_of(struct shoal__command *command) {
    return (struct shoal__item *)((char *)command - offsetof(struct shoal__item, command));
}

/* --- Ending a group --- */

/* What was read of an answer that is not complete, or was not checked to its end, reaches nobody. */
static void drop_answer(struct shoal__command *command, shoal_status status) {
    shoal_value_free(command->found);
    command->found = NULL;
    command->status = status;
}

static void move_command(struct work *work, struct shoal__command *command) {
    drop_answer(command, SHOAL__UNDECIDED);
    work->moved++;
}

/* Gives a failed command to a stand-in, or its error: *shared where that is not 0, else a new one. */
static void blame_command(struct work *work, struct group *group, struct shoal__command *command,
                          const struct shoal__fault *fault, uint32_t *shared) {
    struct shoal__item *item = item_of(command);
    if (fault->outcome_unknown)
        shoal__failover_doubt(work->batch->client, command, group->pool);
    if (shoal__now_ns() < work->deadline_ns && shoal__batch_move(work->batch, work->view, item, fault)) {
        move_command(work, command);
        return;
    }
    drop_answer(command, fault->status);
    if (*shared == 0) {
        shoal__batch_blame(work->batch, item, fault, shoal__pool_name(group->pool), group->lane != NULL);
        *shared = item->error;
    }
    item->error = *shared;
}

/* Those that are undecided fail together, and share one error. */
static void blame_commands(struct work *work, struct group *group, size_t begin, size_t end,
                           const struct shoal__fault *fault) {
    uint32_t shared = 0;
    for (size_t i = begin; i < end; i++)
        if (group->run.commands[i]->status == SHOAL__UNDECIDED)
            blame_command(work, group, group->run.commands[i], fault, &shared);
}

/* A server refused one item, and the lane went on. Items refused in a row for the same reason share one error. */
static void blame_refused(void *context, struct shoal__command *command, const struct shoal__fault *fault) {
    struct group *group = context;
    struct shoal__item *item = item_of(command);
    if (group->refusal != fault->status) {
        shoal__batch_blame(group->work->batch, item, fault, shoal__pool_name(group->pool), 1);
        group->refusal_error = item->error;
    }
    group->refusal = fault->status;
    item->error = group->refusal_error;
}

static void end_group(struct work *work, struct group *group) {
    if (group->lane != NULL)
        shoal__pool_return(group->pool, group->lane);
    group->state = ENDED;
    work->unended--;
}

/* What was in flight may have been executed; what had not been sent was not. */
static void fail_group(struct work *work, struct group *group, const struct shoal__fault *fault) {
    struct shoal__run *run = &group->run;
    struct shoal__fault unsent = *fault;
    size_t sent_end = run->reached > run->next ? run->reached : run->next;
    unsent.outcome_unknown = false;
    if (group->lane != NULL) /* where it stands in what was sent, nobody knows */
        group->lane->broken = group->lane->broken || run->has_begun;
    blame_commands(work, group, run->next - run->in_flight, sent_end, fault);
    blame_commands(work, group, sent_end, run->count, &unsent);
    end_group(work, group);
}

static void fail_node(struct work *work, struct group *group, const struct shoal__fault *fault) {
    shoal__fleet_note(work->batch->client->fleet, group->pool, fault);
    fail_group(work, group, fault);
}

/* --- Going on --- */

/* What may be in the node, and has to be deleted there, is not read. */
static void pass_over_buried(struct work *work, struct group *group) {
    uint32_t shared = 0;
    size_t kept = 0;
    for (size_t i = 0; i < group->run.count; i++) {
        struct shoal__command *command = group->run.commands[i];
        struct shoal__fault fault = {0};
        shoal_status status;
        if (!shoal__call_meets_tombstone(group->pool, command, &fault, &status))
            group->run.commands[kept++] = command;
        else if (status < 0)
            blame_command(work, group, command, &fault, &shared);
        else
            command->status = status;
    }
    group->run.count = kept;
}

static void begin_group(struct work *work, struct group *group, int64_t until_ns) {
    struct shoal__fault fault = {0};
    struct shoal__lane *lane = NULL;
    if (shoal__pool_lease(group->pool, until_ns, &lane, &fault) != SHOAL_OK) {
        fail_node(work, group, &fault);
        return;
    }
    group->lane = lane;
    group->progress_ns = shoal__now_ns();
    group->run.has_begun = false;
    group->state = READY;
    if (!shoal__pool_has_tombstones(group->pool))
        return;
    pass_over_buried(work, group);
    if (group->run.count == 0)
        end_group(work, group);
}

static void renew_lane(struct group *group) {
    shoal__pool_return(group->pool, group->lane);
    group->lane = NULL;
    group->state = NEW;
}

/* --- A broken lane: those of a node that was started anew all are --- */

/* Once, without a pause, as the lane was at fault and not yet the node; and out of the retries' budget. */
static bool may_go_on(const struct work *work, const struct group *group, const struct shoal__fault *fault) {
    const shoal_client *client = work->batch->client;
    int64_t no_pause;
    return !group->renewed && client->retry.attempts > 0 && !fault->is_hard &&
           shoal__retry_may_repeat(SHOAL__REPEAT_ALWAYS, fault) && shoal__pool_is_in_use(group->pool) &&
           shoal__fleet_grant_retry(client->fleet, 1, &client->retry, &no_pause);
}

/* Keeps what was not sent and what may be done twice, in its order. The rest fails: nobody knows whether it was done.
 */
static void keep_repeatable(struct work *work, struct group *group, const struct shoal__fault *fault) {
    struct shoal__run *run = &group->run;
    uint32_t shared = 0;
    size_t kept = 0;
    for (size_t i = 0; i < run->count; i++) {
        struct shoal__command *command = run->commands[i];
        if (command->status != SHOAL__UNDECIDED)
            continue;
        if (i < run->next && shoal__call_repeatability(command) != SHOAL__REPEAT_ALWAYS) {
            blame_command(work, group, command, fault, &shared);
            continue;
        }
        drop_answer(command, SHOAL__UNDECIDED);
        run->commands[kept++] = command;
    }
    run->count = kept;
    run->next = 0;
    run->reached = 0;
    run->in_flight = 0;
}

static void lose_lane(struct work *work, struct group *group, const struct shoal__fault *fault) {
    if (!may_go_on(work, group, fault)) {
        fail_node(work, group, fault);
        return;
    }
    shoal__fleet_note(work->batch->client->fleet, group->pool, fault);
    keep_repeatable(work, group, fault);
    group->lane->broken = true;
    group->renewed = true;
    renew_lane(group);
    if (group->run.count == 0)
        end_group(work, group);
}

/* --- A silent node: with failover its items are given to others while there is time --- */

static bool fails_over(const struct work *work) {
    return work->batch->client->fails_over;
}

/* A step that came back before its time had something to do. */
static void note_progress(const struct work *work, struct group *group, int64_t until_ns) {
    int64_t now_ns = fails_over(work) ? shoal__now_ns() : 0;
    if (now_ns < until_ns)
        group->progress_ns = now_ns;
}

static int64_t stalls_ns(const struct work *work, const struct group *group) {
    int64_t stalls_ns = group->progress_ns + work->batch->client->attempt_timeout_ns;
    return fails_over(work) && stalls_ns < work->deadline_ns ? stalls_ns : work->deadline_ns;
}

static void step_group(struct work *work, struct group *group, int64_t until_ns) {
    struct shoal__fault fault = {0};
    enum shoal__step step = group->lane->transport->step(group->lane, &group->run, until_ns, &fault);
    if (step == SHOAL__STEP_BROKEN) {
        shoal__call_judge_fault(work->batch->client, group->lane, &fault);
        lose_lane(work, group, &fault);
        return;
    }
    note_progress(work, group, until_ns);
    group->state = step == SHOAL__STEP_WAIT ? WAITING : READY;
    if (step == SHOAL__STEP_RENEW)
        renew_lane(group);
    if (step != SHOAL__STEP_DONE)
        return;
    shoal__fleet_note(work->batch->client->fleet, group->pool, NULL);
    end_group(work, group);
}

/* How long getting a connection may take. */
static int64_t lease_time_ns(const struct work *work) {
    const shoal_client *client = work->batch->client;
    return fails_over(work) ? client->attempt_timeout_ns : client->timeout_ns;
}

static int64_t earlier(int64_t a_ns, int64_t b_ns) {
    return a_ns < b_ns ? a_ns : b_ns;
}

/* One turn for each group that can go on. A slow node gets its share of the time that is left, and no more. */
static void go_round(struct work *work) {
    for (size_t i = 0; i < work->group_count; i++) {
        struct group *group = &work->groups[i];
        int64_t now_ns = shoal__now_ns();
        if (now_ns >= work->deadline_ns)
            return;
        int64_t until_ns = shoal__fair_share(work->deadline_ns, now_ns, work->unended);
        if (group->state == NEW)
            begin_group(work, group, earlier(until_ns, now_ns + lease_time_ns(work)));
        if (group->state == READY)
            step_group(work, group, earlier(until_ns, stalls_ns(work, group)));
    }
}

/* A receive that waits is cheaper than a poll and a receive. */
static void let_last_group_wait(struct work *work) {
    for (size_t i = 0; i < work->group_count; i++)
        if (work->groups[i].state == WAITING) {
            work->groups[i].run.may_wait = true;
            work->groups[i].state = READY;
        }
}

/* Looks which lanes are ready; waits for one only where no group can go on without. */
static void await_lanes(struct work *work) {
    size_t count = 0;
    bool may_wait = true;
    int64_t until_ns = work->deadline_ns;
    for (size_t i = 0; i < work->group_count; i++) {
        struct group *group = &work->groups[i];
        if (group->state == WAITING) {
            work->fds[count++] = (struct pollfd){.fd = group->lane->fd, .events = group->run.events};
            until_ns = earlier(until_ns, stalls_ns(work, group));
        } else if (group->state != ENDED) {
            may_wait = false;
        }
    }
    if (count == 0)
        return;
    if (may_wait && count == 1 && work->fds[0].events == POLLIN) {
        let_last_group_wait(work);
        return;
    }
    poll(work->fds, count, may_wait ? shoal__remaining_ms(until_ns, shoal__now_ns()) : 0);
    count = 0;
    for (size_t i = 0; i < work->group_count; i++)
        if (work->groups[i].state == WAITING && work->fds[count++].revents != 0)
            work->groups[i].state = READY;
}

static bool may_have_been_executed(const struct shoal__run *run) {
    for (size_t i = run->next - run->in_flight; i < run->next || i < run->reached; i++)
        if (shoal__command_changes_items(run->commands[i]))
            return true;
    return false;
}

/* A node that owes an answer is at fault; one whose turn did not come is not. */
static void end_late_group(struct work *work, struct group *group) {
    struct shoal__fault fault;
    if (group->run.in_flight > 0 || group->run.reached > group->run.next) {
        shoal__fault_set(&fault, SHOAL_E_TIMEOUT, "no complete answer within the time of %s",
                         shoal__now_ns() < work->deadline_ns ? "one attempt" : "the batch");
        fault.is_hard = true;
        fault.outcome_unknown = may_have_been_executed(&group->run);
        fail_node(work, group, &fault);
    } else {
        shoal__fault_set(&fault, SHOAL_E_TIMEOUT,
                         "the batch's time ran out: give it fewer items or a longer operation_timeout_ms");
        fail_group(work, group, &fault);
    }
}

static void end_silent_groups(struct work *work) {
    int64_t now_ns = shoal__now_ns();
    for (size_t i = 0; fails_over(work) && i < work->group_count; i++)
        if (work->groups[i].state == WAITING && now_ns >= stalls_ns(work, &work->groups[i]))
            end_late_group(work, &work->groups[i]);
}

static void run_groups(struct work *work) {
    while (work->unended > 0 && shoal__now_ns() < work->deadline_ns) {
        go_round(work);
        await_lanes(work);
        end_silent_groups(work);
    }
    for (size_t i = 0; i < work->group_count; i++)
        if (work->groups[i].state != ENDED)
            end_late_group(work, &work->groups[i]);
}

/* --- Sharing the items out --- */

/* A counting sort by node: counts, then the place where each group begins. */
static void place_commands(struct work *work, size_t *begins, size_t node_count) {
    shoal_batch *batch = work->batch;
    for (size_t i = 0; i < batch->count; i++)
        if (batch->items[i].command.status == SHOAL__UNDECIDED)
            begins[batch->items[i].node + 1]++;
    for (size_t node = 0; node < node_count; node++)
        begins[node + 1] += begins[node];
    for (size_t i = 0; i < batch->count; i++)
        if (batch->items[i].command.status == SHOAL__UNDECIDED)
            work->commands[begins[batch->items[i].node]++] = &batch->items[i].command;
}

static void add_group(struct work *work, struct shoal__pool *pool, struct shoal__command **commands, size_t count) {
    struct group *group = &work->groups[work->group_count++];
    *group = (struct group){
        .pool = pool,
        .work = work,
        .run = {.commands = commands,
                .count = count,
                .values = &work->batch->values,
                .refused = blame_refused,
                .context = group},
    };
}

/* place_commands left in begins[node] where the next node's commands begin. */
static void form_groups(struct work *work, const size_t *begins, const struct shoal__view *view, size_t node_count) {
    size_t begin = 0;
    for (size_t node = 0; node < node_count; node++) {
        size_t count = begins[node] - begin;
        if (count > 0)
            add_group(work, view->pools[node], work->commands + begin, count);
        begin = begins[node];
    }
    work->unended = work->group_count;
}

/* One round over those that are undecided. */
static void run_round(struct work *work, size_t *begins, size_t node_count) {
    memset(begins, 0, (node_count + 1) * sizeof(*begins));
    work->group_count = 0;
    work->moved = 0;
    place_commands(work, begins, node_count);
    form_groups(work, begins, work->view, node_count);
    run_groups(work);
    shoal__batch_settle(work->batch, work->view);
}

shoal_status shoal__batch_run_on(shoal_batch *batch, const struct shoal__scene *scene, struct shoal__fault *fault) {
    size_t node_count = shoal_topology_node_count(scene->view->topology);
    size_t *begins = calloc(node_count + 1, sizeof(*begins));
    struct work work = {
        .batch = batch,
        .view = scene->view,
        .deadline_ns = scene->deadline_ns,
        .commands = calloc(batch->count + 1, sizeof(struct shoal__command *)),
        .groups = calloc(node_count, sizeof(struct group)),
        .fds = calloc(node_count, sizeof(struct pollfd)),
    };
    shoal_status status = SHOAL_OK;
    if (begins && work.commands && work.groups && work.fds) {
        shoal__batch_move_absent(batch, scene->view);
        do
            run_round(&work, begins, node_count);
        while (work.moved > 0);
    } else {
        status = shoal__fault_set(fault, SHOAL_E_NO_MEMORY, "out of memory for a batch of %zu items", batch->count);
    }
    free(begins);
    free((void *)work.commands);
    free(work.groups);
    free(work.fds);
    return status;
}
