/* The file of topology_cache: read with suspicion, written whole, and a lock that says who asks the endpoint.
 * May include: base/, cluster_parse, topology_file, fork. Used by net/fleet_cache, by one thread at a time. */
#ifndef SHOAL_NET_TOPOLOGY_CACHE_H
#define SHOAL_NET_TOPOLOGY_CACHE_H

#include "logic/cluster_parse.h"
#include "logic/topology_file.h"
#include "net/fork.h"

struct shoal__topology_cache {
    const char *path; /* borrowed; NULL: off */
    char key[SHOAL__TOPOLOGY_KEY_SIZE + 1];
    int lock_fd; /* of the lock while it is held, else -1 */
    struct shoal__descriptor *lock_descriptor;
};

/* path: the option's value, "off" or a file. */
void shoal__topology_cache_init(struct shoal__topology_cache *cache, const char *path, const char *identity);

/* The list of this fleet, and when it was asked for: SHOAL__NEVER where that cannot be known, as before the host was
 * started. SHOAL_OK: the cluster is the caller's; SHOAL_NOT_FOUND: there is no file, or no record in it; an error: the
 * file is not to be trusted, and the fault says why. */
shoal_status shoal__topology_cache_read(const struct shoal__topology_cache *cache, int64_t now_ns,
                                        struct shoal__cluster *cluster, int64_t *asked_ns, struct shoal__fault *fault);

/* Puts a list in the place of the one before. The file is replaced as a whole: a reader sees the old one or the new. Of
 * two fleets that do so in the same instant one may be lost, until its next poll. */
shoal_status shoal__topology_cache_write(const struct shoal__topology_cache *cache, uint64_t version,
                                         const struct shoal__node_list *list, int64_t asked_ns,
                                         struct shoal__fault *fault);

/* Whether this process may ask the endpoint: false while another one of the host does. True where locks are not to be
 * had: then everybody asks. */
bool shoal__topology_cache_begin_asking(struct shoal__topology_cache *cache);

/* Asked, or given up; harmless where nothing was begun. */
void shoal__topology_cache_end_asking(struct shoal__topology_cache *cache);

#endif
