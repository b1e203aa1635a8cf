/* A line is written into room that is taken once, without formats: this is on the path of every call.
 * May include: base/, logic/. */
#include "logic/meta_request.h"

#include "base/base64.h"
#include "logic/key.h"

#include <shoal/operations.h>

#include <string.h>

/* A key, at most 20 digits for each of six numbers, their letters and the verb. */
#define LINE_ROOM (SHOAL__BASE64_SIZE(SHOAL__KEY_MAX) + 256)

static char *put(char *at, const char *text, size_t size) {
    memcpy(at, text, size);
    return at + size;
}

#define PUT(at, text) put(at, text, sizeof(text) - 1)

static char *put_number(char *at, uint64_t number) {
    char digits[20];
    size_t from = sizeof(digits);
    do {
        digits[--from] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    return put(at, digits + from, sizeof(digits) - from);
}

/* A flag with a number, the space before it included. */
static char *put_flag(char *at, char letter, uint64_t number) {
    *at++ = ' ';
    *at++ = letter;
    return put_number(at, number);
}

/* What lies in the past is -1, the one negative number there is (logic/expiry). */
static char *put_expiry(char *at, char letter, int64_t expiry) {
    if (expiry >= 0)
        return put_flag(at, letter, (uint64_t)expiry);
    *at++ = ' ';
    *at++ = letter;
    return PUT(at, "-1");
}

static char *put_key(char *at, const struct shoal__command *command) {
    if (!command->key_is_binary)
        return put(at, command->key, command->key_len);
    shoal__base64(command->key, command->key_len, at);
    return at + SHOAL__BASE64_SIZE(command->key_len);
}

static char *put_binary_mark(char *at, const struct shoal__command *command) {
    return command->key_is_binary ? PUT(at, " b") : at;
}

/* --- One verb each --- */

static char *put_get(char *at, const struct shoal__command *command) {
    at = PUT(at, "mg ");
    at = put_binary_mark(put_key(at, command), command);
    at = PUT(at, " v f c k");
    return command->wants_metadata ? PUT(at, " t l h") : at;
}

static char *put_touch(char *at, const struct shoal__command *command) {
    at = PUT(at, "mg ");
    at = put_binary_mark(put_key(at, command), command);
    at = put_expiry(at, 'T', command->expiry);
    return command->verb == SHOAL__VERB_GET_AND_TOUCH ? PUT(at, " v f c k") : at;
}

static char *put_delete(char *at, const struct shoal__command *command) {
    at = PUT(at, "md ");
    return put_binary_mark(put_key(at, command), command);
}

static char *put_store(char *at, const struct shoal__command *command) {
    static const char modes[] = {[SHOAL_SET] = 'S',    [SHOAL_ADD] = 'E',     [SHOAL_REPLACE] = 'R',
                                 [SHOAL_APPEND] = 'A', [SHOAL_PREPEND] = 'P', [SHOAL_CAS] = 'S'};
    at = PUT(at, "ms ");
    at = put_key(at, command);
    *at++ = ' ';
    at = put_binary_mark(put_number(at, command->value_len), command);
    if (command->mode != SHOAL_SET && command->mode != SHOAL_CAS) {
        at = PUT(at, " M");
        *at++ = modes[command->mode];
    }
    if (command->mode == SHOAL_CAS)
        at = put_flag(at, 'C', command->cas);
    if (command->flags != 0)
        at = put_flag(at, 'F', command->flags);
    if (command->expiry != 0)
        at = put_expiry(at, 'T', command->expiry);
    return command->wants_new_cas ? PUT(at, " c") : at;
}

static char *put_increment(char *at, const struct shoal__command *command) {
    uint64_t amount = command->delta < 0 ? (uint64_t)0 - (uint64_t)command->delta : (uint64_t)command->delta;
    at = PUT(at, "ma ");
    at = put_binary_mark(put_key(at, command), command);
    at = command->delta < 0 ? PUT(at, " v MD") : PUT(at, " v");
    at = put_flag(at, 'D', amount);
    if (command->initial == NULL)
        return at;
    at = put_expiry(at, 'N', command->expiry);
    return put_flag(at, 'J', *command->initial);
}

static char *put_stats(char *at, const struct shoal__command *command) {
    at = PUT(at, "stats");
    if (command->value_len == 0)
        return at;
    *at++ = ' ';
    return put(at, command->value, command->value_len);
}

static char *put_command(char *at, const struct shoal__command *command) {
    switch (command->verb) {
    case SHOAL__VERB_GET:
        return put_get(at, command);
    case SHOAL__VERB_STORE:
        return put_store(at, command);
    case SHOAL__VERB_DELETE:
        return put_delete(at, command);
    case SHOAL__VERB_TOUCH:
    case SHOAL__VERB_GET_AND_TOUCH:
        return put_touch(at, command);
    default:
        return put_increment(at, command);
    }
}

/* <verb> <key> <flags> <exptime> <bytes> [<cas unique>] */
static char *put_classic_store(char *at, const struct shoal__command *command) {
    static const char *const verbs[] = {
        [SHOAL_SET] = "set",       [SHOAL_ADD] = "add",         [SHOAL_REPLACE] = "replace",
        [SHOAL_APPEND] = "append", [SHOAL_PREPEND] = "prepend", [SHOAL_CAS] = "cas"};
    at = put(at, verbs[command->mode], strlen(verbs[command->mode]));
    *at++ = ' ';
    at = put(at, command->key, command->key_len);
    *at++ = ' ';
    at = put_number(at, command->flags);
    at = command->expiry < 0 ? PUT(at, " -1 ") : PUT(put_number(PUT(at, " "), (uint64_t)command->expiry), " ");
    at = put_number(at, command->value_len);
    return command->mode == SHOAL_CAS ? put_number(PUT(at, " "), command->cas) : at;
}

static char *put_classic(char *at, const struct shoal__command *command) {
    if (command->verb == SHOAL__VERB_STORE)
        return put_classic_store(at, command);
    return command->verb == SHOAL__VERB_FLUSH_ALL ? PUT(at, "flush_all") : put_stats(at, command);
}

/* --- Lines --- */

static bool end_at(struct shoal__buffer *out, char *at) {
    at = PUT(at, "\r\n");
    out->size = (size_t)(at - out->bytes);
    return true;
}

bool shoal__meta_write(struct shoal__buffer *out, const struct shoal__command *command, uint32_t opaque) {
    char *at = shoal__buffer_reserve(out, LINE_ROOM);
    return at != NULL && end_at(out, put_flag(put_command(at, command), 'O', opaque));
}

bool shoal__meta_write_classic(struct shoal__buffer *out, const struct shoal__command *command) {
    size_t group_size = command->verb == SHOAL__VERB_STATS ? command->value_len : 0;
    char *at = shoal__buffer_reserve(out, LINE_ROOM + group_size);
    return at != NULL && end_at(out, put_classic(at, command));
}

bool shoal__meta_write_quiet(struct shoal__buffer *out, const struct shoal__command *command) {
    char *at = shoal__buffer_reserve(out, LINE_ROOM);
    return at != NULL && end_at(out, PUT(put_command(at, command), " q"));
}

bool shoal__meta_write_noop(struct shoal__buffer *out) {
    return shoal__buffer_append(out, "mn\r\n", 4);
}

bool shoal__meta_write_gets(struct shoal__buffer *out) {
    return shoal__buffer_append(out, "gets", 4);
}

bool shoal__meta_write_key(struct shoal__buffer *out, const struct shoal__command *command) {
    char *at = shoal__buffer_reserve(out, command->key_len + 1);
    if (at == NULL)
        return false;
    *at = ' ';
    memcpy(at + 1, command->key, command->key_len);
    out->size += command->key_len + 1;
    return true;
}

bool shoal__meta_write_line_end(struct shoal__buffer *out) {
    return shoal__buffer_append(out, "\r\n", 2);
}
