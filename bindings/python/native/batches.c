/* get_many, set_many and delete_many: one batch each, made from Python's objects and turned back into them.
 * May include: support.h. Called by the wrapper that SWIG makes. */
#include "support.h"

/* Keys, and values where there are any, are held from before the interpreter's lock is given up until the batch is
 * freed: `items` is a tuple of our own, which no other thread can change. */
struct run {
    shoal_batch *batch;
    shoal_error *error;
    PyObject *items;
    Py_buffer *views; /* of set_many, one an item; obj is NULL where there is none yet */
    Py_ssize_t count;
};

static bool begin(struct run *run, shoal_client *client, PyObject *items) {
    *run = (struct run){.batch = NULL};
    run->items = PySequence_Tuple(items);
    if (run->items == NULL)
        return false;
    run->count = PyTuple_GET_SIZE(run->items);
    if (shoal_batch_new(client, &run->batch, &run->error) < 0)
        shoal_python_raise(run->error, NULL);
    return run->batch != NULL;
}

static void end(struct run *run) {
    shoal_batch_free(run->batch);
    shoal_error_free(run->error);
    for (Py_ssize_t i = 0; run->views != NULL && i < run->count; i++)
        if (run->views[i].obj != NULL)
            PyBuffer_Release(&run->views[i]);
    PyMem_Free(run->views);
    Py_XDECREF(run->items);
}

static bool added(struct run *run, shoal_status status) {
    if (status < 0)
        shoal_python_raise(run->error, NULL);
    return status >= 0;
}

/* Nothing is sent for a batch of nothing. */
static bool execute(struct run *run) {
    shoal_status status = SHOAL_OK;
    if (run->count == 0)
        return true;
    Py_BEGIN_ALLOW_THREADS;
    status = shoal_batch_run(run->batch, &run->error);
    Py_END_ALLOW_THREADS;
    return added(run, status);
}

/* --- Reading --- */

static bool add_reads(struct run *run) {
    for (Py_ssize_t i = 0; i < run->count; i++) {
        const char *key = NULL;
        size_t size = 0;
        if (!shoal_python_key(PyTuple_GET_ITEM(run->items, i), &key, &size) ||
            !added(run, shoal_batch_get(run->batch, key, size, &run->error)))
            return false;
    }
    return true;
}

static PyObject *decoded(PyObject *decode, const void *data, size_t size, uint32_t flags) {
    if (decode == Py_None)
        return PyBytes_FromStringAndSize(data, (Py_ssize_t)size);
    return PyObject_CallFunction(decode, "y#k", (const char *)data, (Py_ssize_t)size, (unsigned long)flags);
}

static bool take_hit(const struct run *run, size_t index, PyObject *decode, PyObject *hits) {
    const void *data = NULL;
    size_t size = 0;
    uint32_t flags = 0;
    if (shoal_batch_value(run->batch, index, &data, &size, &flags, NULL) != SHOAL_OK)
        return true;
    PyObject *value = decoded(decode, data, size, flags);
    bool fine = value != NULL && PyDict_SetItem(hits, PyTuple_GET_ITEM(run->items, (Py_ssize_t)index), value) == 0;
    Py_XDECREF(value);
    return fine;
}

/* All hits are taken before the first failure is told, so that the exception can carry them. */
static bool take_hits(const struct run *run, PyObject *decode, PyObject *hits) {
    const shoal_error *failure = NULL;
    for (size_t i = 0; i < (size_t)run->count; i++) {
        if (failure == NULL)
            failure = shoal_batch_error(run->batch, i);
        if (!take_hit(run, i, decode, hits))
            return false;
    }
    if (failure != NULL)
        shoal_python_raise(failure, hits);
    return failure == NULL;
}

PyObject *shoal_python_get_many(shoal_client *client, PyObject *keys, PyObject *decode) {
    struct run run;
    PyObject *hits = NULL;
    if (begin(&run, client, keys) && add_reads(&run) && execute(&run)) {
        hits = PyDict_New();
        if (hits != NULL && !take_hits(&run, decode, hits))
            Py_CLEAR(hits);
    }
    end(&run);
    return hits;
}

/* --- Writing --- */

static bool add_store(struct run *run, Py_ssize_t index, int64_t ttl_s) {
    PyObject *key_object = NULL;
    PyObject *value = NULL;
    unsigned long flags = 0;
    const char *key = NULL;
    size_t size = 0;
    Py_buffer *view = &run->views[index];
    PyObject *item = PyTuple_GET_ITEM(run->items, index);
    if (!PyTuple_Check(item)) {
        PyErr_SetString(PyExc_TypeError, "an item is (key, value, flags)");
        return false;
    }
    return PyArg_ParseTuple(item, "OOk", &key_object, &value, &flags) && shoal_python_key(key_object, &key, &size) &&
           PyObject_GetBuffer(value, view, PyBUF_SIMPLE) == 0 &&
           added(run, shoal_batch_store(run->batch, SHOAL_SET, key, size, view->buf, (size_t)view->len, (uint32_t)flags,
                                        ttl_s, 0, &run->error));
}

static bool add_stores(struct run *run, int64_t ttl_s) {
    run->views = PyMem_Calloc((size_t)run->count + 1, sizeof(Py_buffer));
    if (run->views == NULL)
        PyErr_NoMemory();
    for (Py_ssize_t i = 0; run->views != NULL && i < run->count; i++)
        if (!add_store(run, i, ttl_s))
            return false;
    return run->views != NULL;
}

static bool add_deletions(struct run *run) {
    for (Py_ssize_t i = 0; i < run->count; i++) {
        const char *key = NULL;
        size_t size = 0;
        if (!shoal_python_key(PyTuple_GET_ITEM(run->items, i), &key, &size) ||
            !added(run, shoal_batch_delete(run->batch, key, size, &run->error)))
            return false;
    }
    return true;
}

static PyObject *key_of(const struct run *run, Py_ssize_t index) {
    PyObject *item = PyTuple_GET_ITEM(run->items, index);
    return run->views != NULL ? PyTuple_GET_ITEM(item, 0) : item;
}

/* The caller's keys whose items ended with an error. */
static PyObject *failures(const struct run *run) {
    PyObject *keys = PyList_New(0);
    for (Py_ssize_t i = 0; keys != NULL && i < run->count; i++)
        if (shoal_batch_status(run->batch, (size_t)i) < 0 && PyList_Append(keys, key_of(run, i)) < 0)
            Py_CLEAR(keys);
    return keys;
}

PyObject *shoal_python_set_many(shoal_client *client, PyObject *items, int64_t ttl_s) {
    struct run run;
    PyObject *keys = NULL;
    if (begin(&run, client, items) && add_stores(&run, ttl_s) && execute(&run))
        keys = failures(&run);
    end(&run);
    return keys;
}

PyObject *shoal_python_delete_many(shoal_client *client, PyObject *keys) {
    struct run run;
    PyObject *left = NULL;
    if (begin(&run, client, keys) && add_deletions(&run) && execute(&run))
        left = failures(&run);
    end(&run);
    return left;
}
