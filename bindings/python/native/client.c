/* The class that shoal.Client extends: the calls that are made most, from Python's arguments to the core and back
 * without a line of Python between. src/shoal/client.py has all others. May include: arguments.h, batches.h, codecs.h.
 * Added to the module that SWIG makes. */
#include "arguments.h"
#include "batches.h"
#include "codecs.h"

struct client {
    PyObject_HEAD PyObject *handle; /* as the other functions of the module take it */
    shoal_client *client;           /* what is in it */
    struct shoal_python_codec codec;
};

/* --- Its life. What __init__ set stays as it is, so that no call need hold it. --- */

static int init(struct client *self, PyObject *arguments, PyObject *names) {
    PyObject *handle = NULL, *encode = NULL, *decode = NULL, *packing = NULL;
    if (names != NULL && PyDict_GET_SIZE(names) > 0) {
        PyErr_SetString(PyExc_TypeError, "ClientBase() takes no keyword arguments");
        return -1;
    }
    if (!PyArg_ParseTuple(arguments, "OOOO", &handle, &encode, &decode, &packing))
        return -1;
    if (self->handle != NULL) {
        PyErr_SetString(PyExc_TypeError, "a client is made once: make another instead");
        return -1;
    }
    shoal_client *client = shoal_python_handle(handle, "shoal_client");
    if (client == NULL || !shoal_python_codec_init(&self->codec, encode, decode, packing))
        return -1;
    self->client = client;
    self->handle = Py_NewRef(handle);
    return 0;
}

static int traverse(struct client *self, visitproc visit, void *arg) {
    Py_VISIT(self->handle);
    Py_VISIT(self->codec.encode);
    Py_VISIT(self->codec.decode);
    Py_VISIT(self->codec.packing);
    return 0;
}

static int clear(struct client *self) {
    self->client = NULL;
    self->codec.layout = NULL;
    Py_CLEAR(self->handle);
    Py_CLEAR(self->codec.encode);
    Py_CLEAR(self->codec.decode);
    Py_CLEAR(self->codec.packing);
    return 0;
}

static void dealloc(struct client *self) {
    PyObject_GC_UnTrack(self);
    clear(self);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

/* A class that extends this one need not have called its __init__. */
static bool is_made(const struct client *self) {
    if (self->client == NULL)
        PyErr_SetString(PyExc_AttributeError, "the client was not made: its __init__ was not called, or failed");
    return self->client != NULL;
}

static PyObject *get_handle(struct client *self, void *context) {
    (void)context;
    return is_made(self) ? Py_NewRef(self->handle) : NULL;
}

/* --- One key --- */

static PyObject *get(struct client *self, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
    static const struct shoal_python_signature signature = {"get", {"key", "default"}, 1};
    PyObject *given[2] = {NULL, Py_None};
    const char *key = NULL;
    size_t size = 0;
    shoal_value *found = NULL;
    shoal_error *error = NULL;
    shoal_status status;
    PyObject *value = NULL;
    if (!is_made(self) || !shoal_python_arguments(&signature, arguments, count, names, given) ||
        !shoal_python_key(given[0], &key, &size))
        return NULL;
    Py_BEGIN_ALLOW_THREADS;
    status = shoal_get(self->client, key, size, &found, &error);
    Py_END_ALLOW_THREADS;
    if (status < 0)
        shoal_python_raise(error, NULL);
    else if (found == NULL)
        value = Py_NewRef(given[1]);
    else
        value = shoal_python_value_of(&self->codec, shoal_value_data(found), shoal_value_size(found),
                                      shoal_value_flags(found));
    shoal_value_free(found);
    shoal_error_free(error);
    return value;
}

static PyObject *store(struct client *self, PyObject *key_object, const struct shoal_python_stored *stored,
                       int64_t ttl_s) {
    const char *key = NULL;
    size_t size = 0;
    shoal_error *error = NULL;
    shoal_status status;
    if (!shoal_python_key(key_object, &key, &size))
        return NULL;
    Py_BEGIN_ALLOW_THREADS;
    status = shoal_store(self->client, SHOAL_SET, key, size, stored->data, stored->size, stored->flags, ttl_s, 0, NULL,
                         &error);
    Py_END_ALLOW_THREADS;
    if (status < 0)
        shoal_python_raise(error, NULL);
    shoal_error_free(error);
    return status < 0 ? NULL : PyBool_FromLong(status == SHOAL_OK);
}

static PyObject *set(struct client *self, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
    static const struct shoal_python_signature signature = {"set", {"key", "value", "ttl"}, 2};
    PyObject *given[3] = {NULL, NULL, NULL};
    struct shoal_python_stored stored = {.data = NULL};
    int64_t ttl_s = 0;
    PyObject *done = NULL;
    if (!is_made(self) || !shoal_python_arguments(&signature, arguments, count, names, given) ||
        (given[2] != NULL && !shoal_python_seconds(given[2], "ttl", &ttl_s)))
        return NULL;
    if (shoal_python_store_value(&self->codec, given[1], &stored))
        done = store(self, given[0], &stored, ttl_s);
    shoal_python_stored_clear(&stored);
    return done;
}

/* --- Many --- */

static PyObject *get_many(struct client *self, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
    static const struct shoal_python_signature signature = {"get_many", {"keys"}, 1};
    PyObject *given[1] = {NULL};
    if (!is_made(self) || !shoal_python_arguments(&signature, arguments, count, names, given))
        return NULL;
    return shoal_python_get_many(self->client, &self->codec, given[0]);
}

static PyObject *set_many(struct client *self, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
    static const struct shoal_python_signature signature = {"set_many", {"mapping", "ttl"}, 1};
    PyObject *given[2] = {NULL, NULL};
    int64_t ttl_s = 0;
    if (!is_made(self) || !shoal_python_arguments(&signature, arguments, count, names, given) ||
        (given[1] != NULL && !shoal_python_seconds(given[1], "ttl", &ttl_s)))
        return NULL;
    return shoal_python_set_many(self->client, &self->codec, given[0], ttl_s);
}

/* --- The class --- */

#define METHOD(name, signature, text) \
    { #name, (PyCFunction)(void (*)(void))(name), METH_FASTCALL | METH_KEYWORDS, #name signature "\n--\n\n" text }

static PyMethodDef methods[] = {
    METHOD(get, "($self, /, key, default=None)", "The value of a key, or default where there is none."),
    METHOD(set, "($self, /, key, value, ttl=0)",
           "Stores a value, whatever was there. True; a value that the server refuses is an exception."),
    METHOD(get_many, "($self, /, keys)",
           "A dict of those keys that have a value, under the caller's own key objects.\n\n"
           "Where the read of a key failed, its error is raised once all are read; its `partial` is the dict of the "
           "hits."),
    METHOD(set_many, "($self, /, mapping, ttl=0)",
           "Stores many values; the caller's keys that were not stored. An exception means that nothing was sent."),
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef attributes[] = {
    {"_handle", (getter)get_handle, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyTypeObject type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "shoal._native.ClientBase",
    .tp_doc = "What a client does most: ClientBase(handle, encode, decode, packing).",
    .tp_basicsize = sizeof(struct client),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_new = PyType_GenericNew,
    .tp_init = (initproc)init,
    .tp_traverse = (traverseproc)traverse,
    .tp_clear = (inquiry)clear,
    .tp_dealloc = (destructor)dealloc,
    .tp_methods = methods,
    .tp_getset = attributes,
};

void shoal_python_add_client(PyObject *module) {
    if (PyType_Ready(&type) == 0)
        PyModule_AddObject(module, "ClientBase", Py_NewRef(&type));
}
