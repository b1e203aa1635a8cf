/* Discovery replies: where they end, however they arrive, and every way in which they can be wrong.
 * May include: logic/cluster_parse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "logic/cluster_parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#define NODES \
    "12\nc.0001.use1.cache.amazonaws.com|10.82.235.120|11211 c.0002.use1.cache.amazonaws.com|10.80.249.27|11211\n"
#define CONFIG "CONFIG cluster 0 106\r\n" NODES "\r\nEND\r\n"
#define LEGACY "VALUE AmazonElastiCache:cluster 0 106\r\n" NODES "\r\nEND\r\n"

/* Scans a copy that ends where the bytes do, so that reading on is seen. */
static enum shoal__cluster_scan scan(const char *bytes, size_t size, char **payload, bool *differs,
                                     struct shoal__fault *fault) {
    struct shoal__cluster_frame frame;
    memset(&frame, 0x5a, sizeof(frame));
    char *exact = malloc(size ? size : 1);
    memcpy(exact, bytes, size);
    enum shoal__cluster_scan result = shoal__cluster_scan_reply(exact, size, &frame, fault);
    if (payload != NULL) {
        *payload = NULL;
        *differs = frame.length_differs;
    }
    if (result == SHOAL__CLUSTER_PAYLOAD) {
        assert_true(frame.payload >= exact && frame.payload + frame.payload_size <= exact + size);
        if (payload != NULL)
            *payload = strndup(frame.payload, frame.payload_size);
    } else {
        assert_null(frame.payload);
        assert_int_equal(frame.payload_size, 0);
    }
    free(exact);
    return result;
}

static void assert_payload(const char *reply, const char *wanted, bool wanted_differs) {
    char *payload;
    bool differs;
    assert_int_equal(scan(reply, strlen(reply), &payload, &differs, NULL), SHOAL__CLUSTER_PAYLOAD);
    assert_string_equal(payload, wanted);
    assert_int_equal(differs, wanted_differs);
    free(payload);
}

static void finds_the_payload(void **state) {
    (void)state;
    assert_payload(CONFIG, NODES, false);
    assert_payload(LEGACY, NODES, false);
    assert_payload("VALUE AmazonElastiCache:cluster 17 8\r\n1\na||1\r\n\r\nEND\r\n", "1\na||1\r\n", false);
    assert_payload("VALUE AmazonElastiCache:cluster 0 6\r\n1\na||1\r\nEND\r\n", "1\na||1", false);
    assert_payload("CONFIG cluster 0 7\r\n1\na||1\nEND\r\n", "1\na||1\n", false);
    assert_payload("CONFIG cluster 0 0\r\n\r\nEND\r\n", "", false);
    assert_payload("CONFIG cluster 0 0\r\nEND\r\n", "", false);
    assert_payload("CONFIG cluster 0 7\r\n1\na||1\n\r\nEND\r\nCONFIG clu", "1\na||1\n", false);
}

static void trusts_end_over_the_length(void **state) {
    (void)state;
    static const char *const lengths[] = {
        "0", "6", "8", "136", "1048577", "18446744073709551615", "90000000000000000000000000"};
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        char reply[128];
        snprintf(reply, sizeof(reply), "CONFIG cluster 0 %s\r\n1\na||1\n\r\nEND\r\n", lengths[i]);
        assert_payload(reply, "1\na||1\n", true);
    }
    /* END inside another word or line is no END. */
    assert_payload("CONFIG cluster 0 27\r\n1\nEND.a||1 TREND||1 END||2\n\r\nEND\r\n", "1\nEND.a||1 TREND||1 END||2\n",
                   false);
}

static void waits_for_every_piece(void **state) {
    (void)state;
    static const char *const replies[] = {CONFIG,
                                          LEGACY,
                                          "END\r\n",
                                          "ERROR\r\n",
                                          "SERVER_ERROR out of memory\r\n",
                                          "CONFIG cluster 0 99\r\n1\na||1\n\r\nEND\r\n"};
    for (size_t i = 0; i < COUNT_OF(replies); i++) {
        size_t size = strlen(replies[i]);
        for (size_t part = 0; part < size; part++)
            assert_int_equal(scan(replies[i], part, NULL, NULL, NULL), SHOAL__CLUSTER_INCOMPLETE);
        assert_int_not_equal(scan(replies[i], size, NULL, NULL, NULL), SHOAL__CLUSTER_INCOMPLETE);
    }
}

static void knows_the_other_answers(void **state) {
    (void)state;
    static const struct {
        const char *reply;
        enum shoal__cluster_scan wanted;
    } cases[] = {
        {"END\r\n", SHOAL__CLUSTER_EMPTY},
        {"ERROR\r\n", SHOAL__CLUSTER_REFUSED},
        {"ERROR unknown command\r\n", SHOAL__CLUSTER_REFUSED},
        {"CLIENT_ERROR bad command line format\r\n", SHOAL__CLUSTER_REFUSED},
        {"SERVER_ERROR\r\n", SHOAL__CLUSTER_REFUSED},
        {"ERRORS\r\n", SHOAL__CLUSTER_MALFORMED},
        {"ENDS\r\n", SHOAL__CLUSTER_MALFORMED},
        {"END \r\n", SHOAL__CLUSTER_MALFORMED},
        {"\r\n", SHOAL__CLUSTER_MALFORMED},
        {"HTTP/1.1 400 Bad Request\r\n", SHOAL__CLUSTER_MALFORMED},
        {"CONFIG\r\n", SHOAL__CLUSTER_MALFORMED},
        {"CONFIG cluster\r\n", SHOAL__CLUSTER_MALFORMED},
        {"CONFIG cluster 0\r\n", SHOAL__CLUSTER_MALFORMED},
        {"CONFIG cluster 0 \r\n", SHOAL__CLUSTER_MALFORMED},
        {"CONFIG cluster 0 -1\r\n", SHOAL__CLUSTER_MALFORMED},
        {"CONFIG cluster 0 1x\r\n", SHOAL__CLUSTER_MALFORMED},
        {"CONFIG cluster x 1\r\n", SHOAL__CLUSTER_MALFORMED},
        {"CONFIG cluster 0 1 2\r\n", SHOAL__CLUSTER_MALFORMED},
        {"CONFIG other 0 1\r\n", SHOAL__CLUSTER_MALFORMED},
        {"VALUE cluster 0 1\r\n", SHOAL__CLUSTER_MALFORMED},
        {"VALUE other 0 1\r\n", SHOAL__CLUSTER_MALFORMED},
        {"config cluster 0 1\r\n", SHOAL__CLUSTER_MALFORMED},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct shoal__fault fault = {0};
        enum shoal__cluster_scan result = scan(cases[i].reply, strlen(cases[i].reply), NULL, NULL, &fault);
        if (result != cases[i].wanted)
            fail_msg("%s gave %d", cases[i].reply, (int)result);
        assert_int_equal(fault.status, result == SHOAL__CLUSTER_MALFORMED ? SHOAL_E_PROTOCOL : 0);
    }
    struct shoal__fault fault;
    assert_int_equal(scan("HTTP/1.1 \x01\xff\r\n", 13, NULL, NULL, &fault), SHOAL__CLUSTER_MALFORMED);
    assert_non_null(strstr(fault.text, "\"HTTP/1.1 \\x01\\xff\""));
}

static void bounds_the_first_line(void **state) {
    (void)state;
    struct shoal__fault fault;
    char line[2048];
    memset(line, 'x', sizeof(line));
    assert_int_equal(scan(line, 200, NULL, NULL, &fault), SHOAL__CLUSTER_INCOMPLETE);
    assert_int_equal(scan(line, sizeof(line), NULL, NULL, &fault), SHOAL__CLUSTER_MALFORMED);
    assert_non_null(strstr(fault.text, "has no end"));
    memset(line, 0, sizeof(line));
    assert_int_equal(scan(line, sizeof(line), NULL, NULL, &fault), SHOAL__CLUSTER_MALFORMED);
}

static void bounds_the_reply(void **state) {
    (void)state;
    static const char header[] = "CONFIG cluster 0 1\r\n", end[] = "\r\nEND\r\n";
    struct shoal__fault fault;
    size_t most = SHOAL__CLUSTER_REPLY_MAX;
    char *reply = malloc(most + 1);
    memset(reply, 'x', most + 1);
    memcpy(reply, header, strlen(header));
    assert_int_equal(scan(reply, most - 1, NULL, NULL, &fault), SHOAL__CLUSTER_INCOMPLETE);
    assert_int_equal(scan(reply, most, NULL, NULL, &fault), SHOAL__CLUSTER_MALFORMED);
    assert_int_equal(scan(reply, most + 1, NULL, NULL, &fault), SHOAL__CLUSTER_MALFORMED);
    assert_non_null(strstr(fault.text, "no END within 1 MiB"));
    memcpy(reply + most - strlen(end), end, strlen(end));
    assert_int_equal(scan(reply, most, NULL, NULL, &fault), SHOAL__CLUSTER_PAYLOAD);
    memset(reply + strlen(header), '\n', most + 1 - strlen(header));
    memcpy(reply + most + 1 - strlen(end), end, strlen(end));
    assert_int_equal(scan(reply, most + 1, NULL, NULL, &fault), SHOAL__CLUSTER_MALFORMED);
    free(reply);
}

static shoal_status parse(const char *payload, size_t size, struct shoal__cluster *cluster,
                          struct shoal__fault *fault) {
    char *exact = malloc(size ? size : 1);
    memcpy(exact, payload, size);
    memset(cluster, 0x5a, sizeof(*cluster));
    shoal_status status = shoal__cluster_parse(exact, size, cluster, fault);
    free(exact);
    return status;
}

static void reads_versions_and_nodes(void **state) {
    (void)state;
    static const struct {
        const char *payload;
        uint64_t version;
        const char *nodes; /* host/address/port */
    } cases[] = {
        {"12\na.use1|10.0.0.1|11211 b.use1|10.0.0.2|11212\n", 12, "a.use1/10.0.0.1/11211 b.use1/10.0.0.2/11212"},
        {"12\r\na|10.0.0.1|1\r\n", 12, "a/10.0.0.1/1"},
        {"12\na|10.0.0.1|1", 12, "a/10.0.0.1/1"},
        {"0\na||1", 0, "a//1"},
        {"18446744073709551615\na||65535\n", UINT64_MAX, "a//65535"},
        {"007\na||1\n", 7, "a//1"},
        {"1\n|10.0.0.1|1\n", 1, "10.0.0.1/10.0.0.1/1"},
        {"1\n|::1|1\n", 1, "::1/::1/1"},
        {"1\n|[::1]|1\n", 1, "::1/::1/1"},
        {"1\na|2001:db8::1|1 b|[2001:db8::2]|1\n", 1, "a/2001:db8::1/1 b/2001:db8::2/1"},
        {"1\n10.0.0.1|10.0.0.1|1 [::1]|[::1]|2\n", 1, "10.0.0.1/10.0.0.1/1 ::1/::1/2"},
        {"1\n a||1   b||2  \n", 1, "a//1 b//2"},
        {"1\na||1 \r\n", 1, "a//1"},
        {"1\na||1 a||1 a||2 b||1 a|10.0.0.9|1\n", 1, "a//1 a//2 b//1"},
        {"1\na|other.name|1\n", 1, "a//1"},
        {"1\n|a.name|1\n", 1, "a.name//1"},
        {"1\na||1\n\n\r\n \n", 1, "a//1"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct shoal__cluster cluster;
        struct shoal__fault fault;
        char text[256];
        size_t used = 0;
        if (parse(cases[i].payload, strlen(cases[i].payload), &cluster, &fault) != SHOAL_OK)
            fail_msg("%s: %s", cases[i].payload, fault.text);
        for (size_t n = 0; n < cluster.nodes.count; n++) {
            const struct shoal__node_spec *node = &cluster.nodes.nodes[n];
            assert_int_equal(node->weight, 1);
            used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s/%s/%u", n ? " " : "", node->host,
                                     node->address, node->port);
        }
        assert_string_equal(text, cases[i].nodes);
        assert_true(cluster.version == cases[i].version);
        shoal__cluster_clear(&cluster);
        assert_int_equal(cluster.version, 0);
        assert_int_equal(cluster.nodes.count, 0);
    }
}

#define BYTES(text) text, sizeof(text) - 1

static void rejects_the_whole_for_one_fault(void **state) {
    (void)state;
    static const struct shoal__cluster zero;
    static const struct {
        const char *payload;
        size_t size;
        const char *part;
        const char *complaint;
    } cases[] = {
        {BYTES(""), "version \"\"", "not a decimal number"},
        {BYTES("\na||1\n"), "version \"\"", "not a decimal number"},
        {BYTES("-1\na||1\n"), "version \"-1\"", "not a decimal number"},
        {BYTES("+1\na||1\n"), "version \"+1\"", "not a decimal number"},
        {BYTES(" 1\na||1\n"), "version \" 1\"", "not a decimal number"},
        {BYTES("1.5\na||1\n"), "version \"1.5\"", "not a decimal number"},
        {BYTES("0x1\na||1\n"), "version \"0x1\"", "not a decimal number"},
        {BYTES("1\r\r\na||1\n"), "version \"1\\x0d\"", "not a decimal number"},
        {BYTES("1\0\na||1\n"), "version \"1\\x00\"", "not a decimal number"},
        {BYTES("18446744073709551616\na||1\n"), "version \"18446744073709551616\"", "not a decimal number"},
        {BYTES("20000000000000000000\na||1\n"), "version \"20000000000000000000\"", "not a decimal number"},
        {BYTES("7"), "version \"7\"", "followed by no node"},
        {BYTES("7\n"), "version \"7\"", "followed by no node"},
        {BYTES("7\n\n"), "version \"7\"", "followed by no node"},
        {BYTES("7\n   \r\n"), "version \"7\"", "followed by no node"},
        {BYTES("7\n\na||1\n"), "version \"7\"", "followed by no node"},
        {BYTES("1\na|1\n"), "node \"a|1\"", "should be host|ip|port"},
        {BYTES("1\na\n"), "node \"a\"", "should be host|ip|port"},
        {BYTES("1\na||1 b|10.0.0.1 c||1\n"), "node \"b|10.0.0.1\"", "should be host|ip|port"},
        {BYTES("1\na||1|\n"), "node \"a||1|\"", "should be host|ip|port"},
        {BYTES("1\na||1|x\n"), "node \"a||1|x\"", "should be host|ip|port"},
        {BYTES("1\n||1\n"), "node \"||1\"", "neither a host nor an address"},
        {BYTES("1\na||\n"), "port \"\"", "1 to 65535"},
        {BYTES("1\na||0\n"), "port \"0\"", "1 to 65535"},
        {BYTES("1\na||65536\n"), "port \"65536\"", "1 to 65535"},
        {BYTES("1\na||-1\n"), "port \"-1\"", "1 to 65535"},
        {BYTES("1\na||1x\n"), "port \"1x\"", "1 to 65535"},
        {BYTES("1\na||1\t\n"), "port \"1\\x09\"", "1 to 65535"},
        {BYTES("1\na||1,b||1\n"), "node \"a||1,b||1\"", "should be host|ip|port"},
        {BYTES("1\na\0b||1\n"), "host \"a\\x00b\"", "neither a host name nor an address"},
        {BYTES("1\na\x01||1\n"), "host \"a\\x01\"", "neither a host name nor an address"},
        {BYTES("1\na\xff||1\n"), "host \"a\\xff\"", "neither a host name nor an address"},
        {BYTES("1\n/run/docker.sock||1\n"), "host \"/run/docker.sock\"", "neither a host name nor an address"},
        {BYTES("1\n|/run/docker.sock|1\n"), "host \"/run/docker.sock\"", "neither a host name nor an address"},
        {BYTES("1\na|/run/docker.sock|1\n"), "address \"/run/docker.sock\"", "is not an IP address"},
        {BYTES("1\na|10.0.0.300|1\n"), "address \"10.0.0.300\"", "is not an IP address"},
        {BYTES("1\na|10.0.0\0|1\n"), "address \"10.0.0\\x00\"", "is not an IP address"},
        {BYTES("1\na|10.0.0.1\0|1\n"), "address \"10.0.0.1\\x00\"", "is not an IP address"},
        {BYTES("1\na|[a]|1\n"), "address \"[a]\"", "is not an IP address"},
        {BYTES("1\n[10.0.0.12||1\n"), "host \"[10.0.0.12\"", "neither a host name nor an address"},
        {BYTES("1\n10.0.0.12]||1\n"), "host \"10.0.0.12]\"", "neither a host name nor an address"},
        {BYTES("1\n[||1\n"), "host \"[\"", "neither a host name nor an address"},
        {BYTES("1\na|::1::|1\n"), "address \"::1::\"", "is not an IP address"},
        {BYTES("1\na||1\nb||1\n"), "text \"b||1\\x0a\"", "follows the line of nodes"},
        {BYTES("1\na||1\n\0"), "text \"\\x00\"", "follows the line of nodes"},
        {BYTES("1\na||1\n\nx"), "text \"x\"", "follows the line of nodes"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct shoal__cluster cluster;
        struct shoal__fault fault = {0};
        assert_int_equal(parse(cases[i].payload, cases[i].size, &cluster, &fault), SHOAL_E_PROTOCOL);
        assert_int_equal(fault.status, SHOAL_E_PROTOCOL);
        assert_memory_equal(&cluster, &zero, sizeof(zero));
        if (strstr(fault.text, cases[i].part) == NULL || strstr(fault.text, cases[i].complaint) == NULL)
            fail_msg("%s: %s", cases[i].payload, fault.text);
    }
}

static void rejects_a_host_that_is_too_long(void **state) {
    (void)state;
    struct shoal__cluster cluster;
    char payload[300] = "1\n";
    for (size_t size = 1; size <= 253; size++) {
        memset(payload + 2, 'a', size);
        strcpy(payload + 2 + size, "||1");
        assert_int_equal(parse(payload, strlen(payload), &cluster, NULL), SHOAL_OK);
        assert_int_equal(strlen(cluster.nodes.nodes[0].host), size);
        shoal__cluster_clear(&cluster);
    }
    memset(payload + 2, 'a', 254);
    strcpy(payload + 2 + 254, "||1");
    assert_int_equal(parse(payload, strlen(payload), &cluster, NULL), SHOAL_E_PROTOCOL);
}

/* A thousand nodes, and as many as 1 MiB holds, within a time that a poll can afford. */
static void reads_large_lists(void **state) {
    (void)state;
    static const unsigned counts[] = {1000, 90000};
    char *payload = malloc(SHOAL__CLUSTER_REPLY_MAX * 2);
    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        size_t used = (size_t)sprintf(payload, "5\n");
        for (unsigned n = 0; n < counts[i]; n++)
            used += (size_t)sprintf(payload + used, "n%u|%s|1 ", n, i == 0 ? "10.0.0.1" : "");
        struct shoal__cluster cluster;
        clock_t start = clock();
        assert_int_equal(parse(payload, used, &cluster, NULL), SHOAL_OK);
        assert_true((double)(clock() - start) / CLOCKS_PER_SEC < 1.5);
        assert_int_equal(cluster.nodes.count, counts[i]);
        assert_string_equal(cluster.nodes.nodes[999].host, "n999");
        shoal__cluster_clear(&cluster);
    }
    free(payload);
}

static uint32_t next_random(uint32_t *state) {
    *state = *state * UINT32_C(1664525) + UINT32_C(1013904223);
    return *state >> 8;
}

static void assert_sound(const struct shoal__cluster *cluster) {
    assert_true(cluster->nodes.count > 0);
    for (size_t i = 0; i < cluster->nodes.count; i++) {
        const struct shoal__node_spec *node = &cluster->nodes.nodes[i];
        assert_true(node->port > 0 && node->host[0] != '\0' && node->host[0] != '/');
        for (const char *byte = node->host; *byte; byte++)
            assert_in_range((unsigned char)*byte, 0x21, 0x7e);
    }
}

/* A reply with some of its bytes changed, cut or repeated is read as something sound, or refused in ASCII. */
static void survives_anything(void **state) {
    (void)state;
    static const char *const seeds[] = {CONFIG, LEGACY, "CONFIG cluster 0 7\r\n1\na||1 b|::1|2\n\r\nEND\r\n"};
    static const char alphabet[] = "| \n\r\0:.09-[]/aE\xff";
    uint32_t random = 20240118;
    for (unsigned round = 0; round < 40000; round++) {
        char bytes[256];
        const char *seed = seeds[round % COUNT_OF(seeds)];
        size_t size = strlen(seed);
        memcpy(bytes, seed, size);
        for (uint32_t edits = next_random(&random) % 5; edits > 0; edits--)
            bytes[next_random(&random) % size] = alphabet[next_random(&random) % (sizeof(alphabet) - 1)];
        if (next_random(&random) % 4 == 0)
            size = next_random(&random) % size;
        char *exact = malloc(size ? size : 1);
        memcpy(exact, bytes, size);
        struct shoal__cluster_frame frame;
        struct shoal__fault fault = {0};
        enum shoal__cluster_scan result = shoal__cluster_scan_reply(exact, size, &frame, &fault);
        assert_in_range(result, SHOAL__CLUSTER_INCOMPLETE, SHOAL__CLUSTER_MALFORMED);
        struct shoal__cluster cluster;
        if (result == SHOAL__CLUSTER_PAYLOAD &&
            shoal__cluster_parse(frame.payload, frame.payload_size, &cluster, &fault) == SHOAL_OK) {
            assert_sound(&cluster);
            shoal__cluster_clear(&cluster);
        }
        for (const char *byte = fault.text; *byte; byte++)
            assert_in_range((unsigned char)*byte, 0x20, 0x7e);
        free(exact);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_payload),
        cmocka_unit_test(trusts_end_over_the_length),
        cmocka_unit_test(waits_for_every_piece),
        cmocka_unit_test(knows_the_other_answers),
        cmocka_unit_test(bounds_the_first_line),
        cmocka_unit_test(bounds_the_reply),
        cmocka_unit_test(reads_versions_and_nodes),
        cmocka_unit_test(rejects_the_whole_for_one_fault),
        cmocka_unit_test(rejects_a_host_that_is_too_long),
        cmocka_unit_test(reads_large_lists),
        cmocka_unit_test(survives_anything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
