/* The one interface between what a call wants and how a node is spoken to: lanes, and the transports' table of
 * functions.
 * May include: base/, logic/, stream. Implemented by transport_*.c, called by pool (open, close) and by api/ (run). */
#ifndef SHOAL_NET_TRANSPORT_H
#define SHOAL_NET_TRANSPORT_H

#include "logic/command.h"
#include "net/stream.h"

struct shoal__lane_options {
    int64_t connect_timeout_ns;
    struct shoal__stream_options stream; /* a transport that cannot do what it asks for is not chosen */
    size_t value_max;                    /* a larger value is not taken from a server */
};

/* One connection to one node, used by one caller at a time. */
struct shoal__lane {
    const struct shoal__transport *transport;
    void *session; /* the transport's own */
    int fd;        /* to be looked at, not to be read or closed; -1 where the transport does not know it */
    bool broken;   /* set by the transport: late, wrong or closed; the lane cannot be used again */
    int64_t returned_ns;
    struct shoal__lane *next; /* idle in its pool */
};

/* Where a run of commands on one lane stands after a step. */
enum shoal__step {
    SHOAL__STEP_AGAIN, /* can go on at once */
    SHOAL__STEP_WAIT,  /* until the lane's fd is ready for the run's `events` */
    SHOAL__STEP_DONE,  /* every command is decided */
    SHOAL__STEP_RENEW, /* all that was sent is decided, and the rest needs another lane */
    SHOAL__STEP_BROKEN /* the fault says why: what is undecided stays so; `in_flight` were perhaps executed */
};

struct shoal__transport {
    const char *name;

    /* Connects and finds that a memcached is there; the lane's transport becomes the one that speaks on it. On failure
     * nothing was executed and nothing is left to close. */
    shoal_status (*open)(struct shoal__lane *lane, const struct shoal__address *address,
                         const struct shoal__lane_options *options, int64_t deadline_ns, struct shoal__fault *fault);

    /* Ends the connection; without waiting for the server. */
    void (*close)(struct shoal__lane *lane);

    /* Whether an idle lane is as it should be: a server that went away has left an end-of-file to be seen, and anything
     * else to be read was not asked for. */
    bool (*is_quiet)(struct shoal__lane *lane);

    /* Runs one command. An error fills the fault (outcome_unknown included) and may break the lane. */
    shoal_status (*execute)(struct shoal__lane *lane, struct shoal__command *command, int64_t deadline_ns,
                            struct shoal__fault *fault);

    /* Goes on with a run: sends what fits, takes what has come, and waits until deadline_ns at most where it knows no
     * better. The fault is filled for SHOAL__STEP_BROKEN alone. */
    enum shoal__step (*step)(struct shoal__lane *lane, struct shoal__run *run, int64_t deadline_ns,
                             struct shoal__fault *fault);
};

/* Looks at a lane's socket alone: what is_quiet means where nothing but answers comes over it. */
bool shoal__lane_is_quiet(struct shoal__lane *lane);

/* --- How transports tell of failures: each fills the fault and returns its status --- */

/* What was asked may have been done, and the lane is of no more use: wrong, or told by `what`. */
shoal_status shoal__lane_break(struct shoal__lane *lane, const struct shoal__command *command, shoal_status status,
                               const char *what, struct shoal__fault *fault);

/* The same, as no complete answer came in time. */
shoal_status shoal__lane_late(struct shoal__lane *lane, const struct shoal__command *command,
                              struct shoal__fault *fault);

/* The same, as the connection failed; os_error 0: the server closed it. */
shoal_status shoal__lane_lost(struct shoal__lane *lane, const struct shoal__command *command, int os_error,
                              struct shoal__fault *fault);

/* No connection, or none that answered: os_error as errno tells it, ETIMEDOUT included. */
shoal_status shoal__lane_unopened(int os_error, struct shoal__fault *fault);

/* The time was over before anything was sent: the lane stays good. */
shoal_status shoal__lane_unsent(struct shoal__fault *fault);

extern const struct shoal__transport shoal__transport_libmemcached;
extern const struct shoal__transport shoal__transport_meta;

/* What meta's open does, and whether the server took the connection but does not speak meta. */
shoal_status shoal__meta_open(struct shoal__lane *lane, const struct shoal__address *address,
                              const struct shoal__lane_options *options, int64_t deadline_ns, bool *is_not_meta,
                              struct shoal__fault *fault);

/* The one that the option `protocol` names, on a build that has it. */
const struct shoal__transport *shoal__transport_find(const char *protocol);

#endif
