/* allow_nodes: what a list of patterns lets through is what the most generous of them lets through alone, and a second,
 * simpler reading of a pattern agrees. The input: patterns, host, address, with a NUL between them.
 * May include: common, logic/allow. */
#include "common.h"

#include "logic/allow.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The family of an address, in brackets or not, and its bytes; 0 where it is none. */
static int read_address(const char *text, unsigned char bytes[16]) {
    char bare[64];
    size_t size = strlen(text);
    if (size >= 2 && text[0] == '[' && text[size - 1] == ']') {
        text++;
        size -= 2;
    }
    if (size >= sizeof(bare))
        return 0;
    memcpy(bare, text, size);
    bare[size] = '\0';
    if (inet_pton(AF_INET, bare, bytes) == 1)
        return AF_INET;
    return inet_pton(AF_INET6, bare, bytes) == 1 ? AF_INET6 : 0;
}

/* Bit by bit. */
static bool have_same_start(const unsigned char *a, const unsigned char *b, unsigned long bits) {
    for (unsigned long i = 0; i < bits; i++)
        if (((a[i / 8] ^ b[i / 8]) & (0x80 >> (i % 8))) != 0)
            return false;
    return true;
}

/* A pattern that the check has let through, without a comma. */
static enum shoal__allowance judge_simply(const char *pattern, const struct shoal__node_spec *node) {
    unsigned char network[16], own[16];
    char *head = fuzz_text(pattern, strcspn(pattern, "/"));
    const char *digits = strchr(pattern, '/');
    int family = read_address(head, network);
    free(head);
    if (family != 0) {
        unsigned long bits = digits ? strtoul(digits + 1, NULL, 10) : (family == AF_INET ? 32 : 128);
        CHECK(bits <= (family == AF_INET ? 32 : 128));
        bool is_inside = read_address(node->address[0] ? node->address : node->host, own) == family &&
                         have_same_start(network, own, bits);
        return is_inside ? SHOAL__ALLOW_AT_ADDRESS : SHOAL__ALLOW_REFUSED;
    }
    size_t size = strlen(node->host);
    bool is_below = pattern[0] == '*';
    size_t wanted = strlen(pattern) - is_below;
    bool fits = is_below ? size > wanted && strcasecmp(node->host + size - wanted, pattern + 1) == 0
                         : strcasecmp(node->host, pattern) == 0;
    return fits ? SHOAL__ALLOW_BY_NAME : SHOAL__ALLOW_REFUSED;
}

static enum shoal__allowance better(enum shoal__allowance a, enum shoal__allowance b) {
    if (a == SHOAL__ALLOW_AT_ADDRESS || b == SHOAL__ALLOW_REFUSED)
        return a;
    return b;
}

static void check_judgement(const char *patterns, const struct shoal__node_spec *node) {
    enum shoal__allowance wanted = SHOAL__ALLOW_REFUSED;
    for (const char *rest = patterns;; rest++) {
        size_t size = strcspn(rest, ",");
        char *pattern = fuzz_text(rest, size);
        enum shoal__allowance alone = shoal__allow_judge(pattern, node);
        CHECK(size > 0);
        CHECK(alone == judge_simply(pattern, node));
        CHECK(shoal__allow_check(pattern, NULL) == SHOAL_OK);
        wanted = better(wanted, alone);
        free(pattern);
        rest += size;
        if (*rest == '\0')
            break;
    }
    CHECK(shoal__allow_judge(patterns, node) == wanted);
}

/* Up to the next NUL or the end. */
static char *take(const uint8_t **data, size_t *size) {
    const uint8_t *end = *size ? memchr(*data, '\0', *size) : NULL;
    size_t taken = end ? (size_t)(end - *data) : *size;
    char *text = fuzz_text(*data, taken);
    taken += end != NULL;
    *data += taken;
    *size -= taken;
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *patterns = take(&data, &size), *host = take(&data, &size), *address = take(&data, &size);
    struct shoal__node_spec node = {.host = host, .address = address, .port = 1, .weight = 1};
    struct shoal__fault fault = {0};
    shoal_status status = shoal__allow_check(patterns, &fault);
    enum shoal__allowance allowance = shoal__allow_judge(patterns, &node);
    if (patterns[0] == '\0')
        CHECK(status == SHOAL_OK && allowance == SHOAL__ALLOW_AT_ADDRESS);
    else if (status == SHOAL_OK)
        check_judgement(patterns, &node);
    else
        fuzz_check_fault(&fault, SHOAL_E_BAD_OPTION);
    free(patterns);
    free(host);
    free(address);
    return 0;
}
