/* Handles: what C gives to a script and takes back, as objects of final classes under Shoal\Native.
 * May include: support.h, PHP's headers. Called by the wrapper that SWIG makes, by items.c and batches.c. */
#include "support.h"

#include <zend_exceptions.h>

struct handle {
    void *thing;
    const struct shoal_php_class *kind;
    zend_object *parent; /* of what is borrowed from another handle */
    zend_object standard;
};

#define RELEASES(noun)                        \
    static void release_##noun(void *thing) { \
        shoal_##noun##_free(thing);           \
    }
#define OWNED(noun, title) \
    RELEASES(noun) struct shoal_php_class shoal_php_##noun##_class = {"Shoal\\Native\\" title, release_##noun, NULL};
#define FOREVER(noun, title) struct shoal_php_class shoal_php_##noun##_class = {"Shoal\\Native\\" title, NULL, NULL};

OWNED(config, "Config")
OWNED(client, "Client")
OWNED(topology, "Topology")
OWNED(node, "Node")
OWNED(stats, "Stats")
OWNED(event, "Event")
OWNED(lease, "Lease")
FOREVER(option, "Option")
FOREVER(preset, "Preset")
FOREVER(codec, "Codec")

static void release_packer(void *thing) {
    efree(thing);
}
struct shoal_php_class shoal_php_packer_class = {"Shoal\\Native\\Packer", release_packer, NULL};

static struct shoal_php_class *const classes[] = {
    &shoal_php_config_class, &shoal_php_client_class, &shoal_php_topology_class, &shoal_php_node_class,
    &shoal_php_stats_class,  &shoal_php_event_class,  &shoal_php_lease_class,    &shoal_php_option_class,
    &shoal_php_preset_class, &shoal_php_codec_class,  &shoal_php_packer_class,
};

static zend_object_handlers handlers;

static struct handle *handle_of(zend_object *object) {
    return (struct handle *)(void *)((char *)object - XtOffsetOf(struct handle, standard));
}

static zend_object *create(zend_class_entry *entry) {
    struct handle *handle = zend_object_alloc(sizeof(*handle), entry);
    handle->thing = NULL;
    handle->kind = NULL;
    handle->parent = NULL;
    zend_object_std_init(&handle->standard, entry);
    object_properties_init(&handle->standard, entry);
    handle->standard.handlers = &handlers;
    return &handle->standard;
}

/* What is borrowed is its parent's to release. */
static void release(struct handle *handle) {
    void *thing = handle->thing;
    handle->thing = NULL;
    if (thing != NULL && handle->parent == NULL && handle->kind->release != NULL)
        handle->kind->release(thing);
}

static void free_handle(zend_object *object) {
    struct handle *handle = handle_of(object);
    release(handle);
    if (handle->parent != NULL)
        OBJ_RELEASE(handle->parent);
    zend_object_std_dtor(object);
}

/* Nobody but C makes a handle. */
static zend_function *refuse_constructor(zend_object *object) {
    zend_throw_error(NULL, "%s cannot be made by new: the functions of the extension shoal make it",
                     ZSTR_VAL(object->ce->name));
    return NULL;
}

static void forbid(zend_class_entry *entry) {
    entry->ce_flags |= ZEND_ACC_FINAL | ZEND_ACC_NO_DYNAMIC_PROPERTIES | ZEND_ACC_NOT_SERIALIZABLE;
}

void shoal_php_register_classes(void) {
    memcpy(&handlers, zend_get_std_object_handlers(), sizeof(handlers));
    handlers.offset = XtOffsetOf(struct handle, standard);
    handlers.free_obj = free_handle;
    handlers.clone_obj = NULL;
    handlers.get_constructor = refuse_constructor;
    handlers.compare = zend_objects_not_comparable;
    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
        zend_class_entry entry;
        INIT_CLASS_ENTRY_EX(entry, classes[i]->name, strlen(classes[i]->name), NULL);
        classes[i]->entry = zend_register_internal_class(&entry);
        classes[i]->entry->create_object = create;
        forbid(classes[i]->entry);
    }
}

zend_class_entry *shoal_php_register_inert(zend_class_entry *entry) {
    zend_class_entry *registered = zend_register_internal_class(entry);
    forbid(registered);
    registered->ce_flags |= ZEND_ACC_EXPLICIT_ABSTRACT_CLASS;
    return registered;
}

static struct handle *fill(zval *into, struct shoal_php_class *kind, const void *thing) {
    object_init_ex(into, kind->entry);
    struct handle *handle = handle_of(Z_OBJ_P(into));
    handle->thing = (void *)thing;
    handle->kind = kind;
    return handle;
}

static void let_go(void *thing) {
    (void)thing;
}

/* PHP jumps out where it has no memory for the object: what that would own is held until then. */
void shoal_php_own(zval *into, struct shoal_php_class *kind, const void *thing) {
    ZVAL_NULL(into);
    if (thing == NULL)
        return;
    shoal_php_hold((void *)thing, kind->release != NULL ? kind->release : let_go);
    fill(into, kind, thing);
    shoal_php_release((void *)thing, let_go);
}

void shoal_php_borrow(zval *into, struct shoal_php_class *kind, const void *thing, zval *parent) {
    ZVAL_NULL(into);
    if (thing == NULL)
        return;
    struct handle *handle = fill(into, kind, thing);
    handle->parent = Z_OBJ_P(parent);
    GC_ADDREF(handle->parent);
}

static struct handle *checked(const zval *value, const struct shoal_php_class *kind) {
    if (Z_TYPE_P(value) == IS_OBJECT && Z_OBJCE_P(value) == kind->entry)
        return handle_of(Z_OBJ_P(value));
    zend_type_error("a %s is expected, not %s", kind->name, zend_zval_type_name(value));
    return NULL;
}

void *shoal_php_handle(const zval *value, const struct shoal_php_class *kind) {
    struct handle *handle = checked(value, kind);
    if (handle != NULL && handle->thing == NULL)
        shoal_php_throw_new(SHOAL_E_CLOSED, "the client was closed: make a new one");
    return handle == NULL ? NULL : handle->thing;
}

void shoal_php_client_close(zval *client) {
    struct handle *handle = checked(client, &shoal_php_client_class);
    if (handle != NULL)
        release(handle);
}
