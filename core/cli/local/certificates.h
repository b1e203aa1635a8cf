/* The certificates of a local fleet with TLS, in a folder of the fleet's directory.
 * May include: libc, directory, node, report. Called by server. */
#ifndef SHOAL_CLI_LOCAL_CERTIFICATES_H
#define SHOAL_CLI_LOCAL_CERTIFICATES_H

#include "local/directory.h"
#include "local/node.h"

/* Where they are: the folder, in which memcached is started, and the file of the authority that clients trust. */
struct local_certificates {
    char folder[sizeof(((struct local_directory *)0)->path) + sizeof("/tls")];
    char ca_file[512]; /* absolute, percent-encoded as an endpoint wants it */
};

/* Makes the authority's certificate and the servers' by the command openssl, for localhost and 127.0.0.1. The
 * authority's key is not kept. What a fleet that died has left there is removed before. */
bool local_certificates_make(struct local_certificates *certificates, const struct local_directory *directory,
                             struct local_program *program, struct problem *problem);

/* Removes them all. Does nothing where none were made. */
void local_certificates_remove(const struct local_certificates *certificates);

#endif
