/* One memcached child: starting it, asking whether it answers, ending it.
 * May include: libc, program, report. Called by fleet. */
#ifndef SHOAL_CLI_LOCAL_NODE_H
#define SHOAL_CLI_LOCAL_NODE_H

#include "report.h"

#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum local_state {
    LOCAL_STARTING, /* runs, does not answer yet; not in the list */
    LOCAL_UP,       /* in the list */
    LOCAL_DOWN,     /* died by itself; stays in the list until it is removed */
    LOCAL_LEAVING,  /* out of the list, runs until due_ms */
    LOCAL_ENDING,   /* told to end; killed at due_ms */
};

struct local_node {
    unsigned serial;      /* never used twice */
    pid_t pid;            /* 0 where no process is left */
    bool is_endpoint;     /* of a fleet with TLS: it holds the list, and is not in it */
    uint16_t wanted_port; /* 0: any */
    uint16_t port;
    uint16_t plain_port; /* beside TLS, for ourselves; else the same */
    int reserved[2];     /* bound to the ports, listening to nothing: nobody who asks for a free port gets these */
    enum local_state state;
    unsigned launches;
    int64_t due_ms;
};

/* The memcached to run, and as whom where this process is root, which memcached refuses to be unasked. */
struct local_program {
    char path[PATH_MAX];
    bool steps_down;
    uid_t user;
    gid_t group;
    const char *tls_folder; /* holds server.pem and server.key, which only `user` may read; NULL: no TLS */
};

int64_t local_now_ms(void);

bool local_program_find(struct local_program *program, struct problem *problem);

/* Takes its port, or a free one, and starts memcached on it. */
bool local_node_launch(struct local_node *node, const struct local_program *program, struct problem *problem);

/* Gives its ports up. */
void local_node_release(struct local_node *node);

/* Whether a memcached answers on the node's port; at most 0.2 s. */
bool local_node_answers(const struct local_node *node);

/* Stores a value for ever; at most some seconds. */
bool local_node_store(const struct local_node *node, const char *key, const char *value, size_t size);

/* A listening-to-be TCP socket on 127.0.0.1, bound; port 0 takes a free one. -1 and errno where it cannot be had. */
int local_bind(uint16_t port, uint16_t *bound_port);

#endif
