/* `shoal local` itself: one loop over the endpoint, the control socket, the signals and the children.
 * May include: libc, json, directory. Called by command. */
#ifndef SHOAL_CLI_LOCAL_SERVER_H
#define SHOAL_CLI_LOCAL_SERVER_H

#include "json.h"
#include "local/directory.h"

struct local_request {
    struct local_directory *directory;
    unsigned nodes;
    uint16_t port; /* 0: any free one */
    bool has_tls;
    /* Called once everything answers, with local_fleet_describe's object, which stays the caller's. False ends it all.
     */
    bool (*ready)(json_t *fleet, void *context);
    void *context;
};

/* Runs until a signal or `shoal local stop`. False where it could not start; nothing is left behind in any case. */
bool local_serve(const struct local_request *request, struct problem *problem);

#endif
