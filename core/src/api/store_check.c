/* What a store must fulfil before it is sent.
 * May include: base/, logic/. Called by operations and batch. */
#include "api/store_check.h"

#include <shoal/operations.h>

/* The most that memcached's -I option allows. Past 2 GiB it would even misread the length, and take the value's bytes
 * for commands. */
#define VALUE_MAX ((size_t)1024 * 1024 * 1024)

shoal_status shoal__store_check(const struct shoal__command *command, struct shoal__fault *fault) {
    if (command->mode < SHOAL_SET || command->mode > SHOAL_CAS)
        return shoal__fault_set(fault, SHOAL_E_INVALID, "there is no store mode %d: use SHOAL_SET to SHOAL_CAS",
                                command->mode);
    if (command->value == NULL && command->value_len > 0)
        return shoal__fault_set(fault, SHOAL_E_INVALID, "the value is NULL and its length %zu", command->value_len);
    if (command->value_len > VALUE_MAX)
        return shoal__fault_set(fault, SHOAL_E_TOO_LARGE, "the value of %zu bytes is larger than any memcached takes",
                                command->value_len);
    if (command->mode == SHOAL_CAS && command->cas == 0)
        return shoal__fault_set(fault, SHOAL_E_INVALID,
                                "SHOAL_CAS needs the token of shoal_value_cas, and 0 is none: read the item first");
    return SHOAL_OK;
}
