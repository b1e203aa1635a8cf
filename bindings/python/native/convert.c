/* Python's objects as C's arguments, C's results as Python's objects, and errors as exceptions.
 * May include: support.h, libc. Called by the wrapper that SWIG makes, and by batches.c and codecs.c. */
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

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

static bool seconds_of_float(double number, const char *name, int64_t *seconds) {
    if (!isfinite(number)) {
        PyErr_Format(PyExc_ValueError, "%s is a finite number of seconds; ttl=0 means for ever", name);
        return false;
    }
    double whole = number > 0 ? ceil(number) : floor(number);
    if (fabs(whole) >= (double)INT64_MAX)
        *seconds = whole > 0 ? INT64_MAX : -INT64_MAX;
    else
        *seconds = (int64_t)whole;
    return true;
}

bool shoal_python_seconds(PyObject *object, const char *name, int64_t *seconds) {
    int overflow = 0;
    if (PyFloat_Check(object))
        return seconds_of_float(PyFloat_AS_DOUBLE(object), name, seconds);
    if (!PyLong_Check(object)) {
        PyErr_Format(PyExc_TypeError, "%s is a number of seconds, not %.100s", name, Py_TYPE(object)->tp_name);
        return false;
    }
    long long number = PyLong_AsLongLongAndOverflow(object, &overflow);
    *seconds = overflow > 0 ? INT64_MAX : overflow < 0 || number < -INT64_MAX ? -INT64_MAX : number;
    return true;
}

/* --- Numbers --- */

/* An int for whatever stands for a whole number, as numpy's do; floats do not. */
static PyObject *whole_number(PyObject *object, const char *name) {
    PyObject *whole = PyIndex_Check(object) ? PyNumber_Index(object) : NULL;
    if (whole == NULL && !PyErr_Occurred())
        PyErr_Format(PyExc_TypeError, "%s is a whole number, not %.100s", name, Py_TYPE(object)->tp_name);
    return whole;
}

bool shoal_python_signed(PyObject *object, const char *name, int64_t *number) {
    int overflow = 0;
    PyObject *whole = whole_number(object, name);
    if (whole == NULL)
        return false;
    *number = PyLong_AsLongLongAndOverflow(whole, &overflow);
    Py_DECREF(whole);
    if (overflow != 0)
        PyErr_Format(PyExc_OverflowError, "%s is a whole number from %lld to %lld", name, (long long)INT64_MIN,
                     (long long)INT64_MAX);
    return overflow == 0;
}

bool shoal_python_unsigned(PyObject *object, const char *name, uint64_t highest, uint64_t *number) {
    PyObject *whole = whole_number(object, name);
    if (whole == NULL)
        return false;
    *number = PyLong_AsUnsignedLongLong(whole);
    Py_DECREF(whole);
    if (PyErr_Occurred() == NULL && *number <= highest)
        return true;
    PyErr_Format(PyExc_OverflowError, "%s is a whole number from 0 to %llu", name, (unsigned long long)highest);
    return false;
}

/* --- Results --- */

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

PyObject *shoal_python_swig_type(PyType_Spec *spec) {
    char name[100];
    PyType_Spec named = *spec;
    snprintf(name, sizeof(name), "shoal._native.%s", spec->name);
    if (strchr(spec->name, '.') == NULL)
        named.name = name;
    return PyType_FromSpec(&named);
}

/* --- Exceptions --- */

/* What makes exceptions is the interpreter's own, as its classes are: a process may have several interpreters. */
static const char factory_name[] = "shoal.error_factory";

static PyObject *interpreters_own(void) {
    return PyInterpreterState_GetDict(PyInterpreterState_Get());
}

PyObject *shoal_python_use_errors(PyObject *factory) {
    PyObject *own = interpreters_own();
    if (own == NULL)
        PyErr_SetString(PyExc_ImportError, "this interpreter has no place for shoal's exceptions");
    return own != NULL && PyDict_SetItemString(own, factory_name, factory) == 0 ? Py_NewRef(Py_None) : NULL;
}

void shoal_python_raise(const shoal_error *error, PyObject *partial) {
    PyObject *message = shoal_python_string(shoal_error_message(error));
    PyObject *node = shoal_python_string(shoal_error_node(error));
    PyObject *own = interpreters_own();
    PyObject *factory = own != NULL ? PyDict_GetItemString(own, factory_name) : NULL;
    PyObject *exception = NULL;
    if (message != NULL && node != NULL && factory != NULL)
        exception = PyObject_CallFunction(
            factory, "iOOiIOOO", (int)shoal_error_status(error), message, node, shoal_error_errno(error),
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
