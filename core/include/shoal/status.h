/* Statuses, which every call returns, and error objects, which say more where a call failed.
 * May include: <shoal/types.h>. Included by every header whose functions can fail. */
#ifndef SHOAL_STATUS_H
#define SHOAL_STATUS_H

#include <shoal/types.h>

SHOAL_BEGIN_DECLS

/**
 * 0: done. Positive: an outcome that is no error. Negative: an error.
 * Later releases may add codes; of an unknown one the sign decides.
 */
typedef int32_t shoal_status;

#define SHOAL_OK 0

/* Outcomes. */
#define SHOAL_NOT_FOUND 1  /**< no item under this key; no event waiting */
#define SHOAL_NOT_STORED 2 /**< add found an item, or replace, append, prepend found none */
#define SHOAL_EXISTS 3     /**< cas: somebody changed the item meanwhile */
#define SHOAL_STALE 4      /**< fetch: an old value, while somebody else computes the next */
#define SHOAL_COMPUTE 5    /**< fetch: the caller is to compute the value */
#define SHOAL_PARTIAL 6    /**< a batch ran and some of its items failed: ask each for its status */

/* Errors. */
#define SHOAL_E_INVALID (-1)      /**< an argument that cannot be right: a NULL handle, an unknown mode */
#define SHOAL_E_NO_MEMORY (-2)    /**< memory ran out */
#define SHOAL_E_BAD_OPTION (-3)   /**< an unknown option, or a value it does not take */
#define SHOAL_E_BAD_ENDPOINT (-4) /**< an endpoint that cannot be read, or of a kind not built in */
#define SHOAL_E_BAD_KEY (-5)      /**< a key that is empty, too long, or holds a forbidden byte */
#define SHOAL_E_TOO_LARGE (-6)    /**< a value that the server refuses for its size, or larger than the caller allows */
#define SHOAL_E_NOT_A_NUMBER (-7) /**< increment of an item that is no decimal number */
#define SHOAL_E_CLOSED (-8)       /**< the client was closed */
#define SHOAL_E_TIMEOUT (-9)      /**< the call's time ran out */
#define SHOAL_E_NODE_DOWN (-10)   /**< the node refused, closed or could not be reached */
#define SHOAL_E_DISCOVERY (-11)   /**< no list of nodes is known yet */
#define SHOAL_E_PROTOCOL (-12)    /**< the server's answer made no sense; its connection was closed */
#define SHOAL_E_SERVER (-13)      /**< the server answered with an error of its own */
#define SHOAL_E_UNSUPPORTED (-14) /**< not possible with this protocol, server or build */
#define SHOAL_E_SYSTEM (-15)      /**< the operating system refused (descriptors, threads): see the errno */
#define SHOAL_E_BAD_VALUE (-16)   /**< a stored value that its codec cannot read: damaged, or of another client */

/**
 * A status's name, e.g. "SHOAL_E_TIMEOUT".
 *
 * @return a static string; "SHOAL_E_UNKNOWN" or "SHOAL_UNKNOWN" for a code this release does not know.
 * Thread safety: any thread. Blocks: never. Since 0.1.
 */
SHOAL_API const char *shoal_status_name(shoal_status status);

/**
 * The status the failed call returned.
 *
 * @param error may be NULL: then 0.
 * Thread safety: an error belongs to one thread at a time. Blocks: never. Since 0.1.
 */
SHOAL_API shoal_status shoal_error_status(const shoal_error *error);

/**
 * One sentence: what was wrong, where, and what to do. It never holds a value, a password or a key.
 *
 * @param error may be NULL: then "".
 * @return borrowed until the error is freed; never NULL.
 * Thread safety: an error belongs to one thread at a time. Blocks: never. Since 0.1.
 */
SHOAL_API const char *shoal_error_message(const shoal_error *error);

/**
 * The node at which it happened, as `host:port`.
 *
 * @param error may be NULL.
 * @return borrowed until the error is freed; NULL where no node was involved.
 * Thread safety: an error belongs to one thread at a time. Blocks: never. Since 0.1.
 */
SHOAL_API const char *shoal_error_node(const shoal_error *error);

/**
 * The operating system's error number.
 *
 * @param error may be NULL: then 0.
 * @return an errno, 0 where none was involved.
 * Thread safety: an error belongs to one thread at a time. Blocks: never. Since 0.1.
 */
SHOAL_API int shoal_error_errno(const shoal_error *error);

/**
 * How often the command was tried on a node.
 *
 * @param error may be NULL: then 0.
 * @return 0 where the call failed before a connection was there.
 * Thread safety: an error belongs to one thread at a time. Blocks: never. Since 0.1.
 */
SHOAL_API unsigned shoal_error_attempts(const shoal_error *error);

/**
 * 1 where the same call may succeed later without a change by the caller (a timeout, a node down), else 0.
 *
 * @param error may be NULL: then 0.
 * Thread safety: an error belongs to one thread at a time. Blocks: never. Since 0.1.
 */
SHOAL_API int shoal_error_is_retriable(const shoal_error *error);

/**
 * 1 where the command may or may not have been executed (its reply was lost), else 0. Repeating an increment,
 * an append or a cas then may do it twice.
 *
 * @param error may be NULL: then 0.
 * Thread safety: an error belongs to one thread at a time. Blocks: never. Since 0.1.
 */
SHOAL_API int shoal_error_is_outcome_unknown(const shoal_error *error);

/**
 * Frees an error.
 *
 * @param error may be NULL.
 * Thread safety: an error belongs to one thread at a time. Blocks: never. Since 0.1.
 */
SHOAL_API void shoal_error_free(shoal_error *error);

SHOAL_END_DECLS

#endif
