/* Checks and copies for the fuzz targets.
 * May include: base/, node_list, libc. */
#include "common.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOST_MAX 253

_Noreturn void fuzz_fail(const char *condition, const char *file, int line) {
    fprintf(stderr, "%s:%d: this does not hold: %s\n", file, line, condition);
    abort();
}

char *fuzz_copy(const void *bytes, size_t size) {
    char *copy = malloc(size ? size : 1);
    CHECK(copy != NULL);
    if (size > 0)
        memcpy(copy, bytes, size);
    return copy;
}

char *fuzz_text(const void *bytes, size_t size) {
    char *copy = malloc(size + 1);
    CHECK(copy != NULL);
    if (size > 0)
        memcpy(copy, bytes, size);
    copy[size] = '\0';
    return copy;
}

char fuzz_other_byte(char byte) {
    static const char groups[][24] = {"123456789", "abcdef", "ABCDEF", "ghijklmnopqrstuvwxyz", "GHIJKLMNOPQRSTUVWXYZ"};
    for (size_t i = 0; byte != '\0' && i < sizeof(groups) / sizeof(groups[0]); i++) {
        const char *found = strchr(groups[i], byte);
        if (found != NULL)
            return found[1] != '\0' ? found[1] : groups[i][0];
    }
    return byte;
}

void fuzz_check_fault(const struct shoal__fault *fault, shoal_status status) {
    CHECK(status < 0);
    CHECK(fault->status == status);
    size_t size = strnlen(fault->text, sizeof(fault->text));
    CHECK(size > 0 && size < sizeof(fault->text));
    for (size_t i = 0; i < size; i++)
        CHECK(fault->text[i] >= 0x20 && fault->text[i] < 0x7f);
}

bool fuzz_is_address(const char *text) {
    unsigned char bytes[16];
    return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

void fuzz_check_host(const char *host) {
    if (fuzz_is_address(host))
        return;
    size_t size = strlen(host);
    CHECK(size > 0 && size <= HOST_MAX);
    CHECK(strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._") == size);
}

void fuzz_check_list(const struct shoal__node_list *list) {
    CHECK(list->count > 0 && list->count <= list->capacity);
    for (size_t i = 0; i < list->count; i++) {
        CHECK(list->nodes[i].host != NULL && list->nodes[i].address != NULL);
        for (size_t j = 0; j < i; j++)
            CHECK(list->nodes[i].port != list->nodes[j].port || strcmp(list->nodes[i].host, list->nodes[j].host) != 0);
    }
}

void fuzz_check_empty(const struct shoal__node_list *list) {
    CHECK(list->nodes == NULL && list->count == 0 && list->capacity == 0 && list->slots == NULL);
}

void fuzz_check_same_list(const struct shoal__node_list *a, const struct shoal__node_list *b) {
    CHECK(a->count == b->count);
    for (size_t i = 0; i < a->count; i++) {
        CHECK(strcmp(a->nodes[i].host, b->nodes[i].host) == 0);
        CHECK(strcmp(a->nodes[i].address, b->nodes[i].address) == 0);
        CHECK(a->nodes[i].port == b->nodes[i].port && a->nodes[i].weight == b->nodes[i].weight);
    }
}
