/* How failures travel: a fault on the stack while a call is being worked on, an error object where the caller asked.
 * May include: public headers. Used by every layer. */
#ifndef SHOAL_BASE_ERROR_H
#define SHOAL_BASE_ERROR_H

#include <shoal/status.h>

#include <stdbool.h>

/* A failure before anybody has asked for an object: no allocation, so that it can be made and dropped at will. */
struct shoal__fault {
    shoal_status status;
    int os_error;
    bool outcome_unknown; /* the command may have been executed */
    bool is_local;        /* a node was to be used, and the cause is on this side */
    bool is_hard;         /* the node refused or was silent: its breaker counts that */
    char text[320];
};

/* Fills a fault (which may be NULL) and returns its status, so that a failing function can end in one line. */
shoal_status shoal__fault_set(struct shoal__fault *fault, shoal_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same, with the errno and its text appended. */
shoal_status shoal__fault_set_os(struct shoal__fault *fault, shoal_status status, int os_error, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* What `*error` held is freed: the first line of every public function that takes one. */
void shoal__error_begin(shoal_error **error);

/* Hands a fault to the caller (error may be NULL) and returns its status. node may be NULL. */
shoal_status shoal__error_report(shoal_error **error, const struct shoal__fault *fault, const char *node,
                                 unsigned attempts);

/* For the faults of arguments: fills and hands over in one step. */
shoal_status shoal__error_fail(shoal_error **error, shoal_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Whether the fault speaks against the node it happened at. */
bool shoal__fault_blames_node(const struct shoal__fault *fault);

/* Whether the same call may succeed later. */
bool shoal__status_is_retriable(shoal_status status);

#endif
