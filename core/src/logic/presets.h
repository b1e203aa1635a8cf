/* What to set so that no key moves when Shoal takes a predecessor's place: a row a predecessor. Pure.
 * May include: public headers. The functions that read the rows are public: <shoal/config.h>. */
#ifndef SHOAL_LOGIC_PRESETS_H
#define SHOAL_LOGIC_PRESETS_H

#include <shoal/config.h>

/* The values of the options of these names. */
struct shoal_preset {
    const char *name;
    const char *distribution;
    const char *hash;
    const char *ring_identity;
    const char *description;
};

#endif
