# frozen_string_literal: true

# The gem is built in the tree and installs offline, by one who has no SWIG; the README's example then runs.
#
# SHOAL_SOURCE names the tree and SHOAL_BUILD a build, whose library is installed first. May require: the standard
# library, support.
require "fileutils"
require "rubygems/package"
require "tmpdir"
require "support"

class InstallTest < FleetTest
  NOT_OURS = /\A(RUBY|GEM_|BUNDLE)/

  def setup
    super
    skip "SHOAL_BUILD names no build" unless ENV["SHOAL_BUILD"]
    @scratch = Dir.mktmpdir
    @environment = ENV.keys.grep(NOT_OURS).to_h { |name| [name, nil] }
    install_library
    copy_tree
  end

  def teardown
    FileUtils.rm_rf(@scratch) if @scratch
  end

  def install_library
    run_in(@scratch, "cmake", "--install", ENV.fetch("SHOAL_BUILD"), "--prefix", "#{@scratch}/prefix")
    library = File.dirname(Dir["#{@scratch}/prefix/**/libshoal.so"].fetch(0))
    @environment.update("PKG_CONFIG_PATH" => "#{library}/pkgconfig", "LD_LIBRARY_PATH" => library,
                        "GEM_HOME" => "#{@scratch}/gems", "HOME" => @scratch)
  end

  # A copy, as `gem build` writes beside the sources.
  def copy_tree
    source = ENV.fetch("SHOAL_SOURCE")
    %w[swig core/include bindings/ruby].each do |folder|
      FileUtils.mkdir_p(File.dirname("#{@scratch}/tree/#{folder}"))
      FileUtils.cp_r("#{source}/#{folder}", "#{@scratch}/tree/#{folder}")
    end
    FileUtils.cp("#{source}/LICENSE", "#{@scratch}/tree")
    @package = "#{@scratch}/tree/bindings/ruby"
    FileUtils.rm_f(["#{@package}/ext/shoal/shoal_wrap.c", "#{@package}/LICENSE"])
  end

  def run_in(folder, *command)
    output, status = Open3.capture2e(@environment, *command, chdir: folder)
    assert status.success?, "#{command.join(" ")}\n#{output}"
    output
  end

  # From here on nobody can call it.
  def without_swig
    FileUtils.mkdir("#{@scratch}/tools")
    File.write("#{@scratch}/tools/swig", "#!/bin/sh\nexit 1\n")
    File.chmod(0o755, "#{@scratch}/tools/swig")
    @environment["PATH"] = "#{@scratch}/tools:#{ENV.fetch("PATH")}"
  end

  def test_a_gem_is_built_and_installed
    output = run_in(@package, RbConfig.ruby, "-S", "gem", "build")
    assert_empty output.scan(/^WARNING: .*/).grep_v(/no homepage|for help/) # Shoal has no page of its own
    built = Dir["#{@package}/shoal-*.gem"].fetch(0)
    check_contents(Gem::Package.new(built).spec)
    without_swig
    run_in(@scratch, RbConfig.ruby, "-S", "gem", "install", "--local", "--no-document", built)
    assert_equal "#{Shoal::VERSION}\n", use("puts Shoal::VERSION")
    assert_match(/\A#{@scratch}.gems/, use('puts $".grep(/shoal.native/)'))
    example = File.read("#{@package}/README.md")[/^```ruby\n(.*?)^```/m, 1].gsub("127.0.0.1:11211", @servers[0].name)
    assert_equal %({"name"=>"Ada"}\n{"user:5"=>{"name"=>"Ada"}}\n1\ntrue\n), use(example).gsub(" => ", "=>")
  end

  def use(program)
    run_in(@scratch, RbConfig.ruby, "-w", "-e", "require \"shoal\"\n#{program}")
  end

  def check_contents(spec)
    assert_equal Shoal::VERSION, spec.version.to_s
    assert_empty %w[ext/shoal/shoal_wrap.c ext/shoal/extconf.rb ext/shoal/support.h lib/shoal.rb lib/shoal/client.rb
                    sig/shoal.rbs README.md LICENSE] - spec.files
  end
end
