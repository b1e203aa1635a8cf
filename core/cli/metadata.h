/* `shoal get --meta`: what the server knows of items beside their values.
 * May include: arguments, public headers. Called by get. */
#ifndef SHOAL_CLI_METADATA_H
#define SHOAL_CLI_METADATA_H

#include "arguments.h"

#include <shoal/shoal.h>

/* Of all keys (the operands but the first). Returns the exit status, after one line on stderr where it is not
 * STATUS_DONE. */
int tell_metadata(const struct arguments *arguments, shoal_client *client);

#endif
