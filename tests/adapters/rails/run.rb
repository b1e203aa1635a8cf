#!/usr/bin/ruby
# frozen_string_literal: true

# Runs ActiveSupport's own tests of cache stores: run.rb [STORE [TEST...]], by default on :shoal_store.
#
# ActiveSupport is the one that is installed; its tests are those of the Debian source package, which fetch_source.py
# finds or fetches; suite.rb says which of them run. The endpoint is the one that with_fleet.py leaves in
# SHOAL_TEST_ENDPOINT. With mem_cache_store, Rails' own store on dalli runs them, for comparison. TEST is part of the
# names of those to be run alone. Fails where a test fails, where fewer ran than there should be, and where one was
# skipped that is not known to be. May require: ActiveSupport, minitest, the standard library. Called by CTest.
require "minitest"

# Counts, and names what was skipped: minitest itself is content with any number of tests.
class Judge < Minitest::StatisticsReporter
  attr_reader :skips_by_name

  def initialize(...)
    super
    @skips_by_name = {}
  end

  def record(result)
    super
    @skips_by_name[result.name] = result.failure.message if result.skipped?
  end

  # Whether all is well; says what is not.
  def content?(known_skips, fewest)
    strange = @skips_by_name.reject { |name, _| known_skips.include?(name) }
    strange.each { |name, message| puts "skipped without being known to suite.rb: #{name}: #{message}" }
    few = count - skips < fewest
    puts "there should be #{fewest} tests and more" if few
    puts "#{count} run, #{failures + errors} failed, #{skips} skipped"
    passed? && strange.empty? && !few
  end
end

module Minitest
  def self.plugin_judge_init(_options)
    reporter << JUDGE
  end
  extensions << "judge"
end

# The folder of ActiveSupport's tests.
def find_tests
  fetch = File.expand_path("../fetch_source.py", __dir__)
  folder = IO.popen([fetch, "ruby-activesupport"], &:read).chomp
  return "#{folder}/activesupport/test" if $?.success?

  abort "Rails' tests are not there: what was said above tells why"
end

endpoint = ENV.fetch("SHOAL_TEST_ENDPOINT") do
  abort "SHOAL_TEST_ENDPOINT names no server: run this by tests/adapters/with_fleet.py"
end
store, *patterns = ARGV.empty? ? ["shoal_store"] : ARGV
JUDGE = Judge.new
require_relative "suite"
Suite.load(store.to_sym, endpoint, find_tests)
puts "ActiveSupport #{ActiveSupport.version}, #{store} on #{endpoint}"
$stdout.flush
options = patterns.empty? ? [] : ["--name", "/#{Regexp.union(patterns).source}/"]
Minitest.run(options)
exit JUDGE.content?(Suite::SKIPPED.keys, patterns.empty? ? Suite::FEWEST : 1)
