/* A frame on the terminal that is drawn again in its place, until the user ends it.
 * May include: libc. Called by status/command. */
#ifndef SHOAL_CLI_STATUS_LIVE_H
#define SHOAL_CLI_STATUS_LIVE_H

#include <stdbool.h>
#include <stddef.h>

/* From here on an interruption ends the process with STATUS_DONE, between two frames and never within one, with the
 * cursor as it was; whatever takes long meanwhile is left as it is. `in_place` asks for drawing in place where standard
 * output is a terminal that obeys; else frames come one below the other as they are. */
void live_begin(bool in_place);

/* Draws a frame, of whole lines that are narrower than the terminal. */
void live_draw(const char *frame, size_t size);

/* Gives the cursor back. */
void live_end(void);

#endif
