/* The faults are told in the words of CPython's own functions.
 * May include: arguments.h. Called by view.c. */
#include "arguments.h"

static Py_ssize_t most_of(const struct shoal_python_signature *signature) {
    Py_ssize_t count = 0;
    while (signature->names[count] != NULL)
        count++;
    return count;
}

static bool take_named(const struct shoal_python_signature *signature, PyObject *name, PyObject *value,
                       Py_ssize_t by_position, PyObject **given) {
    for (Py_ssize_t i = 0; signature->names[i] != NULL; i++) {
        if (PyUnicode_CompareWithASCIIString(name, signature->names[i]) != 0)
            continue;
        if (i < by_position) {
            PyErr_Format(PyExc_TypeError, "argument for %s() given by name ('%U') and position (%zd)",
                         signature->function, name, i + 1);
            return false;
        }
        given[i] = value;
        return true;
    }
    PyErr_Format(PyExc_TypeError, "%s() got an unexpected keyword argument '%U'", signature->function, name);
    return false;
}

bool shoal_python_arguments(const struct shoal_python_signature *signature, PyObject *const *arguments,
                            Py_ssize_t count, PyObject *names, PyObject **given) {
    Py_ssize_t most = most_of(signature);
    if (count > most) {
        PyErr_Format(PyExc_TypeError, "%s() takes at most %zd arguments (%zd given)", signature->function, most, count);
        return false;
    }
    for (Py_ssize_t i = 0; i < count; i++)
        given[i] = arguments[i];
    for (Py_ssize_t i = 0; names != NULL && i < PyTuple_GET_SIZE(names); i++)
        if (!take_named(signature, PyTuple_GET_ITEM(names, i), arguments[count + i], count, given))
            return false;
    for (Py_ssize_t i = 0; i < signature->required; i++)
        if (given[i] == NULL) {
            PyErr_Format(PyExc_TypeError, "%s() missing required argument '%s' (pos %zd)", signature->function,
                         signature->names[i], i + 1);
            return false;
        }
    return true;
}
