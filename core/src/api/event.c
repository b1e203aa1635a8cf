/* Events, as a client's owner drains them.
 * May include: base/, client. */
#include "api/client.h"

#include <shoal/event.h>

#include <stdlib.h>

struct shoal_event {
    struct shoal__log_entry entry;
    uint64_t dropped;
};

shoal_status shoal_client_next_event(shoal_client *client, shoal_event **event, shoal_error **error) {
    shoal__error_begin(error);
    if (event != NULL)
        *event = NULL;
    if (client == NULL || event == NULL)
        return shoal__error_fail(error, SHOAL_E_INVALID,
                                 "a client and a place for the event are needed: neither may be NULL");
    shoal_event *next = calloc(1, sizeof(*next));
    if (next == NULL)
        return shoal__error_fail(error, SHOAL_E_NO_MEMORY, "out of memory for an event");
    if (!shoal__fleet_next_event(client->fleet, &client->events, &next->entry, &next->dropped)) {
        free(next);
        return SHOAL_NOT_FOUND;
    }
    *event = next;
    return SHOAL_OK;
}

int shoal_event_kind(const shoal_event *event) {
    return event ? event->entry.kind : 0;
}

const char *shoal_event_message(const shoal_event *event) {
    return event && event->entry.message ? event->entry.message : "";
}

const char *shoal_event_node(const shoal_event *event) {
    return event && event->entry.node ? event->entry.node : "";
}

uint64_t shoal_event_version(const shoal_event *event) {
    return event ? event->entry.version : 0;
}

uint64_t shoal_event_dropped(const shoal_event *event) {
    return event ? event->dropped : 0;
}

void shoal_event_free(shoal_event *event) {
    if (event == NULL)
        return;
    free(event->entry.node);
    free(event->entry.message);
    free(event);
}
