/* The release of these headers and of the library in use.
 * May include: <shoal/types.h>. The build reads its version number from here; it stands nowhere else. */
#ifndef SHOAL_VERSION_H
#define SHOAL_VERSION_H

#include <shoal/types.h>

#define SHOAL_VERSION_MAJOR 0
#define SHOAL_VERSION_MINOR 1
#define SHOAL_VERSION_PATCH 0

/** The headers' release as one number, for #if: (major * 1000 + minor) * 1000 + patch. */
#define SHOAL_VERSION_NUMBER ((SHOAL_VERSION_MAJOR * 1000 + SHOAL_VERSION_MINOR) * 1000 + SHOAL_VERSION_PATCH)

SHOAL_BEGIN_DECLS

/**
 * The release of the library in use, e.g. "0.1.0": it may be newer than the headers.
 *
 * @return a static string; never NULL.
 * Thread safety: any thread. Blocks: never. Since 0.1.
 */
SHOAL_API const char *shoal_version(void);

SHOAL_END_DECLS

#endif
