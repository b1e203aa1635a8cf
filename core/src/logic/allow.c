/* allow_nodes. A pattern that is meant as an address but is none is refused, as this list protects somebody.
 * May include: base/, node_list, text. */
#include "logic/allow.h"

#include "base/address.h"
#include "logic/text.h"

#include <string.h>

struct pattern {
    bool is_network;
    struct shoal__address network;
    unsigned prefix_bits;
    bool below;               /* *.domain */
    struct shoal__slice name; /* the host, or the domain without its "*." */
};

static bool read_address(struct shoal__slice text, struct shoal__address *address) {
    char copy[INET6_ADDRSTRLEN + 2];
    if (text.size == 0 || text.size >= sizeof(copy) || text.bytes[0] == '/')
        return false;
    memcpy(copy, text.bytes, text.size);
    copy[text.size] = '\0';
    return shoal__address_parse(copy, 0, address);
}

static const unsigned char *bytes_of(const struct shoal__address *address, unsigned *bits) {
    if (address->socket.any.sa_family == AF_INET) {
        *bits = 32;
        return (const unsigned char *)&address->socket.ipv4.sin_addr;
    }
    *bits = 128;
    return (const unsigned char *)&address->socket.ipv6.sin6_addr;
}

/* NULL where it is one, else what is wrong with it. */
static const char *read_pattern(struct shoal__slice text, struct pattern *pattern) {
    struct shoal__slice head, digits;
    uint64_t prefix_bits;
    bool has_prefix = shoal__slice_cut(text, '/', &head, &digits);
    *pattern = (struct pattern){.name = head};
    pattern->is_network = read_address(head, &pattern->network);
    if (pattern->is_network) {
        bytes_of(&pattern->network, &pattern->prefix_bits);
        if (!has_prefix)
            return NULL;
        if (!shoal__slice_number(digits, pattern->prefix_bits, &prefix_bits))
            return "has no valid number of bits after the '/': 0 to 32, or to 128 for IPv6";
        pattern->prefix_bits = (unsigned)prefix_bits;
        return NULL;
    }
    if (has_prefix)
        return "is no network: write it as 10.0.0.0/8 or fd00::/8";
    pattern->below = head.size > 2 && memcmp(head.bytes, "*.", 2) == 0;
    if (pattern->below)
        pattern->name = (struct shoal__slice){head.bytes + 2, head.size - 2};
    if (shoal__slice_is_dotted(head))
        return "is no address: write four numbers from 0 to 255";
    if (!shoal__slice_is_host(pattern->name))
        return "is no host name, *.domain, address or network; commas alone stand between them";
    return NULL;
}

shoal_status shoal__allow_check(const char *patterns, struct shoal__fault *fault) {
    struct shoal__slice rest = shoal__slice_of(patterns), text;
    struct pattern pattern;
    if (rest.size == 0)
        return SHOAL_OK;
    while (shoal__slice_next(&rest, ',', &text)) {
        const char *complaint = read_pattern(text, &pattern);
        struct shoal__quote quote;
        if (complaint != NULL)
            return shoal__fault_set(fault, SHOAL_E_BAD_OPTION, "allow_nodes: \"%s\" %s",
                                    shoal__quote_slice(&quote, text), complaint);
    }
    return SHOAL_OK;
}

static bool is_in_network(const struct shoal__address *address, const struct pattern *pattern) {
    unsigned bits, network_bits;
    const unsigned char *bytes = bytes_of(address, &bits);
    const unsigned char *network = bytes_of(&pattern->network, &network_bits);
    if (bits != network_bits)
        return false;
    unsigned whole = pattern->prefix_bits / 8, left = pattern->prefix_bits % 8;
    if (memcmp(bytes, network, whole) != 0)
        return false;
    return left == 0 || (bytes[whole] ^ network[whole]) >> (8 - left) == 0;
}

static bool is_named(struct shoal__slice host, const struct pattern *pattern) {
    struct shoal__slice wanted = pattern->name;
    if (pattern->below) {
        if (host.size < wanted.size + 2 || host.bytes[host.size - wanted.size - 1] != '.')
            return false;
        host = (struct shoal__slice){host.bytes + host.size - wanted.size, wanted.size};
    }
    if (host.size != wanted.size)
        return false;
    for (size_t i = 0; i < host.size; i++)
        if (shoal__byte_lower(host.bytes[i]) != shoal__byte_lower(wanted.bytes[i]))
            return false;
    return true;
}

enum shoal__allowance shoal__allow_judge(const char *patterns, const struct shoal__node_spec *node) {
    struct shoal__slice rest = shoal__slice_of(patterns), text;
    struct shoal__slice host = shoal__slice_of(node->host);
    struct shoal__address address;
    struct pattern pattern;
    enum shoal__allowance allowance = SHOAL__ALLOW_REFUSED;
    if (rest.size == 0)
        return SHOAL__ALLOW_AT_ADDRESS;
    bool has_address = node->address[0] != '\0' ? read_address(shoal__slice_of(node->address), &address)
                                                : read_address(host, &address);
    while (shoal__slice_next(&rest, ',', &text)) {
        if (read_pattern(text, &pattern) != NULL)
            continue;
        if (pattern.is_network && has_address && is_in_network(&address, &pattern))
            return SHOAL__ALLOW_AT_ADDRESS;
        if (!pattern.is_network && is_named(host, &pattern))
            allowance = SHOAL__ALLOW_BY_NAME;
    }
    return allowance;
}
