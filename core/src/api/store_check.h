/* What a store must fulfil before it is sent.
 * May include: base/, net/transport. Called by operations and batch. */
#ifndef SHOAL_API_STORE_CHECK_H
#define SHOAL_API_STORE_CHECK_H

#include "logic/command.h"

/* SHOAL_E_TOO_LARGE for a value over max_value_bytes. */
shoal_status shoal__store_fits(const struct shoal__command *command, size_t value_max, struct shoal__fault *fault);

/* SHOAL_E_INVALID for an unknown mode, a NULL value with a length, a cas without a token. */
shoal_status shoal__store_check(const struct shoal__command *command, struct shoal__fault *fault);

#endif
