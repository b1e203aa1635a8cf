/* allow_nodes: which patterns are patterns, and what they let through.
 * May include: logic/allow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "logic/allow.h"

#include <stdio.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static enum shoal__allowance judge(const char *patterns, const char *host, const char *address) {
    struct shoal__node_spec node = {.host = (char *)host, .address = (char *)address, .port = 1, .weight = 1};
    return shoal__allow_judge(patterns, &node);
}

static bool allows(const char *patterns, const char *host, const char *address) {
    return judge(patterns, host, address) != SHOAL__ALLOW_REFUSED;
}

static void an_address_is_trusted_only_where_its_network_is_allowed(void **state) {
    (void)state;
    assert_int_equal(judge("", "a.example", "6.6.6.6"), SHOAL__ALLOW_AT_ADDRESS);
    assert_int_equal(judge("*.example", "a.example", "6.6.6.6"), SHOAL__ALLOW_BY_NAME);
    assert_int_equal(judge("*.example,10.0.0.0/8", "a.example", "6.6.6.6"), SHOAL__ALLOW_BY_NAME);
    assert_int_equal(judge("*.example,10.0.0.0/8", "a.example", "10.1.2.3"), SHOAL__ALLOW_AT_ADDRESS);
    assert_int_equal(judge("10.0.0.0/8", "a.example", "6.6.6.6"), SHOAL__ALLOW_REFUSED);
}

static void accepts_patterns(void **state) {
    (void)state;
    static const char *const cases[] = {
        "",
        "a",
        "a.example",
        "*.example",
        "*.cache.amazonaws.com",
        "10.0.0.1",
        "10.0.0.0/8",
        "0.0.0.0/0",
        "10.0.0.1/32",
        "10.1.2.3/8",
        "fd00::/8",
        "::/0",
        "::1",
        "::1/128",
        "[fd00::]/8",
        "a,*.b,10.0.0.0/8,::1",
        "under_score-1",
        "a-name-as-long-as-the-longest-address-in-brackets",
        "a-name-as-long-as-the-longest-address-in-bracket",
        "a-name-as-long-as-the-longest-address-in-bracke",
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct shoal__fault fault;
        if (shoal__allow_check(cases[i], &fault) != SHOAL_OK)
            fail_msg("%s", fault.text);
    }
}

static void names_the_pattern_it_cannot_read(void **state) {
    (void)state;
    static const char bits[] = "0 to 32, or to 128 for IPv6", name[] = "is no host name", network[] = "is no network",
                      address[] = "is no address";
    static const char *const cases[][3] = {
        {",", "\"\"", name},
        {"a,", "\"\"", name},
        {"a,,b", "\"\"", name},
        {"a, b", "\" b\"", name},
        {"*", "\"*\"", name},
        {"*.", "\"*.\"", name},
        {"a,*b", "\"*b\"", name},
        {"a.*", "\"a.*\"", name},
        {"*.*.b", "\"*.*.b\"", name},
        {"b:11211", "\"b:11211\"", name},
        {"caf\xc3\xa9", "\"caf\\xc3\\xa9\"", name},
        {"ok,10.0.0.300", "\"10.0.0.300\"", address},
        {"10.0.0", "\"10.0.0\"", address},
        {"10.0.0.0/33", "\"10.0.0.0/33\"", bits},
        {"10.0.0.0/", "\"10.0.0.0/\"", bits},
        {"10.0.0.0/-1", "\"10.0.0.0/-1\"", bits},
        {"10.0.0.0/8/8", "\"10.0.0.0/8/8\"", bits},
        {"10.0.0.0/255.0.0.0", "\"10.0.0.0/255.0.0.0\"", bits},
        {"fd00::/129", "\"fd00::/129\"", bits},
        {"a/8", "\"a/8\"", network},
        {"10.0.0/8", "\"10.0.0/8\"", network},
        {"/8", "\"/8\"", network},
        {"/run/m", "\"/run/m\"", network},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct shoal__fault fault = {0};
        assert_int_equal(shoal__allow_check(cases[i][0], &fault), SHOAL_E_BAD_OPTION);
        assert_int_equal(fault.status, SHOAL_E_BAD_OPTION);
        if (strstr(fault.text, "allow_nodes: ") == NULL || strstr(fault.text, cases[i][1]) == NULL ||
            strstr(fault.text, cases[i][2]) == NULL)
            fail_msg("%s: %s", cases[i][0], fault.text);
        assert_int_equal(shoal__allow_check(cases[i][0], NULL), SHOAL_E_BAD_OPTION);
    }
}

static void matches(void **state) {
    (void)state;
    static const struct {
        const char *patterns;
        const char *host;
        const char *address;
        bool wanted;
    } cases[] = {
        {"", "anything", "1.2.3.4", true},
        {"", "/run/m", "", true},
        {"a.example", "a.example", "", true},
        {"a.example", "A.EXAMPLE", "", true},
        {"A.Example", "a.example", "", true},
        {"AZ.Example", "az.example", "", true},
        {"[.example", "{.example", "", false},
        {"a.example", "b.example", "", false},
        {"a.example", "a.exam", "", false},
        {"a.example", "a.example.evil", "", false},
        {"a.example", "xa.example", "", false},
        {"a.example", "a-example", "", false},
        {"*.example", "a.example", "10.0.0.1", true},
        {"*.example", "a.b.EXAMPLE", "", true},
        {"*.example", "example", "", false},
        {"*.example", ".example", "", false},
        {"*.example", "aexample", "", false},
        {"*.example", "a.example.evil", "", false},
        {"*.example", "ple", "", false},
        {"10.0.0.0/8", "a", "10.255.0.1", true},
        {"10.0.0.0/8", "a", "11.0.0.1", false},
        {"10.0.0.0/8", "10.1.1.1", "", true},
        {"10.0.0.0/8", "10.1.1.1", "11.0.0.1", false},
        {"10.0.0.0/8", "a", "", false},
        {"10.1.2.3/8", "a", "10.9.9.9", true},
        {"10.0.0.0/9", "a", "10.127.255.255", true},
        {"10.0.0.0/9", "a", "10.128.0.0", false},
        {"10.0.0.4/30", "a", "10.0.0.7", true},
        {"10.0.0.4/30", "a", "10.0.0.8", false},
        {"10.0.0.4/30", "a", "10.0.0.3", false},
        {"10.0.0.1", "a", "10.0.0.1", true},
        {"10.0.0.1", "a", "10.0.0.2", false},
        {"10.0.0.1/32", "a", "10.0.0.1", true},
        {"10.0.0.1", "10.0.0.1", "10.0.0.2", false},
        {"0.0.0.0/0", "a", "255.255.255.255", true},
        {"0.0.0.0/0", "a", "::1", false},
        {"::/0", "a", "fd00::1", true},
        {"::/0", "a", "10.0.0.1", false},
        {"0.0.0.0/0", "a", "::ffff:10.0.0.1", false},
        {"fd00::/8", "a", "fdff::1", true},
        {"fd00::/8", "a", "fe00::1", false},
        {"fd00::/7", "a", "fc00::1", true},
        {"2001:db8::/33", "a", "2001:db8:7fff::1", true},
        {"2001:db8::/33", "a", "2001:db8:8000::1", false},
        {"::1", "::1", "", true},
        {"::1", "::2", "", false},
        {"0:0::1", "::1", "", true},
        {"b,*.c,10.0.0.0/8", "a", "10.0.0.1", true},
        {"b,*.c,10.0.0.0/8", "x.c", "11.0.0.1", true},
        {"b,*.c,10.0.0.0/8", "b", "11.0.0.1", true},
        {"b,*.c,10.0.0.0/8", "d", "11.0.0.1", false},
        {"*.c,0.0.0.0/0,::/0", "/run/m", "", false},
        {"*", "a", "10.0.0.1", false},
        {"10.0.0.0/99,b", "a", "10.0.0.1", false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if (allows(cases[i].patterns, cases[i].host, cases[i].address) != cases[i].wanted)
            fail_msg("\"%s\" and %s|%s", cases[i].patterns, cases[i].host, cases[i].address);
}

static uint32_t next_random(uint32_t *state) {
    *state = *state * UINT32_C(1664525) + UINT32_C(1013904223);
    return *state >> 8;
}

/* A pattern of n bits matches exactly the addresses that share them: held against plain arithmetic. */
static void agrees_with_arithmetic(void **state) {
    (void)state;
    uint32_t random = 20240119;
    for (unsigned round = 0; round < 20000; round++) {
        unsigned bits = next_random(&random) % 33;
        uint32_t network = next_random(&random) << 8 | (next_random(&random) & 255);
        uint32_t address = network ^ (bits < 32 && round % 2 ? next_random(&random) >> (bits > 23 ? 23 : bits)
                                                             : UINT32_C(1) << (next_random(&random) % 32));
        char pattern[32], text[32];
        snprintf(pattern, sizeof(pattern), "%u.%u.%u.%u/%u", network >> 24, network >> 16 & 255, network >> 8 & 255,
                 network & 255, bits);
        snprintf(text, sizeof(text), "%u.%u.%u.%u", address >> 24, address >> 16 & 255, address >> 8 & 255,
                 address & 255);
        bool wanted = bits == 0 || (network ^ address) >> (32 - bits) == 0;
        if (allows(pattern, "a", text) != wanted)
            fail_msg("%s and %s", pattern, text);
    }
}

static void survives_anything(void **state) {
    (void)state;
    static const char alphabet[] = "*.,/:[]019afA- \x01\xff";
    uint32_t random = 20240120;
    for (unsigned round = 0; round < 50000; round++) {
        char patterns[24], host[24];
        size_t size = next_random(&random) % (sizeof(patterns) - 1), host_size = 1 + next_random(&random) % 20;
        for (size_t i = 0; i < size; i++)
            patterns[i] = alphabet[next_random(&random) % (sizeof(alphabet) - 1)];
        for (size_t i = 0; i < host_size; i++)
            host[i] = alphabet[next_random(&random) % (sizeof(alphabet) - 1)];
        patterns[size] = host[host_size] = '\0';
        struct shoal__fault fault = {0};
        shoal_status status = shoal__allow_check(patterns, &fault);
        assert_true(status == SHOAL_OK || status == SHOAL_E_BAD_OPTION);
        assert_int_equal(status == SHOAL_OK, fault.text[0] == '\0');
        allows(patterns, host, "");
        allows(patterns, "a", host);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_trusted_only_where_its_network_is_allowed),
        cmocka_unit_test(accepts_patterns),
        cmocka_unit_test(names_the_pattern_it_cannot_read),
        cmocka_unit_test(matches),
        cmocka_unit_test(agrees_with_arithmetic),
        cmocka_unit_test(survives_anything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
