/* The public headers as one SWIG module, for every language alike. It sees core/include/shoal and nothing else.
 * What a language's own file has to bring is in TYPEMAPS.md; CMake runs SWIG, and what it makes is in no repository. */
%module _native

%{
#include <shoal/shoal.h>
%}

/* The module says client_new and SET where C says shoal_client_new and SHOAL_SET; PHP has no modules. */
#ifndef SWIGPHP
%rename("%(regex:/^(?:shoal|SHOAL)_(.*)/\\1/)s") "";
#endif

/* Handles are freed by the language's collector, and errors become exceptions: nobody calls these. */
%rename("$ignore", regextarget=1, %$isfunction) "^shoal_[a-z]+_free$";
%rename("$ignore", regextarget=1, %$isfunction) "^shoal_error_";

/* Values are handed out as bytes at once: no handle of one is ever seen. */
%rename("$ignore", regextarget=1, %$isfunction) "^shoal_value_";
%ignore SHOAL_UNKNOWN;

/* Batches borrow keys and values until they ran: each language wraps whole batches, not their parts. Codecs borrow
 * what they are given, and hand parts of it back: their two calls are wrapped by hand as well. */
%rename("$ignore", regextarget=1, %$isfunction) "^shoal_batch_";
%ignore shoal_codec_encode;
%ignore shoal_codec_decode;
%ignore SHOAL_CODEC_MAX_BYTES;

/* Not by stdint.i: it says that uint64_t is unsigned long long, which is another type than that of 64-bit machines, so
 * that compilers refuse pointers to it. Here the names stay, and numbers go in and out as these do. */
%apply unsigned short { uint16_t };
%apply int { int32_t, shoal_status };
%apply unsigned int { uint32_t };
%apply long long { int64_t };
%apply unsigned long long { uint64_t };

#ifdef SWIGPYTHON
%include "python.i"
#endif
#ifdef SWIGRUBY
%include "ruby.i"
#endif
#ifdef SWIGPHP
%include "php.i"
#endif

/* The calls that may wait: for the network, a connection or the background thread. All others return at once. */
SHOAL_BLOCKS(shoal_client_close)
SHOAL_BLOCKS(shoal_quiesce)
SHOAL_BLOCKS(shoal_get)
SHOAL_BLOCKS(shoal_gets)
SHOAL_BLOCKS(shoal_set)
SHOAL_BLOCKS(shoal_store)
SHOAL_BLOCKS(shoal_delete)
SHOAL_BLOCKS(shoal_touch)
SHOAL_BLOCKS(shoal_get_and_touch)
SHOAL_BLOCKS(shoal_increment)
SHOAL_BLOCKS(shoal_flush_all)
SHOAL_BLOCKS(shoal_client_topology)
SHOAL_BLOCKS(shoal_route)
SHOAL_BLOCKS(shoal_stats_read)
SHOAL_BLOCKS(shoal_fetch_begin)
SHOAL_BLOCKS(shoal_lease_store)
SHOAL_BLOCKS(shoal_lease_abandon)

%include <shoal/types.h>
%include <shoal/version.h>
%include <shoal/status.h>
%include <shoal/config.h>
%include <shoal/client.h>
%include <shoal/value.h>
%include <shoal/operations.h>
%include <shoal/batch.h>
%include <shoal/topology.h>
%include <shoal/stats.h>
%include <shoal/event.h>
%include <shoal/codec.h>
%include <shoal/fetch.h>
