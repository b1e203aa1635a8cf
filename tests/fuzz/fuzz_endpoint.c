/* The endpoint string: one that is read names nodes that may be connected to, copies well and reads the same once it is
 * written down again; one that is refused leaves nothing behind and shows nothing secret.
 * May include: common, logic/endpoint. */
#include "common.h"

#include "logic/endpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

static shoal_status parse(const char *text, struct shoal__endpoint *endpoint, struct shoal__fault *fault) {
    memset(endpoint, 0x5a, sizeof(*endpoint));
    *fault = (struct shoal__fault){0};
    shoal_status status = shoal__endpoint_parse(text, endpoint, fault);
    if (status == SHOAL_OK)
        return status;
    CHECK(status == SHOAL_E_BAD_ENDPOINT);
    fuzz_check_fault(fault, status);
    fuzz_check_empty(&endpoint->nodes);
    CHECK(endpoint->options == NULL && endpoint->option_count == 0);
    CHECK(endpoint->kind == 0 && endpoint->service == 0 && !endpoint->tls);
    return status;
}

static void check_node(const struct shoal__node_spec *node, enum shoal__endpoint_kind kind) {
    bool is_path = node->host[0] == '/';
    CHECK(node->address[0] == '\0');
    if (is_path) {
        CHECK(kind == SHOAL__ENDPOINT_STATIC && node->port == 0);
        CHECK(strlen(node->host) < sizeof(((struct sockaddr_un *)NULL)->sun_path));
        for (const char *byte = node->host; *byte != '\0'; byte++)
            CHECK((unsigned char)*byte > 0x20 && *byte != 0x7f && *byte != ',');
    } else {
        fuzz_check_host(node->host);
        CHECK((node->port == 0) == (kind == SHOAL__ENDPOINT_SRV));
    }
    CHECK(node->weight > 0 && node->weight <= UINT16_MAX);
    CHECK(node->weight == 1 || kind == SHOAL__ENDPOINT_STATIC);
}

static void check_options(const char *text, const struct shoal__endpoint *endpoint) {
    const char *query = strchr(text, '?');
    size_t count = query != NULL;
    for (const char *byte = query; byte != NULL && *byte != '\0'; byte++)
        count += *byte == '&';
    CHECK(endpoint->option_count == count);
    for (size_t i = 0; i < endpoint->option_count; i++)
        CHECK(endpoint->options[i].name[0] != '\0' && endpoint->options[i].value != NULL);
}

static void check_same(const struct shoal__endpoint *a, const struct shoal__endpoint *b) {
    CHECK(a->kind == b->kind && a->service == b->service && a->tls == b->tls);
    fuzz_check_same_list(&a->nodes, &b->nodes);
    CHECK(a->option_count == b->option_count);
    for (size_t i = 0; i < a->option_count; i++) {
        CHECK(strcmp(a->options[i].name, b->options[i].name) == 0);
        CHECK(strcmp(a->options[i].value, b->options[i].value) == 0);
    }
}

static void write_encoded(FILE *stream, const char *text) {
    for (; *text != '\0'; text++)
        fprintf(stream, "%%%02X", (unsigned char)*text);
}

/* The endpoint in full: scheme, ports, weights, every byte of an option encoded. A list that starts with a path goes
 * without its scheme, as an '@' may stand in a path alone. The caller's. */
static char *write_endpoint(const struct shoal__endpoint *endpoint) {
    static const char *const services[] = {"", "elasticache", "memorystore"};
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    CHECK(stream != NULL);
    if (endpoint->kind == SHOAL__ENDPOINT_DISCOVER && endpoint->service != SHOAL__SERVICE_ANY)
        fprintf(stream, "%s%s://", services[endpoint->service], endpoint->tls ? "s" : "");
    else if (endpoint->kind != SHOAL__ENDPOINT_DISCOVER && endpoint->nodes.nodes[0].host[0] != '/')
        fprintf(stream, "%s://",
                endpoint->kind == SHOAL__ENDPOINT_STATIC ? "static"
                : endpoint->kind == SHOAL__ENDPOINT_DNS  ? "dns"
                                                         : "srv");
    for (size_t i = 0; i < endpoint->nodes.count; i++) {
        const struct shoal__node_spec *node = &endpoint->nodes.nodes[i];
        bool in_brackets = strchr(node->host, ':') != NULL && node->host[0] != '/';
        fprintf(stream, in_brackets ? "%s[%s]" : "%s%s", i ? "," : "", node->host);
        if (node->port != 0)
            fprintf(stream, ":%u", node->port);
        if (node->weight != 1)
            fprintf(stream, ":%u", node->weight);
    }
    for (size_t i = 0; i < endpoint->option_count; i++) {
        fputc(i ? '&' : '?', stream);
        write_encoded(stream, endpoint->options[i].name);
        fputc('=', stream);
        write_encoded(stream, endpoint->options[i].value);
    }
    CHECK(fclose(stream) == 0);
    return text;
}

static void check_endpoint(const char *text, const struct shoal__endpoint *endpoint) {
    bool takes_many = endpoint->kind == SHOAL__ENDPOINT_STATIC || endpoint->service != SHOAL__SERVICE_ANY;
    fuzz_check_list(&endpoint->nodes);
    CHECK(takes_many || endpoint->nodes.count == 1);
    bool is_serverless = endpoint->service == SHOAL__SERVICE_SERVERLESS;
    CHECK(endpoint->service == SHOAL__SERVICE_ANY ||
          endpoint->kind == (is_serverless ? SHOAL__ENDPOINT_STATIC : SHOAL__ENDPOINT_DISCOVER));
    CHECK(is_serverless ? endpoint->tls : !endpoint->tls || endpoint->service == SHOAL__SERVICE_ELASTICACHE);
    for (size_t i = 0; i < endpoint->nodes.count; i++)
        check_node(&endpoint->nodes.nodes[i], endpoint->kind);
    check_options(text, endpoint);

    struct shoal__endpoint other;
    struct shoal__fault fault;
    CHECK(shoal__endpoint_copy(&other, endpoint));
    check_same(&other, endpoint);
    shoal__endpoint_clear(&other);
    char *written = write_endpoint(endpoint);
    CHECK(parse(written, &other, &fault) == SHOAL_OK);
    check_same(&other, endpoint);
    shoal__endpoint_clear(&other);
    free(written);
}

/* Another secret behind the `?` gives the same words: nothing of it is quoted. */
static void check_discretion(const char *text, const struct shoal__fault *fault) {
    struct shoal__endpoint endpoint;
    struct shoal__fault other_fault;
    char *other = fuzz_text(text, strlen(text));
    for (char *byte = strchr(other, '?'); byte != NULL && *byte != '\0'; byte++)
        *byte = fuzz_other_byte(*byte);
    CHECK(parse(other, &endpoint, &other_fault) == fault->status);
    CHECK(strcmp(other_fault.text, fault->text) == 0);
    free(other);
    /* What holds an '@' may be a password before the `?` too; a path may hold one of its own. */
    const char *at = strchr(text, '@'), *query = strchr(text, '?');
    if (at == NULL || (query != NULL && query < at) || text[0] == '/' || strncasecmp(text, "unix:/", 6) == 0)
        return;
    CHECK(parse("user:password@host", &endpoint, &other_fault) == fault->status);
    CHECK(strcmp(other_fault.text, fault->text) == 0);
}

/* Lists that stand in other options take the same items. */
static void check_list(const char *text) {
    struct shoal__node_list list;
    struct shoal__fault fault = {0};
    memset(&list, 0x5a, sizeof(list));
    shoal_status status = shoal__endpoint_parse_list("discovery_fallback", text, &list, &fault);
    if (status == SHOAL_OK) {
        fuzz_check_list(&list);
        for (size_t i = 0; i < list.count; i++)
            check_node(&list.nodes[i], SHOAL__ENDPOINT_STATIC);
    } else {
        CHECK(status == SHOAL_E_BAD_ENDPOINT);
        fuzz_check_fault(&fault, status);
        CHECK(strncmp(fault.text, "discovery_fallback", strlen("discovery_fallback")) == 0);
        fuzz_check_empty(&list);
    }
    shoal__node_list_clear(&list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = fuzz_text(data, size);
    struct shoal__endpoint endpoint;
    struct shoal__fault fault;
    if (parse(text, &endpoint, &fault) == SHOAL_OK)
        check_endpoint(text, &endpoint);
    else
        check_discretion(text, &fault);
    shoal__endpoint_clear(&endpoint);
    check_list(text);
    free(text);
    return 0;
}
