/* What both transports say of a command in the same words.
 * May include: base/, logic/, public headers. */
#include "logic/command.h"

#include "logic/text.h"

#include <shoal/operations.h>

#include <string.h>

bool shoal__command_changes_items(const struct shoal__command *command) {
    return command->verb != SHOAL__VERB_GET && command->verb != SHOAL__VERB_STATS;
}

bool shoal__command_overwrites(const struct shoal__command *command) {
    return command->verb == SHOAL__VERB_DELETE || (command->verb == SHOAL__VERB_STORE && command->mode == SHOAL_SET);
}

bool shoal__command_stored(const struct shoal__command *command, const shoal_value *item) {
    const char *bytes = shoal_value_data(item);
    size_t size = shoal_value_size(item);
    if (command->mode != SHOAL_APPEND && command->mode != SHOAL_PREPEND)
        return size == command->value_len && shoal_value_flags(item) == command->flags &&
               (size == 0 || memcmp(bytes, command->value, size) == 0);
    if (size < command->value_len)
        return false;
    size_t at = command->mode == SHOAL_APPEND ? size - command->value_len : 0;
    return command->value_len == 0 || memcmp(bytes + at, command->value, command->value_len) == 0;
}

shoal_status shoal__command_refused(const char *words, size_t size, struct shoal__fault *fault) {
    struct shoal__quote quote;
    return shoal__fault_set(fault, SHOAL_E_SERVER, "the server refused the command: %s",
                            shoal__quote_slice(&quote, (struct shoal__slice){words, size}));
}

shoal_status shoal__command_too_large(const struct shoal__command *command, struct shoal__fault *fault) {
    return shoal__fault_set(
        fault, SHOAL_E_TOO_LARGE, "the value of %zu bytes is larger than the server takes (its -I option)%s",
        command->value_len, command->mode == SHOAL_SET || command->key_is_binary ? "; the key now holds nothing" : "");
}

shoal_status shoal__command_no_room(struct shoal__fault *fault) {
    return shoal__fault_set(fault, SHOAL_E_SERVER,
                            "the server has no memory for the item: raise its -m option; the key may now hold nothing");
}

shoal_status shoal__command_not_a_number(struct shoal__fault *fault) {
    return shoal__fault_set(fault, SHOAL_E_NOT_A_NUMBER,
                            "the item is no decimal number of 64 bits: store one, or delete it");
}

shoal_status shoal__command_unknown(struct shoal__fault *fault) {
    return shoal__fault_set(fault, SHOAL_E_UNSUPPORTED, "the server does not know the command (it said ERROR)");
}

shoal_status shoal__command_not_taken(size_t size, size_t value_max, struct shoal__fault *fault) {
    return shoal__fault_set(fault, SHOAL_E_TOO_LARGE,
                            "the value of %zu bytes is larger than max_value_bytes, which is %zu: raise it", size,
                            value_max);
}

shoal_status shoal__command_needs_meta(struct shoal__fault *fault) {
    return shoal__fault_set(fault, SHOAL_E_UNSUPPORTED,
                            "a key with spaces or control characters needs the meta protocol of memcached 1.6.10 and "
                            "later, which this connection does not speak");
}
