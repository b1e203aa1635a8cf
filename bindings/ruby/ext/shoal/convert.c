/* Ruby's objects as C's arguments, C's results as Ruby's objects, handles, and errors as exceptions.
 * May include: support.h, libc. Called by the wrapper that SWIG makes, and by batches.c and codecs.c. */
#include "support.h"

#include <ruby/encoding.h>

/* Makes an exception; owned by the module, which never goes. */
static VALUE error_factory = Qnil;

/* --- From Ruby --- */

/* Frozen strings are taken as they are. Of others a frozen one is made, which shares long contents: whoever changes the
 * caller's string meanwhile changes a copy. */
VALUE shoal_ruby_key(VALUE object) {
    if (SYMBOL_P(object))
        return rb_str_new_frozen(rb_sym2str(object));
    if (!RB_TYPE_P(object, T_STRING))
        rb_raise(rb_eTypeError, "a key is a String or a Symbol, not %" PRIsVALUE, rb_obj_class(object));
    return rb_str_new_frozen(object);
}

VALUE shoal_ruby_bytes(VALUE object) {
    if (!RB_TYPE_P(object, T_STRING))
        rb_raise(rb_eTypeError, "a String of bytes is expected, not %" PRIsVALUE, rb_obj_class(object));
    return rb_str_new_frozen(object);
}

VALUE shoal_ruby_text(VALUE object) {
    if (NIL_P(object))
        return Qnil;
    if (!RB_TYPE_P(object, T_STRING))
        rb_raise(rb_eTypeError, "a String is expected, not %" PRIsVALUE, rb_obj_class(object));
    return rb_str_new_frozen(object);
}

static void require_integer(VALUE number) {
    if (!RB_INTEGER_TYPE_P(number))
        rb_raise(rb_eTypeError, "an Integer is expected, not %" PRIsVALUE, rb_obj_class(number));
}

static void out_of_range(VALUE number) {
    rb_raise(rb_eRangeError, "%" PRIsVALUE " is out of range", number);
}

int64_t shoal_ruby_signed(VALUE number, int64_t least, int64_t most) {
    LONG_LONG value = 0;
    require_integer(number);
    value = NUM2LL(number);
    if (value < least || value > most)
        out_of_range(number);
    return value;
}

uint64_t shoal_ruby_unsigned(VALUE number, uint64_t most) {
    unsigned LONG_LONG value = 0;
    require_integer(number);
    if (FIXNUM_P(number) ? FIX2LONG(number) < 0 : !rb_big_sign(number))
        out_of_range(number);
    value = NUM2ULL(number);
    if (value > most)
        out_of_range(number);
    return value;
}

/* --- To Ruby --- */

VALUE shoal_ruby_binary(const void *data, size_t size) {
    return rb_str_new(data, (long)size);
}

/* A block for scrub: bytes that are no UTF-8, as Ruby would print them. */
static VALUE escape(VALUE bytes, VALUE data, int argc, const VALUE *argv, VALUE block) {
    VALUE quoted = rb_str_inspect(bytes);
    (void)data, (void)argc, (void)argv, (void)block;
    return rb_str_substr(quoted, 1, RSTRING_LEN(quoted) - 2);
}

VALUE shoal_ruby_string(const char *text) {
    VALUE string = rb_utf8_str_new_cstr(text);
    if (rb_enc_str_coderange(string) != ENC_CODERANGE_BROKEN)
        return string;
    return rb_block_call(string, rb_intern("scrub"), 0, NULL, escape, Qnil);
}

static VALUE make_found(VALUE data) {
    const shoal_value *value = shoal_ruby_pointer(data);
    return rb_ary_new_from_args(3, shoal_ruby_binary(shoal_value_data(value), shoal_value_size(value)),
                                UINT2NUM(shoal_value_flags(value)), ULL2NUM(shoal_value_cas(value)));
}

static VALUE free_found(VALUE data) {
    shoal_value_free(shoal_ruby_pointer(data));
    return Qnil;
}

VALUE shoal_ruby_value(shoal_value *value) {
    return value == NULL ? Qnil : rb_ensure(make_found, (VALUE)value, free_found, (VALUE)value);
}

/* --- Handles --- */

/* Without a way to make one but a call of the core's, and so without dup, clone and Marshal. */
static VALUE handle_class(void) {
    static VALUE class = Qnil;
    if (NIL_P(class)) {
        class = rb_define_class_under(rb_path2class("Shoal::Native"), "Handle", rb_cObject);
        rb_undef_alloc_func(class);
        rb_undef_method(rb_singleton_class(class), "new");
    }
    return class;
}

VALUE shoal_ruby_handle(const rb_data_type_t *type, const void *pointer) {
    return rb_data_typed_object_wrap(handle_class(), (void *)pointer, type);
}

VALUE shoal_ruby_borrowed(const rb_data_type_t *type, const void *pointer, VALUE parent) {
    VALUE handle = shoal_ruby_handle(type, pointer);
    rb_ivar_set(handle, rb_intern("parent"), parent);
    return handle;
}

/* --- Exceptions --- */

VALUE shoal_ruby_use_errors(VALUE factory) {
    if (NIL_P(error_factory))
        rb_gc_register_address(&error_factory);
    error_factory = factory;
    return Qnil;
}

VALUE shoal_ruby_exception(const shoal_error *error, VALUE partial) {
    const char *node = shoal_error_node(error);
    return rb_funcall(error_factory, rb_intern("call"), 8, INT2NUM(shoal_error_status(error)),
                      shoal_ruby_string(shoal_error_message(error)), node == NULL ? Qnil : shoal_ruby_string(node),
                      INT2NUM(shoal_error_errno(error)), UINT2NUM(shoal_error_attempts(error)),
                      shoal_error_is_retriable(error) ? Qtrue : Qfalse,
                      shoal_error_is_outcome_unknown(error) ? Qtrue : Qfalse, partial);
}

static VALUE raise(VALUE data) {
    rb_exc_raise(shoal_ruby_exception(shoal_ruby_pointer(data), Qnil));
}

static VALUE free_error(VALUE data) {
    shoal_error_free(shoal_ruby_pointer(data));
    return Qnil;
}

void shoal_ruby_settle(shoal_error *error) {
    if (error != NULL)
        rb_ensure(raise, (VALUE)error, free_error, (VALUE)error);
    rb_thread_check_ints();
}
