/* The core's codecs on Python's bytes: flags, and compression where it saves anything.
 * May include: support.h. Called by the wrapper that SWIG makes. */
#include "support.h"

/* From here on others may run meanwhile: compressing takes some 30 ms a megabyte. */
#define LARGE_BYTES ((Py_ssize_t)16 * 1024)

/* What came out, as bytes: the caller's own object where it is all of that object. */
static PyObject *result_of(PyObject *object, const Py_buffer *view, const void *data, size_t size) {
    if (data == view->buf && size == (size_t)view->len)
        return Py_NewRef(object);
    return PyBytes_FromStringAndSize(data, (Py_ssize_t)size);
}

struct encoding {
    const void *stored;
    size_t size;
    uint32_t flags;
    shoal_value *owner;
    shoal_error *error;
};

static shoal_status encode(const shoal_codec *codec, int kind, const Py_buffer *view, int compress, size_t min_bytes,
                           struct encoding *out) {
    shoal_status status = SHOAL_OK;
    PyThreadState *state = view->len >= LARGE_BYTES && compress != SHOAL_COMPRESS_NONE ? PyEval_SaveThread() : NULL;
    status = shoal_codec_encode(codec, kind, view->buf, (size_t)view->len, compress, min_bytes, 0, &out->stored,
                                &out->size, &out->flags, &out->owner, &out->error);
    if (state != NULL)
        PyEval_RestoreThread(state);
    return status;
}

PyObject *shoal_python_encode(const shoal_codec *codec, int kind, PyObject *data, int compress, size_t min_bytes) {
    struct encoding out = {.stored = NULL};
    Py_buffer view;
    PyObject *result = NULL;
    if (PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) < 0)
        return NULL;
    if (encode(codec, kind, &view, compress, min_bytes, &out) < 0)
        shoal_python_raise(out.error, NULL);
    else
        result = Py_BuildValue("(Nk)", result_of(data, &view, out.stored, out.size), (unsigned long)out.flags);
    PyBuffer_Release(&view);
    shoal_value_free(out.owner);
    shoal_error_free(out.error);
    return result;
}

struct decoding {
    const void *plain;
    size_t size;
    int kind;
    uint32_t user_flags;
    shoal_value *owner;
    shoal_error *error;
};

static shoal_status decode(const shoal_codec *codec, uint32_t flags, const Py_buffer *view, struct decoding *out) {
    shoal_status status = SHOAL_OK;
    PyThreadState *state = view->len >= LARGE_BYTES ? PyEval_SaveThread() : NULL;
    status = shoal_codec_decode(codec, flags, view->buf, (size_t)view->len, 0, &out->kind, &out->plain, &out->size,
                                &out->user_flags, &out->owner, &out->error);
    if (state != NULL)
        PyEval_RestoreThread(state);
    return status;
}

PyObject *shoal_python_decode(const shoal_codec *codec, unsigned flags, PyObject *data) {
    struct decoding out = {.plain = NULL};
    Py_buffer view;
    PyObject *result = NULL;
    if (PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) < 0)
        return NULL;
    if (decode(codec, flags, &view, &out) < 0)
        shoal_python_raise(out.error, NULL);
    else
        result = Py_BuildValue("(iN)", out.kind, result_of(data, &view, out.plain, out.size));
    PyBuffer_Release(&view);
    shoal_value_free(out.owner);
    shoal_error_free(out.error);
    return result;
}
