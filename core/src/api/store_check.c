/* What a store must fulfil before it is sent.
 * May include: base/, logic/. Called by operations and batch. */
#include "api/store_check.h"

#include <shoal/operations.h>

shoal_status shoal__store_check(const struct shoal__command *command, struct shoal__fault *fault) {
    if (command->mode < SHOAL_SET || command->mode > SHOAL_CAS)
        return shoal__fault_set(fault, SHOAL_E_INVALID, "there is no store mode %d: use SHOAL_SET to SHOAL_CAS",
                                command->mode);
    if (command->value == NULL && command->value_len > 0)
        return shoal__fault_set(fault, SHOAL_E_INVALID, "the value is NULL and its length %zu", command->value_len);
    if (command->mode == SHOAL_CAS && command->cas == 0)
        return shoal__fault_set(fault, SHOAL_E_INVALID,
                                "SHOAL_CAS needs the token of shoal_value_cas, and 0 is none: read the item first");
    return SHOAL_OK;
}

shoal_status shoal__store_fits(const struct shoal__command *command, size_t value_max, struct shoal__fault *fault) {
    if (command->verb == SHOAL__VERB_STORE && command->value_len > value_max)
        return shoal__command_not_taken(command->value_len, value_max, fault);
    return SHOAL_OK;
}
