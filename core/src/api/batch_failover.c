/* Items of a batch whose node is absent go to stand-ins.
 * May include: base/, logic/, net/, client, batch, failover. */
#include "api/batch.h"
#include "api/failover.h"
#include "logic/standin.h"

bool shoal__batch_move(shoal_batch *batch, const struct shoal__view *view, struct shoal__item *item,
                       const struct shoal__fault *fault) {
    if (item->moves == SHOAL__STANDINS_MAX || !shoal__failover_helps(batch->client, &item->command, fault))
        return false;
    size_t standin = shoal__failover_standin(view, item->owner, &item->command);
    if (standin == SHOAL__NOBODY)
        return false;
    item->node = (uint32_t)standin;
    item->rounds = shoal__failover_begin(batch->client, view, item->owner, standin, &item->command);
    item->moves++;
    item->error = 0;
    return true;
}

void shoal__batch_move_absent(shoal_batch *batch, const struct shoal__view *view) {
    struct shoal__fault fault;
    shoal__fault_set(&fault, SHOAL_E_NODE_DOWN, "out of use");
    fault.is_local = true;
    for (size_t i = 0; batch->client->fails_over && i < batch->count; i++) {
        struct shoal__item *item = &batch->items[i];
        if (item->command.status == SHOAL__UNDECIDED && !shoal__pool_is_in_use(view->pools[item->node]))
            shoal__batch_move(batch, view, item, &fault);
    }
}

void shoal__batch_settle(shoal_batch *batch, const struct shoal__view *view) {
    for (size_t i = 0; batch->client->fails_over && i < batch->count; i++) {
        const struct shoal__item *item = &batch->items[i];
        if (item->moves > 0 && item->command.status != SHOAL__UNDECIDED)
            shoal__failover_end(batch->client, &item->command, view->pools[item->owner], view->pools[item->node],
                                item->rounds);
    }
}
