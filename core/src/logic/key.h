/* Keys: what may be sent, and what is hashed. Pure.
 * May include: base/. Called by api/. */
#ifndef SHOAL_LOGIC_KEY_H
#define SHOAL_LOGIC_KEY_H

#include "base/error.h"

#include <stddef.h>

#define SHOAL__KEY_MAX 250

/* A binary key goes as base64, which makes four bytes of three. */
#define SHOAL__BINARY_KEY_MAX 186

struct shoal__key_rule {
    const char *prefix;
    size_t prefix_len;
    bool hash_long;     /* long_keys=hash */
    bool allows_binary; /* binary_keys=true */
    bool routes_prefix; /* whether the prefix is part of what is hashed */
};

struct shoal__key {
    const char *bytes; /* as sent: the caller's own where there is no prefix, else into `room` */
    size_t size;
    bool is_binary;     /* holds bytes that no text key may have */
    size_t routed_from; /* where the part that is hashed begins */
};

/* Checks a key and puts the prefix before it. room must live as long as the key. SHOAL_E_BAD_KEY tells the length or
 * the byte, never the key itself. */
shoal_status shoal__key_make(const struct shoal__key_rule *rule, const char *bytes, size_t size,
                             char room[SHOAL__KEY_MAX], struct shoal__key *key, struct shoal__fault *fault);

#endif
