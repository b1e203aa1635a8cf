/* What only PHP needs of shoal.i: the typemaps that TYPEMAPS.md asks for, in its order. The C behind them is
 * bindings/php/ext, which is written by hand. Functions keep their C names, as PHP's are global. */

%{
#include "support.h"

/* SWIG's own table of types stays apart from that of other modules, which may be another SWIG's: it would be found by a
 * constant of PHP, for every script to see. */
#undef SWIG_GetModule
#undef SWIG_SetModule
#define SWIG_GetModule(clientdata) NULL
#define SWIG_SetModule(clientdata, pointer)

/* SWIG makes a class of the whole module and one of each pointer's type. Nobody needs them: they stand in a namespace
 * where they meet nobody, and can be neither made nor serialised. */
#undef INIT_CLASS_ENTRY
#define INIT_CLASS_ENTRY(entry, name, functions)                                                                       \
    INIT_CLASS_ENTRY_EX(entry, "Shoal\\Native\\Swig\\" name, sizeof("Shoal\\Native\\Swig\\" name) - 1, functions)
#define zend_register_internal_class shoal_php_register_inert
%}

%minit %{ shoal_php_start(); %}
%rshutdown %{ shoal_php_end_request(); %}
%pragma(php) phpinfo="shoal_php_print_info();"

/* PHP's own reflection tells nothing of types that are checked here. */
%feature("php:type", "0");

/* --- Keys: strings, which are bytes. The call's arguments keep them alive. --- */

%typemap(in) (const char *key, size_t key_len) (const char *key, size_t size) {
    if (!shoal_php_key(&$input, &key, &size))
        SWIG_fail;
    $1 = (char *)key;
    $2 = size;
}

/* --- Texts: strings, null for NULL. --- */

%typemap(in) const char * {
    if (!shoal_php_text(&$input, (const char **)&$1))
        SWIG_fail;
}
%typemap(freearg) const char * "";
%typemap(out) const char * "shoal_php_from_text(return_value, $1);"
%typemap(in, numinputs=0) const char **value (char *text = NULL) "$1 = &text;"
%typemap(argout) const char **value "shoal_php_from_text(return_value, *$1);"

/* --- Numbers: ints that fit; those of 64 bits without sign are strings of digits where PHP's int is too small. --- */

%define SHOAL_NUMBER(type, least, most)
%typemap(in) type (zend_long number) {
    if (!shoal_php_integer(&$input, least, most, &number))
        SWIG_fail;
    $1 = (type)number;
}
%typemap(out) type "RETVAL_LONG((zend_long)$1);"
%enddef

SHOAL_NUMBER(int, INT_MIN, INT_MAX)
SHOAL_NUMBER(uint16_t, 0, UINT16_MAX)
SHOAL_NUMBER(int32_t, INT32_MIN, INT32_MAX)
SHOAL_NUMBER(uint32_t, 0, UINT32_MAX)
SHOAL_NUMBER(int64_t, ZEND_LONG_MIN, ZEND_LONG_MAX)
SHOAL_NUMBER(size_t, 0, ZEND_LONG_MAX)

%typemap(in) uint64_t {
    if (!shoal_php_unsigned(&$input, &$1))
        SWIG_fail;
}
%typemap(out) uint64_t "shoal_php_from_unsigned(return_value, $1);"
%typemap(in) const uint64_t *initial (uint64_t number) {
    if (Z_TYPE($input) != IS_NULL) {
        if (!shoal_php_unsigned(&$input, &number))
            SWIG_fail;
        $1 = &number;
    }
}
%typemap(freearg) const uint64_t *initial "";
%typemap(in, numinputs=0) uint64_t *value (uint64_t number = 0) "$1 = &number;"
%typemap(argout) uint64_t *value {
    if (result == SHOAL_OK)
        shoal_php_from_unsigned(return_value, *$1);
    else
        RETVAL_NULL();
}

/* --- Statuses: an outcome is its number, an error an exception, thrown when it was freed. --- */

SHOAL_NUMBER(shoal_status, INT32_MIN, INT32_MAX)
%typemap(in, numinputs=0) shoal_error **error (shoal_error *failure = NULL) "$1 = &failure;"
%typemap(argout) shoal_error **error {
    if (*$1 != NULL) {
        RETVAL_NULL();
        shoal_php_fail(*$1);
    }
}

/* --- Handles --- */

%define SHOAL_TAKES(noun)
%typemap(in) shoal_##noun *, const shoal_##noun * {
    $1 = shoal_php_handle(&$input, &shoal_php_##noun##_class);
    if ($1 == NULL)
        SWIG_fail;
}
%typemap(freearg) shoal_##noun *, const shoal_##noun * "";
%enddef

/* What a call makes and its caller owns. */
%define SHOAL_OWNED(noun)
SHOAL_TAKES(noun)
%typemap(in, numinputs=0) shoal_##noun **noun (shoal_##noun *made = NULL) "$1 = &made;"
%typemap(argout) shoal_##noun **noun "shoal_php_own(return_value, &shoal_php_" #noun "_class, *$1);"
%enddef

/* Made by hand below. */
SHOAL_TAKES(lease)

/* What lives as long as the library. */
%define SHOAL_STATIC(noun)
SHOAL_TAKES(noun)
%typemap(out) const shoal_##noun * "shoal_php_own(return_value, &shoal_php_" #noun "_class, $1);"
%enddef

SHOAL_OWNED(config)
SHOAL_OWNED(client)
SHOAL_OWNED(topology)
SHOAL_OWNED(node)
SHOAL_OWNED(stats)
SHOAL_OWNED(event)
SHOAL_STATIC(option)
SHOAL_STATIC(preset)
SHOAL_STATIC(codec)

/* A topology's own node: it keeps the topology, the call's first argument, alive. */
%typemap(out) const shoal_node * "shoal_php_borrow(return_value, &shoal_php_node_class, $1, &args[0]);"

/* PHP has no lock to give up. */
%define SHOAL_BLOCKS(function)
%enddef

/* --- Written by hand: what reads or stores values, which goes through a codec in C, and whole batches. A client is the
 * process's own, and closing a handle leaves it to the next request. --- */

%ignore shoal_client_new;
%ignore shoal_client_close;
%ignore shoal_get;
%ignore shoal_gets;
%ignore shoal_get_and_touch;
%ignore shoal_set;
%ignore shoal_store;
%ignore shoal_fetch_begin;
%ignore shoal_lease_store;

%typemap(in) zval * "$1 = &$input;"
%typemap(in, numinputs=0) zval *return_value "$1 = return_value;"

%rename("%(regex:/^shoal_php_(.*)/shoal_\\1/)s", regextarget=1) "^shoal_php_";
void shoal_php_client_close(zval *client);
void shoal_php_packer_new(const shoal_codec *codec, const char *serializer, int compress, size_t min_bytes,
                          zval *return_value);
void shoal_php_get(shoal_client *client, const char *key, size_t key_len, zval *codec, zval *fallback,
                   zval *return_value);
void shoal_php_gets(shoal_client *client, const char *key, size_t key_len, zval *codec, zval *return_value);
void shoal_php_get_and_touch(shoal_client *client, const char *key, size_t key_len, int64_t ttl_s, zval *codec,
                             zval *fallback, zval *return_value);
void shoal_php_store(zval *client, int mode, zval *key, zval *value, int64_t ttl_s, uint64_t cas, zval *codec,
                     zval *return_value);
void shoal_php_fetch_begin(shoal_client *client, const char *key, size_t key_len, int64_t ttl_s, int64_t stale_ttl_s,
                           zval *codec, zval *return_value);
void shoal_php_lease_store(zval *lease, zval *value, zval *codec);
void shoal_php_get_many(zval *client, zval *keys, zval *codec, zval *return_value);
void shoal_php_set_many(zval *client, zval *values, int64_t ttl_s, zval *codec, zval *return_value);
void shoal_php_delete_many(zval *client, zval *keys, zval *return_value);
