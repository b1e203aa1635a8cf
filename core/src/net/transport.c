/* Which transport a protocol name means.
 * May include: base/, logic/, transport. */
#include "net/transport.h"

const struct shoal__transport *shoal__transport_find(const char *protocol) {
    (void)protocol; /* the option table takes only names that mean this one */
    return &shoal__transport_libmemcached;
}
