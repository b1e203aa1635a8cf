/* The core's calls that may wait, each with Ruby's lock given up while it does: unlocked_NAME for NAME.
 * May include: <shoal/shoal.h>. The wrapper that SWIG makes calls these where shoal.i says that a function blocks.
 *
 * None can raise once the core's call was made; before it, one may, as pending interrupts come first. What is lent to
 * it must lie in frozen strings that the caller keeps on its stack. */
#ifndef SHOAL_RUBY_UNLOCKED_H
#define SHOAL_RUBY_UNLOCKED_H

#include <shoal/shoal.h>

/* Runs a function of C's without the lock; no Ruby in it. */
void shoal_ruby_unlock(void (*run)(void *), void *data);

void unlocked_shoal_client_close(shoal_client *client);
void unlocked_shoal_quiesce(void);
shoal_status unlocked_shoal_get(shoal_client *client, const char *key, size_t key_len, shoal_value **value,
                                shoal_error **error);
shoal_status unlocked_shoal_get_and_touch(shoal_client *client, const char *key, size_t key_len, int64_t ttl_s,
                                          shoal_value **value, shoal_error **error);
shoal_status unlocked_shoal_store(shoal_client *client, int mode, const char *key, size_t key_len, const void *value,
                                  size_t value_len, uint32_t flags, int64_t ttl_s, uint64_t cas, uint64_t *new_cas,
                                  shoal_error **error);
shoal_status unlocked_shoal_delete(shoal_client *client, const char *key, size_t key_len, shoal_error **error);
shoal_status unlocked_shoal_touch(shoal_client *client, const char *key, size_t key_len, int64_t ttl_s,
                                  shoal_error **error);
shoal_status unlocked_shoal_increment(shoal_client *client, const char *key, size_t key_len, int64_t delta,
                                      const uint64_t *initial, int64_t ttl_s, uint64_t *value, shoal_error **error);
shoal_status unlocked_shoal_flush_all(shoal_client *client, shoal_error **error);
shoal_status unlocked_shoal_client_topology(shoal_client *client, shoal_topology **topology, shoal_error **error);
shoal_status unlocked_shoal_route(shoal_client *client, const char *key, size_t key_len, shoal_node **node,
                                  shoal_error **error);
shoal_status unlocked_shoal_stats_read(shoal_client *client, const char *group, shoal_stats **stats,
                                       shoal_error **error);
shoal_status unlocked_shoal_batch_run(shoal_batch *batch, shoal_error **error);
shoal_status unlocked_shoal_fetch_begin(shoal_client *client, const char *key, size_t key_len, int64_t ttl_s,
                                        int64_t stale_ttl_s, shoal_value **value, shoal_lease **lease,
                                        shoal_error **error);
shoal_status unlocked_shoal_lease_store(shoal_lease *lease, const void *value, size_t value_len, uint32_t flags,
                                        shoal_error **error);

/* Never raises, before its call neither: the claim goes back whatever else is to come. */
void unlocked_shoal_lease_abandon(shoal_lease *lease);

#endif
