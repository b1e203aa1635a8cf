/* What the wrapper that SWIG makes calls: conversions, exceptions, whole batches, codecs.
 * May include: <shoal/shoal.h>, Python.h. Every function here is called with the interpreter's lock held. */
#ifndef SHOAL_PYTHON_SUPPORT_H
#define SHOAL_PYTHON_SUPPORT_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <shoal/shoal.h>

#include <stdbool.h>

/* Python 3.9, which setup.py still allows, has no Py_NewRef. */
#if PY_VERSION_HEX < 0x030a0000
static inline PyObject *shoal_python_new_ref(PyObject *object) {
    Py_INCREF(object);
    return object;
}
#define Py_NewRef(object) shoal_python_new_ref((PyObject *)(object))
#endif

/* --- Conversions. Where one returns false or NULL, an exception is set. --- */

/* A key's bytes; borrowed from the object, which must outlive the call. */
bool shoal_python_key(PyObject *object, const char **key, size_t *size);

/* A str without NUL as C takes it, or NULL for None; borrowed from the object. */
bool shoal_python_text(PyObject *object, const char **text);

/* Seconds to live, of a parameter of that name: an int, or a float whose fractions go away from 0, so that no item
 * expires early and none that should be gone lives for ever. What C cannot tell becomes the longest that it can. */
bool shoal_python_seconds(PyObject *object, const char *name, int64_t *seconds);

/* Many keys: any iterable but a str or bytes, which is one of keys that nobody meant. A tuple of the caller's own. */
PyObject *shoal_python_keys(PyObject *object);

/* A whole number within a range; an error names it. */
bool shoal_python_signed(PyObject *object, const char *name, int64_t *number);
bool shoal_python_unsigned(PyObject *object, const char *name, uint64_t highest, uint64_t *number);

/* C's text as a str, None for NULL. */
PyObject *shoal_python_string(const char *text);

/* (bytes, flags, cas), or None for NULL. */
PyObject *shoal_python_value(const shoal_value *value);

/* What a capsule of this name holds; anything else is a TypeError. */
void *shoal_python_handle(PyObject *object, const char *name);

/* A capsule for what belongs to its parent, which it keeps alive; None for NULL. */
PyObject *shoal_python_borrowed(const void *pointer, const char *name, PyObject *parent);

/* Makes a type of SWIG's, under the module's name. */
PyObject *shoal_python_swig_type(PyType_Spec *spec);

/* --- Exceptions --- */

/* Takes the function that makes exceptions: factory(status, message, node, errno, attempts, retriable,
 * outcome_unknown, partial). Returns None. */
PyObject *shoal_python_use_errors(PyObject *factory);

/* Raises what the factory makes of an error; partial may be NULL. */
void shoal_python_raise(const shoal_error *error, PyObject *partial);

/* --- Batches: each runs once, with the lock given up while it does. --- */

/* Deletes. Returns a list of the keys that could not be deleted; a missing one is not among them. */
PyObject *shoal_python_delete_many(shoal_client *client, PyObject *keys);

/* --- Codecs --- */

/* (what to store, flags): the object itself where nothing had to be compressed. */
PyObject *shoal_python_encode(const shoal_codec *codec, int kind, PyObject *data, int compress, size_t min_bytes);

/* (kind, bytes): the object itself where nothing had to be decompressed. */
PyObject *shoal_python_decode(const shoal_codec *codec, unsigned flags, PyObject *data);

/* --- The class that the client is made from --- */

/* Puts it into the module, or leaves an exception that fails the import. */
void shoal_python_add_client(PyObject *module);

#endif
