# frozen_string_literal: true

# Builds the gem's extension for `gem install`: the C here and SWIG's wrapper beside it, linked with the libshoal that
# pkg-config finds.
require "mkmf"

abort "shoal: libshoal was not found; install it, or name its folder in PKG_CONFIG_PATH" unless pkg_config("shoal")
append_cflags(%w[-std=gnu11 -fvisibility=hidden])
create_makefile("shoal/native")
