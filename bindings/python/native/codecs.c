/* The codecs on the way of every value. What needs no Python is done without: a call into Python costs more than all
 * that the core does for a key of a batch.
 * May include: codecs.h. Called by client.c, batches.c and the wrapper that SWIG makes. */
#include "codecs.h"

/* From here on others may run meanwhile: compressing takes some 30 ms a megabyte. */
#define LARGE_BYTES ((size_t)16 * 1024)

bool shoal_python_codec_init(struct shoal_python_codec *codec, PyObject *encode, PyObject *decode, PyObject *packing) {
    PyObject *layout = NULL;
    Py_ssize_t min_bytes = 0;
    *codec = (struct shoal_python_codec){.encode = NULL};
    if (packing != Py_None) {
        if (!PyTuple_Check(packing)) {
            PyErr_SetString(PyExc_TypeError, "a packing is (layout, compress, compress_min_bytes) or None");
            return false;
        }
        if (!PyArg_ParseTuple(packing, "Oin", &layout, &codec->compress, &min_bytes))
            return false;
        codec->layout = shoal_python_handle(layout, "shoal_codec");
        codec->min_bytes = (size_t)min_bytes;
        if (codec->layout == NULL)
            return false;
    }
    codec->encode = Py_NewRef(encode);
    codec->decode = Py_NewRef(decode);
    codec->packing = Py_NewRef(packing);
    return true;
}

/* --- By the core's layouts. Large values are worked on with the interpreter's lock given up. --- */

struct plain {
    int kind;
    const void *data;
    size_t size;
    shoal_value *owner;
};

/* False with an exception. */
static bool unpack(const shoal_codec *layout, uint32_t flags, const void *data, size_t size, struct plain *plain) {
    uint32_t user_flags = 0;
    shoal_error *error = NULL;
    PyThreadState *state = size >= LARGE_BYTES ? PyEval_SaveThread() : NULL;
    shoal_status status = shoal_codec_decode(layout, flags, data, size, 0, &plain->kind, &plain->data, &plain->size,
                                             &user_flags, &plain->owner, &error);
    if (state != NULL)
        PyEval_RestoreThread(state);
    if (status < 0)
        shoal_python_raise(error, NULL);
    shoal_error_free(error);
    return status >= 0;
}

/* In place: what is stored was plain before. False with an exception. */
static bool pack(const shoal_codec *layout, int kind, int compress, size_t min_bytes,
                 struct shoal_python_stored *stored) {
    shoal_error *error = NULL;
    bool is_work = stored->size >= LARGE_BYTES && compress != SHOAL_COMPRESS_NONE;
    PyThreadState *state = is_work ? PyEval_SaveThread() : NULL;
    shoal_status status = shoal_codec_encode(layout, kind, stored->data, stored->size, compress, min_bytes, 0,
                                             &stored->data, &stored->size, &stored->flags, &stored->packed, &error);
    if (state != NULL)
        PyEval_RestoreThread(state);
    if (status < 0)
        shoal_python_raise(error, NULL);
    shoal_error_free(error);
    return status >= 0;
}

/* --- Reading --- */

static PyObject *decoded(const struct shoal_python_codec *codec, const struct plain *plain) {
    PyObject *value = NULL;
    if (plain->kind == SHOAL_KIND_BYTES)
        return PyBytes_FromStringAndSize(plain->data, (Py_ssize_t)plain->size);
    if (plain->kind == SHOAL_KIND_TEXT)
        value = PyUnicode_DecodeUTF8(plain->data, (Py_ssize_t)plain->size, NULL);
    if (value != NULL)
        return value;
    PyErr_Clear(); /* damaged text: the codec tells of it in its own words */
    return PyObject_CallFunction(codec->decode, "iy#", plain->kind, (const char *)plain->data, (Py_ssize_t)plain->size);
}

PyObject *shoal_python_value_of(const struct shoal_python_codec *codec, const void *data, size_t size, uint32_t flags) {
    if (codec->layout != NULL) {
        struct plain plain = {.owner = NULL};
        PyObject *value = unpack(codec->layout, flags, data, size, &plain) ? decoded(codec, &plain) : NULL;
        shoal_value_free(plain.owner);
        return value;
    }
    if (codec->decode == Py_None)
        return PyBytes_FromStringAndSize(data, (Py_ssize_t)size);
    return PyObject_CallFunction(codec->decode, "y#k", (const char *)data, (Py_ssize_t)size, (unsigned long)flags);
}

/* --- Writing --- */

/* Takes the reference to the object, which may be NULL where an exception says why. */
static bool hold(struct shoal_python_stored *stored, PyObject *object) {
    if (object == NULL)
        return false;
    if (PyBytes_CheckExact(object)) {
        stored->bytes = object;
        stored->data = PyBytes_AS_STRING(object);
        stored->size = (size_t)PyBytes_GET_SIZE(object);
        return true;
    }
    bool lent = PyObject_GetBuffer(object, &stored->view, PyBUF_SIMPLE) == 0;
    Py_DECREF(object);
    stored->data = stored->view.buf;
    stored->size = (size_t)stored->view.len;
    return lent;
}

static bool flags_of(PyObject *object, uint32_t *flags) {
    uint64_t number = 0;
    if (!shoal_python_unsigned(object, "flags", UINT32_MAX, &number))
        return false;
    *flags = (uint32_t)number;
    return true;
}

/* The two things that the codec's own encode makes of a value, as a tuple. */
static PyObject *encoded(const struct shoal_python_codec *codec, PyObject *value) {
    PyObject *made = PyObject_CallFunctionObjArgs(codec->encode, value, NULL);
    PyObject *pair = made != NULL ? PySequence_Tuple(made) : NULL;
    Py_XDECREF(made);
    if (pair == NULL || PyTuple_GET_SIZE(pair) == 2)
        return pair;
    PyErr_Format(PyExc_ValueError, "a codec's encode gives (bytes, flags), not %zd things", PyTuple_GET_SIZE(pair));
    Py_DECREF(pair);
    return NULL;
}

static bool hold_encoded(const struct shoal_python_codec *codec, PyObject *value, struct shoal_python_stored *stored) {
    PyObject *pair = encoded(codec, value);
    bool held = pair != NULL && flags_of(PyTuple_GET_ITEM(pair, 1), &stored->flags) &&
                hold(stored, Py_NewRef(PyTuple_GET_ITEM(pair, 0)));
    Py_XDECREF(pair);
    return held;
}

/* The bytes of a value for a layout of the core, and their kind. */
static bool hold_kind(const struct shoal_python_codec *codec, PyObject *value, int *kind,
                      struct shoal_python_stored *stored) {
    *kind = PyBytes_CheckExact(value) ? SHOAL_KIND_BYTES : SHOAL_KIND_TEXT;
    if (PyBytes_CheckExact(value))
        return hold(stored, Py_NewRef(value));
    if (PyUnicode_CheckExact(value))
        return hold(stored, PyUnicode_AsUTF8String(value));
    PyObject *pair = encoded(codec, value);
    if (pair != NULL)
        *kind = (int)PyLong_AsLong(PyTuple_GET_ITEM(pair, 0));
    bool held = !PyErr_Occurred() && hold(stored, Py_NewRef(PyTuple_GET_ITEM(pair, 1)));
    Py_XDECREF(pair);
    return held;
}

bool shoal_python_store_value(const struct shoal_python_codec *codec, PyObject *value,
                              struct shoal_python_stored *stored) {
    int kind;
    if (codec->layout != NULL)
        return hold_kind(codec, value, &kind, stored) &&
               pack(codec->layout, kind, codec->compress, codec->min_bytes, stored);
    if (codec->decode == Py_None && PyBytes_CheckExact(value))
        return hold(stored, Py_NewRef(value));
    return hold_encoded(codec, value, stored);
}

void shoal_python_stored_clear(struct shoal_python_stored *stored) {
    Py_XDECREF(stored->bytes);
    if (stored->view.obj != NULL)
        PyBuffer_Release(&stored->view);
    shoal_value_free(stored->packed);
}

/* --- For the codecs in Python --- */

/* What came out: the caller's own object where it is all of that object. */
static PyObject *result_of(PyObject *object, const void *data, size_t size, bool is_object) {
    return is_object ? Py_NewRef(object) : PyBytes_FromStringAndSize(data, (Py_ssize_t)size);
}

PyObject *shoal_python_encode(const shoal_codec *codec, int kind, PyObject *data, int compress, size_t min_bytes) {
    struct shoal_python_stored stored = {.data = NULL};
    PyObject *result = NULL;
    if (hold(&stored, Py_NewRef(data))) {
        struct shoal_python_stored plain = stored;
        if (pack(codec, kind, compress, min_bytes, &stored)) {
            bool is_object = stored.data == plain.data && stored.size == plain.size;
            result = Py_BuildValue("(Nk)", result_of(data, stored.data, stored.size, is_object),
                                   (unsigned long)stored.flags);
        }
    }
    shoal_python_stored_clear(&stored);
    return result;
}

PyObject *shoal_python_decode(const shoal_codec *codec, unsigned flags, PyObject *data) {
    struct shoal_python_stored stored = {.data = NULL};
    struct plain plain = {.owner = NULL};
    PyObject *result = NULL;
    if (hold(&stored, Py_NewRef(data)) && unpack(codec, flags, stored.data, stored.size, &plain)) {
        bool is_object = plain.data == stored.data && plain.size == stored.size;
        result = Py_BuildValue("(iN)", plain.kind, result_of(data, plain.data, plain.size, is_object));
    }
    shoal_value_free(plain.owner);
    shoal_python_stored_clear(&stored);
    return result;
}
