/* Finds a socket by the ports of its two ends.
 * May include: base/ and the operating system. */
#include "net/socket_search.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

int shoal__socket_guess(void) {
    int fd = eventfd(0, EFD_CLOEXEC);
    if (fd >= 0)
        close(fd);
    return fd;
}

static bool is_connection(int fd, uint16_t own_port, const struct shoal__address *peer) {
    struct shoal__address own = {.size = sizeof(own.socket)};
    struct shoal__address other = {.size = sizeof(other.socket)};
    return getsockname(fd, &own.socket.any, &own.size) == 0 && getpeername(fd, &other.socket.any, &other.size) == 0 &&
           shoal__address_port(&own) == own_port && shoal__address_equals(&other, peer);
}

int shoal__socket_find(int guess, uint16_t own_port, const struct shoal__address *peer) {
    if (own_port == 0)
        return -1;
    if (is_connection(guess, own_port, peer))
        return guess;
    DIR *descriptors = opendir("/proc/self/fd");
    int found = -1;
    for (struct dirent *entry; descriptors != NULL && found < 0 && (entry = readdir(descriptors)) != NULL;) {
        int fd = (int)strtol(entry->d_name, NULL, 10);
        if (fd > STDERR_FILENO && is_connection(fd, own_port, peer))
            found = fd;
    }
    if (descriptors != NULL)
        closedir(descriptors);
    return found;
}
