/* A build without TLS (SHOAL_TLS=OFF): a fleet that wants it is refused, so that nothing else here is ever called.
 * May include: base/, tls. */
#include "net/tls.h"

#include <errno.h>
#include <stddef.h>

shoal_status shoal__tls_files_read(const struct shoal__tls_options *options, struct shoal__tls_files **files,
                                   struct shoal__fault *fault) {
    (void)options;
    (void)files;
    return shoal__fault_set(fault, SHOAL_E_UNSUPPORTED,
                            "tls is true, and this libshoal was built without TLS (SHOAL_TLS=OFF)");
}

void shoal__tls_files_free(struct shoal__tls_files *files) {
    (void)files;
}

struct shoal__tls_context *shoal__tls_context_new(const struct shoal__tls_files *files) {
    (void)files;
    return NULL;
}

void shoal__tls_context_free(struct shoal__tls_context *context) {
    (void)context;
}

struct shoal__tls_peer *shoal__tls_peer_new(struct shoal__tls_context *context, const char *host) {
    (void)context;
    (void)host;
    return NULL;
}

void shoal__tls_peer_free(struct shoal__tls_peer *peer) {
    (void)peer;
}

struct shoal__tls *shoal__tls_new(struct shoal__tls_peer *peer, int fd) {
    (void)peer;
    (void)fd;
    return NULL;
}

bool shoal__tls_shake_hands(struct shoal__tls *tls) {
    (void)tls;
    errno = ENOTSUP;
    return false;
}

ssize_t shoal__tls_send(struct shoal__tls *tls, const struct iovec *pieces, size_t count) {
    (void)tls;
    (void)pieces;
    (void)count;
    errno = ENOTSUP;
    return -1;
}

ssize_t shoal__tls_receive(struct shoal__tls *tls, char *bytes, size_t room, bool may_block) {
    (void)tls;
    (void)bytes;
    (void)room;
    (void)may_block;
    errno = ENOTSUP;
    return -1;
}

bool shoal__tls_flush(struct shoal__tls *tls) {
    (void)tls;
    return true;
}

bool shoal__tls_has_unsent(const struct shoal__tls *tls) {
    (void)tls;
    return false;
}

bool shoal__tls_has_more(const struct shoal__tls *tls) {
    (void)tls;
    return false;
}

const char *shoal__tls_complaint(const struct shoal__tls *tls) {
    (void)tls;
    return NULL;
}

void shoal__tls_free(struct shoal__tls *tls) {
    (void)tls;
}
