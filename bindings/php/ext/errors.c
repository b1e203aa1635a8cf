/* The core's errors as exceptions: the classes are those of the library, Shoal\Exception, found by their names.
 * May include: support.h, PHP's headers. Called by the wrapper that SWIG makes and by all C here. */
#include "support.h"

#include <ext/spl/spl_exceptions.h>
#include <zend_exceptions.h>

static const struct {
    shoal_status status;
    const char *title;
} titles[] = {
    {SHOAL_E_INVALID, "InvalidArgument"},  {SHOAL_E_NO_MEMORY, "OutOfMemory"},
    {SHOAL_E_BAD_OPTION, "BadOption"},     {SHOAL_E_BAD_ENDPOINT, "BadEndpoint"},
    {SHOAL_E_BAD_KEY, "BadKey"},           {SHOAL_E_TOO_LARGE, "TooLarge"},
    {SHOAL_E_NOT_A_NUMBER, "NotANumber"},  {SHOAL_E_CLOSED, "Closed"},
    {SHOAL_E_TIMEOUT, "Timeout"},          {SHOAL_E_NODE_DOWN, "NodeDown"},
    {SHOAL_E_DISCOVERY, "DiscoveryError"}, {SHOAL_E_PROTOCOL, "ProtocolError"},
    {SHOAL_E_SERVER, "ServerError"},       {SHOAL_E_UNSUPPORTED, "Unsupported"},
    {SHOAL_E_SYSTEM, "SystemFailure"},     {SHOAL_E_BAD_VALUE, "BadValue"},
};

/* The autoloader runs with nothing pending: else it would give up half-way. */
static zend_class_entry *look_up(zend_string *name) {
    zend_object *pending = EG(exception);
    EG(exception) = NULL;
    zend_class_entry *entry = zend_lookup_class(name);
    if (pending != NULL && EG(exception) != NULL)
        zend_exception_set_previous(EG(exception), pending);
    else if (pending != NULL)
        EG(exception) = pending;
    return entry;
}

/* The class for a status; RuntimeException where the library is not there. */
static zend_class_entry *find_class(shoal_status status) {
    const char *title = "Failure";
    for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
        if (titles[i].status == status)
            title = titles[i].title;
    zend_string *name = zend_strpprintf(0, "Shoal\\Exception\\%s", title);
    zend_class_entry *entry = look_up(name);
    zend_string_release(name);
    if (entry == NULL || !instanceof_function(entry, zend_ce_throwable))
        return spl_ce_RuntimeException;
    return entry;
}

static void make(zval *exception, zend_class_entry *entry, shoal_status status, const char *message) {
    object_init_ex(exception, entry);
    zend_update_property_string(entry, Z_OBJ_P(exception), ZEND_STRL("message"), message);
    zend_update_property_long(entry, Z_OBJ_P(exception), ZEND_STRL("code"), status);
}

/* The properties of the library's trait Details; RuntimeException has none of them. */
static void add_details(zval *exception, zend_class_entry *entry, const shoal_error *error, zval *partial) {
    zend_object *object = Z_OBJ_P(exception);
    if (entry == spl_ce_RuntimeException)
        return;
    if (shoal_error_node(error) != NULL)
        zend_update_property_string(entry, object, ZEND_STRL("node"), shoal_error_node(error));
    zend_update_property_long(entry, object, ZEND_STRL("errno"), shoal_error_errno(error));
    zend_update_property_long(entry, object, ZEND_STRL("attempts"), (zend_long)shoal_error_attempts(error));
    zend_update_property_bool(entry, object, ZEND_STRL("retriable"), shoal_error_is_retriable(error));
    zend_update_property_bool(entry, object, ZEND_STRL("outcomeUnknown"), shoal_error_is_outcome_unknown(error));
    if (partial != NULL)
        zend_update_property(entry, object, ZEND_STRL("partial"), partial);
}

/* A script that called exit() meanwhile ends by what looks like an exception, and nothing may come before it. */
static bool is_ending(void) {
    return EG(exception) != NULL && (zend_is_unwind_exit(EG(exception)) || zend_is_graceful_exit(EG(exception)));
}

static void release_error(void *error) {
    shoal_error_free(error);
}

void shoal_php_throw(const shoal_error *error, zval *partial) {
    zval exception;
    if (is_ending())
        return;
    zend_class_entry *entry = find_class(shoal_error_status(error));
    make(&exception, entry, shoal_error_status(error), shoal_error_message(error));
    add_details(&exception, entry, error, partial);
    zend_throw_exception_object(&exception);
}

void shoal_php_fail(shoal_error *error) {
    shoal_php_hold(error, release_error);
    shoal_php_throw(error, NULL);
    shoal_php_release(error, release_error);
}

void shoal_php_throw_new(shoal_status status, const char *message) {
    zval exception;
    if (is_ending())
        return;
    make(&exception, find_class(status), status, message);
    zend_throw_exception_object(&exception);
}
