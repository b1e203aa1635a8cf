/* What a call wants of one node, and what was answered; and many of them as one run on one lane. Plain data.
 * May include: base/. Filled by api/, carried out by the transports, put into words by meta_request. */
#ifndef SHOAL_LOGIC_COMMAND_H
#define SHOAL_LOGIC_COMMAND_H

#include "base/error.h"

#include <shoal/types.h>

enum shoal__verb {
    SHOAL__VERB_GET,
    SHOAL__VERB_STORE,
    SHOAL__VERB_DELETE,
    SHOAL__VERB_TOUCH,
    SHOAL__VERB_GET_AND_TOUCH,
    SHOAL__VERB_INCREMENT,
    SHOAL__VERB_FLUSH_ALL,
    SHOAL__VERB_STATS,
};

/* Told of each counter of a node's stats; false ends the command with SHOAL_E_NO_MEMORY. */
typedef bool (*shoal__stat_sink)(void *context, const char *name, size_t name_len, const char *value, size_t value_len);

/* One command to one node: what is asked, then what was answered. */
struct shoal__command {
    enum shoal__verb verb;
    int mode; /* SHOAL_SET ... of STORE */
    const char *key;
    size_t key_len;
    bool key_is_binary; /* holds bytes that no line may have: goes as base64 */
    const void *value;  /* of STORE; the group's name of STATS */
    size_t value_len;
    uint32_t flags;
    int64_t expiry; /* as it goes on the wire */
    uint64_t cas;
    int64_t delta;
    const uint64_t *initial; /* NULL: a missing counter stays missing */
    bool wants_new_cas;
    bool is_advisory;    /* of STORE: a claim that two may hold without harm, so that another node may keep it */
    bool wants_metadata; /* of GET: lifetime and last access too, where the protocol tells them */
    shoal__stat_sink stat_sink;
    void *stat_context;

    shoal_status status; /* set by the transport; undecided commands keep SHOAL__UNDECIDED */
    shoal_value *found;
    uint64_t new_cas;
    uint64_t number;
};

/* The status of a command that has not been answered. */
#define SHOAL__UNDECIDED SHOAL_E_INVALID

/* Whether it may leave a node other than it was. */
bool shoal__command_changes_items(const struct shoal__command *command);

/* Whether what it leaves has nothing to do with what was there: set, delete. */
bool shoal__command_overwrites(const struct shoal__command *command);

/* Whether an item read back is the one that this store stored, as far as can be told. */
bool shoal__command_stored(const struct shoal__command *command, const shoal_value *item);

/* How a server's refusals are told, whichever transport met them. `words` are the server's own, after SERVER_ERROR or
 * CLIENT_ERROR: they hold no data of the caller. */
shoal_status shoal__command_refused(const char *words, size_t size, struct shoal__fault *fault);
shoal_status shoal__command_too_large(const struct shoal__command *command, struct shoal__fault *fault);
shoal_status shoal__command_no_room(struct shoal__fault *fault);
shoal_status shoal__command_not_a_number(struct shoal__fault *fault);
shoal_status shoal__command_unknown(struct shoal__fault *fault);

/* Refusals of this side. */
shoal_status shoal__command_not_taken(size_t size, size_t value_max, struct shoal__fault *fault);
shoal_status shoal__command_needs_meta(struct shoal__fault *fault);

/* Many commands for one lane, carried out in their order. */
struct shoal__run {
    struct shoal__command **commands;
    size_t count;
    size_t next;      /* the first that was not sent */
    size_t reached;   /* beyond `next`: those before it were sent, and are to be sent again */
    size_t in_flight; /* how many were sent and not answered, counted back from next */
    bool has_begun;   /* on this lane */
    bool may_wait;    /* no other lane has anything to do meanwhile: a step may wait for its answer by itself */
    short events;     /* what the lane waits for: POLLIN, POLLOUT or both */

    struct shoal__value_arena *values; /* where small ones go; may be NULL */

    /* Told of each command that a server answered with an error: its status is set, and the run goes on. */
    void (*refused)(void *context, struct shoal__command *command, const struct shoal__fault *fault);
    void *context;
};

#endif
