/* The meta protocol: a line is read the same whatever lies behind it; answers decide the same whatever way their bytes
 * are cut; and where a server's answers, right ones, are cut off, doubled or swapped, no command gets what is not its
 * own. The input: a byte for the kind, the count of commands, the commands, then the answers or what is done to them.
 * May include: common, meta_server, logic/meta_exchange. */
#include "common.h"

#include "logic/meta_exchange.h"
#include "meta_server.h"

#include <shoal/operations.h>

#include <stdlib.h>
#include <string.h>

#define COMMANDS_MAX 32

struct input {
    const uint8_t *at;
    const uint8_t *end;
};

static uint8_t next_byte(struct input *input) {
    return input->at < input->end ? *input->at++ : 0;
}

/* --- Lines --- */

static bool is_same_line(const struct shoal__meta_line *a, const struct shoal__meta_line *b) {
    return a->kind == b->kind && a->size == b->size && a->value_size == b->value_size &&
           a->has_opaque == b->has_opaque && a->opaque == b->opaque && a->flags == b->flags && a->cas == b->cas &&
           a->ttl_s == b->ttl_s && a->idle_s == b->idle_s && a->was_read == b->was_read && a->text_size == b->text_size;
}

static struct shoal__meta_line parse(const uint8_t *data, size_t size) {
    char *bytes = fuzz_copy(data, size);
    struct shoal__meta_line line;
    memset(&line, 0x5a, sizeof(line));
    enum shoal__meta_kind kind = shoal__meta_parse(bytes, size, &line);
    CHECK(kind == line.kind);
    CHECK(line.size <= size && line.size <= SHOAL__META_LINE_MAX);
    CHECK(kind == SHOAL__META_INCOMPLETE || kind == SHOAL__META_MALFORMED || line.size > 0);
    CHECK(line.value_size <= SHOAL__META_VALUE_MAX);
    CHECK(line.was_read >= -1 && line.was_read <= 1);
    CHECK(line.text == NULL || (line.text >= bytes && line.text + line.text_size <= bytes + line.size));
    line.text = NULL;
    free(bytes);
    return line;
}

static void check_lines(struct input input) {
    size_t size = (size_t)(input.end - input.at);
    struct shoal__meta_line whole = parse(input.at, size);
    for (size_t part = 0; part < size; part++) {
        struct shoal__meta_line line = parse(input.at, part);
        CHECK(line.kind == SHOAL__META_INCOMPLETE || is_same_line(&line, &whole));
    }
}

/* --- An exchange --- */

struct talk {
    struct shoal__exchange exchange;
    struct shoal__run run;
    struct shoal__command commands[COMMANDS_MAX];
    struct shoal__command *order[COMMANDS_MAX];
    struct shoal__buffer sent;
    struct shoal__fault fault;
    uint64_t initial;
    unsigned stats;
};

static void check_refusal(void *context, struct shoal__command *command, const struct shoal__fault *fault) {
    (void)context;
    CHECK(command->status == fault->status);
    CHECK(fault->status < 0 && fault->status != SHOAL__UNDECIDED);
}

static bool count_stat(void *context, const char *name, size_t name_len, const char *value, size_t value_len) {
    (void)name;
    (void)value;
    ++*(unsigned *)context;
    return name_len + value_len <= SHOAL__META_LINE_MAX;
}

/* The low bits choose the key, the others what is done with it. */
static void fill_command(struct talk *talk, struct shoal__command *command, uint8_t choice) {
    static const enum shoal__verb verbs[] = {
        SHOAL__VERB_GET,           SHOAL__VERB_GET,    SHOAL__VERB_GET,   SHOAL__VERB_STORE,
        SHOAL__VERB_STORE,         SHOAL__VERB_STORE,  SHOAL__VERB_STORE, SHOAL__VERB_TOUCH,
        SHOAL__VERB_GET_AND_TOUCH, SHOAL__VERB_DELETE, SHOAL__VERB_STATS, SHOAL__VERB_INCREMENT,
        SHOAL__VERB_GET,           SHOAL__VERB_GET,    SHOAL__VERB_STORE, SHOAL__VERB_FLUSH_ALL};
    static const int modes[] = {SHOAL_SET, SHOAL_SET, SHOAL_SET, SHOAL_ADD, SHOAL_CAS};
    struct model_item item = model_item_at(choice);
    *command = (struct shoal__command){.verb = verbs[choice / MODEL_ITEMS % 16], .status = SHOAL__UNDECIDED};
    command->mode = modes[choice % 5];
    command->key = item.key;
    command->key_len = strlen(item.key);
    command->delta = 1;
    command->initial = choice & 1 ? &talk->initial : NULL;
    command->wants_new_cas = choice >= 14 * MODEL_ITEMS;
    command->wants_metadata = choice >= 12 * MODEL_ITEMS;
    command->stat_sink = count_stat;
    command->stat_context = &talk->stats;
    if (command->verb == SHOAL__VERB_STORE) {
        command->value = item.value;
        command->value_len = item.size;
    }
}

static void begin(struct talk *talk, struct input *input, bool misses_unmarked) {
    size_t count = next_byte(input) % COMMANDS_MAX + 1;
    *talk = (struct talk){.run = {.commands = talk->order, .count = count, .refused = check_refusal}};
    talk->exchange.value_max = MODEL_VALUE_MAX;
    talk->exchange.misses_unmarked = misses_unmarked;
    for (size_t i = 0; i < count; i++) {
        talk->order[i] = &talk->commands[i];
        fill_command(talk, talk->order[i], next_byte(input));
    }
    shoal__exchange_begin(&talk->exchange, &talk->run);
}

static void end(struct talk *talk) {
    for (size_t i = 0; i < talk->run.count; i++)
        shoal_value_free(talk->commands[i].found);
    shoal__exchange_clear(&talk->exchange);
    shoal__buffer_clear(&talk->sent);
}

/* Sends what may be sent now, `most` bytes at a time. */
static void ask(struct talk *talk, size_t most) {
    struct shoal__piece pieces[3];
    talk->sent.size = 0;
    for (;;) {
        CHECK(shoal__exchange_ask(&talk->exchange));
        if (shoal__exchange_pieces(&talk->exchange, pieces) == 0)
            break;
        size_t size = pieces[0].size < most ? pieces[0].size : most;
        char *at = shoal__buffer_reserve(&talk->sent, size);
        CHECK(at != NULL);
        memcpy(at, pieces[0].bytes, size);
        talk->sent.size += size;
        shoal__exchange_sent(&talk->exchange, size);
    }
    CHECK(talk->run.in_flight <= talk->run.next && talk->run.next <= talk->run.count);
}

/* Takes bytes as the transport does, at most so many at a time. */
static shoal_status take(struct talk *talk, const uint8_t *bytes, size_t size, size_t most) {
    shoal_status status = SHOAL_OK;
    while (status == SHOAL_OK && size > 0) {
        size_t room = 0;
        char *target = shoal__exchange_target(&talk->exchange, &room);
        size_t piece = size < most ? size : most;
        if (target != NULL) {
            piece = piece < room ? piece : room;
            memcpy(target, bytes, piece);
            shoal__exchange_filled(&talk->exchange, piece);
        } else {
            char *copy = fuzz_copy(bytes, piece);
            status = shoal__exchange_take(&talk->exchange, copy, piece, &talk->fault);
            free(copy);
        }
        bytes += piece;
        size -= piece;
    }
    if (status != SHOAL_OK)
        fuzz_check_fault(&talk->fault, status);
    return status;
}

/* --- Answers of the input's own: cut in two ways, they decide the same --- */

/* A byte 0xff ends what is answered before more is asked. */
static shoal_status hear(struct talk *talk, struct input input, size_t most) {
    shoal_status status = SHOAL_OK;
    while (status == SHOAL_OK && input.at < input.end) {
        ask(talk, most);
        const uint8_t *stop = memchr(input.at, 0xff, (size_t)(input.end - input.at));
        stop = stop ? stop : input.end;
        status = take(talk, input.at, (size_t)(stop - input.at), most);
        input.at = stop < input.end ? stop + 1 : stop;
    }
    return status;
}

static bool is_same_value(const shoal_value *a, const shoal_value *b) {
    size_t size = shoal_value_size(a);
    return (a == NULL) == (b == NULL) && size == shoal_value_size(b) && shoal_value_flags(a) == shoal_value_flags(b) &&
           shoal_value_cas(a) == shoal_value_cas(b) && shoal_value_ttl_s(a) == shoal_value_ttl_s(b) &&
           (size == 0 || memcmp(shoal_value_data(a), shoal_value_data(b), size) == 0);
}

static void check_same(const struct shoal__command *a, const struct shoal__command *b) {
    CHECK(a->status == b->status);
    CHECK(a->number == b->number && a->new_cas == b->new_cas);
    if (a->status == SHOAL_OK)
        CHECK(is_same_value(a->found, b->found));
    CHECK(a->status != SHOAL_OK || a->found == NULL || a->verb == SHOAL__VERB_GET ||
          a->verb == SHOAL__VERB_GET_AND_TOUCH);
}

static void check_answers(struct input input, bool misses_unmarked) {
    static struct talk whole;
    static struct talk cut;
    struct input again = input;
    begin(&whole, &input, misses_unmarked);
    begin(&cut, &again, misses_unmarked);
    size_t piece = next_byte(&input) % 16 + 1;
    shoal_status status = hear(&whole, input, SIZE_MAX);
    CHECK(hear(&cut, input, piece) == status);
    CHECK(whole.run.next == cut.run.next && whole.run.in_flight == cut.run.in_flight);
    CHECK(whole.stats == cut.stats);
    for (size_t i = 0; i < whole.run.count; i++)
        check_same(&whole.commands[i], &cut.commands[i]);
    end(&whole);
    end(&cut);
}

/* --- Answers of a server, and what may become of them on the way --- */

/* END decides the misses of a line: one that came too early is noticed by what comes behind it, which ends the lane. */
static bool may_be_on_a_line(const struct shoal__command *command) {
    return command->verb == SHOAL__VERB_GET && !command->wants_metadata;
}

/* Whether the outcome is the one that the server meant. An item that was taken out of a line without a trace, which
 * several swaps can do, reads as a miss: the classic protocol cannot tell. */
static void check_true(const struct shoal__command *command, bool misses_are_sure) {
    struct model_item item = model_find(command->key, command->key_len);
    if (command->status == SHOAL_NOT_FOUND && misses_are_sure)
        CHECK(!item.exists);
    if (command->status != SHOAL_OK)
        return;
    if (command->verb == SHOAL__VERB_STORE)
        CHECK(!item.is_refused && command->mode == SHOAL_SET);
    else if (command->verb != SHOAL__VERB_STATS && command->verb != SHOAL__VERB_FLUSH_ALL)
        CHECK(item.exists);
    if (command->verb == SHOAL__VERB_INCREMENT)
        CHECK(command->number == item.number);
    if (command->verb == SHOAL__VERB_GET || command->verb == SHOAL__VERB_GET_AND_TOUCH) {
        CHECK(command->found != NULL && shoal_value_size(command->found) == item.size);
        CHECK(item.size == 0 || memcmp(shoal_value_data(command->found), item.value, item.size) == 0);
        CHECK(shoal_value_flags(command->found) == item.flags);
    }
}

struct spoilt {
    unsigned times;
    bool is_cut_off;
};

/* Cuts the answers off, doubles one or swaps two. */
static void spoil(struct model_answers *answers, struct input *input, struct spoilt *spoilt) {
    uint8_t way = next_byte(input);
    if (answers->count == 0)
        return;
    size_t one = next_byte(input) % answers->count;
    size_t other = next_byte(input) % answers->count;
    spoilt->times++;
    spoilt->is_cut_off = spoilt->is_cut_off || way % 3 == 0;
    if (way % 3 == 0)
        answers->count = one;
    else if (way % 3 == 1)
        model_double(answers, one, other);
    else
        model_swap(answers, one, other);
}

/* The answers to what was sent last; the bits of a byte say how often they are spoilt. */
static shoal_status serve(struct talk *talk, struct input *input, size_t most, struct spoilt *spoilt) {
    struct model_answers answers = {0};
    struct shoal__buffer bytes = {0};
    model_answer(talk->sent.bytes, talk->sent.size, talk->exchange.misses_unmarked, &answers);
    for (uint8_t ways = next_byte(input); ways >= 128; ways = (uint8_t)(ways << 1))
        spoil(&answers, input, spoilt);
    model_write(&answers, &bytes);
    shoal_status status = take(talk, (const uint8_t *)bytes.bytes, bytes.size, most);
    shoal__buffer_clear(&bytes);
    shoal__buffer_clear(&answers.text);
    return status;
}

static void check_model(struct input input, bool misses_unmarked) {
    static struct talk talk;
    struct spoilt spoilt = {0};
    begin(&talk, &input, misses_unmarked);
    size_t most = next_byte(&input);
    most = most < 128 ? SIZE_MAX : most - 127;
    shoal_status status = SHOAL_OK;
    for (int round = 0; status == SHOAL_OK && !spoilt.is_cut_off && round < 2 * COMMANDS_MAX; round++) {
        ask(&talk, most);
        if (talk.sent.size == 0)
            break;
        status = serve(&talk, &input, most, &spoilt);
    }
    CHECK(spoilt.times > 0 || (status == SHOAL_OK && shoal__exchange_is_over(&talk.exchange)));
    for (size_t i = 0; i < talk.run.count; i++) {
        CHECK(spoilt.times > 0 || talk.commands[i].status != SHOAL__UNDECIDED);
        bool is_sure = status == SHOAL_OK || !may_be_on_a_line(&talk.commands[i]);
        check_true(&talk.commands[i], spoilt.times == 0 || (spoilt.times == 1 && !misses_unmarked && is_sure));
    }
    end(&talk);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct input input = {.at = data, .end = data + size};
    uint8_t kind = next_byte(&input);
    if (kind % 3 == 0)
        check_lines(input);
    else if (kind % 3 == 1)
        check_answers(input, kind >= 128);
    else
        check_model(input, kind >= 128);
    return 0;
}
