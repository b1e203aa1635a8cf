/* Numeric socket addresses: parsed, compared, printed. Names are the business of net/dns.
 * May include: libc. */
#ifndef SHOAL_BASE_ADDRESS_H
#define SHOAL_BASE_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

struct shoal__address {
    socklen_t size;
    union {
        struct sockaddr any;
        struct sockaddr_in ipv4;
        struct sockaddr_in6 ipv6;
        struct sockaddr_un local;
    } socket;
};

#define SHOAL__ADDRESS_TEXT_SIZE 64

/* From "10.0.0.1", "::1" or "[::1]" and a port, or from a path that starts with '/'. False for anything else. */
bool shoal__address_parse(const char *text, uint16_t port, struct shoal__address *address);

/* The bare numeric form without port, "10.0.0.1" or "::1"; the path is not printed ("unix"). */
void shoal__address_print(const struct shoal__address *address, char text[SHOAL__ADDRESS_TEXT_SIZE]);

/* 0 for a path. */
uint16_t shoal__address_port(const struct shoal__address *address);

bool shoal__address_equals(const struct shoal__address *a, const struct shoal__address *b);

#endif
