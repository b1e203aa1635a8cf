/* The asking half of an exchange: which commands go in which stretch, and their bytes.
 * May include: base/, logic/, public headers. */
#include "logic/meta_exchange.h"
#include "logic/meta_request.h"

#include <shoal/operations.h>

#include <string.h>

/* Shorter stretches save nothing. */
#define STRETCH_MIN 4

/* A line of keys that a server reads at once, and as many answers as one may lose together with a lane. With one key
 * more than that it is far from the 16 KB from which on ElastiCache Serverless refuses it. */
#define LINE_BYTES ((size_t)8 * 1024)

/* Stores that are repeated together where one of them is refused. */
#define QUIET_BYTES ((size_t)128 * 1024)

/* Text waits to be sent until it is this much, so that small commands share a system call. */
#define OUT_BYTES ((size_t)32 * 1024)

/* A value up to this size is cheaper to copy into the text than to send from its place. */
#define COPY_MAX ((size_t)16 * 1024)

/* Room that a lane keeps between calls. */
#define KEPT_BYTES ((size_t)4 * 1024)

void shoal__exchange_begin(struct shoal__exchange *exchange, struct shoal__run *run) {
    exchange->run = run;
    exchange->out.size = 0;
    exchange->out_sent = 0;
    exchange->large = NULL;
    exchange->first_stretch = 0;
    exchange->stretch_count = 0;
    exchange->singly_before = 0;
    exchange->repeat_from = SIZE_MAX;
    exchange->partial.size = 0;
    exchange->reading.command = NULL;
}

void shoal__exchange_end(struct shoal__exchange *exchange) {
    exchange->run = NULL;
    if (exchange->out.capacity > KEPT_BYTES)
        shoal__buffer_clear(&exchange->out);
    if (exchange->partial.capacity > KEPT_BYTES)
        shoal__buffer_clear(&exchange->partial);
}

void shoal__exchange_clear(struct shoal__exchange *exchange) {
    shoal__buffer_clear(&exchange->out);
    shoal__buffer_clear(&exchange->partial);
}

/* --- Which stretch --- */

static bool may_be_quiet(const struct shoal__exchange *exchange, size_t index) {
    const struct shoal__command *command = exchange->run->commands[index];
    return index >= exchange->singly_before && command->verb == SHOAL__VERB_STORE && command->mode == SHOAL_SET &&
           !command->wants_new_cas;
}

static bool may_be_on_a_line(const struct shoal__command *command) {
    return command->verb == SHOAL__VERB_GET && !command->key_is_binary && !command->wants_metadata;
}

static enum shoal__stretch_kind kind_at(const struct shoal__exchange *exchange, size_t index) {
    if (may_be_on_a_line(exchange->run->commands[index]))
        return SHOAL__STRETCH_LINE;
    return may_be_quiet(exchange, index) ? SHOAL__STRETCH_QUIET : SHOAL__STRETCH_SINGLY;
}

/* With the space before a key, which is half of a line of short ones. */
static size_t bytes_of(const struct shoal__command *command) {
    return 1 + command->key_len + command->value_len;
}

/* The stretch that begins with the next command; too short a one is asked singly. */
static struct shoal__stretch plan_stretch(const struct shoal__exchange *exchange) {
    const struct shoal__run *run = exchange->run;
    struct shoal__stretch stretch = {.begin = run->next, .at = run->next, .opaque = exchange->next_opaque};
    stretch.kind = kind_at(exchange, run->next);
    size_t limit = stretch.kind == SHOAL__STRETCH_LINE ? LINE_BYTES : QUIET_BYTES;
    size_t bytes = 0;
    size_t end = run->next;
    if (stretch.kind != SHOAL__STRETCH_SINGLY)
        for (; end < run->count && bytes < limit && kind_at(exchange, end) == stretch.kind; end++)
            bytes += bytes_of(run->commands[end]);
    if (end - stretch.begin < STRETCH_MIN) {
        stretch.kind = SHOAL__STRETCH_SINGLY;
        end = stretch.begin + 1;
    }
    stretch.end = end;
    return stretch;
}

static struct shoal__stretch *last_stretch(struct shoal__exchange *exchange) {
    size_t at = exchange->first_stretch + exchange->stretch_count - 1;
    return exchange->stretch_count > 0 ? &exchange->stretches[at % SHOAL__STRETCHES_MAX] : NULL;
}

/* A refused store is asked again together with all that followed it, so that the last store of a key stays the last.
 * So nothing but quiet stores may follow quiet stores until these are answered, and nothing at all a refused one. */
static bool must_wait(const struct shoal__exchange *exchange, const struct shoal__stretch *last,
                      enum shoal__stretch_kind kind) {
    return exchange->repeat_from != SIZE_MAX ||
           (last->kind == SHOAL__STRETCH_QUIET && (last->refused || kind != SHOAL__STRETCH_QUIET));
}

/* Makes room for the next command in a stretch, the one under way, or a new one. False where it has to wait. */
static bool extend(struct shoal__exchange *exchange) {
    struct shoal__stretch *last = last_stretch(exchange);
    if (last != NULL && exchange->run->next < last->end)
        return true;
    struct shoal__stretch fresh = plan_stretch(exchange);
    if (last != NULL && must_wait(exchange, last, fresh.kind))
        return false;
    if (last != NULL && last->kind == SHOAL__STRETCH_SINGLY && fresh.kind == SHOAL__STRETCH_SINGLY) {
        last->end = fresh.end;
        return true;
    }
    if (exchange->stretch_count == SHOAL__STRETCHES_MAX)
        return false;
    exchange->stretch_count++;
    *last_stretch(exchange) = fresh;
    return true;
}

/* --- Their bytes --- */

/* What an item has beside its key and value, generously; and the smallest limit that memcached can be given (-I). */
#define ITEM_OVERHEAD 128
#define ITEM_MAX_LEAST 1024

/* Where ms finds the value too large it deletes the item there was, in every mode; the classic verbs do so for set
 * alone, whose item would be another anyway. So stores of another mode go classic where they may be too large. */
bool shoal__exchange_is_classic(const struct shoal__exchange *exchange, const struct shoal__command *command) {
    size_t item_max = exchange->item_max > 0 ? exchange->item_max : ITEM_MAX_LEAST;
    if (command->verb == SHOAL__VERB_FLUSH_ALL || command->verb == SHOAL__VERB_STATS)
        return true;
    return command->verb == SHOAL__VERB_STORE && command->mode != SHOAL_SET && !command->key_is_binary &&
           command->key_len + command->value_len + ITEM_OVERHEAD > item_max;
}

static bool write_value(struct shoal__exchange *exchange, const struct shoal__command *command) {
    if (command->value_len > COPY_MAX) {
        exchange->large = command;
        exchange->large_sent = 0;
        return true;
    }
    char *at = shoal__buffer_reserve(&exchange->out, command->value_len + 2);
    if (at == NULL)
        return false;
    if (command->value_len > 0)
        memcpy(at, command->value, command->value_len);
    memcpy(at + command->value_len, "\r\n", 2);
    exchange->out.size += command->value_len + 2;
    return true;
}

static bool write_singly(struct shoal__exchange *exchange, const struct shoal__command *command, uint32_t opaque) {
    bool written = shoal__exchange_is_classic(exchange, command) ? shoal__meta_write_classic(&exchange->out, command)
                                                                 : shoal__meta_write(&exchange->out, command, opaque);
    return written && (command->verb != SHOAL__VERB_STORE || write_value(exchange, command));
}

static bool write_on_line(struct shoal__exchange *exchange, const struct shoal__stretch *stretch, size_t index,
                          uint32_t opaque) {
    const struct shoal__command *command = exchange->run->commands[index];
    if (index == stretch->begin)
        return write_singly(exchange, command, opaque) && shoal__meta_write_gets(&exchange->out);
    return shoal__meta_write_key(&exchange->out, command) &&
           (index + 1 < stretch->end || shoal__meta_write_line_end(&exchange->out));
}

static bool write_quiet(struct shoal__exchange *exchange, const struct shoal__stretch *stretch, size_t index,
                        uint32_t opaque) {
    const struct shoal__command *command = exchange->run->commands[index];
    if (index + 1 == stretch->end)
        return write_singly(exchange, command, opaque);
    return shoal__meta_write_quiet(&exchange->out, command) && write_value(exchange, command);
}

/* mn goes behind the last store of a quiet stretch, whose value may have gone from its place. */
static bool is_noop_due(struct shoal__exchange *exchange) {
    const struct shoal__stretch *last = last_stretch(exchange);
    return last != NULL && last->kind == SHOAL__STRETCH_QUIET && exchange->run->next == last->end && !last->noop_asked;
}

static bool write_next(struct shoal__exchange *exchange) {
    struct shoal__run *run = exchange->run;
    const struct shoal__stretch *stretch = last_stretch(exchange);
    size_t index = run->next++;
    uint32_t opaque = exchange->next_opaque++;
    switch (stretch->kind) {
    case SHOAL__STRETCH_LINE:
        return write_on_line(exchange, stretch, index, opaque);
    case SHOAL__STRETCH_QUIET:
        return write_quiet(exchange, stretch, index, opaque);
    default:
        return write_singly(exchange, run->commands[index], opaque);
    }
}

bool shoal__exchange_ask(struct shoal__exchange *exchange) {
    struct shoal__run *run = exchange->run;
    if (run->count > STRETCH_MIN && shoal__buffer_reserve(&exchange->out, OUT_BYTES) == NULL)
        return false;
    bool written = true;
    while (written && !exchange->is_spent && exchange->large == NULL && exchange->out.size < OUT_BYTES) {
        if (is_noop_due(exchange)) {
            written = shoal__meta_write_noop(&exchange->out);
            last_stretch(exchange)->noop_asked = written;
        } else if (run->next == run->count || !extend(exchange)) {
            break;
        } else {
            written = write_next(exchange);
        }
    }
    shoal__exchange_count(exchange);
    return written;
}

/* --- Sending --- */

size_t shoal__exchange_pieces(const struct shoal__exchange *exchange, struct shoal__piece pieces[3]) {
    const struct shoal__command *large = exchange->large;
    size_t count = 0;
    size_t text = exchange->out.size - exchange->out_sent;
    if (text > 0)
        pieces[count++] = (struct shoal__piece){exchange->out.bytes + exchange->out_sent, text};
    if (large == NULL)
        return count;
    if (exchange->large_sent < large->value_len)
        pieces[count++] = (struct shoal__piece){(const char *)large->value + exchange->large_sent,
                                                large->value_len - exchange->large_sent};
    size_t line_end_sent = exchange->large_sent > large->value_len ? exchange->large_sent - large->value_len : 0;
    pieces[count++] = (struct shoal__piece){&"\r\n"[line_end_sent], 2 - line_end_sent};
    return count;
}

void shoal__exchange_sent(struct shoal__exchange *exchange, size_t size) {
    size_t text = exchange->out.size - exchange->out_sent;
    if (text > size)
        text = size;
    exchange->out_sent += text;
    if (exchange->out_sent == exchange->out.size) {
        exchange->out.size = 0;
        exchange->out_sent = 0;
    }
    if (exchange->large == NULL)
        return;
    exchange->large_sent += size - text;
    if (exchange->large_sent == exchange->large->value_len + 2)
        exchange->large = NULL;
}
