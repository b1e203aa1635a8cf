/* Name resolution by c-ares: /etc/hosts and the name servers, as the system is configured.
 * May include: base/, watch, fork, and the one place for <ares.h>. */
#include "net/dns.h"

#include "base/clock.h"
#include "net/fork.h"

#include <ares.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

/* One try at one name server; the caller's deadline bounds the whole. */
#define SERVER_TIMEOUT_MS 500
#define SERVER_TRIES 4
#define SOCKETS_MAX 8

struct tracked_socket {
    ares_socket_t fd;
    short events;
    struct shoal__descriptor *descriptor;
};

struct shoal__dns_query {
    ares_channel channel;
    bool has_channel;
    char *host;
    uint16_t port;
    enum shoal__family family;
    bool finished;
    int answer; /* ARES_SUCCESS or why not */
    bool no_memory;
    struct shoal__address_list list;
    struct tracked_socket sockets[SOCKETS_MAX];
    size_t socket_count;
};

enum shoal__family shoal__family_find(const char *name) {
    if (strcmp(name, "ipv4") == 0)
        return SHOAL__FAMILY_IPV4;
    return strcmp(name, "ipv6") == 0 ? SHOAL__FAMILY_IPV6 : SHOAL__FAMILY_ANY;
}

void shoal__address_list_clear(struct shoal__address_list *list) {
    free(list->addresses);
    *list = (struct shoal__address_list){0};
}

bool shoal__address_list_contains(const struct shoal__address_list *list, const struct shoal__address *address) {
    for (size_t i = 0; i < list->count; i++)
        if (shoal__address_equals(&list->addresses[i], address))
            return true;
    return false;
}

static void add_address(struct shoal__dns_query *query, const struct shoal__address *address) {
    if (shoal__address_list_contains(&query->list, address))
        return;
    struct shoal__address *grown =
        realloc(query->list.addresses, (query->list.count + 1) * sizeof(*query->list.addresses));
    if (grown == NULL) {
        query->no_memory = true;
        return;
    }
    query->list.addresses = grown;
    query->list.addresses[query->list.count++] = *address;
}

static void take_answer(void *context, int status, int timeouts, struct ares_addrinfo *info) {
    struct shoal__dns_query *query = context;
    (void)timeouts;
    query->finished = true;
    query->answer = status;
    if (info == NULL)
        return;
    for (struct ares_addrinfo_node *node = info->nodes; node != NULL; node = node->ai_next) {
        struct shoal__address address = {.size = (socklen_t)node->ai_addrlen};
        if ((size_t)node->ai_addrlen > sizeof(address.socket))
            continue;
        memcpy(&address.socket, node->ai_addr, (size_t)node->ai_addrlen);
        if (address.socket.any.sa_family == AF_INET)
            address.socket.ipv4.sin_port = htons(query->port);
        else
            address.socket.ipv6.sin6_port = htons(query->port);
        add_address(query, &address);
    }
    ares_freeaddrinfo(info);
}

static void forget_socket(struct shoal__dns_query *query, size_t index) {
    shoal__descriptor_release(query->sockets[index].descriptor);
    query->sockets[index] = query->sockets[--query->socket_count];
}

/* c-ares tells here which sockets it has; without events one is about to be closed. */
static void track_socket(void *context, ares_socket_t fd, int readable, int writable) {
    struct shoal__dns_query *query = context;
    short events = (short)((readable ? POLLIN : 0) | (writable ? POLLOUT : 0));
    for (size_t i = 0; i < query->socket_count; i++) {
        if (query->sockets[i].fd != fd)
            continue;
        if (events == 0)
            forget_socket(query, i);
        else
            query->sockets[i].events = events;
        return;
    }
    if (events != 0 && query->socket_count < SOCKETS_MAX)
        query->sockets[query->socket_count++] =
            (struct tracked_socket){.fd = fd, .events = events, .descriptor = shoal__descriptor_adopt(fd)};
}

static int start(struct shoal__dns_query *query) {
    struct ares_options options = {
        .timeout = SERVER_TIMEOUT_MS,
        .tries = SERVER_TRIES,
        .sock_state_cb = track_socket,
        .sock_state_cb_data = query,
    };
    int status =
        ares_init_options(&query->channel, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB);
    if (status != ARES_SUCCESS)
        return status;
    query->has_channel = true;
    static const int families[] = {AF_UNSPEC, AF_INET, AF_INET6};
    struct ares_addrinfo_hints hints = {
        .ai_family = families[query->family],
        .ai_socktype = SOCK_STREAM,
        .ai_flags = ARES_AI_NOSORT,
    };
    ares_getaddrinfo(query->channel, query->host, NULL, &hints, take_answer, query);
    return ARES_SUCCESS;
}

struct shoal__dns_query *shoal__dns_query_new(const char *host, uint16_t port, enum shoal__family family,
                                              struct shoal__fault *fault) {
    struct shoal__dns_query *query = calloc(1, sizeof(*query));
    if (query == NULL || (query->host = strdup(host)) == NULL) {
        free(query);
        shoal__fault_set(fault, SHOAL_E_NO_MEMORY, "out of memory for resolving a name");
        return NULL;
    }
    query->port = port;
    query->family = family;
    struct shoal__address address;
    if (shoal__address_parse(host, port, &address)) {
        add_address(query, &address);
        query->finished = true;
        return query;
    }
    int status = start(query);
    if (status != ARES_SUCCESS) {
        shoal__fault_set(fault, SHOAL_E_SYSTEM, "name resolution cannot start: %s", ares_strerror(status));
        shoal__dns_query_free(query);
        return NULL;
    }
    return query;
}

void shoal__dns_query_watch(struct shoal__dns_query *query, struct shoal__watch *watch, int64_t now_ns) {
    for (size_t i = 0; i < query->socket_count; i++)
        shoal__watch_add(watch, query->sockets[i].fd, query->sockets[i].events);
    struct timeval left;
    if (query->has_channel && ares_timeout(query->channel, NULL, &left) != NULL)
        shoal__watch_until(watch, now_ns + (int64_t)left.tv_sec * SHOAL__NS_PER_S + (int64_t)left.tv_usec * 1000);
}

bool shoal__dns_query_advance(struct shoal__dns_query *query) {
    if (query->finished)
        return true;
    struct pollfd ready[SOCKETS_MAX];
    size_t count = query->socket_count;
    for (size_t i = 0; i < count; i++)
        ready[i] = (struct pollfd){.fd = query->sockets[i].fd, .events = query->sockets[i].events};
    poll(ready, count, 0);
    for (size_t i = 0; i < count; i++) {
        bool readable = ready[i].revents & (POLLIN | POLLERR | POLLHUP);
        bool writable = ready[i].revents & (POLLOUT | POLLERR | POLLHUP);
        ares_process_fd(query->channel, readable ? ready[i].fd : ARES_SOCKET_BAD,
                        writable ? ready[i].fd : ARES_SOCKET_BAD);
    }
    ares_process_fd(query->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    return query->finished;
}

shoal_status shoal__dns_query_take(struct shoal__dns_query *query, struct shoal__address_list *list,
                                   struct shoal__fault *fault) {
    if (query->no_memory)
        return shoal__fault_set(fault, SHOAL_E_NO_MEMORY, "out of memory for the addresses of %s", query->host);
    if (query->list.count == 0)
        return shoal__fault_set(fault, SHOAL_E_NODE_DOWN, "the name %s has no address: %s", query->host,
                                ares_strerror(query->answer == ARES_SUCCESS ? ARES_ENODATA : query->answer));
    *list = query->list;
    query->list = (struct shoal__address_list){0};
    return SHOAL_OK;
}

void shoal__dns_query_free(struct shoal__dns_query *query) {
    if (query == NULL)
        return;
    if (query->has_channel)
        ares_destroy(query->channel);
    shoal__address_list_clear(&query->list);
    free(query->host);
    free(query);
}

static bool wait_for_answer(struct shoal__dns_query *query, int64_t deadline_ns) {
    struct shoal__watch watch = {0};
    bool finished = shoal__dns_query_advance(query);
    for (int64_t now = shoal__now_ns(); !finished && now < deadline_ns; now = shoal__now_ns()) {
        shoal__watch_reset(&watch);
        shoal__watch_until(&watch, deadline_ns);
        shoal__dns_query_watch(query, &watch, now);
        shoal__watch_wait(&watch);
        finished = shoal__dns_query_advance(query);
    }
    shoal__watch_clear(&watch);
    return finished;
}

shoal_status shoal__dns_resolve(const char *host, uint16_t port, enum shoal__family family, int64_t deadline_ns,
                                struct shoal__address_list *list, struct shoal__fault *fault) {
    *list = (struct shoal__address_list){0};
    struct shoal__dns_query *query = shoal__dns_query_new(host, port, family, fault);
    if (query == NULL)
        return fault->status;
    shoal_status status;
    if (wait_for_answer(query, deadline_ns))
        status = shoal__dns_query_take(query, list, fault);
    else
        status = shoal__fault_set(fault, SHOAL_E_TIMEOUT, "resolving the name %s took too long", host);
    shoal__dns_query_free(query);
    return status;
}
