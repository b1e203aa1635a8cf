dnl Builds the extension by phpize, with libshoal where pkg-config finds it. A tarball carries the wrapper in generated/;
dnl in Shoal's tree SWIG makes it.
PHP_ARG_ENABLE([shoal],
  [whether to enable Shoal],
  [AS_HELP_STRING([--enable-shoal], [Enable Shoal, a memcached client])],
  [yes])

if test "$PHP_SHOAL" != "no"; then
  PKG_CHECK_MODULES([SHOAL], [shoal >= 0.1])
  PHP_EVAL_INCLINE([$SHOAL_CFLAGS])
  PHP_EVAL_LIBLINE([$SHOAL_LIBS], [SHOAL_SHARED_LIBADD])
  PHP_SUBST([SHOAL_SHARED_LIBADD])

  shoal_folder=PHP_EXT_SRCDIR([shoal])
  shoal_tree=$shoal_folder/../../..
  if test -f "$shoal_tree/swig/shoal.i"; then
    AC_PATH_PROG([SWIG], [swig])
    if test -z "$SWIG"; then
      AC_MSG_ERROR([SWIG 4.1 or later makes the wrapper: install it, or build from a tarball, which carries it])
    fi
    mkdir -p "$shoal_folder/generated"
    "$SWIG" -php -module shoal "-I$shoal_tree/swig" "-I$shoal_tree/core/include" \
      -o "$shoal_folder/generated/shoal_wrap.c" "$shoal_tree/swig/shoal.i" ||
      AC_MSG_ERROR([the wrapper could not be made])
  fi

  shoal_sources="generated/shoal_wrap.c batches.c codecs.c convert.c errors.c handles.c items.c module.c serialise.c"
  PHP_NEW_EXTENSION([shoal], [$shoal_sources], [$ext_shared],, [-fvisibility=hidden])
  PHP_ADD_INCLUDE([$ext_srcdir])
  PHP_ADD_BUILD_DIR([$ext_builddir/generated])
  EXTRA_LDFLAGS="$EXTRA_LDFLAGS -Wl,-Bsymbolic"
  PHP_SUBST([EXTRA_LDFLAGS])
fi
