# frozen_string_literal: true

# What the gem is. `gem build` works in Shoal's tree: SWIG makes the wrapper, and the version is that of the C library's
# header. The gem carries the wrapper, so that its user needs a C compiler and libshoal, but no SWIG.
require "fileutils"

Dir.chdir(__dir__) do
  interface = "../../swig/shoal.i"
  headers = "../../core/include"
  wrapper = "ext/shoal/shoal_wrap.c"
  command = %W[swig -ruby -module native -prefix Shoal:: -I../../swig -I#{headers} -o #{wrapper} #{interface}]
  unless system(*command)
    abort "shoal: the wrapper could not be made; it takes SWIG 4.1 or later, in Shoal's tree (#{command.join(" ")})"
  end
  FileUtils.cp("../../LICENSE", "LICENSE")

  Gem::Specification.new do |gem|
    gem.name = "shoal"
    version = File.read("#{headers}/shoal/version.h")
    gem.version = version.scan(/#define SHOAL_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)/).join(".")
    gem.summary = "A memcached client for fleets whose nodes come and go"
    gem.description = "Discovers the nodes of Amazon ElastiCache, Google Memorystore or any memcached fleet, hashes " \
                      "keys onto them and follows the fleet while it changes, without a restart. Needs the C library " \
                      "libshoal."
    gem.license = "BSD-3-Clause"
    gem.authors = ["The authors of Shoal"]
    gem.required_ruby_version = ">= 3.1"
    gem.files = Dir["lib/**/*.rb", "ext/**/*.{c,h,rb}", "sig/**/*.rbs", "README.md", "LICENSE"]
    gem.extensions = ["ext/shoal/extconf.rb"]
    gem.metadata = { "rubygems_mfa_required" => "true" }
  end
end
