/* The state of a fleet for people, for programs and as JSON.
 * May include: status/ask. Called by status/command. */
#ifndef SHOAL_CLI_STATUS_PRINT_H
#define SHOAL_CLI_STATUS_PRINT_H

#include "status/ask.h"

#include <stdio.h>

/* A line a node, exact numbers, tabs between them. */
void print_state_lines(FILE *file, const struct fleet_state *fleet);

/* One line. */
void print_state_json(FILE *file, const struct fleet_state *fleet);

/* How much room a table has. */
struct table_room {
    unsigned columns;
    size_t rows;   /* where there are more nodes, those that are down come first and the others as far as they fit */
    bool is_fixed; /* no line may be longer, not even that of a node that is down */
};

/* A heading and aligned columns, numbers shortened for the eye; with the colours that the terminal takes. Where the
 * room is too narrow, the names are shortened first, and then columns left out from the right. */
void print_state_table(FILE *file, const struct fleet_state *fleet, const struct table_room *room);

#endif
