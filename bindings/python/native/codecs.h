/* What a client does with values: by which codec they become bytes and flags, and bytes and flags become values.
 * May include: support.h. Used by client.c and batches.c. */
#ifndef SHOAL_PYTHON_CODECS_H
#define SHOAL_PYTHON_CODECS_H

#include "support.h"

/* Three kinds of codecs, of which the first two need no Python for what is most common:
 * - raw (decode is None): bytes as they are; encode stands for what is not exactly bytes.
 * - by a layout of the core (packing is (layout, compress, compress_min_bytes)): bytes and str as the layout has them;
 * for all else encode makes (kind, bytes), and decode takes them.
 * - any other: encode makes (bytes, flags), and decode takes them. */
struct shoal_python_codec {
    PyObject *encode;
    PyObject *decode;
    PyObject *packing; /* or None */
    const shoal_codec *layout;
    int compress;
    size_t min_bytes;
};

/* References are taken; a TypeError where they are none of the three. */
bool shoal_python_codec_init(struct shoal_python_codec *codec, PyObject *encode, PyObject *decode, PyObject *packing);

/* The value of what was stored; NULL with an exception. */
PyObject *shoal_python_value_of(const struct shoal_python_codec *codec, const void *data, size_t size, uint32_t flags);

/* A value as it is stored: in bytes, in another object's buffer, or compressed. */
struct shoal_python_stored {
    const void *data;
    size_t size;
    uint32_t flags;
    PyObject *bytes;
    Py_buffer view; /* where bytes is NULL */
    shoal_value *packed;
};

/* Fills a zeroed one; false with an exception. Either way it is the caller's to clear. */
bool shoal_python_store_value(const struct shoal_python_codec *codec, PyObject *value,
                              struct shoal_python_stored *stored);
void shoal_python_stored_clear(struct shoal_python_stored *stored);

#endif
