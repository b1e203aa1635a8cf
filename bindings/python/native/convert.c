/* Python's objects as C's arguments, C's results as Python's objects, and errors as exceptions.
 * May include: support.h, libc. Called by the wrapper that SWIG makes, and by batches.c and codecs.c. */
#include "support.h"

#include <math.h>
#include <string.h>

/* Makes an exception; owned by the module, which never goes. */
static PyObject *error_factory;

bool shoal_python_key(PyObject *object, const char **key, size_t *size) {
    Py_ssize_t length = 0;
    if (PyUnicode_Check(object)) {
        *key = PyUnicode_AsUTF8AndSize(object, &length);
        *size = (size_t)length;
        return *key != NULL;
    }
    if (PyBytes_Check(object)) {
        *key = PyBytes_AS_STRING(object);
        *size = (size_t)PyBytes_GET_SIZE(object);
        return true;
    }
    PyErr_Format(PyExc_TypeError, "a key is str or bytes, not %.100s", Py_TYPE(object)->tp_name);
    return false;
}

PyObject *shoal_python_keys(PyObject *object) {
    if (!PyUnicode_Check(object) && !PyBytes_Check(object))
        return PySequence_Tuple(object);
    PyErr_Format(PyExc_TypeError, "keys is a list or another iterable of keys, not one %.100s",
                 Py_TYPE(object)->tp_name);
    return NULL;
}

bool shoal_python_text(PyObject *object, const char **text) {
    Py_ssize_t size = 0;
    *text = NULL;
    if (object == Py_None)
        return true;
    if (!PyUnicode_Check(object)) {
        PyErr_Format(PyExc_TypeError, "a str is expected, not %.100s", Py_TYPE(object)->tp_name);
        return false;
    }
    *text = PyUnicode_AsUTF8AndSize(object, &size);
    if (*text != NULL && strlen(*text) != (size_t)size) {
        PyErr_SetString(PyExc_ValueError, "a NUL character may not stand in this text");
        *text = NULL;
    }
    return *text != NULL;
}

/* --- Times to live --- */

static bool seconds_of_float(double number, int64_t *seconds) {
    if (!isfinite(number)) {
        PyErr_SetString(PyExc_ValueError, "ttl is a finite number of seconds; 0 means for ever");
        return false;
    }
    double whole = number > 0 ? ceil(number) : floor(number);
    if (fabs(whole) >= (double)INT64_MAX)
        *seconds = whole > 0 ? INT64_MAX : -INT64_MAX;
    else
        *seconds = (int64_t)whole;
    return true;
}

bool shoal_python_seconds(PyObject *object, int64_t *seconds) {
    int overflow = 0;
    if (PyFloat_Check(object))
        return seconds_of_float(PyFloat_AS_DOUBLE(object), seconds);
    if (!PyLong_Check(object)) {
        PyErr_Format(PyExc_TypeError, "ttl is a number of seconds, not %.100s", Py_TYPE(object)->tp_name);
        return false;
    }
    long long number = PyLong_AsLongLongAndOverflow(object, &overflow);
    *seconds = overflow > 0 ? INT64_MAX : overflow < 0 || number < -INT64_MAX ? -INT64_MAX : number;
    return true;
}

PyObject *shoal_python_string(const char *text) {
    if (text == NULL)
        return Py_NewRef(Py_None);
    return PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "backslashreplace");
}

PyObject *shoal_python_value(const shoal_value *value) {
    if (value == NULL)
        return Py_NewRef(Py_None);
    return Py_BuildValue("(y#kK)", (const char *)shoal_value_data(value), (Py_ssize_t)shoal_value_size(value),
                         (unsigned long)shoal_value_flags(value), (unsigned long long)shoal_value_cas(value));
}

/* --- Handles --- */

void *shoal_python_handle(PyObject *object, const char *name) {
    if (PyCapsule_IsValid(object, name))
        return PyCapsule_GetPointer(object, name);
    PyErr_Format(PyExc_TypeError, "a %s is expected, not %.100s", name, Py_TYPE(object)->tp_name);
    return NULL;
}

static void release_parent(PyObject *capsule) {
    PyObject *parent = PyCapsule_GetContext(capsule);
    Py_XDECREF(parent);
}

PyObject *shoal_python_borrowed(const void *pointer, const char *name, PyObject *parent) {
    if (pointer == NULL)
        return Py_NewRef(Py_None);
    PyObject *capsule = PyCapsule_New((void *)pointer, name, release_parent);
    if (capsule != NULL)
        PyCapsule_SetContext(capsule, Py_NewRef(parent));
    return capsule;
}

/* --- Exceptions --- */

PyObject *shoal_python_use_errors(PyObject *factory) {
    Py_INCREF(factory);
    Py_XSETREF(error_factory, factory);
    return Py_NewRef(Py_None);
}

void shoal_python_raise(const shoal_error *error, PyObject *partial) {
    PyObject *message = shoal_python_string(shoal_error_message(error));
    PyObject *node = shoal_python_string(shoal_error_node(error));
    PyObject *exception = NULL;
    if (message != NULL && node != NULL && error_factory != NULL)
        exception = PyObject_CallFunction(
            error_factory, "iOOiIOOO", (int)shoal_error_status(error), message, node, shoal_error_errno(error),
            shoal_error_attempts(error), shoal_error_is_retriable(error) ? Py_True : Py_False,
            shoal_error_is_outcome_unknown(error) ? Py_True : Py_False, partial != NULL ? partial : Py_None);
    if (exception != NULL)
        PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
    else if (!PyErr_Occurred())
        PyErr_SetString(PyExc_RuntimeError, shoal_error_message(error));
    Py_XDECREF(exception);
    Py_XDECREF(node);
    Py_XDECREF(message);
}
