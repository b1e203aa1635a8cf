/* Whole batches of the client's: each runs once, with the interpreter's lock given up while it does.
 * May include: codecs.h. Used by client.c. */
#ifndef SHOAL_PYTHON_BATCHES_H
#define SHOAL_PYTHON_BATCHES_H

#include "codecs.h"

/* The hits among the keys, as a dict under the caller's own objects. Where a key failed, the exception carries the hits
 * as partial. */
PyObject *shoal_python_get_many(shoal_client *client, const struct shoal_python_codec *codec, PyObject *keys);

/* Stores what is in a mapping. Returns a list of the keys that were not stored. */
PyObject *shoal_python_set_many(shoal_client *client, const struct shoal_python_codec *codec, PyObject *mapping,
                                int64_t ttl_s);

#endif
