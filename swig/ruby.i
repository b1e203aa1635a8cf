/* What only Ruby needs of shoal.i: the typemaps that TYPEMAPS.md asks for, in its order. The C behind them is
 * bindings/ruby/ext/shoal, which is written by hand; handles are typed data, whose type frees them once.
 *
 * Ruby's exceptions jump. What converts an argument may raise, as nothing but Ruby's own objects is held by then. What
 * comes after the core's call either cannot raise, or frees what it was given however it ends; and the error, which is
 * every function's last parameter, is dealt with last of all. */

%{
#include "support.h"
%}

/* SWIG's own table of types: apart from that of other extensions. */
%begin %{
#define SWIG_TYPE_TABLE shoal
%}

/* --- Keys and values: strings of bytes, whatever their encoding, or a key's symbol. They are held as frozen strings of
 * the call's own, on the stack, where the collector neither moves nor frees them. --- */

%typemap(in) (const char *key, size_t key_len) (VALUE held = Qnil) {
    held = shoal_ruby_key($input);
    $1 = RSTRING_PTR(held);
    $2 = (size_t)RSTRING_LEN(held);
}
%typemap(in) (const void *value, size_t value_len) (VALUE held = Qnil) {
    held = shoal_ruby_bytes($input);
    $1 = RSTRING_PTR(held);
    $2 = (size_t)RSTRING_LEN(held);
}
%typemap(freearg) (const char *key, size_t key_len), (const void *value, size_t value_len) {
    RB_GC_GUARD(held$argnum);
}

/* --- Values out: [bytes, flags, cas], or nil where nothing was found. --- */

%typemap(in, numinputs=0) shoal_value **value (shoal_value *found = NULL) {
    $1 = &found;
}
%typemap(argout) shoal_value **value {
    $result = shoal_ruby_value(*$1);
}

/* --- Texts: strings in UTF-8, or nil for NULL. --- */

%typemap(in) const char * (VALUE held = Qnil) {
    held = shoal_ruby_text($input);
    $1 = NIL_P(held) ? NULL : StringValueCStr(held);
}
%typemap(freearg) const char * {
    RB_GC_GUARD(held$argnum);
}
%typemap(out) const char * {
    $result = shoal_ruby_string($1);
}
%typemap(in, numinputs=0) const char **value (char *text = NULL) {
    $1 = &text;
}
%typemap(argout) const char **value {
    $result = *$1 == NULL ? Qnil : shoal_ruby_string(*$1);
}

/* --- Numbers: integers alone, and none that does not fit. --- */

%typemap(in) int, int32_t {
    $1 = ($1_ltype)shoal_ruby_signed($input, INT32_MIN, INT32_MAX);
}
%typemap(in) int64_t {
    $1 = shoal_ruby_signed($input, INT64_MIN, INT64_MAX);
}
%typemap(in) uint32_t, unsigned int {
    $1 = ($1_ltype)shoal_ruby_unsigned($input, UINT32_MAX);
}
%typemap(in) uint64_t {
    $1 = shoal_ruby_unsigned($input, UINT64_MAX);
}
%typemap(in) size_t {
    $1 = shoal_ruby_unsigned($input, SIZE_MAX);
}
%typemap(in) const uint64_t *initial (uint64_t number) {
    if (!NIL_P($input)) {
        number = shoal_ruby_unsigned($input, UINT64_MAX);
        $1 = &number;
    }
}
%typemap(in, numinputs=0) uint64_t *value (uint64_t number = 0) {
    $1 = &number;
}
%typemap(argout) uint64_t *value {
    $result = result == SHOAL_OK ? ULL2NUM(*$1) : Qnil;
}
/* No store asks for the new token: with the classic protocol it would cost a round trip. */
%typemap(in, numinputs=0) uint64_t *new_cas {
    $1 = NULL;
}
%typemap(out) int, int32_t, shoal_status {
    $result = INT2NUM($1);
}
%typemap(out) uint16_t, uint32_t, unsigned int, uint64_t, size_t {
    $result = ULL2NUM($1);
}

/* --- Errors: raised, or else interrupts are looked at, once all else was given back. --- */

%typemap(in, numinputs=0) shoal_error **error (shoal_error *failure = NULL) {
    $1 = &failure;
}
%typemap(freearg) shoal_error **error {
    shoal_ruby_settle(failure$argnum);
}

/* --- Handles --- */

%define SHOAL_TAKES(noun)
%{
static const rb_data_type_t shoal_ruby_##noun = {.wrap_struct_name = "shoal_" #noun};
%}
%typemap(in) shoal_##noun *, const shoal_##noun * {
    $1 = rb_check_typeddata($input, &shoal_ruby_##noun);
}
%typemap(freearg) shoal_##noun *, const shoal_##noun * "";
%enddef

/* What a call makes and its caller owns. The handle is made before, so that nothing can fail behind the call. */
%define SHOAL_OWNED(noun)
SHOAL_TAKES(noun)
%{
static void shoal_ruby_free_##noun(void *data) {
    shoal_##noun##_free(data);
}
static const rb_data_type_t shoal_ruby_owned_##noun = {.wrap_struct_name = "shoal_" #noun,
                                                       .function = {.dfree = shoal_ruby_free_##noun},
                                                       .parent = &shoal_ruby_##noun,
                                                       .flags = RUBY_TYPED_FREE_IMMEDIATELY};
%}
%typemap(in, numinputs=0) shoal_##noun **noun (shoal_##noun *made = NULL, VALUE handle = Qnil) {
    handle = shoal_ruby_handle(&shoal_ruby_owned_##noun, NULL);
    $1 = &made;
}
%typemap(argout) shoal_##noun **noun {
    DATA_PTR(handle$argnum) = *$1;
    $result = *$1 == NULL ? Qnil : handle$argnum;
}
%enddef

/* What lives as long as the library. */
%define SHOAL_STATIC(noun)
SHOAL_TAKES(noun)
%typemap(out) const shoal_##noun * {
    $result = $1 == NULL ? Qnil : shoal_ruby_handle(&shoal_ruby_##noun, $1);
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
    $result = $1 == NULL ? Qnil : shoal_ruby_borrowed(&shoal_ruby_node, $1, argv[0]);
}

/* --- Fetch: [status, value], and the lease in a handle that its caller has made before. Were it given back, an interrupt
 * could come between, and nobody would have it in hand, to give the claim back. --- */

%{
static VALUE shoal_ruby_lease_new(void) {
    return shoal_ruby_handle(&shoal_ruby_owned_lease, NULL);
}
static void shoal_ruby_expect_unused(shoal_lease *lease) {
    if (lease != NULL)
        rb_raise(rb_eArgError, "a lease is for one fetch: make another");
}
%}
%typemap(in) (shoal_value **value, shoal_lease **lease, shoal_error **error)
    (shoal_value *found = NULL, shoal_lease *granted = NULL, shoal_error *failure = NULL) {
    shoal_ruby_expect_unused(rb_check_typeddata($input, &shoal_ruby_lease));
    $1 = &found;
    $2 = &granted;
    $3 = &failure;
}
%typemap(argout) (shoal_value **value, shoal_lease **lease, shoal_error **error) {
    DATA_PTR($input) = *$2;
    $result = rb_assoc_new($result, shoal_ruby_value(*$1));
}
%typemap(freearg) (shoal_value **value, shoal_lease **lease, shoal_error **error) {
    shoal_ruby_settle(failure$argnum);
}

/* --- Ruby's lock is given up around the core's call alone: unlocked.h has a function for each that may wait. --- */

%define SHOAL_BLOCKS(function)
%exception function {
%#define function unlocked_##function
    $action
%#undef function
}
%enddef

/* --- Not for Ruby: it needs neither the process's own client nor a store without flags, and gets its items' tokens
 * from get. --- */

%ignore shoal_client_shared;
%ignore shoal_set;
%ignore shoal_gets;

/* --- Written by hand: whole batches, codecs, empty leases, and the maker of exceptions. --- */

%rename("%(regex:/^shoal_ruby_(.*)/\\1/)s", regextarget=1) "^shoal_ruby_";
VALUE shoal_ruby_use_errors(VALUE factory);
VALUE shoal_ruby_lease_new(void);
VALUE shoal_ruby_get_many(shoal_client *client, VALUE keys, VALUE codec);
VALUE shoal_ruby_set_many(shoal_client *client, VALUE items, int64_t ttl_s);
VALUE shoal_ruby_delete_many(shoal_client *client, VALUE keys);
VALUE shoal_ruby_encode(const shoal_codec *codec, int kind, VALUE data, int compress, size_t min_bytes);
VALUE shoal_ruby_decode(const shoal_codec *codec, unsigned int flags, VALUE data);
