/* A batch's inside: its items, and how they are shared out among nodes.
 * May include: base/, logic/, net/, client. Used by batch (the handle) and batch_run (the work). */
#ifndef SHOAL_API_BATCH_H
#define SHOAL_API_BATCH_H

#include "api/client.h"
#include "base/buffer.h"
#include "logic/fetch_mark.h"
#include "logic/value.h"
#include "net/transport.h"

#include <shoal/batch.h>

struct shoal__item {
    struct shoal__command command;
    int64_t ttl_s;
    uint32_t error;                  /* 1 + its place in the batch's errors; 0 for none */
    uint32_t node;                   /* its place in the view; a stand-in's once it was moved */
    uint32_t owner;                  /* its own node's place */
    unsigned moves;                  /* to stand-ins */
    unsigned rounds;                 /* of the owner's replays when it was moved last */
    enum shoal__companion companion; /* the command is on what lies beside the item with its key */
};

struct shoal_batch {
    shoal_client *client;
    struct shoal__item *items;
    size_t count;
    size_t capacity;
    bool ran;
    struct shoal__value_arena values;
    struct shoal__buffer keys; /* those that had to be changed before they are sent */
    shoal_error **errors;      /* items of one node that failed together share one */
    size_t error_count;
};

/* Keeps an error and gives it to an item; where memory runs out the item keeps its status alone. */
void shoal__batch_blame(shoal_batch *batch, struct shoal__item *item, const struct shoal__fault *fault,
                        const char *node, unsigned attempts);

/* Adds a command on a companion of the item with a key: what else it is, its caller fills in. NULL, with an error, as
 * shoal_batch_get fails. */
struct shoal__item *shoal__batch_beside(shoal_batch *batch, enum shoal__companion companion, enum shoal__verb verb,
                                        const char *key, size_t key_len, shoal_error **error);

/* Hands an item's error over; NULL where it has none. */
shoal_error *shoal__batch_take_error(shoal_batch *batch, size_t index);

/* Runs the items that are undecided, which have their keys, on a view. Every item is decided when it returns, unless
 * memory ran out before anything was sent: then SHOAL_E_NO_MEMORY. */
shoal_status shoal__batch_run_on(shoal_batch *batch, const struct shoal__scene *scene, struct shoal__fault *fault);

/* --- on_node_failure=failover (batch_failover.c) --- */

/* Gives an undecided item, whose node failed like that, to a stand-in: false where none helps. */
bool shoal__batch_move(shoal_batch *batch, const struct shoal__view *view, struct shoal__item *item,
                       const struct shoal__fault *fault);

/* Moves those whose node is out of use before anything is sent. */
void shoal__batch_move_absent(shoal_batch *batch, const struct shoal__view *view);

/* Those that were moved and are decided: what the owner has to forget is made sure of. */
void shoal__batch_settle(shoal_batch *batch, const struct shoal__view *view);

#endif
