/* Numeric socket addresses.
 * May include: base/ and libc. */
#include "base/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static bool parse_path(const char *path, struct shoal__address *address) {
    if (strlen(path) >= sizeof(address->socket.local.sun_path))
        return false;
    address->socket.local.sun_family = AF_UNIX;
    strcpy(address->socket.local.sun_path, path);
    address->size = sizeof(address->socket.local);
    return true;
}

bool shoal__address_parse(const char *text, uint16_t port, struct shoal__address *address) {
    memset(address, 0, sizeof(*address));
    if (text[0] == '/')
        return parse_path(text, address);
    char bare[INET6_ADDRSTRLEN];
    size_t length = strlen(text);
    if (length >= 2 && text[0] == '[' && text[length - 1] == ']') {
        text++;
        length -= 2;
    }
    if (length == 0 || length >= sizeof(bare))
        return false;
    memcpy(bare, text, length);
    bare[length] = '\0';
    if (inet_pton(AF_INET, bare, &address->socket.ipv4.sin_addr) == 1) {
        address->socket.ipv4.sin_family = AF_INET;
        address->socket.ipv4.sin_port = htons(port);
        address->size = sizeof(address->socket.ipv4);
        return true;
    }
    if (inet_pton(AF_INET6, bare, &address->socket.ipv6.sin6_addr) == 1) {
        address->socket.ipv6.sin6_family = AF_INET6;
        address->socket.ipv6.sin6_port = htons(port);
        address->size = sizeof(address->socket.ipv6);
        return true;
    }
    return false;
}

void shoal__address_print(const struct shoal__address *address, char text[SHOAL__ADDRESS_TEXT_SIZE]) {
    const void *numeric = address->socket.any.sa_family == AF_INET ? (const void *)&address->socket.ipv4.sin_addr
                                                                   : (const void *)&address->socket.ipv6.sin6_addr;
    if (address->socket.any.sa_family == AF_UNIX ||
        inet_ntop(address->socket.any.sa_family, numeric, text, SHOAL__ADDRESS_TEXT_SIZE) == NULL)
        snprintf(text, SHOAL__ADDRESS_TEXT_SIZE, "unix");
}

uint16_t shoal__address_port(const struct shoal__address *address) {
    switch (address->socket.any.sa_family) {
    case AF_INET:
        return ntohs(address->socket.ipv4.sin_port);
    case AF_INET6:
        return ntohs(address->socket.ipv6.sin6_port);
    default:
        return 0;
    }
}

bool shoal__address_equals(const struct shoal__address *a, const struct shoal__address *b) {
    return a->size == b->size && memcmp(&a->socket, &b->socket, a->size) == 0;
}
