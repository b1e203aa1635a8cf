/* The answering half of an exchange: every line is held against what was asked; whatever was not asked for ends the
 * lane.
 * May include: base/, logic/, public headers. */
#include "logic/meta_exchange.h"

#include "base/base64.h"
#include "logic/key.h"
#include "logic/text.h"
#include "logic/value.h"

#include <shoal/operations.h>

#include <string.h>

static struct shoal__stretch *due_stretch(struct shoal__exchange *exchange) {
    return exchange->stretch_count > 0 ? &exchange->stretches[exchange->first_stretch] : NULL;
}

void shoal__exchange_count(struct shoal__exchange *exchange) {
    const struct shoal__stretch *due = due_stretch(exchange);
    struct shoal__run *run = exchange->run;
    size_t first = run->next;
    if (exchange->repeat_from != SIZE_MAX)
        first = exchange->repeat_from;
    else if (due != NULL)
        first = due->kind == SHOAL__STRETCH_SINGLY ? due->at : due->begin;
    run->in_flight = run->next - first;
    if (run->reached < run->next)
        run->reached = run->next;
}

bool shoal__exchange_is_over(const struct shoal__exchange *exchange) {
    const struct shoal__run *run = exchange->run;
    bool all_sent = exchange->large == NULL && exchange->out_sent == exchange->out.size;
    return all_sent && exchange->stretch_count == 0 && (run->next == run->count || exchange->is_spent);
}

static shoal_status not_asked_for(const char *what, struct shoal__fault *fault) {
    return shoal__fault_set(fault, SHOAL_E_PROTOCOL, "the server's answer is not to what was asked: %s", what);
}

/* --- Deciding --- */

static void end_stretch(struct shoal__exchange *exchange) {
    struct shoal__run *run = exchange->run;
    exchange->first_stretch = (exchange->first_stretch + 1) % SHOAL__STRETCHES_MAX;
    exchange->stretch_count--;
    if (exchange->stretch_count > 0 || exchange->repeat_from == SIZE_MAX)
        return;
    exchange->singly_before = run->next;
    run->next = exchange->repeat_from;
    exchange->repeat_from = SIZE_MAX;
}

static struct shoal__command *due_command(const struct shoal__exchange *exchange,
                                          const struct shoal__stretch *stretch) {
    size_t at = stretch->kind == SHOAL__STRETCH_SINGLY ? stretch->at : stretch->begin;
    return exchange->run->commands[at];
}

/* END of a line of reads: what has not come is not there. */
static void settle_line(struct shoal__exchange *exchange, const struct shoal__stretch *stretch) {
    for (size_t i = stretch->begin; i < stretch->end; i++)
        if (exchange->run->commands[i]->status == SHOAL__UNDECIDED)
            exchange->run->commands[i]->status = SHOAL_NOT_FOUND;
    end_stretch(exchange);
}

/* Decides the command that is due, in a stretch of single ones or as the first of a line. */
static void decide(struct shoal__exchange *exchange, shoal_status status) {
    struct shoal__stretch *stretch = due_stretch(exchange);
    due_command(exchange, stretch)->status = status;
    stretch->opened = true;
    stretch->at++;
    if (stretch->kind == SHOAL__STRETCH_LINE)
        return;
    if (stretch->at == stretch->end)
        end_stretch(exchange);
}

static void tell_refusal(struct shoal__exchange *exchange, struct shoal__command *command,
                         const struct shoal__fault *why) {
    command->status = why->status;
    exchange->run->refused(exchange->run->context, command, why);
}

/* --- Values --- */

static shoal_status begin_reading(struct shoal__exchange *exchange, struct shoal__command *command,
                                  const struct shoal__meta_line *line, struct shoal__fault *fault) {
    struct shoal__reading *reading = &exchange->reading;
    *reading = (struct shoal__reading){.command = command, .size = line->value_size};
    if (command->verb == SHOAL__VERB_INCREMENT) {
        if (line->value_size > sizeof(exchange->number))
            return not_asked_for("a number of more than 24 digits", fault);
        reading->into = exchange->number;
        return SHOAL_OK;
    }
    if (line->value_size > exchange->value_max)
        return SHOAL_OK;
    command->found = shoal__value_new_in(exchange->run->values, line->value_size, line->flags, line->cas);
    if (command->found == NULL)
        return shoal__fault_set(fault, SHOAL_E_NO_MEMORY, "out of memory for a value of %zu bytes", line->value_size);
    shoal__value_describe(command->found, line->ttl_s, line->idle_s, line->was_read);
    reading->into = shoal__value_bytes(command->found);
    return SHOAL_OK;
}

/* memcached pads a number that lost a digit with spaces. */
static bool read_padded(const char *digits, size_t size, uint64_t *number) {
    while (size > 0 && digits[size - 1] == ' ')
        size--;
    return shoal__slice_number((struct shoal__slice){digits, size}, UINT64_MAX, number);
}

static shoal_status end_reading(struct shoal__exchange *exchange, struct shoal__fault *fault) {
    struct shoal__command *command = exchange->reading.command;
    size_t size = exchange->reading.size;
    bool dropped = exchange->reading.into == NULL;
    exchange->reading.command = NULL;
    if (command->verb == SHOAL__VERB_INCREMENT && !read_padded(exchange->number, size, &command->number))
        return not_asked_for("a counter that is no number", fault);
    if (dropped) {
        struct shoal__fault why = {0};
        shoal__command_not_taken(size, exchange->value_max, &why);
        tell_refusal(exchange, command, &why);
    }
    const struct shoal__stretch *stretch = due_stretch(exchange);
    shoal_status status = dropped ? SHOAL_E_TOO_LARGE : SHOAL_OK;
    if (stretch->kind == SHOAL__STRETCH_LINE && stretch->opened)
        command->status = status;
    else
        decide(exchange, status);
    return SHOAL_OK;
}

static size_t fill_value(struct shoal__reading *reading, const char *bytes, size_t size) {
    size_t missing = reading->size - reading->filled;
    size_t taken = size < missing ? size : missing;
    if (reading->into != NULL && taken > 0)
        memcpy(reading->into + reading->filled, bytes, taken);
    reading->filled += taken;
    return taken;
}

/* How many bytes were the value's and its line end's; SIZE_MAX where that is none. */
static size_t fill(struct shoal__reading *reading, const char *bytes, size_t size) {
    size_t taken = fill_value(reading, bytes, size);
    while (taken < size && reading->filled == reading->size && reading->line_end_filled < 2) {
        if (bytes[taken] != "\r\n"[reading->line_end_filled])
            return SIZE_MAX;
        reading->line_end_filled++;
        taken++;
    }
    return taken;
}

/* Smaller ones are not worth a system call of their own. */
#define TARGET_MIN ((size_t)8 * 1024)

char *shoal__exchange_target(struct shoal__exchange *exchange, size_t *room) {
    struct shoal__reading *reading = &exchange->reading;
    if (reading->command == NULL || reading->into == NULL || reading->size - reading->filled < TARGET_MIN)
        return NULL;
    *room = reading->size - reading->filled;
    return reading->into + reading->filled;
}

void shoal__exchange_filled(struct shoal__exchange *exchange, size_t size) {
    exchange->reading.filled += size;
}

/* --- Errors of the server's --- */

static bool says(const struct shoal__meta_line *line, const char *words) {
    size_t size = strlen(words);
    for (size_t at = 0; at + size <= line->text_size; at++)
        if (memcmp(line->text + at, words, size) == 0)
            return true;
    return false;
}

/* What an error line means for the command it answers. After some of them the server reads on in the middle of what
 * was sent. */
static shoal_status judge(struct shoal__exchange *exchange, const struct shoal__command *command,
                          const struct shoal__meta_line *line, struct shoal__fault *why) {
    if (line->kind == SHOAL__META_SERVER_ERROR && says(line, "too large"))
        return shoal__command_too_large(command, why);
    if (line->kind == SHOAL__META_SERVER_ERROR && says(line, "out of memory"))
        return shoal__command_no_room(why);
    if (line->kind == SHOAL__META_CLIENT_ERROR && says(line, "non-numeric"))
        return shoal__command_not_a_number(why);
    exchange->is_spent = exchange->is_spent || line->kind != SHOAL__META_SERVER_ERROR;
    if (line->kind == SHOAL__META_UNKNOWN)
        return shoal__command_unknown(why);
    return shoal__command_refused(line->text, line->text_size, why);
}

/* Whether nothing is missing of what the server was asked for. */
static bool is_asked_whole(const struct shoal__exchange *exchange) {
    if (exchange->stretch_count == 0)
        return true;
    size_t last = (exchange->first_stretch + exchange->stretch_count - 1) % SHOAL__STRETCHES_MAX;
    const struct shoal__stretch *stretch = &exchange->stretches[last];
    return exchange->run->next >= stretch->end && (stretch->kind != SHOAL__STRETCH_QUIET || stretch->noop_asked);
}

static shoal_status take_error(struct shoal__exchange *exchange, const struct shoal__meta_line *line,
                               struct shoal__fault *fault) {
    struct shoal__stretch *stretch = due_stretch(exchange);
    if (exchange->is_spent) /* whose it is cannot be told any more */
        return not_asked_for("an error after an error", fault);
    if (stretch->kind == SHOAL__STRETCH_QUIET) {
        stretch->refused = true;
        return SHOAL_OK;
    }
    struct shoal__command *command = due_command(exchange, stretch);
    if (stretch->kind == SHOAL__STRETCH_LINE)
        return judge(exchange, command, line, fault);
    struct shoal__fault why = {0};
    shoal_status status = judge(exchange, command, line, &why);
    tell_refusal(exchange, command, &why);
    decide(exchange, status);
    if (!exchange->is_spent || is_asked_whole(exchange))
        return SHOAL_OK;
    return shoal__fault_set(fault, SHOAL_E_PROTOCOL,
                            "the server lost its place at a command that it refused: run this one again");
}

/* --- Answers --- */

static shoal_status meaning_to_store(int mode, enum shoal__meta_kind kind) {
    bool may_not_be_stored = mode != SHOAL_SET && mode != SHOAL_CAS;
    if (kind == SHOAL__META_DONE)
        return SHOAL_OK;
    if (kind == SHOAL__META_NOT_STORED && may_not_be_stored)
        return SHOAL_NOT_STORED;
    if (kind == SHOAL__META_EXISTS && mode == SHOAL_CAS)
        return SHOAL_EXISTS;
    return kind == SHOAL__META_NOT_FOUND && mode == SHOAL_CAS ? SHOAL_NOT_FOUND : SHOAL__UNDECIDED;
}

/* What each kind of line means to each verb; SHOAL__UNDECIDED: it is no answer to it. */
static shoal_status meaning(const struct shoal__command *command, enum shoal__meta_kind kind) {
    switch (command->verb) {
    case SHOAL__VERB_GET:
    case SHOAL__VERB_GET_AND_TOUCH:
        return kind == SHOAL__META_MISS ? SHOAL_NOT_FOUND : SHOAL__UNDECIDED;
    case SHOAL__VERB_TOUCH:
        return kind == SHOAL__META_DONE ? SHOAL_OK : kind == SHOAL__META_MISS ? SHOAL_NOT_FOUND : SHOAL__UNDECIDED;
    case SHOAL__VERB_DELETE:
        return kind == SHOAL__META_DONE ? SHOAL_OK : kind == SHOAL__META_NOT_FOUND ? SHOAL_NOT_FOUND : SHOAL__UNDECIDED;
    case SHOAL__VERB_INCREMENT:
        return kind == SHOAL__META_NOT_FOUND ? SHOAL_NOT_FOUND : SHOAL__UNDECIDED;
    case SHOAL__VERB_FLUSH_ALL:
        return kind == SHOAL__META_OK ? SHOAL_OK : SHOAL__UNDECIDED;
    case SHOAL__VERB_STATS:
        return kind == SHOAL__META_END || kind == SHOAL__META_OK ? SHOAL_OK : SHOAL__UNDECIDED;
    default:
        return meaning_to_store(command->mode, kind);
    }
}

static bool brings_value(const struct shoal__command *command) {
    return command->verb == SHOAL__VERB_GET || command->verb == SHOAL__VERB_GET_AND_TOUCH ||
           command->verb == SHOAL__VERB_INCREMENT;
}

/* The number that the command was sent with comes back with every answer to it; from older servers not with a miss. */
static bool is_marked(const struct shoal__exchange *exchange, const struct shoal__meta_line *line, uint32_t opaque) {
    if (line->has_opaque)
        return line->opaque == opaque;
    return line->kind == SHOAL__META_MISS && exchange->misses_unmarked;
}

/* A value says whose it is; some servers and proxies leave that out, and then the number alone speaks for it. */
static bool is_of_key(const struct shoal__command *command, const struct shoal__meta_line *line) {
    char text[SHOAL__BASE64_SIZE(SHOAL__KEY_MAX) + 1];
    const char *key = command->key;
    size_t size = command->key_len;
    if (!line->has_key)
        return true;
    if (command->key_is_binary) {
        shoal__base64(key, size, text);
        key = text;
        size = SHOAL__BASE64_SIZE(size);
    }
    return size == line->text_size && memcmp(key, line->text, size) == 0;
}

static shoal_status take_stat(struct shoal__command *command, const struct shoal__meta_line *line,
                              struct shoal__fault *fault) {
    const char *space = memchr(line->text, ' ', line->text_size);
    size_t name_size = space ? (size_t)(space - line->text) : line->text_size;
    const char *value = space ? space + 1 : line->text + line->text_size;
    size_t value_size = line->text_size - (size_t)(value - line->text);
    if (command->stat_sink(command->stat_context, line->text, name_size, value, value_size))
        return SHOAL_OK;
    return shoal__fault_set(fault, SHOAL_E_NO_MEMORY, "out of memory for the node's counters");
}

/* The answer to one command. */
static shoal_status take_single(struct shoal__exchange *exchange, const struct shoal__meta_line *line, uint32_t opaque,
                                struct shoal__fault *fault) {
    struct shoal__command *command = due_command(exchange, due_stretch(exchange));
    if (line->kind == SHOAL__META_STAT && command->verb == SHOAL__VERB_STATS)
        return take_stat(command, line, fault);
    if (shoal__exchange_is_classic(exchange, command) ? line->has_opaque : !is_marked(exchange, line, opaque))
        return not_asked_for("its opaque number is another", fault);
    if (line->kind == SHOAL__META_VALUE && !is_of_key(command, line))
        return not_asked_for("an item of another key", fault);
    if (line->kind == SHOAL__META_VALUE && brings_value(command))
        return begin_reading(exchange, command, line, fault);
    shoal_status status = meaning(command, line->kind);
    if (status == SHOAL__UNDECIDED)
        return not_asked_for("it is one to another command", fault);
    command->new_cas = line->cas;
    decide(exchange, status);
    return SHOAL_OK;
}

/* Items come in the order asked, misses left out; a proxy may mix the order, so all of the line are looked at. */
static struct shoal__command *find_asked(struct shoal__exchange *exchange, struct shoal__stretch *stretch,
                                         const struct shoal__meta_line *line) {
    size_t first = stretch->begin + 1;
    size_t count = stretch->end - first;
    for (size_t i = 0; i < count; i++) {
        size_t at = stretch->at + i < stretch->end ? stretch->at + i : stretch->at + i - count;
        struct shoal__command *command = exchange->run->commands[at];
        if (command->key_len == line->text_size && memcmp(command->key, line->text, line->text_size) == 0 &&
            command->status == SHOAL__UNDECIDED) {
            stretch->at = at + 1;
            return command;
        }
    }
    return NULL;
}

static shoal_status take_on_line(struct shoal__exchange *exchange, struct shoal__stretch *stretch,
                                 const struct shoal__meta_line *line, struct shoal__fault *fault) {
    if (!stretch->opened)
        return take_single(exchange, line, stretch->opaque, fault);
    if (line->kind == SHOAL__META_END && exchange->run->next >= stretch->end) {
        settle_line(exchange, stretch);
        return SHOAL_OK;
    }
    struct shoal__command *command = line->kind == SHOAL__META_ITEM ? find_asked(exchange, stretch, line) : NULL;
    return command != NULL ? begin_reading(exchange, command, line, fault)
                           : not_asked_for("an item of another key, or none", fault);
}

/* MN: all that came before it is done. */
static void settle_quiet(struct shoal__exchange *exchange, const struct shoal__stretch *stretch) {
    if (stretch->refused && exchange->repeat_from == SIZE_MAX)
        exchange->repeat_from = stretch->begin;
    for (size_t i = stretch->begin; i < stretch->end && exchange->repeat_from == SIZE_MAX; i++)
        exchange->run->commands[i]->status = SHOAL_OK;
    end_stretch(exchange);
}

static shoal_status take_quiet(struct shoal__exchange *exchange, struct shoal__stretch *stretch,
                               const struct shoal__meta_line *line, struct shoal__fault *fault) {
    uint32_t opaque = stretch->opaque + (uint32_t)(stretch->end - 1 - stretch->begin);
    if (line->kind == SHOAL__META_NOOP && stretch->noop_asked && (stretch->closing || stretch->refused)) {
        settle_quiet(exchange, stretch);
        return SHOAL_OK;
    }
    if (line->kind != SHOAL__META_DONE || stretch->closing || exchange->run->next < stretch->end ||
        !is_marked(exchange, line, opaque))
        return not_asked_for("a store that was to be quiet was answered", fault);
    stretch->closing = true;
    return SHOAL_OK;
}

static shoal_status take_line(struct shoal__exchange *exchange, const struct shoal__meta_line *line,
                              struct shoal__fault *fault) {
    struct shoal__stretch *stretch = due_stretch(exchange);
    if (line->kind == SHOAL__META_MALFORMED)
        return shoal__fault_set(fault, SHOAL_E_PROTOCOL, "the answer is not memcached's protocol");
    if (stretch == NULL)
        return not_asked_for("nothing was", fault);
    if (line->kind >= SHOAL__META_UNKNOWN)
        return take_error(exchange, line, fault);
    if (stretch->kind == SHOAL__STRETCH_LINE)
        return take_on_line(exchange, stretch, line, fault);
    if (stretch->kind == SHOAL__STRETCH_QUIET)
        return take_quiet(exchange, stretch, line, fault);
    return take_single(exchange, line, stretch->opaque + (uint32_t)(stretch->at - stretch->begin), fault);
}

/* --- Bytes --- */

/* The short way of an item that is the next on its line and is all there, which most are: how many bytes it took, or 0
 * where it has to go the long way. */
static size_t take_expected(struct shoal__exchange *exchange, const char *bytes, size_t size) {
    struct shoal__stretch *stretch = due_stretch(exchange);
    struct shoal__meta_line line;
    if (stretch == NULL || stretch->kind != SHOAL__STRETCH_LINE || !stretch->opened || stretch->at == stretch->end)
        return 0;
    struct shoal__command *command = exchange->run->commands[stretch->at];
    if (command->status != SHOAL__UNDECIDED ||
        !shoal__meta_parse_item(bytes, size, command->key, command->key_len, &line) ||
        line.value_size > exchange->value_max || size - line.size < line.value_size + 2)
        return 0;
    const char *value = bytes + line.size;
    if (value[line.value_size] != '\r' || value[line.value_size + 1] != '\n')
        return 0;
    command->found = shoal__value_new_in(exchange->run->values, line.value_size, line.flags, line.cas);
    if (command->found == NULL)
        return 0;
    memcpy(shoal__value_bytes(command->found), value, line.value_size);
    command->status = SHOAL_OK;
    stretch->at++;
    return line.size + line.value_size + 2;
}

/* A line whose beginning came earlier: completed in `partial`. How many bytes it took. */
static size_t complete_partial(struct shoal__exchange *exchange, const char *bytes, size_t size) {
    const char *newline = memchr(bytes, '\n', size);
    size_t taken = newline ? (size_t)(newline - bytes) + 1 : size;
    char *at = shoal__buffer_reserve(&exchange->partial, taken);
    if (at == NULL)
        return SIZE_MAX;
    memcpy(at, bytes, taken);
    exchange->partial.size += taken;
    return taken;
}

static shoal_status take_bytes(struct shoal__exchange *exchange, const char *bytes, size_t size, size_t *taken,
                               struct shoal__fault *fault) {
    struct shoal__meta_line line;
    struct shoal__buffer *partial = &exchange->partial;
    if (exchange->reading.command != NULL) {
        *taken = fill(&exchange->reading, bytes, size);
        if (*taken == SIZE_MAX)
            return shoal__fault_set(fault, SHOAL_E_PROTOCOL, "a value's end is not where its length says");
        return exchange->reading.line_end_filled == 2 ? end_reading(exchange, fault) : SHOAL_OK;
    }
    if (partial->size == 0 && (*taken = take_expected(exchange, bytes, size)) > 0)
        return SHOAL_OK;
    if (partial->size == 0 && shoal__meta_parse(bytes, size, &line) != SHOAL__META_INCOMPLETE) {
        *taken = line.size;
        return take_line(exchange, &line, fault);
    }
    *taken = complete_partial(exchange, bytes, size);
    if (*taken == SIZE_MAX)
        return shoal__fault_set(fault, SHOAL_E_NO_MEMORY, "out of memory for a line of %zu bytes", size);
    if (shoal__meta_parse(partial->bytes, partial->size, &line) == SHOAL__META_INCOMPLETE)
        return SHOAL_OK;
    shoal_status status = take_line(exchange, &line, fault);
    partial->size = 0;
    return status;
}

shoal_status shoal__exchange_take(struct shoal__exchange *exchange, const char *bytes, size_t size,
                                  struct shoal__fault *fault) {
    shoal_status status = SHOAL_OK;
    while (size > 0) {
        size_t taken = 0;
        status = take_bytes(exchange, bytes, size, &taken, fault);
        if (status != SHOAL_OK)
            break;
        bytes += taken;
        size -= taken;
    }
    shoal__exchange_count(exchange);
    return status;
}
