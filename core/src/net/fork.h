/* What a fork changes: which process this is, state that belongs to one process, and inherited descriptors.
 * May include: base/. Used by everything in L2 and L3 that holds a lock, a thread or a socket.
 *
 * A child takes no lock that it inherited (its owner may not exist any more), and never speaks on a socket of its
 * parent. So all state that changes lives in parts, one a process: the first call in a child makes a fresh part
 * beside the inherited one, which is never touched again. */
#ifndef SHOAL_NET_FORK_H
#define SHOAL_NET_FORK_H

#include <stdatomic.h>
#include <stdint.h>

/* A number that differs between a process and its forked children; raw clone() included. About a nanosecond. */
uint32_t shoal__process_generation(void);

/* The first member of each per-process part. */
struct shoal__process_part {
    uint32_t generation;
    struct shoal__process_part *inherited; /* the parent's: kept reachable, not to be used */
};

/* Where the part of the current process is found; zeroed at first. */
struct shoal__process_slot {
    _Atomic(struct shoal__process_part *) part;
};

struct shoal__process_part_type {
    /* inherited: the parent process's part or NULL; only what is atomic or immutable in it may be read. */
    struct shoal__process_part *(*create)(void *context, struct shoal__process_part *inherited);
    void (*destroy)(struct shoal__process_part *part);
};

/* This process's part, made where it is missing. Any thread. NULL where memory ran out. */
struct shoal__process_part *shoal__process_part_get(struct shoal__process_slot *slot,
                                                    const struct shoal__process_part_type *type, void *context);

/* This process's part where it was made already, else NULL: for those who only want to end it. */
struct shoal__process_part *shoal__process_part_peek(struct shoal__process_slot *slot);

/* For the end of what holds a slot: the inherited parts stay reachable from here, as nobody may free them and a leak
 * detector in a child should not speak of them. The process's own part is the caller's still. */
void shoal__process_part_keep_inherited(struct shoal__process_slot *slot);

/* Sockets that children must not keep: one is adopted when opened, released just before it is closed. A child closes
 * what it inherited, without a word to the server, when it first asks for its generation. */
struct shoal__descriptor;
struct shoal__descriptor *shoal__descriptor_adopt(int fd); /* NULL where memory ran out: then only CLOEXEC protects */
void shoal__descriptor_release(struct shoal__descriptor *descriptor);

#endif
