/* Arguments by position or by name, as a function in Python takes them, without a tuple or a dict for them.
 * May include: Python.h by support.h. Used by the methods that are written by hand. */
#ifndef SHOAL_PYTHON_ARGUMENTS_H
#define SHOAL_PYTHON_ARGUMENTS_H

#include "support.h"

#define SHOAL_PYTHON_ARGUMENTS_MAX 3

struct shoal_python_signature {
    const char *function;
    const char *names[SHOAL_PYTHON_ARGUMENTS_MAX + 1]; /* NULL behind the last */
    Py_ssize_t required;                               /* so many of them have no default */
};

/* Puts each argument in its place; `given` holds the defaults. Borrowed: the caller of the method keeps them alive.
 * False: a TypeError is set. */
bool shoal_python_arguments(const struct shoal_python_signature *signature, PyObject *const *arguments,
                            Py_ssize_t count, PyObject *names, PyObject **given);

#endif
