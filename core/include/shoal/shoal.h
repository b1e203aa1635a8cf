/* Shoal: a memcached client for fleets whose nodes come and go. Include this one header.
 * May include: the other public headers, in the order in which they are best read. */
#ifndef SHOAL_SHOAL_H
#define SHOAL_SHOAL_H

#include <shoal/batch.h>
#include <shoal/client.h>
#include <shoal/codec.h>
#include <shoal/config.h>
#include <shoal/event.h>
#include <shoal/fetch.h>
#include <shoal/operations.h>
#include <shoal/stats.h>
#include <shoal/status.h>
#include <shoal/topology.h>
#include <shoal/types.h>
#include <shoal/value.h>
#include <shoal/version.h>

#endif
