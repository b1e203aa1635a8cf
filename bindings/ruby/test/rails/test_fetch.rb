# frozen_string_literal: true

# fetch with single_compute: one process computes, and all else is as Rails has it.
# May require: rails_support.
require_relative "rails_support"

class SingleComputeTest < StoreTest
  class Stop < StandardError; end

  def self.nodes
    2
  end

  def setup
    super
    @store = single
  end

  # A store whose waiters wait for as long as it takes.
  def single(**options)
    store(single_compute: true, fetch_wait_ms: OPERATION_TIMEOUT_MS, **options)
  end

  # The events of a block, without their namespace.
  def events(&block)
    notifications(/\Acache_.*active_support\z/, &block).map { |name, told| [name[/cache_(\w+)/, 1].to_sym, told[:hit]] }
  end

  # An entry that Rails says has run out, which the server still has.
  def write_expired(key, value)
    @store.write(key, value, expires_in: 1, race_condition_ttl: 60)
    sleep 1.1
  end

  # What eight threads and four processes get, and how many of them computed.
  def crowd(key, **options)
    go, gate = IO.pipe
    take_part = lambda do
      go.read
      @store.fetch(key, **options) do
        @store.client.increment("computed", initial: 1)
        sleep 0.3
        "new"
      end
    end
    children = Array.new(4) { fork { gate.close || exit!(%w[new old].index(take_part.call) || 2) } }
    threads = Array.new(8) { Thread.new(&take_part) }
    gate.close
    given = threads.map(&:value) + children.map { |child| %w[new old][Process.wait2(child)[1].exitstatus] }
    [given.tally, @store.client.increment("computed", 0)]
  end

  def test_of_a_crowd_one_computes_and_the_others_wait
    assert_equal [{ "new" => 12 }, 1], crowd("missing", expires_in: 60)
  end

  def test_of_a_crowd_that_races_one_computes_and_nobody_waits
    write_expired("raced", "old")
    given, computed = crowd("raced", expires_in: 60, race_condition_ttl: 60)
    assert_equal [%w[new old], 1], [given.keys.sort, computed]
    assert_equal "new", @store.read("raced")
  end

  def test_without_a_race_what_has_expired_is_never_given
    write_expired("expired", "old")
    assert_equal [{ "new" => 12 }, 1], crowd("expired", expires_in: 60)
  end

  def test_another_version_is_never_given
    @store.write("k", "old", version: 1)
    assert_equal [{ "new" => 12 }, 1], crowd("k", version: 2)
    assert_equal "new", @store.read("k", version: 2)
  end

  def test_raw_values
    assert_equal [{ "new" => 12 }, 1], crowd("raw", raw: true)
    assert_equal "new", stored("raw")
  end

  def test_it_is_off_unless_asked_for
    plain = store
    inner = nil
    assert_equal("outer", plain.fetch("k") { (inner = plain.fetch("k") { "inner" }) && "outer" })
    assert_equal "inner", inner
    one = plain.fetch("l", single_compute: true) do
      @store.fetch("l", single_compute: false) { "another" }
    end
    assert_equal "another", one
  end

  def test_what_computes_is_told_as_ever
    assert_equal [[:read, false], [:generate, nil], [:write, nil]], events { @store.fetch("k") { 1 } }
    assert_equal([[:read, true], [:fetch_hit, nil]], events { @store.fetch("k") { flunk } })
    assert_equal %i[generate write], events { @store.fetch("k", force: true) { 2 } }.map(&:first).last(2)
    assert_equal 2, @store.read("k")
  end

  # Somebody else computes between this one's read and its claim.
  def test_what_was_computed_meanwhile_is_told_as_a_hit
    others = store
    client = @store.client
    client.define_singleton_method(:claim) { |key, &block| others.write("k", "theirs") && super(key, &block) }
    assert_equal([[:read, false], [:write, nil], [:fetch_hit, nil]],
                 events { assert_equal "theirs", @store.fetch("k") { flunk } })
  ensure
    client.singleton_class.remove_method(:claim)
  end

  def test_the_local_cache_has_what_others_computed
    inside = Queue.new
    thread = Thread.new { @store.fetch("k") { inside.push(1) && sleep(0.2) && "theirs" } }
    inside.pop
    @store.with_local_cache do
      assert_nil @store.read("k")
      assert_equal("theirs", @store.fetch("k") { flunk })
      store.delete("k")
      assert_equal "theirs", @store.read("k")
    end
    thread.join
  end

  # A read that found the old entry in the local cache would take it for expired, and delete the new one.
  def test_the_local_cache_has_nothing_old
    write_expired("k", "old")
    @store.client.claim("k") do
      @store.with_local_cache do
        assert_equal("old", @store.fetch("k", race_condition_ttl: 60) { flunk })
        store.write("k", "new")
        assert_equal "new", @store.read("k")
      end
    end
    assert_equal "new", @store.read("k")
  end

  def test_a_block_that_fails_lets_the_next_compute_at_once
    assert_raises(Stop) { @store.fetch("k") { raise Stop } }
    assert_raises(Shoal::Timeout) { @store.fetch("k") { raise Shoal::Timeout } }
    assert_nil(@store.fetch("k", skip_nil: true) { nil })
    begin_s = Process.clock_gettime(Process::CLOCK_MONOTONIC)
    assert_equal 1, (@store.fetch("k") { 1 })
    assert_operator Process.clock_gettime(Process::CLOCK_MONOTONIC) - begin_s, :<, 5
    assert_empty @log.string
  end

  # As Rails promises: the old entry is given for so long, and then computed anew.
  def test_a_block_that_fails_leaves_the_old_entry_for_the_race
    write_expired("k", "old")
    assert_raises(Stop) { @store.fetch("k", race_condition_ttl: 2) { raise Stop } }
    assert_equal("old", @store.fetch("k", race_condition_ttl: 2) { flunk })
    assert(eventually { @store.fetch("k", race_condition_ttl: 2) { "new" } == "new" })
  end

  def test_waiters_compute_in_the_end
    hasty = single(fetch_wait_ms: 100)
    hasty.write("old", 1, version: 1)
    %w[old missing].each do |key|
      assert_equal("outer", hasty.fetch(key, version: 2) do
        assert_equal("inner", hasty.fetch(key, version: 2) { "inner" })
        "outer"
      end)
      assert_equal "outer", hasty.read(key, version: 2)
    end
  end

  def test_what_a_block_says_of_its_entry_holds
    skip "blocks have no say in Rails 6.1" if RAILS_6
    @store.fetch("k", expires_in: 1000) { |_, options| options.expires_in = 1 }
    assert eventually { @store.read("k").nil? }
  end

  # The time to live that was asked for, and not that of the race.
  def test_what_was_raced_for_lives_as_long_as_it_should
    write_expired("k", "old")
    @store.fetch("k", expires_in: 1000, race_condition_ttl: 60) { "new" }
    expires_at = @store.send(:read_entry, "k").expires_at.to_f - Time.now.to_f
    assert_includes 900..1000, expires_at
  end

  def test_a_pool_is_left_to_others_by_those_who_compute
    small = single(pool_size: 1, pool_timeout: 0.5)
    inside = Queue.new
    thread = Thread.new { small.fetch("k") { inside.push(1) && sleep } }
    inside.pop
    waiter = Thread.new { small.fetch("k") { flunk } }
    assert eventually { waiter.status == "sleep" }
    assert_nil small.read("other")
  ensure
    [thread, waiter].each { |each| each.kill.join }
  end

  def test_a_dead_fleet
    dead = dead_store(single_compute: true)
    assert_equal(5, dead.fetch("k") { 5 })
    assert_match(/NodeDown/, @log.string)
    assert_raises(Shoal::NodeDown) { dead_store(single_compute: true, on_node_failure: :error).fetch("k") { 5 } }
  end
end
