/* Random operations on few keys.
 * May include: libc, the public headers, random_operations.h. */
#include "random_operations.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define LARGE_SIZE ((size_t)100 * 1024)
#define TOO_LARGE_SIZE ((size_t)2 * 1024 * 1024)
#define POOL_SIZE (TOO_LARGE_SIZE + 8192)

/* --- Randomness: splitmix64 --- */

uint64_t random_next(struct random *random) {
    uint64_t z = random->state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

unsigned random_below(struct random *random, unsigned bound) {
    return (unsigned)(random_next(random) % bound);
}

static bool one_in(struct random *random, unsigned bound) {
    return random_below(random, bound) == 0;
}

/* Of all magnitudes: every number of digits is as likely. */
static uint64_t any_number(struct random *random) {
    uint64_t bits = random_next(random);
    return bits >> random_below(random, 64);
}

/* --- Keys --- */

const char *operation_key(unsigned key, size_t *size) {
    static char keys[KEY_COUNT + 1][251];
    static const char *const odd[] = {"-1", "ключ", "\xff\x80", "noreply", "(k)"};
    char *bytes = keys[key];
    if (*bytes == '\0') {
        if (key < sizeof(odd) / sizeof(odd[0]))
            snprintf(bytes, sizeof(keys[0]), "%s", odd[key]);
        else if (key == KEY_COUNT - 1)
            memset(bytes, 'k', 250);
        else
            snprintf(bytes, sizeof(keys[0]), key == BAD_KEY ? "bad key %u" : "key-%u", key);
    }
    *size = strlen(bytes);
    return bytes;
}

/* --- Values: pieces of one pool of bytes, or numbers ---
 *
 * None is white space alone: looking for a number there, memcached reads on into what lay in that memory before. */

static const char *byte_pool(void) {
    static char pool[POOL_SIZE];
    static bool is_filled;
    struct random filler = {.state = 1};
    for (size_t i = 0; !is_filled && i < POOL_SIZE; i++) {
        static const char lines[] = "\r\nEND\r\nHD\r\nVA 1\r\n";
        uint64_t any = random_next(&filler);
        pool[i] = (any & 7) == 0 ? lines[(any >> 3) % (sizeof(lines) - 1)] : (char)(any >> 32);
    }
    is_filled = true;
    return pool;
}

static size_t any_size(struct random *random) {
    unsigned kind = random_below(random, 1000);
    if (kind < 15)
        return TOO_LARGE_SIZE;
    if (kind < 40)
        return LARGE_SIZE + random_below(random, 4096);
    if (kind < 150)
        return 0;
    if (kind < 250)
        return 2048 + random_below(random, 4096);
    return random_below(random, 200);
}

/* No value is made of nothing but white space: counting in one, memcached reads on into what lay in its memory before.
 */
static const char *skip_space(const char *bytes) {
    while (isspace((unsigned char)*bytes))
        bytes++;
    return bytes;
}

static void give_value(struct operation *operation, struct random *random) {
    unsigned kind = random_below(random, 10);
    if (kind < 6) {
        operation->value_len = any_size(random);
        operation->value = skip_space(byte_pool() + random_below(random, 4096));
        return;
    }
    static const char *const formats[] = {"%llu", "00%llu", "%llu ", " %llu"};
    snprintf(operation->digits, sizeof(operation->digits), formats[kind - 6], (unsigned long long)any_number(random));
    operation->value = operation->digits;
    operation->value_len = strlen(operation->digits);
}

static int64_t any_ttl_s(struct random *random) {
    static const int64_t ttls_s[] = {0, 0, 0, 0, 1000, 1000, 1000, (int64_t)1 << 31, 2592001, -1};
    return ttls_s[random_below(random, sizeof(ttls_s) / sizeof(ttls_s[0]))];
}

/* --- Operations --- */

static unsigned any_key(struct random *random) {
    return one_in(random, 200) ? BAD_KEY : random_below(random, KEY_COUNT);
}

static void give_store(struct operation *operation, struct random *random) {
    static const int modes[] = {SHOAL_SET, SHOAL_SET, SHOAL_ADD, SHOAL_REPLACE, SHOAL_APPEND, SHOAL_PREPEND, SHOAL_CAS};
    operation->mode = modes[random_below(random, sizeof(modes) / sizeof(modes[0]))];
    operation->flags = one_in(random, 3) ? 0 : (uint32_t)any_number(random);
    operation->token_age = one_in(random, 2) ? TOKEN_CURRENT : (enum token_age)random_below(random, TOKEN_AGES);
    operation->wants_new_token = one_in(random, 2);
    give_value(operation, random);
}

static void give_delta(struct operation *operation, struct random *random) {
    operation->delta = (int64_t)any_number(random);
    if (one_in(random, 2))
        operation->delta = (int64_t)(any_number(random) % 20) - 10;
    operation->has_initial = one_in(random, 2);
    operation->initial = any_number(random);
}

static void give_kind(struct operation *operation, struct random *random, enum operation_kind kind) {
    memset(operation, 0, sizeof(*operation));
    operation->kind = kind;
    operation->key = any_key(random);
    operation->ttl_s = any_ttl_s(random);
    if (kind == STORE)
        give_store(operation, random);
    else if (kind == INCREMENT)
        give_delta(operation, random);
}

void operation_make(struct operation *operation, struct random *random) {
    static const enum operation_kind kinds[] = {GET,    GET,   GET_AND_TOUCH, STORE,     STORE,     STORE, STORE,
                                                DELETE, TOUCH, INCREMENT,     INCREMENT, INCREMENT, STORE};
    enum operation_kind kind = kinds[random_below(random, sizeof(kinds) / sizeof(kinds[0]))];
    give_kind(operation, random, one_in(random, 2000) ? FLUSH_ALL : kind);
}

void operation_make_for_batch(struct operation *operation, struct random *random) {
    static const enum operation_kind kinds[] = {GET, GET, GET, STORE, STORE, DELETE, TOUCH};
    give_kind(operation, random, kinds[random_below(random, sizeof(kinds) / sizeof(kinds[0]))]);
    operation->wants_new_token = false;
}

static const char *name_of(const struct operation *operation) {
    static const char *const kinds[] = {"get", "get_and_touch", "store", "delete", "touch", "increment", "flush_all"};
    static const char *const modes[] = {"set", "add", "replace", "append", "prepend", "cas"};
    return operation->kind == STORE ? modes[operation->mode] : kinds[operation->kind];
}

void operation_print(const struct operation *o, char text[OPERATION_TEXT_SIZE]) {
    static const char *const ages[] = {"current", "stale", "never given"};
    size_t used =
        (size_t)snprintf(text, OPERATION_TEXT_SIZE, "%s key %u ttl=%lld", name_of(o), o->key, (long long)o->ttl_s);
    if (o->kind == STORE)
        snprintf(text + used, OPERATION_TEXT_SIZE - used, " flags=%u, %zu bytes%s%s%s%s", o->flags, o->value_len,
                 o->value == o->digits ? ": " : "", o->digits, o->mode == SHOAL_CAS ? ", token " : "",
                 o->mode == SHOAL_CAS ? ages[o->token_age] : "");
    else if (o->kind == INCREMENT)
        snprintf(text + used, OPERATION_TEXT_SIZE - used, " delta=%lld%s%llu", (long long)o->delta,
                 o->has_initial ? " initial=" : " initial unused: ", (unsigned long long)o->initial);
}
