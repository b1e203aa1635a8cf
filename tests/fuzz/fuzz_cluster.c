/* The discovery reply: however its bytes are cut, the same frame comes out; whatever list is taken from it names nodes
 * that may be connected to, and written down again it reads the same. The input is also read as a payload alone.
 * May include: common, logic/cluster_parse. */
#include "common.h"

#include "logic/cluster_parse.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct scanned {
    enum shoal__cluster_scan result;
    size_t start; /* of the payload, in the reply */
    size_t size;
    bool length_differs;
};

static struct scanned scan(const uint8_t *data, size_t size) {
    char *bytes = fuzz_copy(data, size);
    struct shoal__cluster_frame frame;
    struct shoal__fault fault = {0};
    memset(&frame, 0x5a, sizeof(frame));
    struct scanned scanned = {.result = shoal__cluster_scan_reply(bytes, size, &frame, &fault)};
    if (scanned.result == SHOAL__CLUSTER_MALFORMED)
        fuzz_check_fault(&fault, SHOAL_E_PROTOCOL);
    else
        CHECK(fault.status == SHOAL_OK);
    if (scanned.result == SHOAL__CLUSTER_PAYLOAD) {
        CHECK(frame.payload >= bytes && frame.payload + frame.payload_size <= bytes + size);
        scanned.start = (size_t)(frame.payload - bytes);
        scanned.size = frame.payload_size;
        scanned.length_differs = frame.length_differs;
    } else {
        CHECK(frame.payload == NULL && frame.payload_size == 0 && !frame.length_differs);
    }
    free(bytes);
    return scanned;
}

/* What was decided of the first bytes stands, whatever comes behind them. */
static struct scanned scan_in_pieces(const uint8_t *data, size_t size) {
    struct scanned before = {.result = SHOAL__CLUSTER_INCOMPLETE}, now = before;
    for (size_t part = 0; part <= size; part++) {
        now = scan(data, part);
        if (before.result != SHOAL__CLUSTER_INCOMPLETE) {
            CHECK(now.result == before.result);
            CHECK(now.start == before.start && now.size == before.size);
            CHECK(now.length_differs == before.length_differs);
        }
        before = now;
    }
    return now;
}

/* The list as a server would send it. The caller's. */
static char *write_payload(const struct shoal__cluster *cluster, size_t *size) {
    char *text = NULL;
    FILE *stream = open_memstream(&text, size);
    CHECK(stream != NULL);
    fprintf(stream, "%" PRIu64 "\n", cluster->version);
    for (size_t i = 0; i < cluster->nodes.count; i++)
        fprintf(stream, "%s%s|%s|%u", i ? " " : "", cluster->nodes.nodes[i].host, cluster->nodes.nodes[i].address,
                cluster->nodes.nodes[i].port);
    fprintf(stream, "\n");
    CHECK(fclose(stream) == 0);
    return text;
}

static void check_cluster(const struct shoal__cluster *cluster) {
    fuzz_check_list(&cluster->nodes);
    for (size_t i = 0; i < cluster->nodes.count; i++) {
        const struct shoal__node_spec *node = &cluster->nodes.nodes[i];
        fuzz_check_host(node->host);
        CHECK(node->address[0] == '\0' || fuzz_is_address(node->address));
        /* Digits and dots are an address or nothing: a resolver would read 1.2 as 1.0.0.2. */
        CHECK(fuzz_is_address(node->host) || strspn(node->host, "0123456789.") < strlen(node->host));
        CHECK(node->port > 0 && node->weight == 1);
    }
    struct shoal__cluster again;
    struct shoal__fault fault;
    size_t size;
    char *text = write_payload(cluster, &size);
    CHECK(shoal__cluster_parse(text, size, &again, &fault) == SHOAL_OK);
    CHECK(again.version == cluster->version);
    fuzz_check_same_list(&again.nodes, &cluster->nodes);
    shoal__cluster_clear(&again);
    free(text);
}

static void parse(const uint8_t *data, size_t size) {
    char *payload = fuzz_copy(data, size);
    struct shoal__cluster cluster;
    struct shoal__fault fault = {0};
    memset(&cluster, 0x5a, sizeof(cluster));
    shoal_status status = shoal__cluster_parse(payload, size, &cluster, &fault);
    free(payload);
    if (status == SHOAL_OK) {
        check_cluster(&cluster);
    } else {
        CHECK(status == SHOAL_E_PROTOCOL);
        fuzz_check_fault(&fault, status);
        fuzz_check_empty(&cluster.nodes);
        CHECK(cluster.version == 0);
    }
    shoal__cluster_clear(&cluster);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct scanned scanned = scan_in_pieces(data, size);
    if (scanned.result == SHOAL__CLUSTER_PAYLOAD)
        parse(data + scanned.start, scanned.size);
    parse(data, size);
    return 0;
}
