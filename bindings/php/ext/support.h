/* What the wrapper that SWIG makes calls: conversions, handles, exceptions, codecs, single items, whole batches.
 * May include: <shoal/shoal.h>, PHP's headers. Where a function returns false or NULL, an exception is pending. */
#ifndef SHOAL_PHP_SUPPORT_H
#define SHOAL_PHP_SUPPORT_H

#include <php.h>

#include <shoal/shoal.h>

#include <stdbool.h>
#include <stdint.h>

#if SIZEOF_ZEND_LONG < 8
#error "Shoal needs a PHP whose integers have 64 bits"
#endif

/* What belongs to one request: PHP runs one at a time, or one a thread where it was built for threads. */
#ifdef ZTS
#define SHOAL_PHP_PER_REQUEST static _Thread_local
#else
#define SHOAL_PHP_PER_REQUEST static
#endif

/* --- Module: what happens when PHP starts and when a request ends --- */

void shoal_php_start(void);
void shoal_php_end_request(void);
void shoal_php_print_info(void);

/* --- Holding: PHP may jump out of any call of its own (memory limit, fatal error). What C must give back is held
 * meanwhile, last in first out, and what was left is given back when the request ends. --- */

typedef void shoal_php_releaser(void *thing);

void shoal_php_hold(void *thing, shoal_php_releaser *release);

/* Gives back what was held last. */
void shoal_php_release(void *thing, shoal_php_releaser *release);

/* --- Handles: objects of final classes that can be neither made, copied nor serialised by a script. --- */

struct shoal_php_class {
    const char *name;
    shoal_php_releaser *release; /* NULL: nobody frees it */
    zend_class_entry *entry;
};

extern struct shoal_php_class shoal_php_config_class;
extern struct shoal_php_class shoal_php_client_class;
extern struct shoal_php_class shoal_php_topology_class;
extern struct shoal_php_class shoal_php_node_class;
extern struct shoal_php_class shoal_php_stats_class;
extern struct shoal_php_class shoal_php_event_class;
extern struct shoal_php_class shoal_php_lease_class;
extern struct shoal_php_class shoal_php_option_class;
extern struct shoal_php_class shoal_php_preset_class;
extern struct shoal_php_class shoal_php_codec_class;
extern struct shoal_php_class shoal_php_packer_class;

void shoal_php_register_classes(void);

/* For the classes that SWIG registers itself, which nobody needs: they can be neither made nor serialised. */
zend_class_entry *shoal_php_register_inert(zend_class_entry *entry);

/* A handle that owns what it holds; null for NULL. */
void shoal_php_own(zval *into, struct shoal_php_class *kind, const void *thing);

/* A handle of what belongs to another handle, which it keeps alive; null for NULL. */
void shoal_php_borrow(zval *into, struct shoal_php_class *kind, const void *thing, zval *parent);

/* What a handle of this class holds; NULL with a TypeError for anything else, with Closed for a client that was closed.
 */
void *shoal_php_handle(const zval *value, const struct shoal_php_class *kind);

/* Gives back what a client's handle holds. It may be closed already. */
void shoal_php_client_close(zval *client);

/* --- Conversions --- */

bool shoal_php_key(const zval *value, const char **key, size_t *size);

/* Text without NUL, or NULL for null. */
bool shoal_php_text(const zval *value, const char **text);
bool shoal_php_integer(const zval *value, zend_long least, zend_long most, zend_long *number);

/* Numbers of 64 bits without sign: an int, or a string of digits where PHP's int is too small. */
bool shoal_php_unsigned(const zval *value, uint64_t *number);
void shoal_php_from_unsigned(zval *into, uint64_t number);

/* C's text, null for NULL. */
void shoal_php_from_text(zval *into, const char *text);

/* --- Exceptions --- */

/* Throws what stands for an error. What was read all the same, an array, may come along. */
void shoal_php_throw(const shoal_error *error, zval *partial);

/* Throws what stands for an error, and frees it. */
void shoal_php_fail(shoal_error *error);

/* The same for what C by hand finds. */
void shoal_php_throw_new(shoal_status status, const char *message);

/* --- Codecs: null for bytes as they are, a packer, or an object with encode and decode. --- */

void shoal_php_packer_new(const shoal_codec *codec, const char *serializer, int compress, size_t min_bytes,
                          zval *return_value);
bool shoal_php_encode(zval *codec, zval *value, zend_string **data, uint32_t *flags);
bool shoal_php_decode(zval *codec, const char *data, size_t size, uint32_t flags, zval *into);

/* --- Serialisers. The kinds are those of shoal/codec.h. --- */

/* The kind of a serialiser's name; 0 for one that is not known. */
int shoal_php_serializer(const char *name, bool *makes_arrays);
bool shoal_php_serialize(int kind, zval *value, zend_string **data);
bool shoal_php_unserialize(int kind, const char *data, size_t size, bool makes_arrays, zval *into);

/* --- Single items --- */

void shoal_php_get(shoal_client *client, const char *key, size_t key_len, zval *codec, zval *fallback,
                   zval *return_value);

/* [value, token], or null. */
void shoal_php_gets(shoal_client *client, const char *key, size_t key_len, zval *codec, zval *return_value);
void shoal_php_get_and_touch(shoal_client *client, const char *key, size_t key_len, int64_t ttl_s, zval *codec,
                             zval *fallback, zval *return_value);

/* Whether the value was stored. */
void shoal_php_store(zval *client, int mode, zval *key, zval *value, int64_t ttl_s, uint64_t cas, zval *codec,
                     zval *return_value);

/* --- One computer at a time --- */

/* [status, value, lease]. */
void shoal_php_fetch_begin(shoal_client *client, const char *key, size_t key_len, int64_t ttl_s, int64_t stale_ttl_s,
                           zval *codec, zval *return_value);
void shoal_php_lease_store(zval *lease, zval *value, zval *codec);

/* --- Batches: each runs once, from beginning to end. --- */

void shoal_php_get_many(zval *client, zval *keys, zval *codec, zval *return_value);
void shoal_php_set_many(zval *client, zval *values, int64_t ttl_s, zval *codec, zval *return_value);
void shoal_php_delete_many(zval *client, zval *keys, zval *return_value);

#endif
