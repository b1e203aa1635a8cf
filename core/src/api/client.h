/* The client handle's inside, and the steps that every call takes on it.
 * May include: base/, logic/, net/. Used by the other files of api/. */
#ifndef SHOAL_API_CLIENT_H
#define SHOAL_API_CLIENT_H

#include "logic/key.h"
#include "net/fleet.h"

#include <shoal/client.h>

#include <stdatomic.h>

struct shoal_client {
    atomic_uint references; /* the caller's, one a batch, and the registry's where shared */
    atomic_bool closed;
    bool shared; /* kept by the process: shoal_client_free leaves it open */
    struct shoal__fleet *fleet;
    int64_t timeout_ns;
    int64_t attempt_timeout_ns;
    struct shoal__retry_options retry;
    bool misses_on_failure; /* on_node_failure=miss */
    bool fails_over;        /* on_node_failure=failover */
    bool fails_over_atomic;
    int64_t standin_ttl_s;
    char *prefix;
    struct shoal__key_rule key_rule;
    size_t value_max;
    double fetch_beta;
    int64_t fetch_wait_ns;
    int64_t fetch_claim_s;
    struct shoal__event_reader events; /* guarded by the fleet */
};

shoal_client *shoal__client_acquire(shoal_client *client);
void shoal__client_release(shoal_client *client);

/* SHOAL_E_INVALID for NULL, SHOAL_E_CLOSED for a closed one. */
shoal_status shoal__client_check(const shoal_client *client, struct shoal__fault *fault);

/* The view that a call works on, and the moment by which it must end. */
struct shoal__scene {
    struct shoal__view *view;
    int64_t deadline_ns;
};

/* Checks the client, starts its time, and finds the view: shoal__view_release ends it. */
shoal_status shoal__client_enter(shoal_client *client, struct shoal__scene *scene, struct shoal__fault *fault);

/* A key on its way: checked, with its prefix, and the node it belongs to. */
struct shoal__path {
    struct shoal__scene scene;
    struct shoal__key key;
    char room[SHOAL__KEY_MAX]; /* where the key stands if it had to be changed */
    size_t node;
};

/* Checks client and key, enters, and routes: shoal__view_release(path->scene.view) ends it. */
shoal_status shoal__client_route(shoal_client *client, const char *key, size_t key_len, struct shoal__path *path,
                                 struct shoal__fault *fault);

size_t shoal__key_node(const struct shoal__key *key, const struct shoal__view *view);

/* The moment until which one of `parts` parts of a call may take, so that a slow node leaves time for the others. */
int64_t shoal__fair_share(int64_t deadline_ns, int64_t now_ns, size_t parts);

#endif
