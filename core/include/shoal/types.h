/* What every public header shares: export marks and the names of the opaque handles.
 * May include: libc only. Included by every other public header. */
#ifndef SHOAL_TYPES_H
#define SHOAL_TYPES_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define SHOAL_API __attribute__((visibility("default")))
#else
#define SHOAL_API
#endif

#ifdef __cplusplus
#define SHOAL_BEGIN_DECLS extern "C" {
#define SHOAL_END_DECLS }
#else
#define SHOAL_BEGIN_DECLS
#define SHOAL_END_DECLS
#endif

/* Conventions, true of every function unless its comment says otherwise:
 *
 * - Handles are opaque. A `T **out` belongs to the caller and is freed by `shoal_T_free`, which takes NULL.
 *   A `const T *` is borrowed; its comment says for how long.
 * - Handle first, outputs next, `shoal_error **error` last. `error` may be NULL. `*error` must be NULL or an
 *   earlier error of Shoal's: it is freed on entry and set only on failure.
 * - Every output is NULL or 0 unless the status returned is 0.
 * - Keys and values are a pointer and a length, never ended by a NUL byte.
 * - Units stand in names: `timeout_ms`, `ttl_s`.
 * - Children hold references to their parents: handles may be freed in any order.
 */

typedef struct shoal_config shoal_config; /**< options, before a client is made of them */
typedef struct shoal_option shoal_option; /**< the description of one option */
typedef struct shoal_preset shoal_preset; /**< a predecessor, and what to set in its place */
typedef struct shoal_client shoal_client; /**< a view of a fleet: what operations are called on */
typedef struct shoal_value shoal_value;   /**< the bytes, flags and cas token of one item */
typedef struct shoal_codec shoal_codec;   /**< a client's layout of flags and bytes */
typedef struct shoal_batch shoal_batch;   /**< many operations, run as one */
typedef struct shoal_lease
    shoal_lease; /**< the right to compute a value, and the duty to store it or give the right back */
typedef struct shoal_topology shoal_topology; /**< an immutable list of nodes */
typedef struct shoal_node shoal_node;         /**< one node of a topology */
typedef struct shoal_stats shoal_stats;       /**< what the nodes say of themselves */
typedef struct shoal_event shoal_event;       /**< something that happened in the background */
typedef struct shoal_error shoal_error;       /**< what went wrong, where, and what to do */

#endif
