/* A discovery reply: where it ends, and what it says. Pure; a bad one changes nothing.
 * May include: base/, node_list. Called by net/discovery. Source: Amazon's "Adding Auto Discovery to your client
 * library". */
#ifndef SHOAL_LOGIC_CLUSTER_PARSE_H
#define SHOAL_LOGIC_CLUSTER_PARSE_H

#include "base/error.h"
#include "logic/node_list.h"

#include <stdint.h>

#define SHOAL__CLUSTER_REPLY_MAX (1024 * 1024)

enum shoal__cluster_scan {
    SHOAL__CLUSTER_INCOMPLETE, /* read on */
    SHOAL__CLUSTER_PAYLOAD,    /* a configuration */
    SHOAL__CLUSTER_EMPTY,      /* END alone: no configuration is set */
    SHOAL__CLUSTER_REFUSED,    /* ERROR, CLIENT_ERROR, SERVER_ERROR: the command is not known */
    SHOAL__CLUSTER_MALFORMED,  /* nothing that this protocol has, or larger than the bound */
};

struct shoal__cluster_frame {
    const char *payload; /* into the bytes scanned */
    size_t payload_size;
    bool length_differs; /* the length declared is not the length there: END was trusted */
};

/* Looks at all bytes received so far. The fault is filled for MALFORMED alone (may be NULL). */
enum shoal__cluster_scan shoal__cluster_scan_reply(const char *bytes, size_t size, struct shoal__cluster_frame *frame,
                                                   struct shoal__fault *fault);

struct shoal__cluster {
    uint64_t version;
    struct shoal__node_list nodes;
};

/* Reads a payload: the version line and the line of nodes. All or nothing: SHOAL_E_PROTOCOL leaves the cluster zeroed.
 */
shoal_status shoal__cluster_parse(const char *payload, size_t size, struct shoal__cluster *cluster,
                                  struct shoal__fault *fault);

void shoal__cluster_clear(struct shoal__cluster *cluster);

#endif
