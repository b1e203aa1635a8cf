# frozen_string_literal: true

# What the Rails store does when its fleet fails: never an exception, unless it is asked for.
# May require: rails_support.
require_relative "rails_support"

class DeadFleetTest < StoreTest
  def test_nothing_is_an_exception
    dead = dead_store
    assert_equal [nil, {}], [dead.read("k"), dead.read_multi("k", "l")]
    assert_equal [false, false], [dead.delete("k"), dead.exist?("k")]
    assert_equal [NOT_WRITTEN] * 2, [dead.write("k", 1), dead.write("k", 1, unless_exist: true)]
    assert_equal [nil, nil, nil, 0], [dead.increment("k"), dead.decrement("k"), dead.clear, dead.delete_multi(%w[k l])]
    assert_equal 5, dead.fetch("k") { 5 }
    assert_equal({ "k" => "k" }, dead.fetch_multi("k") { |name| name })
    dead.write_multi({ "k" => 1 })
    dead.with_local_cache { assert_nil dead.read("k") }
  end

  def test_an_exception_that_is_asked_for
    dead = dead_store(on_node_failure: :error)
    [-> { dead.read("k") }, -> { dead.write("k", 1) }, -> { dead.write_multi({ "k" => 1 }) }, -> { dead.delete("k") },
     -> { dead.read_multi("k") }, -> { dead.increment("k") }].each { |call| assert_raises(Shoal::Error, &call) }
  end

  def test_failures_are_logged_but_not_in_floods
    dead = dead_store
    20.times { dead.read("k") }
    lines = @log.string.lines.grep(/NodeDown/)
    assert_includes 1..3, lines.size, @log.string # one a second
    assert_match(/127\.0\.0\.1:\d+/, lines.first)
  end

  def test_failures_are_reported
    skip "Rails 6.1 has no error reporter" if RAILS_6
    reports = []
    reporter = Object.new
    reporter.define_singleton_method(:report) { |error, **details| reports << [error, details] }
    ActiveSupport.error_reporter.subscribe(reporter)
    dead_store.read("k")
    error, details = reports.first
    assert_kind_of Shoal::Error, error
    assert_equal [true, :warning, "shoal_store.active_support"], details.values_at(:handled, :severity, :source)
  ensure
    ActiveSupport.error_reporter.unsubscribe(reporter) unless RAILS_6
  end

  def test_an_error_of_the_program_is_raised
    @store.client.close
    assert_raises(Shoal::Closed) { @store.read("k") }
  ensure
    Shoal::RailsCache::Clients.instance_variable_get(:@all).clear
  end
end

# Stores text where a marshalled value should be.
class Damage < Shoal::RawCodec
  def encode(value)
    [value, 1]
  end
end

class ValuesTest < StoreTest
  def noise(bytes)
    Random.new(1).bytes(bytes)
  end

  def test_large_values
    value = noise(900_000)
    @store.write("k", value)
    assert_equal value, @store.read("k")
    assert_equal({ "k" => value }, @store.read_multi("k"))
  end

  # By the server, or by a bound of the client's, which the server does not hear of.
  def test_a_value_that_is_refused_deletes_the_old_one
    [@store, store(max_value_bytes: 10_000)].each do |cache|
      cache.write("k", "old")
      assert_equal [NOT_WRITTEN, nil], [cache.write("k", noise(2_000_000)), cache.read("k")]
      cache.with_local_cache do
        cache.write_multi({ "k" => "old", "l" => "old" })
        cache.write_multi({ "k" => noise(2_000_000), "l" => "new" })
        assert_equal [nil, "new"], [cache.read("k"), cache.read("l")]
        cache.send(:bypass_local_cache) { assert_equal [nil, "new"], [cache.read("k"), cache.read("l")] }
      end
    end
    assert_match(/TooLarge.*\n.*1 of 2 values/, @log.string)
  end

  def test_a_value_that_cannot_be_read_is_a_miss
    @store.write("good", "v")
    client(preset: :rails, codec: Damage.new).set("bad", "no marshalled value")
    assert_equal({ "good" => "v" }, @store.read_multi("good", "bad"))
    assert_nil @store.read("bad")
    assert_match(/BadValue/, @log.string)
    assert_equal "new", @store.fetch("bad") { "new" }
    assert_equal "new", @store.read("bad")
  end

  def test_a_value_that_cannot_be_marshalled
    assert_raises(TypeError) { @store.write("k", proc {}) }
  end
end

# Nodes of their own, as they do not come back.
class DyingNodesTest < StoreTest
  def setup
    super
    @nodes = Array.new(3) { Memcached.new }
    @fleet = ActiveSupport::Cache.lookup_store(:shoal_store, @nodes.map(&:name), operation_timeout_ms: 1000)
    @values = Array.new(60) { |i| ["k#{i}", i] }.to_h
    @fleet.write_multi(@values)
  end

  def teardown
    @nodes.each(&:stop)
    super
  end

  def test_a_node_that_dies_costs_its_own_keys
    assert_equal @values, @fleet.read_multi(*@values.keys)
    lost = @values.keys.select { |key| @fleet.client.route(key) == @nodes[0].name }
    @nodes.shift.stop
    assert_equal @values.except(*lost), @fleet.read_multi(*@values.keys)
    lost.each { |key| assert_equal [nil, NOT_WRITTEN], [@fleet.read(key), @fleet.write(key, 1)] }
    assert_equal @values, @fleet.fetch_multi(*@values.keys) { |key| @values[key] }
    assert_includes @fleet.stats.values, nil
  end

  def test_what_happens_is_told
    events = notifications(/\.shoal\z/) do
      dead = @nodes.shift
      dead.stop
      assert eventually {
        @values.each_key { |key| @fleet.read(key) }
        @log.string.include?(dead.name)
      }
      sleep 1.1 # events are passed on once a second
      @fleet.read("k")
    end
    name, payload = events.find { |each, _| each == "node_failed.shoal" }
    assert name, events.inspect
    assert_match(/\A127\.0\.0\.1:\d+\z/, payload[:node])
    assert_equal payload[:message][/\A\S+(?=:)/], payload[:node]
  end
end

class FrozenNodeTest < StoreTest
  def test_other_threads_run_while_a_node_is_silent
    cache = store(operation_timeout_ms: 500, retry_attempts: 0, lane_idle_s: 60)
    cache.write("k", 1)
    @servers[0].freeze
    steps = 0
    reader = Thread.new { cache.read("k") }
    steps += 1 while reader.join(0.001).nil?
    assert_nil reader.value
    # Held for those 500 ms, Ruby's lock would let this thread take a step or two.
    assert_operator steps, :>, 20
  ensure
    @servers[0].thaw
  end
end
