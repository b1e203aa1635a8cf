/* Steps of conformance cases: what each verb takes, which call it is, and what is compared.
 * May include: libc, <shoal/shoal.h>, steps.h. */
#include "steps.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum kind { GET, GET_AND_TOUCH, STORE, INCREMENT, DELETE, TOUCH, FLUSH_ALL };

static const struct verb {
    const char *name;
    enum kind kind;
    int mode;
    size_t words;      /* key and value */
    const char *takes; /* names of what may stand behind them */
} verbs[] = {
    {"get", GET, 0, 1, ""},
    {"get_and_touch", GET_AND_TOUCH, 0, 1, "ttl"},
    {"set", STORE, SHOAL_SET, 2, "flags ttl"},
    {"add", STORE, SHOAL_ADD, 2, "flags ttl"},
    {"replace", STORE, SHOAL_REPLACE, 2, "flags ttl"},
    {"append", STORE, SHOAL_APPEND, 2, "flags ttl"},
    {"prepend", STORE, SHOAL_PREPEND, 2, "flags ttl"},
    {"cas", STORE, SHOAL_CAS, 2, "flags ttl cas"},
    {"increment", INCREMENT, 0, 1, "delta initial ttl"},
    {"delete", DELETE, 0, 1, ""},
    {"touch", TOUCH, 0, 1, "ttl"},
    {"flush_all", FLUSH_ALL, 0, 0, ""},
};

/* A step as it is called. */
struct call {
    const struct verb *verb;
    const char *key;
    size_t key_len;
    const char *value;
    size_t value_len;
    uint64_t flags;
    int64_t ttl_s;
    uint64_t token;
    int64_t delta;
    uint64_t initial;
    bool has_initial;
};

__attribute__((format(printf, 2, 3))) static bool refuse(char reason[REASON_SIZE], const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, REASON_SIZE, format, arguments);
    va_end(arguments);
    return false;
}

/* --- Tokens --- */

static const uint64_t *find_token(const struct tokens *tokens, const char *name) {
    for (size_t i = 0; i < tokens->count; i++)
        if (strcmp(tokens->at[i].name, name) == 0)
            return &tokens->at[i].token;
    return NULL;
}

static bool remember(struct tokens *tokens, const char *name, uint64_t token) {
    size_t size = strlen(name);
    if (tokens->count == TOKENS_MAX || size >= sizeof(tokens->at[0].name) || !isupper((unsigned char)*name))
        return false;
    memcpy(tokens->at[tokens->count].name, name, size + 1);
    tokens->at[tokens->count++].token = token;
    return true;
}

static bool read_token(const struct tokens *tokens, const char *text, uint64_t *token) {
    const uint64_t *known = find_token(tokens, text);
    if (known != NULL)
        *token = *known;
    return known != NULL || read_unsigned(text, token);
}

/* --- Reading --- */

bool step_read(struct step *step, size_t first, char reason[REASON_SIZE]) {
    step->first = first;
    step->arrow = first;
    while (step->arrow < step->words.count && !word_is(&step->words.at[step->arrow], "->"))
        step->arrow++;
    if (step->arrow == first || step->arrow + 1 >= step->words.count)
        return refuse(reason, "a step is written VERB ... -> STATUS ...");
    return true;
}

static bool read_verb(struct step *step, struct call *call, char reason[REASON_SIZE]) {
    struct word *words = step->words.at + step->first;
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
        if (word_is(&words[0], verbs[i].name))
            call->verb = &verbs[i];
    if (call->verb == NULL)
        return refuse(reason, "there is no verb %s", words[0].bytes);
    if (step->first + call->verb->words >= step->arrow)
        return refuse(reason, "%s takes %zu words", call->verb->name, call->verb->words);
    for (size_t i = 0; i <= call->verb->words; i++)
        words[i].used = true;
    if (call->verb->words > 0) {
        call->key = words[1].bytes;
        call->key_len = words[1].size;
    }
    if (call->verb->words > 1) {
        call->value = words[2].bytes;
        call->value_len = words[2].size;
    }
    return true;
}

/* The text of NAME=TEXT before the arrow, where the verb takes that and it is there. */
static const char *argument(struct step *step, const struct call *call, const char *name) {
    return strstr(call->verb->takes, name) != NULL
               ? words_named(&step->words, step->first + 1 + call->verb->words, step->arrow, name)
               : NULL;
}

static bool read_arguments(struct step *step, struct call *call, const struct tokens *tokens) {
    const char *flags = argument(step, call, "flags");
    const char *ttl = argument(step, call, "ttl");
    const char *token = argument(step, call, "cas");
    const char *delta = argument(step, call, "delta");
    const char *initial = argument(step, call, "initial");
    call->delta = 1;
    call->has_initial = initial != NULL;
    return (flags == NULL || (read_unsigned(flags, &call->flags) && call->flags <= UINT32_MAX)) &&
           (ttl == NULL || read_signed(ttl, &call->ttl_s)) &&
           (token == NULL || read_token(tokens, token, &call->token)) &&
           (delta == NULL || read_signed(delta, &call->delta)) &&
           (initial == NULL || read_unsigned(initial, &call->initial));
}

static bool read_call(struct step *step, struct call *call, const struct tokens *tokens, char reason[REASON_SIZE]) {
    *call = (struct call){.verb = NULL};
    if (!read_verb(step, call, reason))
        return false;
    if (!read_arguments(step, call, tokens))
        return refuse(reason, "a number out of its range, or a token that nobody remembers");
    for (size_t i = step->first; i < step->arrow; i++)
        if (!step->words.at[i].used)
            return refuse(reason, "%s takes no %s", call->verb->name, step->words.at[i].bytes);
    return true;
}

/* --- Comparing --- */

bool status_is(shoal_status status, const char *name) {
    const char *at = shoal_status_name(status) + strlen("SHOAL_");
    if (status < 0)
        at += strlen("E_");
    while (*at != '\0' && tolower((unsigned char)*at) == *name) {
        at++;
        name++;
    }
    return *at == '\0' && *name == '\0';
}

/* The first bytes of a value, fit for a terminal. */
static void print_bytes(const void *data, size_t size, char text[200]) {
    const unsigned char *bytes = data;
    size_t used = 0;
    for (size_t i = 0; i < size && i < 40; i++)
        used += (size_t)snprintf(text + used, 200 - used, isprint(bytes[i]) ? "%c" : "\\x%02x", bytes[i]);
    snprintf(text + used, 200 - used, "%s", size > 40 ? "..." : "");
}

static bool check_value(struct step *step, const struct outcome *outcome, char reason[REASON_SIZE]) {
    char came[200];
    struct word *expected = &step->words.at[step->arrow + 2];
    if (step->arrow + 2 >= step->words.count)
        return refuse(reason, "a value is missing behind ok");
    expected->used = true;
    print_bytes(outcome->data, outcome->size, came);
    if (expected->size != outcome->size || memcmp(expected->bytes, outcome->data, outcome->size) != 0)
        return refuse(reason, "came a value of %zu bytes, \"%s\", instead of %zu", outcome->size, came, expected->size);
    uint64_t flags = 0;
    const char *named = words_named(&step->words, step->arrow + 3, step->words.count, "flags");
    if (named != NULL && !read_unsigned(named, &flags))
        return refuse(reason, "flags=%s is no number", named);
    return flags == outcome->flags || refuse(reason, "came flags=%u", outcome->flags);
}

static bool check_number(struct step *step, uint64_t number, char reason[REASON_SIZE]) {
    uint64_t expected = 0;
    if (step->arrow + 2 >= step->words.count || !read_unsigned(step->words.at[step->arrow + 2].bytes, &expected))
        return refuse(reason, "a number is missing behind ok");
    step->words.at[step->arrow + 2].used = true;
    return expected == number || refuse(reason, "came %llu", (unsigned long long)number);
}

static bool check_token(struct step *step, uint64_t token, struct tokens *tokens, char reason[REASON_SIZE]) {
    const char *other = words_named(&step->words, step->arrow + 2, step->words.count, "not_cas");
    const char *name = words_named(&step->words, step->arrow + 2, step->words.count, "cas");
    const uint64_t *known = name ? find_token(tokens, name) : NULL;
    const uint64_t *unwanted = other ? find_token(tokens, other) : NULL;
    if ((name != NULL || other != NULL) && token == 0)
        return refuse(reason, "came no token");
    if (other != NULL && unwanted == NULL)
        return refuse(reason, "nobody remembers the token %s", other);
    if (unwanted != NULL && *unwanted == token)
        return refuse(reason, "came the token %s, %llu", other, (unsigned long long)token);
    if (known != NULL && *known != token)
        return refuse(reason, "came the token %llu, and %s is %llu", (unsigned long long)token, name,
                      (unsigned long long)*known);
    if (name != NULL && known == NULL && !remember(tokens, name, token))
        return refuse(reason, "%s is no name of a token, or one too many", name);
    return true;
}

static bool is_read(const struct call *call) {
    return call->verb->kind == GET || call->verb->kind == GET_AND_TOUCH;
}

static bool check(struct step *step, const struct call *call, const struct outcome *outcome, bool in_batch,
                  struct tokens *tokens, char reason[REASON_SIZE]) {
    struct word *status = &step->words.at[step->arrow + 1];
    step->words.at[step->arrow].used = status->used = true;
    if (!status_is(outcome->status, status->bytes))
        return refuse(reason, "came %s", shoal_status_name(outcome->status));
    if (outcome->status == SHOAL_OK) {
        bool has_token = is_read(call) || (call->verb->kind == STORE && !in_batch);
        if ((is_read(call) && !check_value(step, outcome, reason)) ||
            (call->verb->kind == INCREMENT && !check_number(step, outcome->number, reason)) ||
            (has_token && !check_token(step, outcome->token, tokens, reason)))
            return false;
    } else if (outcome->data != NULL || outcome->size > 0 || outcome->flags != 0 || outcome->token != 0 ||
               outcome->number != 0) {
        return refuse(reason, "came %s, and something beside it", shoal_status_name(outcome->status));
    }
    for (size_t i = step->arrow; i < step->words.count; i++)
        if (!step->words.at[i].used)
            return refuse(reason, "behind -> there is no place for %s", step->words.at[i].bytes);
    return true;
}

/* --- Calling --- */

static void take_value(struct outcome *outcome) {
    outcome->data = shoal_value_data(outcome->owner);
    outcome->size = shoal_value_size(outcome->owner);
    outcome->flags = shoal_value_flags(outcome->owner);
    outcome->token = shoal_value_cas(outcome->owner);
}

static shoal_status call_single(shoal_client *client, const struct call *c, uint64_t *wanted_token,
                                struct outcome *outcome, shoal_error **error) {
    switch (c->verb->kind) {
    case GET:
        return shoal_get(client, c->key, c->key_len, &outcome->owner, error);
    case GET_AND_TOUCH:
        return shoal_get_and_touch(client, c->key, c->key_len, c->ttl_s, &outcome->owner, error);
    case STORE:
        return shoal_store(client, c->verb->mode, c->key, c->key_len, c->value, c->value_len, (uint32_t)c->flags,
                           c->ttl_s, c->token, wanted_token, error);
    case INCREMENT:
        return shoal_increment(client, c->key, c->key_len, c->delta, c->has_initial ? &c->initial : NULL, c->ttl_s,
                               &outcome->number, error);
    case DELETE:
        return shoal_delete(client, c->key, c->key_len, error);
    case TOUCH:
        return shoal_touch(client, c->key, c->key_len, c->ttl_s, error);
    default:
        return shoal_flush_all(client, error);
    }
}

/* A token is asked for only where the step names one, so that stores without it are proved as well. */
static bool names_token(const struct step *step) {
    for (size_t i = step->arrow + 2; i < step->words.count; i++)
        if (strncmp(step->words.at[i].bytes, "cas=", 4) == 0 || strncmp(step->words.at[i].bytes, "not_cas=", 8) == 0)
            return true;
    return false;
}

bool step_run(struct step *step, shoal_client *client, struct tokens *tokens, char reason[REASON_SIZE]) {
    struct call call;
    struct outcome outcome = {.status = SHOAL_OK};
    shoal_error *error = NULL;
    if (!read_call(step, &call, tokens, reason))
        return false;
    bool wants_token = call.verb->kind == STORE && names_token(step);
    outcome.status = call_single(client, &call, wants_token ? &outcome.token : NULL, &outcome, &error);
    if (outcome.owner != NULL)
        take_value(&outcome);
    bool fine = check(step, &call, &outcome, false, tokens, reason);
    size_t used = fine ? 0 : strlen(reason);
    if (!fine && error != NULL)
        snprintf(reason + used, REASON_SIZE - used, ": %s", shoal_error_message(error));
    if (fine && shoal_error_status(error) != (outcome.status < 0 ? outcome.status : SHOAL_OK))
        fine = refuse(reason, "came an error object of %s", shoal_status_name(shoal_error_status(error)));
    shoal_value_free(outcome.owner);
    shoal_error_free(error);
    return fine;
}

bool step_add(struct step *step, shoal_batch *batch, const struct tokens *tokens, char reason[REASON_SIZE]) {
    struct call c;
    shoal_status status = SHOAL_OK;
    if (!read_call(step, &c, tokens, reason))
        return false;
    if (c.verb->kind == GET)
        status = shoal_batch_get(batch, c.key, c.key_len, NULL);
    else if (c.verb->kind == STORE)
        status = shoal_batch_store(batch, c.verb->mode, c.key, c.key_len, c.value, c.value_len, (uint32_t)c.flags,
                                   c.ttl_s, c.token, NULL);
    else if (c.verb->kind == DELETE)
        status = shoal_batch_delete(batch, c.key, c.key_len, NULL);
    else if (c.verb->kind == TOUCH)
        status = shoal_batch_touch(batch, c.key, c.key_len, c.ttl_s, NULL);
    else
        return refuse(reason, "%s is nothing for a batch", c.verb->name);
    return status == SHOAL_OK || refuse(reason, "could not be added: %s", shoal_status_name(status));
}

bool step_check_item(struct step *step, const shoal_batch *batch, size_t index, struct tokens *tokens,
                     char reason[REASON_SIZE]) {
    struct outcome outcome = {.status = shoal_batch_status(batch, index)};
    struct call call = {.verb = NULL};
    if (!read_verb(step, &call, reason))
        return false;
    if (shoal_batch_value(batch, index, &outcome.data, &outcome.size, &outcome.flags, &outcome.token) != outcome.status)
        return refuse(reason, "its value has another status than itself");
    if (shoal_error_status(shoal_batch_error(batch, index)) != (outcome.status < 0 ? outcome.status : SHOAL_OK))
        return refuse(reason, "came %s, with an error of another status", shoal_status_name(outcome.status));
    return check(step, &call, &outcome, true, tokens, reason);
}
