/* What only Python needs of shoal.i: the typemaps that TYPEMAPS.md asks for, in its order. The C behind them is
 * bindings/python/native, which is written by hand; handles are capsules, whose destructor frees them once. */

/* Until SWIG 4.4 its types bear no module's name, of which Python 3.13 warns: where warnings are errors they could not be
 * made. SWIG's table of types is the module's own, and never taken down, for which SWIG would make objects anew while
 * its interpreter ends. */
%begin %{
#include "support.h"
#define SWIG_TYPE_TABLE shoal
#if PY_VERSION_HEX >= 0x030d0000
#define PyType_FromSpec shoal_python_swig_type
#endif
%}
%init %{
#ifdef SWIGPY_CAPSULE_ATTR_NAME
    {
        PyObject *runtime = PyImport_AddModule("swig_runtime_data" SWIG_RUNTIME_VERSION);
        PyObject *table = runtime == NULL ? NULL : PyObject_GetAttrString(runtime, SWIGPY_CAPSULE_ATTR_NAME);
        if (table == NULL || PyCapsule_SetDestructor(table, NULL) < 0)
            PyErr_Clear();
        Py_XDECREF(table);
    }
#endif
%}

/* --- Keys: str as UTF-8, or bytes. Both are immutable, and the call's arguments keep them alive. --- */

%typemap(in) (const char *key, size_t key_len) (const char *key, size_t size) {
    if (!shoal_python_key($input, &key, &size))
        SWIG_fail;
    $1 = (char *)key;
    $2 = size;
}

/* --- Values in: any contiguous buffer, held until the call is over. --- */

%typemap(in) (const void *value, size_t value_len) (Py_buffer view) {
    if (PyObject_GetBuffer($input, &view, PyBUF_SIMPLE) < 0)
        SWIG_fail;
    $1 = view.buf;
    $2 = (size_t)view.len;
}
%typemap(freearg) (const void *value, size_t value_len) {
    if (view$argnum.obj != NULL)
        PyBuffer_Release(&view$argnum);
}
/* A jump to fail from an earlier argument must find the view unset. */
%typemap(arginit) (const void *value, size_t value_len) {
    view$argnum.obj = NULL;
}

/* --- Values out: (bytes, flags, cas), or None where nothing was found. --- */

%typemap(in, numinputs=0) shoal_value **value (shoal_value *found = NULL) {
    $1 = &found;
}
%typemap(argout) shoal_value **value {
    Py_DECREF($result);
    $result = shoal_python_value(*$1);
    if ($result == NULL)
        SWIG_fail;
}
%typemap(freearg) shoal_value **value {
    shoal_value_free(found$argnum);
}

/* --- Texts: str, or None for NULL. --- */

%typemap(in) const char * {
    if (!shoal_python_text($input, (const char **)&$1))
        SWIG_fail;
}
%typemap(freearg) const char * "";
%typemap(out) const char * {
    $result = shoal_python_string($1);
}
%typemap(in, numinputs=0) const char **value (char *text = NULL) {
    $1 = &text;
}
%typemap(argout) const char **value {
    Py_DECREF($result);
    $result = shoal_python_string(*$1);
}

/* --- Numbers: whatever stands for a whole one; an error names the parameter and the range. --- */

%typemap(in) int64_t {
    int64_t number = 0;
    if (!shoal_python_signed($input, "$1_name", &number))
        SWIG_fail;
    $1 = number;
}
%define SHOAL_UNSIGNED(type, highest)
%typemap(in) type {
    uint64_t number = 0;
    if (!shoal_python_unsigned($input, "$1_name", highest, &number))
        SWIG_fail;
    $1 = (type)number;
}
%enddef
SHOAL_UNSIGNED(uint32_t, UINT32_MAX)
SHOAL_UNSIGNED(uint64_t, UINT64_MAX)

/* --- Numbers in and out that may be left out. --- */

%typemap(in) const uint64_t *initial (uint64_t number) {
    if ($input != Py_None) {
        if (!shoal_python_unsigned($input, "$1_name", UINT64_MAX, &number))
            SWIG_fail;
        $1 = &number;
    }
}
%typemap(freearg) const uint64_t *initial "";
%typemap(in, numinputs=0) uint64_t *value (uint64_t number = 0) {
    $1 = &number;
}
%typemap(argout) uint64_t *value {
    Py_DECREF($result);
    $result = result == SHOAL_OK ? PyLong_FromUnsignedLongLong(*$1) : Py_NewRef(Py_None);
}
/* No store asks for the new token: with the classic protocol it would cost a round trip. */
%typemap(in, numinputs=0) uint64_t *new_cas {
    $1 = NULL;
}

/* --- Times to live: int or float, as seconds. --- */

%define SHOAL_SECONDS(parameter, name)
%typemap(in) int64_t parameter {
    if (!shoal_python_seconds($input, name, &$1))
        SWIG_fail;
}
%enddef
SHOAL_SECONDS(ttl_s, "ttl")
SHOAL_SECONDS(stale_ttl_s, "stale_ttl")

/* --- Statuses: an outcome is its number, an error an exception. --- */

%typemap(out) shoal_status {
    $result = PyLong_FromLong($1);
}
%typemap(in, numinputs=0) shoal_error **error (shoal_error *failure = NULL) {
    $1 = &failure;
}
%typemap(argout) shoal_error **error {
    if (*$1 != NULL) {
        Py_CLEAR($result);
        shoal_python_raise(*$1, NULL);
        SWIG_fail;
    }
}
%typemap(freearg) shoal_error **error {
    shoal_error_free(failure$argnum);
}

/* --- Handles --- */

%define SHOAL_TAKES(noun)
%typemap(in) shoal_##noun *, const shoal_##noun * {
    $1 = shoal_python_handle($input, "shoal_" #noun);
    if ($1 == NULL)
        SWIG_fail;
}
%typemap(freearg) shoal_##noun *, const shoal_##noun * "";
%enddef

/* What a call makes and its caller owns. */
%define SHOAL_OWNED(noun)
%{
static void shoal_python_free_##noun(PyObject *capsule) {
    shoal_##noun##_free(PyCapsule_GetPointer(capsule, "shoal_" #noun));
}
%}
SHOAL_TAKES(noun)
%typemap(in, numinputs=0) shoal_##noun **noun (shoal_##noun *made = NULL) {
    $1 = &made;
}
%typemap(argout) shoal_##noun **noun {
    Py_DECREF($result);
    $result = *$1 == NULL ? Py_NewRef(Py_None) : PyCapsule_New(*$1, "shoal_" #noun, shoal_python_free_##noun);
    if ($result == NULL) {
        shoal_##noun##_free(*$1);
        SWIG_fail;
    }
}
%enddef

/* What lives as long as the library. */
%define SHOAL_STATIC(noun)
SHOAL_TAKES(noun)
%typemap(out) const shoal_##noun * {
    $result = $1 == NULL ? Py_NewRef(Py_None) : PyCapsule_New((void *)$1, "shoal_" #noun, NULL);
}
%enddef

SHOAL_OWNED(config)
SHOAL_OWNED(client)
SHOAL_OWNED(topology)
SHOAL_OWNED(node)
SHOAL_OWNED(stats)
SHOAL_OWNED(event)
SHOAL_OWNED(lease)
SHOAL_STATIC(option)
SHOAL_STATIC(preset)
SHOAL_STATIC(codec)

/* A topology's own node: it keeps the topology, the call's first argument, alive. */
%typemap(out) const shoal_node * {
    $result = shoal_python_borrowed($1, "shoal_node", swig_obj[0]);
}

/* --- Fetch: (status, what a read gives, lease or None). --- */

%typemap(in, numinputs=0) (shoal_value **value, shoal_lease **lease)
        (shoal_value *found = NULL, shoal_lease *granted = NULL) {
    $1 = &found;
    $2 = &granted;
}
%typemap(argout) (shoal_value **value, shoal_lease **lease) {
    PyObject *handle = *$2 == NULL ? Py_NewRef(Py_None) : PyCapsule_New(*$2, "shoal_lease", shoal_python_free_lease);
    if (handle == NULL) {
        shoal_lease_free(*$2);
        Py_CLEAR($result);
        SWIG_fail;
    }
    $result = Py_BuildValue("(NNN)", $result, shoal_python_value(*$1), handle);
    if ($result == NULL)
        SWIG_fail;
}
%typemap(freearg) (shoal_value **value, shoal_lease **lease) {
    shoal_value_free(found$argnum);
}

/* --- The interpreter's lock is given up around the core's call alone. --- */

%define SHOAL_BLOCKS(function)
%exception function {
    Py_BEGIN_ALLOW_THREADS
    $action
    Py_END_ALLOW_THREADS
}
%enddef

/* --- Not for Python: it needs neither the process's own client nor a store without flags, and gets its items' tokens
 * from get. --- */

%ignore shoal_client_shared;
%ignore shoal_set;
%ignore shoal_gets;

/* --- Written by hand: the class that the client extends, a whole batch, codecs, and the maker of exceptions. --- */

/* Where it fails, its exception fails the import; what is to be returned here differs between releases of SWIG. */
%init %{
    shoal_python_add_client(m);
%}

%typemap(in) PyObject * "$1 = $input;"
%typemap(out) PyObject * "$result = $1;"

%rename("%(regex:/^shoal_python_(.*)/\\1/)s", regextarget=1) "^shoal_python_";
PyObject *shoal_python_use_errors(PyObject *factory);
PyObject *shoal_python_delete_many(shoal_client *client, PyObject *keys);
PyObject *shoal_python_encode(const shoal_codec *codec, int kind, PyObject *data, int compress, size_t min_bytes);
PyObject *shoal_python_decode(const shoal_codec *codec, unsigned int flags, PyObject *data);
