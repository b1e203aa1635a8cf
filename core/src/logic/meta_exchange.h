/* What goes to and fro on a lane that speaks the meta protocol: a run's commands become bytes to send, bytes received
 * decide the commands. Pure: whoever has the socket moves the bytes. core/doc/META.md has the picture.
 * May include: base/, logic/. Driven by net/transport_meta. */
#ifndef SHOAL_LOGIC_META_EXCHANGE_H
#define SHOAL_LOGIC_META_EXCHANGE_H

#include "base/buffer.h"
#include "logic/command.h"
#include "logic/meta_parse.h"

/* Commands that are asked and answered in one way. */
enum shoal__stretch_kind {
    SHOAL__STRETCH_SINGLY, /* each with an opaque number and an answer of its own */
    SHOAL__STRETCH_LINE,   /* a read asked singly, whose answer opens those of the others, on one classic line */
    SHOAL__STRETCH_QUIET,  /* stores that are answered where they fail; the last of them, not quiet, and mn close it */
};

struct shoal__stretch {
    enum shoal__stretch_kind kind;
    size_t begin; /* its commands in the run */
    size_t end;
    size_t at;       /* SINGLY: who is answered next; LINE: where the next item is looked for first */
    uint32_t opaque; /* of the command at `begin`; each command has the next */
    bool opened;     /* LINE: the first read was answered */
    bool closing;    /* QUIET: the last store was answered */
    bool refused;    /* QUIET: one of them, which one is not told */
    bool noop_asked; /* QUIET: mn is in the text */
};

#define SHOAL__STRETCHES_MAX 16

/* A value under way. */
struct shoal__reading {
    struct shoal__command *command; /* NULL: none is */
    char *into;                     /* NULL: the bytes are dropped, as there are too many */
    size_t size;
    size_t filled;
    size_t line_end_filled; /* of the two bytes behind it */
};

struct shoal__exchange {
    size_t item_max;      /* the largest item that the server stores; 0: not known */
    size_t value_max;     /* larger ones are dropped as they come */
    bool misses_unmarked; /* before 1.6.18 a miss comes without its opaque number */

    struct shoal__run *run;
    uint32_t next_opaque;

    /* What is asked. */
    struct shoal__buffer out; /* text, sent up to out_sent */
    size_t out_sent;
    const struct shoal__command *large; /* its value follows the text from where it is, and a line end */
    size_t large_sent;
    struct shoal__stretch stretches[SHOAL__STRETCHES_MAX]; /* in flight, a ring */
    size_t first_stretch;
    size_t stretch_count;
    size_t singly_before; /* quiet stores before this one are asked again, singly */
    size_t repeat_from;   /* SIZE_MAX: nothing was refused */

    /* What is answered. */
    struct shoal__buffer partial; /* a line whose end has not come */
    struct shoal__reading reading;
    char number[24];
    bool is_spent; /* the lane is of no use after the answers that are due: the server lost its place */
};

/* Ready for a run, whatever became of the one before. */
void shoal__exchange_begin(struct shoal__exchange *exchange, struct shoal__run *run);

/* The run is over: room beyond a little is given back. */
void shoal__exchange_end(struct shoal__exchange *exchange);

/* Adds to what is to be sent, where that is little and more may be asked now. False where memory ran out. */
bool shoal__exchange_ask(struct shoal__exchange *exchange);

struct shoal__piece {
    const char *bytes;
    size_t size;
};

/* What is to be sent next, in up to three pieces; 0 where nothing is. */
size_t shoal__exchange_pieces(const struct shoal__exchange *exchange, struct shoal__piece pieces[3]);

/* So many bytes of them went out. */
void shoal__exchange_sent(struct shoal__exchange *exchange, size_t size);

/* Where the next bytes belong, if a good many of them are those of a value: they may be received right there. */
char *shoal__exchange_target(struct shoal__exchange *exchange, size_t *room);
void shoal__exchange_filled(struct shoal__exchange *exchange, size_t size);

/* Takes bytes received. SHOAL_OK, or why the lane is of no more use; commands not decided then stay so. */
shoal_status shoal__exchange_take(struct shoal__exchange *exchange, const char *bytes, size_t size,
                                  struct shoal__fault *fault);

/* For the two halves of the exchange alone: the run's account of what is in flight, and whether a command goes by a
 * classic verb, which has no opaque number. */
void shoal__exchange_count(struct shoal__exchange *exchange);
bool shoal__exchange_is_classic(const struct shoal__exchange *exchange, const struct shoal__command *command);

/* Whether every command is decided, or none can be any more on this lane, with no answer due. */
bool shoal__exchange_is_over(const struct shoal__exchange *exchange);

void shoal__exchange_clear(struct shoal__exchange *exchange);

#endif
