/* get_many, set_many and delete_many: one batch each, made from Python's objects and turned back into them.
 * May include: batches.h. Called by client.c and by the wrapper that SWIG makes. */
#include "batches.h"

/* Keys and values are held from before the interpreter's lock is given up until the batch is freed: `items` is a
 * sequence of our own, which no other thread can change. */
struct run {
    shoal_batch *batch;
    shoal_error *error;
    shoal_status status; /* SHOAL_PARTIAL: some items failed */
    PyObject *items;     /* a tuple of keys, or a list of (key, value) */
    Py_ssize_t count;
    struct shoal_python_stored *stored; /* of set_many, one an item; zeroed where there is none yet */
};

/* Takes the reference to the items; NULL where an exception says why there are none. */
static bool begin(struct run *run, shoal_client *client, PyObject *items) {
    *run = (struct run){.items = items};
    if (items == NULL)
        return false;
    run->count = PySequence_Fast_GET_SIZE(items);
    if (shoal_batch_new(client, &run->batch, &run->error) < 0)
        shoal_python_raise(run->error, NULL);
    return run->batch != NULL;
}

static void end(struct run *run) {
    shoal_batch_free(run->batch);
    shoal_error_free(run->error);
    for (Py_ssize_t i = 0; run->stored != NULL && i < run->count; i++)
        shoal_python_stored_clear(&run->stored[i]);
    PyMem_Free(run->stored);
    Py_XDECREF(run->items);
}

static bool added(struct run *run, shoal_status status) {
    if (status < 0)
        shoal_python_raise(run->error, NULL);
    return status >= 0;
}

/* Nothing is sent for a batch of nothing. */
static bool execute(struct run *run) {
    if (run->count == 0)
        return true;
    Py_BEGIN_ALLOW_THREADS;
    run->status = shoal_batch_run(run->batch, &run->error);
    Py_END_ALLOW_THREADS;
    return added(run, run->status);
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

static bool take_hit(const struct run *run, size_t index, const struct shoal_python_codec *codec, PyObject *hits) {
    const void *data = NULL;
    size_t size = 0;
    uint32_t flags = 0;
    if (shoal_batch_value(run->batch, index, &data, &size, &flags, NULL) != SHOAL_OK)
        return true;
    PyObject *value = shoal_python_value_of(codec, data, size, flags);
    bool fine = value != NULL && PyDict_SetItem(hits, PyTuple_GET_ITEM(run->items, (Py_ssize_t)index), value) == 0;
    Py_XDECREF(value);
    return fine;
}

/* What a decoder has just raised, where it is an error of Shoal's: it belongs to that key alone. Any other stays
 * raised, and ends the call. */
static PyObject *caught_error(void) {
    PyObject *type = NULL;
    PyObject *error = NULL;
    PyObject *traceback = NULL;
    PyErr_Fetch(&type, &error, &traceback);
    PyErr_NormalizeException(&type, &error, &traceback);
    if (!PyObject_HasAttrString(error, "partial")) {
        PyErr_Restore(type, error, traceback);
        return NULL;
    }
    if (traceback != NULL)
        PyException_SetTraceback(error, traceback);
    Py_DECREF(type);
    Py_XDECREF(traceback);
    return error;
}

/* Every hit that can be read. False where a decoder raised what is no error of Shoal's; `unreadable` is the first that
 * is. */
static bool take_readable(const struct run *run, const struct shoal_python_codec *codec, PyObject *hits,
                          PyObject **unreadable) {
    for (size_t i = 0; i < (size_t)run->count; i++) {
        if (take_hit(run, i, codec, hits))
            continue;
        PyObject *error = caught_error();
        if (error == NULL)
            return false;
        if (*unreadable == NULL)
            *unreadable = Py_NewRef(error);
        Py_DECREF(error);
    }
    return true;
}

static const shoal_error *first_failure(const struct run *run) {
    const shoal_error *failure = NULL;
    for (size_t i = 0; run->status == SHOAL_PARTIAL && i < (size_t)run->count && failure == NULL; i++)
        failure = shoal_batch_error(run->batch, i);
    return failure;
}

/* All hits are taken before the first failure is told, so that the exception can carry them. */
static bool take_hits(const struct run *run, const struct shoal_python_codec *codec, PyObject *hits) {
    const shoal_error *failure = first_failure(run);
    PyObject *unreadable = NULL;
    bool fine = take_readable(run, codec, hits, &unreadable);
    if (fine && failure != NULL)
        shoal_python_raise(failure, hits);
    else if (fine && unreadable != NULL && PyObject_SetAttrString(unreadable, "partial", hits) == 0)
        PyErr_SetObject((PyObject *)Py_TYPE(unreadable), unreadable);
    fine = fine && failure == NULL && unreadable == NULL;
    Py_XDECREF(unreadable);
    return fine;
}

PyObject *shoal_python_get_many(shoal_client *client, const struct shoal_python_codec *codec, PyObject *keys) {
    struct run run;
    PyObject *hits = NULL;
    if (begin(&run, client, shoal_python_keys(keys)) && add_reads(&run) && execute(&run)) {
        hits = PyDict_New();
        if (hits != NULL && !take_hits(&run, codec, hits))
            Py_CLEAR(hits);
    }
    end(&run);
    return hits;
}

/* --- Writing --- */

static PyObject *key_of(const struct run *run, Py_ssize_t index) {
    PyObject *item = PySequence_Fast_GET_ITEM(run->items, index);
    return run->stored != NULL ? PyTuple_GET_ITEM(item, 0) : item;
}

static bool add_store(struct run *run, const struct shoal_python_codec *codec, Py_ssize_t index, int64_t ttl_s) {
    const char *key = NULL;
    size_t size = 0;
    struct shoal_python_stored *stored = &run->stored[index];
    PyObject *item = PyList_GET_ITEM(run->items, index);
    if (!PyTuple_Check(item) || PyTuple_GET_SIZE(item) != 2) {
        PyErr_SetString(PyExc_TypeError, "an item of a mapping is (key, value)");
        return false;
    }
    return shoal_python_key(PyTuple_GET_ITEM(item, 0), &key, &size) &&
           shoal_python_store_value(codec, PyTuple_GET_ITEM(item, 1), stored) &&
           added(run, shoal_batch_store(run->batch, SHOAL_SET, key, size, stored->data, stored->size, stored->flags,
                                        ttl_s, 0, &run->error));
}

static bool add_stores(struct run *run, const struct shoal_python_codec *codec, int64_t ttl_s) {
    run->stored = PyMem_Calloc((size_t)run->count + 1, sizeof(*run->stored));
    if (run->stored == NULL)
        PyErr_NoMemory();
    for (Py_ssize_t i = 0; run->stored != NULL && i < run->count; i++)
        if (!add_store(run, codec, i, ttl_s))
            return false;
    return run->stored != NULL;
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

/* The caller's keys whose items ended with an error. */
static PyObject *failures(const struct run *run) {
    PyObject *keys = PyList_New(0);
    for (Py_ssize_t i = 0; keys != NULL && run->status == SHOAL_PARTIAL && i < run->count; i++)
        if (shoal_batch_status(run->batch, (size_t)i) < 0 && PyList_Append(keys, key_of(run, i)) < 0)
            Py_CLEAR(keys);
    return keys;
}

PyObject *shoal_python_set_many(shoal_client *client, const struct shoal_python_codec *codec, PyObject *mapping,
                                int64_t ttl_s) {
    struct run run;
    PyObject *keys = NULL;
    if (begin(&run, client, PyMapping_Items(mapping)) && add_stores(&run, codec, ttl_s) && execute(&run))
        keys = failures(&run);
    end(&run);
    return keys;
}

PyObject *shoal_python_delete_many(shoal_client *client, PyObject *keys) {
    struct run run;
    PyObject *left = NULL;
    if (begin(&run, client, shoal_python_keys(keys)) && add_deletions(&run) && execute(&run))
        left = failures(&run);
    end(&run);
    return left;
}
