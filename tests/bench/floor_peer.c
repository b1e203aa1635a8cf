/* Blocking sockets, the classic protocol and nothing around them.
 * May include: floor_load, floor_ring, floor_peer, support/. Called by floor.c. */
#include "floor_peer.h"

#include "floor_ring.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define NODES_MAX 8
#define RECEIVE_ROOM ((size_t)64 * 1024)
#define KEYS_AT_ONCE ((size_t)4000) /* a line of tens of thousands of keys costs memcached a quarter more a key */
#define COPIED_MAX 16384            /* a larger value is sent from where it lies */

struct node {
    int fd;
    char *request;
    size_t request_size;
    size_t request_room;
    uint32_t *asked; /* the indices of its keys, in the order sent */
    size_t asked_count;
    size_t asked_room;
};

struct peer {
    struct ring *ring; /* NULL where there is one node */
    size_t count;
    struct node nodes[NODES_MAX];
    char received[RECEIVE_ROOM];
};

static int connect_to(const struct test_memcached *server) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(server->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0)
        give_up("cannot connect");
    return fd;
}

struct peer *peer_new(const struct test_memcached *servers, size_t count) {
    const char *names[NODES_MAX];
    struct peer *peer = calloc(1, sizeof(*peer));
    if (peer == NULL || count > NODES_MAX)
        give_up("no room for so many nodes");
    peer->count = count;
    for (size_t i = 0; i < count; i++) {
        names[i] = servers[i].name;
        peer->nodes[i].fd = connect_to(&servers[i]);
    }
    if (count > 1)
        peer->ring = ring_new(names, count);
    return peer;
}

/* --- Bytes --- */

static char *put(char *at, const char *bytes, size_t size) {
    memcpy(at, bytes, size);
    return at + size;
}

static char *put_number(char *at, size_t number) {
    char digits[20];
    size_t count = 0;
    do
        digits[count++] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    while (count > 0)
        *at++ = digits[--count];
    return at;
}

static size_t take_number(const char *at, const char *end) {
    size_t number = 0;
    for (; at < end && *at >= '0' && *at <= '9'; at++)
        number = 10 * number + (size_t)(*at - '0');
    return number;
}

static void send_all(int fd, const char *bytes, size_t size) {
    if (send(fd, bytes, size, 0) != (ssize_t)size)
        give_up("cannot send");
}

static size_t receive(int fd, char *room, size_t size) {
    ssize_t count = recv(fd, room, size, 0);
    if (count <= 0)
        give_up("cannot receive");
    return (size_t)count;
}

/* "VALUE key flags size\r\n", whole: the size, where it is this key's. */
static bool is_value_of(const char *line, const char *line_end, const struct load_key *key, size_t *size) {
    static const char word[] = "VALUE ";
    const char *at = line + strlen(word);
    if ((size_t)(line_end - line) <= strlen(word) + key->size || memcmp(line, word, strlen(word)) != 0 ||
        memcmp(at, key->text, key->size) != 0 || at[key->size] != ' ')
        return false;
    const char *flags_end = memchr(at + key->size + 1, ' ', (size_t)(line_end - at) - key->size - 1);
    *size = flags_end ? take_number(flags_end + 1, line_end) : 0;
    return true;
}

/* --- One key --- */

#define END_OF_GET "\r\nEND\r\n"
#define END_SIZE strlen(END_OF_GET)

/* A small value comes with its line; of a large one all that is still to come goes right to its place. */
void peer_get(struct peer *peer, struct load *load) {
    int fd = peer->nodes[0].fd;
    char *request = peer->received, *buffer = peer->received, tail[8];
    char *request_end = put(put(put(request, "get ", 4), load->keys[0].text, load->keys[0].size), "\r\n", 2);
    send_all(fd, request, (size_t)(request_end - request));
    size_t held = receive(fd, buffer, 4096), size;
    char *line_end = memchr(buffer, '\n', held);
    if (line_end == NULL || !is_value_of(buffer, line_end, &load->keys[0], &size) || size > load->value_size)
        give_up("an answer that is no value");
    size_t here = held - (size_t)(line_end + 1 - buffer);
    size_t value_here = here < size ? here : size, tail_here = here - value_here;
    memcpy(load_result(load, 0), line_end + 1, value_here);
    memcpy(tail, line_end + 1 + value_here, tail_here < END_SIZE ? tail_here : END_SIZE);
    if (here < size + END_SIZE) {
        struct iovec rest[] = {{load_result(load, 0) + value_here, size - value_here},
                               {tail + tail_here, END_SIZE - tail_here}};
        struct msghdr message = {.msg_iov = rest, .msg_iovlen = 2};
        if (recvmsg(fd, &message, MSG_WAITALL) != (ssize_t)(size + END_SIZE - here))
            give_up("cannot receive");
    }
    if (memcmp(tail, END_OF_GET, END_SIZE) != 0)
        give_up("a value without an end");
}

#define STORED "STORED\r\n"
#define STORED_SIZE strlen(STORED)

static char *put_set_line(char *at, const struct load *load, size_t index) {
    at = put(put(at, "set ", 4), load->keys[index].text, load->keys[index].size);
    return put(put_number(put(at, " 0 0 ", 5), load->value_size), "\r\n", 2);
}

static char *put_set(char *at, const struct load *load, size_t index) {
    at = put_set_line(at, load, index);
    return put(put(at, load_value(load, index), load->value_size), "\r\n", 2);
}

static void send_large_set(int fd, const struct load *load) {
    char line[64];
    size_t line_size = (size_t)(put_set_line(line, load, 0) - line);
    struct iovec pieces[] = {{line, line_size}, {load_value(load, 0), load->value_size}, {(char *)"\r\n", 2}};
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = 3};
    if (sendmsg(fd, &message, 0) != (ssize_t)(line_size + load->value_size + 2))
        give_up("cannot send");
}

void peer_set(struct peer *peer, struct load *load) {
    int fd = peer->nodes[0].fd;
    if (load->value_size > COPIED_MAX)
        send_large_set(fd, load);
    else
        send_all(fd, peer->received, (size_t)(put_set(peer->received, load, 0) - peer->received));
    size_t held = receive(fd, peer->received, RECEIVE_ROOM);
    load->done[0] = held == STORED_SIZE && memcmp(peer->received, STORED, STORED_SIZE) == 0;
}

/* --- Many keys --- */

static void *grow(void *memory, size_t *room, size_t wanted, size_t each) {
    if (wanted <= *room)
        return memory;
    *room = 2 * wanted;
    memory = realloc(memory, *room * each);
    if (memory == NULL)
        give_up("out of memory");
    return memory;
}

/* Where this key goes, with room for so many bytes in its request. */
static struct node *ask(struct peer *peer, const struct load *load, size_t index, size_t room) {
    const struct load_key *key = &load->keys[index];
    struct node *node = &peer->nodes[peer->ring ? ring_route(peer->ring, key->text, key->size) : 0];
    node->asked = grow(node->asked, &node->asked_room, node->asked_count + 1, sizeof(*node->asked));
    node->asked[node->asked_count++] = (uint32_t)index;
    node->request = grow(node->request, &node->request_room, node->request_size + room, 1);
    return node;
}

static void begin(struct peer *peer) {
    for (size_t i = 0; i < peer->count; i++)
        peer->nodes[i].asked_count = peer->nodes[i].request_size = 0;
}

static void send_requests(struct peer *peer) {
    for (size_t i = 0; i < peer->count; i++)
        if (peer->nodes[i].asked_count > 0)
            send_all(peer->nodes[i].fd, peer->nodes[i].request, peer->nodes[i].request_size);
}

/* Copies each whole value to its place. Returns how many bytes were used; *next is past the last key that was seen,
 * SIZE_MAX at the end of the answer. Keys that are passed over were not found. */
static size_t take_values(const struct node *node, struct load *load, const char *bytes, size_t held, size_t *next) {
    const char *at = bytes, *end = bytes + held, *line_end;
    while ((line_end = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        size_t size = 0, place = *next;
        if (line_end - at >= 3 && memcmp(at, "END", 3) == 0) {
            *next = SIZE_MAX;
            return held;
        }
        while (place < node->asked_count && !is_value_of(at, line_end, &load->keys[node->asked[place]], &size))
            place++;
        if (place == node->asked_count || size > load->value_size)
            give_up("a value that was not asked for");
        if ((size_t)(end - line_end) < 1 + size + 2)
            break;
        memcpy(load_result(load, node->asked[place]), line_end + 1, size);
        load->done[node->asked[place]] = true;
        at = line_end + 1 + size + 2;
        *next = place + 1;
    }
    return (size_t)(at - bytes);
}

static void receive_values(struct peer *peer, const struct node *node, struct load *load) {
    size_t held = 0, next = 0;
    while (next != SIZE_MAX) {
        held += receive(node->fd, peer->received + held, RECEIVE_ROOM - held);
        size_t used = take_values(node, load, peer->received, held, &next);
        held -= used;
        memmove(peer->received, peer->received + used, held);
    }
}

static void add_key(struct node *node, const struct load_key *key) {
    char *at = node->request + node->request_size;
    if (node->request_size == 0)
        at = put(at, "get", 3);
    *at++ = ' ';
    node->request_size = (size_t)(put(at, key->text, key->size) - node->request);
}

static void end_line(struct node *node) {
    if (node->request_size > 0)
        node->request_size = (size_t)(put(node->request + node->request_size, "\r\n", 2) - node->request);
}

static void get_some(struct peer *peer, struct load *load, size_t first, size_t end) {
    begin(peer);
    for (size_t i = first; i < end; i++)
        add_key(ask(peer, load, i, LOAD_KEY_ROOM + 8), &load->keys[i]);
    for (size_t i = 0; i < peer->count; i++)
        end_line(&peer->nodes[i]);
    send_requests(peer);
    for (size_t i = 0; i < peer->count; i++)
        if (peer->nodes[i].asked_count > 0)
            receive_values(peer, &peer->nodes[i], load);
}

void peer_get_many(struct peer *peer, struct load *load) {
    memset(load->done, 0, load->count * sizeof(*load->done));
    for (size_t first = 0; first < load->count; first += KEYS_AT_ONCE)
        get_some(peer, load, first, load->count - first > KEYS_AT_ONCE ? first + KEYS_AT_ONCE : load->count);
}

static void receive_stored(struct peer *peer, const struct node *node, struct load *load) {
    size_t held = 0, told = 0;
    while (told < node->asked_count) {
        held += receive(node->fd, peer->received + held, RECEIVE_ROOM - held);
        size_t used = 0;
        for (; held - used >= STORED_SIZE && told < node->asked_count; used += STORED_SIZE)
            load->done[node->asked[told++]] = memcmp(peer->received + used, STORED, STORED_SIZE) == 0;
        held -= used;
        memmove(peer->received, peer->received + used, held);
    }
}

void peer_set_many(struct peer *peer, struct load *load) {
    begin(peer);
    for (size_t i = 0; i < load->count; i++) {
        struct node *node = ask(peer, load, i, LOAD_KEY_ROOM + 40 + load->value_size);
        node->request_size = (size_t)(put_set(node->request + node->request_size, load, i) - node->request);
    }
    send_requests(peer);
    for (size_t i = 0; i < peer->count; i++)
        receive_stored(peer, &peer->nodes[i], load);
}
