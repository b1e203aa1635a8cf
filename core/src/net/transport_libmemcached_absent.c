/* A build without libmemcached (SHOAL_LIBMEMCACHED=OFF): who wants the classic protocol, or is a server that speaks no
 * other, is refused, so that nothing else of this transport is ever called.
 * May include: base/, transport. */
#include "net/transport.h"

static shoal_status refuse(struct shoal__lane *lane, const struct shoal__address *address,
                           const struct shoal__lane_options *options, int64_t deadline_ns, struct shoal__fault *fault) {
    (void)lane;
    (void)address;
    (void)options;
    (void)deadline_ns;
    return shoal__fault_set(fault, SHOAL_E_UNSUPPORTED,
                            "the classic protocol is needed (protocol=libmemcached, or a server without the meta "
                            "protocol of memcached 1.6.10 and later), and this libshoal was built without it "
                            "(SHOAL_LIBMEMCACHED=OFF)");
}

const struct shoal__transport shoal__transport_libmemcached = {.name = "libmemcached", .open = refuse};
