/* The endpoint string, read from the left: scheme, items between commas, options after the `?`.
 * May include: base/, node_list, text. */
#include "logic/endpoint.h"

#include "base/address.h"
#include "logic/text.h"

#include <stdlib.h>
#include <string.h>

/* What the items of a form may be. */
enum {
    TAKES_HOST = 1,
    TAKES_PORT = 2,
    TAKES_WEIGHT = 4,
    TAKES_PATH = 8,
    TAKES_MANY = 16,
    TAKES_LIST = TAKES_HOST | TAKES_PORT | TAKES_WEIGHT | TAKES_PATH | TAKES_MANY,
};

static const struct scheme {
    const char *name;
    enum shoal__endpoint_kind kind;
    enum shoal__service service;
    bool tls;
    unsigned takes;
} schemes[] = {
    {"elasticache", SHOAL__ENDPOINT_DISCOVER, SHOAL__SERVICE_ELASTICACHE, false, TAKES_HOST | TAKES_PORT | TAKES_MANY},
    {"elasticaches", SHOAL__ENDPOINT_DISCOVER, SHOAL__SERVICE_ELASTICACHE, true, TAKES_HOST | TAKES_PORT | TAKES_MANY},
    {"memorystore", SHOAL__ENDPOINT_DISCOVER, SHOAL__SERVICE_MEMORYSTORE, false, TAKES_HOST | TAKES_PORT | TAKES_MANY},
    {"static", SHOAL__ENDPOINT_STATIC, SHOAL__SERVICE_ANY, false, TAKES_LIST},
    {"unix", SHOAL__ENDPOINT_STATIC, SHOAL__SERVICE_ANY, false, TAKES_PATH},
    {"dns", SHOAL__ENDPOINT_DNS, SHOAL__SERVICE_ANY, false, TAKES_HOST | TAKES_PORT},
    {"srv", SHOAL__ENDPOINT_SRV, SHOAL__SERVICE_ANY, false, TAKES_HOST},
};

/* The forms without a scheme. */
static const struct scheme bare_list = {"", SHOAL__ENDPOINT_STATIC, SHOAL__SERVICE_ANY, false, TAKES_LIST};
static const struct scheme bare_path = {"", SHOAL__ENDPOINT_STATIC, SHOAL__SERVICE_ANY, false, TAKES_PATH};
static const struct scheme bare_host = {"", SHOAL__ENDPOINT_DISCOVER, SHOAL__SERVICE_ANY, false,
                                        TAKES_HOST | TAKES_PORT};

/* The text being read, for the errors. */
struct source {
    const char *what;          /* "endpoint", or the option that holds a list */
    struct shoal__slice whole; /* without the `?` part */
    bool is_secret;            /* holds an '@': any part may be a password, so none is quoted */
    struct shoal__fault *fault;
};

static shoal_status refuse_whole(const struct source *source, const char *complaint) {
    struct shoal__quote whole;
    return shoal__fault_set(source->fault, SHOAL_E_BAD_ENDPOINT, "%s \"%s\": %s", source->what,
                            source->is_secret ? "..." : shoal__quote_slice(&whole, source->whole), complaint);
}

static shoal_status refuse(const struct source *source, const char *noun, struct shoal__slice part,
                           const char *complaint) {
    struct shoal__quote whole, quote;
    return shoal__fault_set(source->fault, SHOAL_E_BAD_ENDPOINT, "%s \"%s\": %s \"%s\" %s", source->what,
                            source->is_secret ? "..." : shoal__quote_slice(&whole, source->whole), noun,
                            source->is_secret ? "..." : shoal__quote_slice(&quote, part), complaint);
}

static shoal_status out_of_memory(struct shoal__fault *fault) {
    return shoal__fault_set(fault, SHOAL_E_NO_MEMORY, "out of memory while reading an endpoint");
}

static bool is_ipv6(struct shoal__slice slice) {
    char text[INET6_ADDRSTRLEN];
    if (slice.size == 0 || slice.size >= sizeof(text) || slice.bytes[0] == '[')
        return false;
    memcpy(text, slice.bytes, slice.size);
    text[slice.size] = '\0';
    struct shoal__address address;
    return shoal__address_parse(text, 0, &address) && address.socket.any.sa_family == AF_INET6;
}

/* What an item says. */
struct item {
    struct shoal__slice host;
    struct shoal__slice numbers[2]; /* port and weight */
    unsigned number_count;
};

static shoal_status split_numbers(const struct source *source, struct shoal__slice whole, struct shoal__slice rest,
                                  struct item *item) {
    struct shoal__slice number;
    item->number_count = 0;
    while (shoal__slice_next(&rest, ':', &number)) {
        if (item->number_count == 2)
            return refuse(source, "element", whole,
                          "has too many colons: write host:port or host:port:weight, and an IPv6 address in brackets, "
                          "as in [::1]:11211");
        item->numbers[item->number_count++] = number;
    }
    return SHOAL_OK;
}

static shoal_status split_bracketed(const struct source *source, struct shoal__slice whole, struct item *item) {
    struct shoal__slice inside = {whole.bytes + 1, whole.size - 1};
    struct shoal__slice rest, nothing;
    if (!shoal__slice_cut(inside, ']', &item->host, &rest))
        return refuse(source, "element", whole, "has no closing bracket: write [address]:port");
    if (!is_ipv6(item->host))
        return refuse(source, "host", item->host, "is not an IPv6 address, as brackets promise");
    if (rest.size == 0)
        return SHOAL_OK;
    if (rest.bytes[0] != ':')
        return refuse(source, "element", whole, "goes on after the bracket: write [address]:port");
    shoal__slice_cut(rest, ':', &nothing, &rest);
    return split_numbers(source, whole, rest, item);
}

static shoal_status split_item(const struct source *source, struct shoal__slice whole, struct item *item) {
    *item = (struct item){0};
    if (whole.size > 0 && whole.bytes[0] == '[')
        return split_bracketed(source, whole, item);
    if (is_ipv6(whole))
        return refuse(source, "host", whole, "is an IPv6 address: put it in brackets, as in [::1]:11211");
    struct shoal__slice rest;
    shoal__slice_cut(whole, ':', &item->host, &rest);
    shoal_status status = split_numbers(source, whole, rest, item);
    if (status != SHOAL_OK)
        return status;
    if (item->host.size == 0)
        return refuse(source, "element", whole, "names no host: write host:port");
    if (!shoal__slice_is_host(item->host))
        return refuse(source, "host", item->host,
                      "is no host name: letters, digits, '-', '.', '_', at most 253 of them");
    return SHOAL_OK;
}

static shoal_status read_host(const struct source *source, unsigned takes, struct shoal__slice whole,
                              struct shoal__node_list *nodes) {
    struct item item;
    uint64_t weight = 1;
    uint16_t port = takes & TAKES_PORT ? SHOAL__DEFAULT_PORT : 0;
    shoal_status status = split_item(source, whole, &item);
    if (status != SHOAL_OK)
        return status;
    if (item.number_count > 0 && !(takes & TAKES_PORT))
        return refuse(source, "element", whole, "holds a port: write the name alone, its records hold the ports");
    if (item.number_count > 0 && !shoal__slice_port(item.numbers[0], &port))
        return refuse(source, "port", item.numbers[0], "is not a number from 1 to 65535");
    if (item.number_count > 1 && !(takes & TAKES_WEIGHT))
        return refuse(source, "element", whole,
                      "has too many colons: an IPv6 address goes in brackets, as in [::1]:11211, and weights are for "
                      "lists, as in static://host:port:weight");
    if (item.number_count > 1 && (!shoal__slice_number(item.numbers[1], UINT16_MAX, &weight) || weight == 0))
        return refuse(source, "weight", item.numbers[1], "is not a number from 1 to 65535");
    if (!shoal__node_list_add(nodes, item.host.bytes, item.host.size, "", 0, port, (uint32_t)weight))
        return out_of_memory(source->fault);
    return SHOAL_OK;
}

static shoal_status read_path(const struct source *source, struct shoal__slice path, struct shoal__node_list *nodes) {
    if (path.size >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
        return refuse(source, "path", path, "is too long for a Unix socket");
    for (size_t i = 0; i < path.size; i++) {
        if (shoal__byte_is_blank(path.bytes[i]))
            return refuse(source, "path", path, "holds a control character");
        if (path.bytes[i] == ',')
            return refuse(source, "path", path, "holds a comma: write several paths as /a,/b");
    }
    if (!shoal__node_list_add(nodes, path.bytes, path.size, "", 0, 0, 1))
        return out_of_memory(source->fault);
    return SHOAL_OK;
}

static shoal_status read_item(const struct source *source, unsigned takes, struct shoal__slice item,
                              struct shoal__node_list *nodes) {
    if (item.size == 0)
        return refuse_whole(source, source->whole.size == 0 ? "is empty: write host:port"
                                                            : "holds an empty element: a host:port stands on each "
                                                              "side of a comma and after a scheme");
    bool is_path = item.bytes[0] == '/';
    if (is_path && !(takes & TAKES_PATH))
        return refuse(source, "element", item, "is a path: this form takes host:port");
    if (!is_path && !(takes & TAKES_HOST))
        return refuse(source, "path", item, "does not start with '/': write unix:///path");
    return is_path ? read_path(source, item, nodes) : read_host(source, takes, item, nodes);
}

static shoal_status read_items(const struct source *source, unsigned takes, struct shoal__slice items,
                               struct shoal__node_list *nodes) {
    struct shoal__slice item;
    unsigned count = 0;
    if (!(takes & (TAKES_MANY | TAKES_HOST)))
        return read_item(source, takes, items, nodes);
    while (shoal__slice_next(&items, ',', &item)) {
        if (++count == 2 && !(takes & TAKES_MANY))
            return refuse_whole(source, "holds a comma: this scheme takes one name");
        shoal_status status = read_item(source, takes, item, nodes);
        if (status != SHOAL_OK)
            return status;
    }
    return SHOAL_OK;
}

static bool holds_any(struct shoal__slice slice, const char *bytes) {
    for (size_t i = 0; i < slice.size; i++)
        if (strchr(bytes, slice.bytes[i]) != NULL)
            return true;
    return false;
}

/* Looked for before anything is quoted. A path may hold an '@' of its own. */
static shoal_status check_characters(struct source *source, struct shoal__slice options, bool is_path) {
    static const char whitespace[] = " \t\n\v\f\r";
    bool holds_at = holds_any(source->whole, "@");
    source->is_secret = holds_at || holds_any(options, "@");
    if (holds_at && !is_path)
        return shoal__fault_set(source->fault, SHOAL_E_BAD_ENDPOINT,
                                "%s: credentials do not belong in it: leave out what stands before the '@' and write "
                                "host:port",
                                source->what);
    if (holds_any(source->whole, whitespace))
        return refuse_whole(source, "holds whitespace: remove it");
    if (holds_any(options, whitespace))
        return refuse_whole(source, "what follows the \"?\" holds whitespace: remove it, or write it as %20");
    return SHOAL_OK;
}

static bool starts_with(struct shoal__slice slice, const char *start) {
    struct shoal__slice head = {slice.bytes, strlen(start)};
    return slice.size >= head.size && shoal__slice_equals_ignoring_case(head, start);
}

static struct shoal__slice skip(struct shoal__slice slice, size_t size) {
    return (struct shoal__slice){slice.bytes + size, slice.size - size};
}

/* Where "://" is, else the size. */
static size_t scheme_size(struct shoal__slice text) {
    for (size_t i = 0; i + 3 <= text.size; i++)
        if (memcmp(text.bytes + i, "://", 3) == 0)
            return i;
    return text.size;
}

/* Chooses the form, and cuts the scheme off the items. */
static shoal_status choose_form(const struct source *source, struct shoal__slice *items, const struct scheme **form) {
    struct shoal__slice whole = source->whole, head, tail;
    *items = whole;
    *form = whole.size > 0 && whole.bytes[0] == '/' ? &bare_path : &bare_host;
    if (shoal__slice_cut(whole, ',', &head, &tail))
        *form = &bare_list;
    if (starts_with(whole, "unix:/") && !starts_with(whole, "unix://")) {
        *items = skip(whole, strlen("unix:"));
        *form = &bare_path;
        return SHOAL_OK;
    }
    struct shoal__slice name = {whole.bytes, scheme_size(whole)};
    if (name.size == whole.size || whole.bytes[0] == '/')
        return SHOAL_OK;
    *items = skip(whole, name.size + strlen("://"));
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        *form = &schemes[i];
        if (shoal__slice_equals_ignoring_case(name, schemes[i].name))
            return SHOAL_OK;
    }
    return refuse(source, "scheme", name,
                  "is unknown: use elasticache, elasticaches, memorystore, static, unix, dns or srv, or host:port "
                  "alone");
}

static int hex_value(char byte) {
    char lower = shoal__byte_lower(byte);
    if (lower >= '0' && lower <= '9')
        return lower - '0';
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* The caller's; NULL where memory ran out (is_bad false) or a sequence is bad. */
static char *percent_decode(struct shoal__slice text, bool *is_bad) {
    char *decoded = malloc(text.size + 1);
    size_t used = 0;
    *is_bad = false;
    for (size_t i = 0; decoded != NULL && i < text.size; i++) {
        decoded[used++] = text.bytes[i];
        if (text.bytes[i] != '%')
            continue;
        int high = i + 2 < text.size ? hex_value(text.bytes[i + 1]) : -1;
        int low = i + 2 < text.size ? hex_value(text.bytes[i + 2]) : -1;
        if (high < 0 || low < 0 || high + low == 0) {
            *is_bad = true;
            free(decoded);
            return NULL;
        }
        decoded[used - 1] = (char)(high * 16 + low);
        i += 2;
    }
    if (decoded != NULL)
        decoded[used] = '\0';
    return decoded;
}

static shoal_status refuse_option(const struct source *source, size_t number, const char *complaint) {
    struct shoal__quote whole;
    return shoal__fault_set(source->fault, SHOAL_E_BAD_ENDPOINT, "%s \"%s\": option %zu after the \"?\" %s",
                            source->what, source->is_secret ? "..." : shoal__quote_slice(&whole, source->whole), number,
                            complaint);
}

static shoal_status read_option(const struct source *source, size_t number, struct shoal__slice text,
                                struct shoal__endpoint_option *option) {
    struct shoal__slice name, value;
    bool is_bad;
    bool has_value = shoal__slice_cut(text, '=', &name, &value);
    if (name.size == 0)
        return refuse_option(source, number, "has no name: write name=value, with & between them");
    if (!has_value)
        return refuse_option(source, number, "has no '=': write name=value");
    option->name = percent_decode(name, &is_bad);
    if (option->name != NULL)
        option->value = percent_decode(value, &is_bad);
    if (is_bad)
        return refuse_option(source, number, "holds a bad %-sequence: write % and two hex digits, other than %00");
    return option->name && option->value ? SHOAL_OK : out_of_memory(source->fault);
}

static shoal_status read_options(const struct source *source, struct shoal__slice text,
                                 struct shoal__endpoint *endpoint) {
    struct shoal__slice option;
    size_t most = 1;
    for (size_t i = 0; i < text.size; i++)
        most += text.bytes[i] == '&';
    endpoint->options = calloc(most, sizeof(*endpoint->options));
    if (endpoint->options == NULL)
        return out_of_memory(source->fault);
    while (shoal__slice_next(&text, '&', &option)) {
        size_t index = endpoint->option_count++;
        shoal_status status = read_option(source, index + 1, option, &endpoint->options[index]);
        if (status != SHOAL_OK)
            return status;
    }
    return SHOAL_OK;
}

/* --- ElastiCache Serverless, known by its names: NAME.serverless.REGION.cache.amazonaws.com --- */

static bool ends_with(struct shoal__slice slice, const char *end) {
    size_t size = strlen(end);
    return slice.size >= size && shoal__slice_equals_ignoring_case(skip(slice, slice.size - size), end);
}

static bool is_serverless(const char *host) {
    struct shoal__slice rest = shoal__slice_of(host), name;
    if (ends_with(rest, "."))
        rest.size--;
    return host[0] != '/' && shoal__slice_cut(rest, '.', &name, &rest) && starts_with(rest, "serverless.") &&
           shoal__slice_cut(rest, '.', &name, &rest) && shoal__slice_cut(rest, '.', &name, &rest) &&
           (shoal__slice_equals_ignoring_case(rest, "cache.amazonaws.com") ||
            shoal__slice_equals_ignoring_case(rest, "cache.amazonaws.com.cn"));
}

/* It speaks nothing but TLS, and is all the nodes there are. */
static void heed_serverless(struct shoal__endpoint *endpoint) {
    for (size_t i = 0; i < endpoint->nodes.count; i++)
        if (!is_serverless(endpoint->nodes.nodes[i].host))
            return;
    endpoint->kind = SHOAL__ENDPOINT_STATIC;
    endpoint->service = SHOAL__SERVICE_SERVERLESS;
    endpoint->tls = true;
}

static shoal_status read_endpoint(const char *text, struct shoal__endpoint *endpoint, struct shoal__fault *fault) {
    struct source source = {.what = "endpoint", .fault = fault};
    struct shoal__slice options, items;
    const struct scheme *form;
    bool has_options = shoal__slice_cut(shoal__slice_of(text), '?', &source.whole, &options);
    bool is_path = text[0] == '/' || starts_with(source.whole, "unix:/");
    shoal_status status = check_characters(&source, options, is_path);
    if (status == SHOAL_OK)
        status = choose_form(&source, &items, &form);
    if (status == SHOAL_OK)
        status = read_items(&source, form->takes, items, &endpoint->nodes);
    if (status == SHOAL_OK && has_options)
        status = read_options(&source, options, endpoint);
    if (status != SHOAL_OK)
        return status;
    endpoint->kind = form->kind;
    endpoint->service = form->service;
    endpoint->tls = form->tls;
    if (form->takes & TAKES_HOST && form->kind != SHOAL__ENDPOINT_DNS && form->kind != SHOAL__ENDPOINT_SRV)
        heed_serverless(endpoint);
    return SHOAL_OK;
}

shoal_status shoal__endpoint_parse(const char *text, struct shoal__endpoint *endpoint, struct shoal__fault *fault) {
    *endpoint = (struct shoal__endpoint){0};
    shoal_status status = read_endpoint(text, endpoint, fault);
    if (status != SHOAL_OK)
        shoal__endpoint_clear(endpoint);
    return status;
}

shoal_status shoal__endpoint_parse_list(const char *what, const char *text, struct shoal__node_list *nodes,
                                        struct shoal__fault *fault) {
    struct source source = {.what = what, .whole = shoal__slice_of(text), .fault = fault};
    *nodes = (struct shoal__node_list){0};
    shoal_status status = check_characters(&source, (struct shoal__slice){NULL, 0}, text[0] == '/');
    if (status == SHOAL_OK)
        status = read_items(&source, TAKES_LIST, source.whole, nodes);
    if (status != SHOAL_OK)
        shoal__node_list_clear(nodes);
    return status;
}

bool shoal__endpoint_copy(struct shoal__endpoint *copy, const struct shoal__endpoint *endpoint) {
    *copy = (struct shoal__endpoint){.kind = endpoint->kind, .service = endpoint->service, .tls = endpoint->tls};
    bool done = shoal__node_list_copy(&copy->nodes, &endpoint->nodes);
    if (endpoint->option_count > 0)
        copy->options = calloc(endpoint->option_count, sizeof(*copy->options));
    for (size_t i = 0; copy->options != NULL && i < endpoint->option_count; i++) {
        struct shoal__endpoint_option *option = &copy->options[copy->option_count++];
        option->name = strdup(endpoint->options[i].name);
        option->value = strdup(endpoint->options[i].value);
        done = done && option->name != NULL && option->value != NULL;
    }
    if (done && copy->option_count == endpoint->option_count)
        return true;
    shoal__endpoint_clear(copy);
    return false;
}

void shoal__endpoint_clear(struct shoal__endpoint *endpoint) {
    shoal__node_list_clear(&endpoint->nodes);
    for (size_t i = 0; i < endpoint->option_count; i++) {
        free(endpoint->options[i].name);
        free(endpoint->options[i].value);
    }
    free(endpoint->options);
    *endpoint = (struct shoal__endpoint){0};
}
