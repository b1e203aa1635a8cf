/* Discovery replies. The list may come from anybody who can write to the cache, so nothing in it is believed: names
 * must be names, addresses addresses, and one bad node rejects the whole.
 * May include: base/, node_list, text. */
#include "logic/cluster_parse.h"

#include "base/address.h"
#include "logic/text.h"

#include <string.h>

/* The longest first line that is waited for; memcached's own are far shorter. */
#define HEADER_MAX 512

static enum shoal__cluster_scan malformed(struct shoal__fault *fault, const char *complaint, struct shoal__slice part) {
    struct shoal__quote quote;
    shoal__fault_set(fault, SHOAL_E_PROTOCOL, "discovery reply: %s \"%s\"", complaint,
                     shoal__quote_slice(&quote, part));
    return SHOAL__CLUSTER_MALFORMED;
}

static struct shoal__slice without_cr(struct shoal__slice line) {
    if (line.size > 0 && line.bytes[line.size - 1] == '\r')
        line.size--;
    return line;
}

/* An error line is its word alone, or the word and a text. */
static bool starts_with_word(struct shoal__slice line, const char *word) {
    struct shoal__slice head, text;
    shoal__slice_cut(line, ' ', &head, &text);
    return shoal__slice_equals(head, word);
}

/* The flags of the legacy key are whatever its writer chose. A length too large for any number is as wrong as any
 * other wrong length: END decides. */
static bool read_header(struct shoal__slice line, uint64_t *declared) {
    struct shoal__slice words[4];
    uint64_t flags;
    for (size_t i = 0; i < 4; i++)
        if (!shoal__slice_next(&line, ' ', &words[i]))
            return false;
    bool is_known =
        (shoal__slice_equals(words[0], "CONFIG") && shoal__slice_equals(words[1], "cluster")) ||
        (shoal__slice_equals(words[0], "VALUE") && shoal__slice_equals(words[1], "AmazonElastiCache:cluster"));
    if (!is_known || line.bytes != NULL || !shoal__slice_number(words[2], UINT32_MAX, &flags))
        return false;
    if (shoal__slice_number(words[3], UINT64_MAX, declared))
        return true;
    *declared = UINT64_MAX;
    for (size_t i = 0; i < words[3].size; i++)
        if (words[3].bytes[i] < '0' || words[3].bytes[i] > '9')
            return false;
    return words[3].size > 0;
}

/* What stands before the line END; false where that line has not come yet. The payload cannot hold such a line: it is
 * neither a version nor a list of nodes. So END alone decides, and the result is the same however the bytes arrive. */
static bool find_payload(struct shoal__slice rest, struct shoal__slice *payload) {
    const char *start = rest.bytes;
    struct shoal__slice line;
    while (shoal__slice_cut(rest, '\n', &line, &rest)) {
        if (!shoal__slice_equals(without_cr(line), "END"))
            continue;
        *payload = (struct shoal__slice){start, (size_t)(line.bytes - start)};
        if (payload->size >= 2 && memcmp(line.bytes - 2, "\r\n", 2) == 0)
            payload->size -= 2;
        return true;
    }
    return false;
}

enum shoal__cluster_scan shoal__cluster_scan_reply(const char *bytes, size_t size, struct shoal__cluster_frame *frame,
                                                   struct shoal__fault *fault) {
    struct shoal__slice reply = {bytes, size < SHOAL__CLUSTER_REPLY_MAX ? size : SHOAL__CLUSTER_REPLY_MAX};
    struct shoal__slice start = {bytes, size < HEADER_MAX ? size : HEADER_MAX};
    struct shoal__slice line, rest, payload;
    uint64_t declared;
    *frame = (struct shoal__cluster_frame){0};
    if (!shoal__slice_cut(start, '\n', &line, &rest))
        return size < HEADER_MAX ? SHOAL__CLUSTER_INCOMPLETE : malformed(fault, "the first line has no end:", line);
    line = without_cr(line);
    if (shoal__slice_equals(line, "END"))
        return SHOAL__CLUSTER_EMPTY;
    if (starts_with_word(line, "ERROR") || starts_with_word(line, "CLIENT_ERROR") ||
        starts_with_word(line, "SERVER_ERROR"))
        return SHOAL__CLUSTER_REFUSED;
    if (!read_header(line, &declared))
        return malformed(fault, "should start with CONFIG cluster 0 LENGTH, but starts with", line);
    shoal__slice_cut(reply, '\n', &line, &rest);
    if (find_payload(rest, &payload)) {
        frame->payload = payload.bytes;
        frame->payload_size = payload.size;
        frame->length_differs = declared != payload.size;
        return SHOAL__CLUSTER_PAYLOAD;
    }
    if (size < SHOAL__CLUSTER_REPLY_MAX)
        return SHOAL__CLUSTER_INCOMPLETE;
    return malformed(fault, "has no END within 1 MiB after", without_cr(line));
}

static shoal_status refuse(struct shoal__fault *fault, const char *noun, struct shoal__slice part,
                           const char *complaint) {
    struct shoal__quote quote;
    return shoal__fault_set(fault, SHOAL_E_PROTOCOL, "discovery reply: %s \"%s\" %s", noun,
                            shoal__quote_slice(&quote, part), complaint);
}

/* A path is no address here: a planted list must not lead to a socket of this machine. */
static bool is_numeric(struct shoal__slice slice) {
    char text[INET6_ADDRSTRLEN];
    if (slice.size == 0 || slice.size >= sizeof(text) || memchr(slice.bytes, '\0', slice.size) != NULL ||
        slice.bytes[0] == '/' || slice.bytes[0] == '[')
        return false;
    memcpy(text, slice.bytes, slice.size);
    text[slice.size] = '\0';
    struct shoal__address address;
    return shoal__address_parse(text, 0, &address);
}

static struct shoal__slice without_brackets(struct shoal__slice slice) {
    if (slice.size < 2 || slice.bytes[0] != '[' || slice.bytes[slice.size - 1] != ']')
        return slice;
    struct shoal__slice inside = {slice.bytes + 1, slice.size - 2};
    return is_numeric(inside) ? inside : slice;
}

static bool is_host(struct shoal__slice slice) {
    return is_numeric(slice) || (shoal__slice_is_host(slice) && !shoal__slice_is_dotted(slice));
}

/* host|ip|port. A name in the column of the address is no help: then the host is resolved, as if it were blank. */
static shoal_status read_node(struct shoal__slice text, struct shoal__node_list *nodes, struct shoal__fault *fault) {
    struct shoal__slice rest = text, host, address, digits;
    uint16_t port;
    if (!shoal__slice_next(&rest, '|', &host) || !shoal__slice_next(&rest, '|', &address) ||
        !shoal__slice_next(&rest, '|', &digits) || rest.bytes != NULL)
        return refuse(fault, "node", text, "should be host|ip|port");
    host = without_brackets(host);
    address = without_brackets(address);
    if (host.size == 0)
        host = address;
    if (host.size == 0)
        return refuse(fault, "node", text, "names neither a host nor an address");
    if (!is_host(host))
        return refuse(fault, "host", host, "is neither a host name nor an address");
    if (address.size > 0 && !is_host(address))
        return refuse(fault, "address", address, "is not an IP address");
    if (!is_numeric(address))
        address.size = 0;
    if (!shoal__slice_port(digits, &port))
        return refuse(fault, "port", digits, "is not a number from 1 to 65535");
    if (!shoal__node_list_add(nodes, host.bytes, host.size, address.bytes, address.size, port, 1))
        return shoal__fault_set(fault, SHOAL_E_NO_MEMORY, "out of memory while reading a discovery reply");
    return SHOAL_OK;
}

static shoal_status check_blank(struct shoal__slice rest, struct shoal__fault *fault) {
    for (size_t i = 0; i < rest.size; i++)
        if (strchr(" \r\n", rest.bytes[i]) == NULL || rest.bytes[i] == '\0')
            return refuse(fault, "text", (struct shoal__slice){rest.bytes + i, rest.size - i},
                          "follows the line of nodes");
    return SHOAL_OK;
}

static shoal_status read_payload(struct shoal__slice rest, struct shoal__cluster *cluster, struct shoal__fault *fault) {
    struct shoal__slice version, line, node;
    shoal__slice_cut(rest, '\n', &version, &rest);
    version = without_cr(version);
    if (!shoal__slice_number(version, UINT64_MAX, &cluster->version))
        return refuse(fault, "version", version, "is not a decimal number of 64 bits");
    shoal__slice_cut(rest, '\n', &line, &rest);
    line = without_cr(line);
    while (shoal__slice_next(&line, ' ', &node)) {
        shoal_status status = node.size > 0 ? read_node(node, &cluster->nodes, fault) : SHOAL_OK;
        if (status != SHOAL_OK)
            return status;
    }
    if (cluster->nodes.count == 0)
        return refuse(fault, "version", version, "is followed by no node");
    return check_blank(rest, fault);
}

shoal_status shoal__cluster_parse(const char *payload, size_t size, struct shoal__cluster *cluster,
                                  struct shoal__fault *fault) {
    *cluster = (struct shoal__cluster){0};
    shoal_status status = read_payload((struct shoal__slice){payload, size}, cluster, fault);
    if (status != SHOAL_OK)
        shoal__cluster_clear(cluster);
    return status;
}

void shoal__cluster_clear(struct shoal__cluster *cluster) {
    shoal__node_list_clear(&cluster->nodes);
    *cluster = (struct shoal__cluster){0};
}
