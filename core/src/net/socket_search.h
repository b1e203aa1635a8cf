/* Finds the descriptor of a connection that another library made and does not show.
 * May include: base/. Used by transport_libmemcached, whose library tells the local port of its socket alone. */
#ifndef SHOAL_NET_SOCKET_SEARCH_H
#define SHOAL_NET_SOCKET_SEARCH_H

#include "base/address.h"

/* The number that the next socket of this process will have, unless another thread is quicker. */
int shoal__socket_guess(void);

/* The TCP socket with this local port that is connected to peer: the guess where it is right, else whichever of the
 * process's descriptors is. -1 where there is none, as for Unix sockets, which have no port to know them by. */
int shoal__socket_find(int guess, uint16_t own_port, const struct shoal__address *peer);

#endif
