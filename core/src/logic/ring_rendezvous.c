/* Rendezvous hashing as pymemcache does it: each node hashes its own name with the key, and the highest hash wins.
 * No points and no weights; a look-up asks every node, so that its time grows with their number.
 * May include: base/, ring_private, key. */
#include "logic/ring_private.h"

#include "logic/key.h"

#include <stdlib.h>
#include <string.h>

#define NAME_SIZE (SHOAL__RING_NAME_SIZE + 1) /* with the hyphen behind it */

bool shoal__rendezvous_build(struct shoal__ring *ring, const struct shoal__ring_node *nodes, size_t count) {
    char name[NAME_SIZE];
    size_t size = 1; /* even for no nodes */
    for (size_t i = 0; i < count; i++)
        size += shoal__ring_node_name(&nodes[i], name) + sizeof("-");
    char *place = ring->names = malloc(size);
    for (size_t i = 0; place != NULL && i < count; i++) {
        size_t name_size = shoal__ring_node_name(&nodes[i], name);
        memcpy(place, name, name_size);
        memcpy(place + name_size, "-", sizeof("-"));
        place += name_size + sizeof("-");
    }
    return place != NULL;
}

static bool continues(const char *bytes, size_t count) {
    for (size_t i = 0; i < count; i++)
        if ((bytes[i] & 0xc0) != 0x80)
            return false;
    return true;
}

/* How many bytes the UTF-8 sequence of a lead byte has; 0 where it leads none. */
static size_t sequence_size(unsigned char lead) {
    if (lead < 0x80)
        return 1;
    if (lead < 0xc2 || lead > 0xf4)
        return 0;
    return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/* pymemcache hashes the text of a key, not the bytes it sends: of each character it takes the low eight bits of the
 * code point, which are in the last two bytes of its UTF-8 sequence. A key that is not UTF-8 is no text: it is taken
 * byte by byte. Returns the size. */
static size_t write_key_as_hashed(const char *key, size_t size, char *room) {
    size_t written = 0;
    for (size_t i = 0; i < size;) {
        size_t length = sequence_size((unsigned char)key[i]);
        if (length == 0 || length > size - i || !continues(key + i + 1, length - 1)) {
            memcpy(room, key, size);
            return size;
        }
        const unsigned char *last = (const unsigned char *)key + i + length - 1;
        room[written++] = (char)(length == 1 ? *last : (last[-1] & 0x03) << 6 | (*last & 0x3f));
        i += length;
    }
    return written;
}

/* Of equal hashes the name that is greater as a string wins. The key is written once, and each name before it. */
size_t shoal__rendezvous_route(const struct shoal__ring *ring, const char *key, size_t key_len) {
    char room[NAME_SIZE + SHOAL__KEY_MAX];
    char *text = room + NAME_SIZE;
    size_t text_size = write_key_as_hashed(key, key_len < SHOAL__KEY_MAX ? key_len : SHOAL__KEY_MAX, text);
    const char *winner = NULL;
    size_t winner_index = 0;
    uint32_t highest = 0;
    const char *name = ring->names;
    for (size_t i = 0; i < ring->node_count; i++) {
        size_t name_size = strlen(name);
        memcpy(text - name_size, name, name_size);
        uint32_t score = ring->hash(text - name_size, name_size + text_size);
        if (winner == NULL || score > highest || (score == highest && strcmp(name, winner) > 0)) {
            winner = name;
            winner_index = i;
            highest = score;
        }
        name += name_size + 1;
    }
    return winner_index;
}
