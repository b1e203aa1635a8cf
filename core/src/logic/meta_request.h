/* Commands in the words of the meta protocol. Pure.
 * May include: base/, logic/. Called by meta_exchange. Source: memcached's doc/protocol.txt. */
#ifndef SHOAL_LOGIC_META_REQUEST_H
#define SHOAL_LOGIC_META_REQUEST_H

#include "base/buffer.h"
#include "logic/command.h"

/* The line of a command, answered with this opaque number. The bytes of a value, and the line end behind them, are the
 * caller's to add. False where memory ran out. */
bool shoal__meta_write(struct shoal__buffer *out, const struct shoal__command *command, uint32_t opaque);

/* The same by a verb of the classic protocol: flush_all, stats, and stores. */
bool shoal__meta_write_classic(struct shoal__buffer *out, const struct shoal__command *command);

/* The line of a store that is answered only where it fails, and then without a key. */
bool shoal__meta_write_quiet(struct shoal__buffer *out, const struct shoal__command *command);

/* Answered by MN when everything before it is done. */
bool shoal__meta_write_noop(struct shoal__buffer *out);

/* One classic line that asks for the items of many keys: it begins, goes on with a key each, and ends. */
bool shoal__meta_write_gets(struct shoal__buffer *out);
bool shoal__meta_write_key(struct shoal__buffer *out, const struct shoal__command *command);
bool shoal__meta_write_line_end(struct shoal__buffer *out);

#endif
