# frozen_string_literal: true

# fetch: one computer at a time, in threads and processes, and however its block is left.
# May require: the standard library, support.
require "timeout"
require "support"

# Waiters here wait for as long as it takes.
PATIENT = { codec: :json, fetch_wait_ms: OPERATION_TIMEOUT_MS }.freeze

class FetchTest < FleetTest
  def self.nodes
    2
  end

  def setup
    super
    @cache = client(**PATIENT)
  end

  # Has a value computed that is fresh for a second, and waits until it is not.
  def let_run_out(key, value)
    @cache.fetch(key, ttl: 1, stale_ttl: 1000) { value }
    sleep 2.1 # memcached counts whole seconds
  end

  def test_one_computes_and_the_others_read
    computed = Array.new(2) { @cache.fetch("k", ttl: 60) { { "a" => [1] } } }
    assert_equal [{ "a" => [1] }] * 2, computed
    assert_equal({ "a" => [1] }, @cache.fetch("k", 60) { flunk "computed again" })
    assert_equal({ "a" => [1] }, @cache.get("k"))
  end

  def test_the_old_value_is_given_while_one_computes
    let_run_out("old", "one")
    given = @cache.fetch("old", ttl: 60, stale_ttl: 1000) do
      assert_equal(["one"] * 2, Array.new(2) { @cache.fetch("old", stale_ttl: 1000) { flunk "two compute" } })
      "two"
    end
    assert_equal %w[two two], [given, @cache.fetch("old") { flunk "computed again" }]
  end

  # Of eight threads and four processes on two clients one computes; the others wait for it.
  def test_of_a_crowd_one_computes
    go, gate = IO.pipe
    take_part = lambda do |cache|
      go.read
      cache.fetch("crowd", ttl: 60) do
        @cache.increment("computed", initial: 1)
        sleep 0.2
        "value"
      end
    end
    children = Array.new(4) { fork { gate.close || exit!(take_part.call(client(**PATIENT)) == "value" ? 0 : 1) } }
    threads = Array.new(8) { Thread.new { take_part.call(@cache) } }
    gate.close
    assert_equal ["value"] * 8, threads.map(&:value)
    assert_equal [0] * 4, children.map { |child| Process.wait2(child)[1].exitstatus }
    assert_equal 1, @cache.increment("computed", 0)
  end

  def test_without_an_old_value_one_waits_for_so_long_and_then_computes
    cache = client(codec: :json, fetch_wait_ms: 200)
    begin_s = Process.clock_gettime(Process::CLOCK_MONOTONIC)
    cache.fetch("waited-for", ttl: 60) { assert_equal "own", cache.fetch("waited-for", ttl: 60) { "own" } }
    assert_includes 0.2..8, Process.clock_gettime(Process::CLOCK_MONOTONIC) - begin_s
  end

  # Whether a key, which has an old value, is somebody else's to compute.
  def claimed?(key)
    @cache.claim(key) { |claim| !claim.mine }
  end

  # Another process dies with its claim, and without a word.
  def test_a_claim_outlives_a_dead_winner_by_its_lifetime
    program = <<~'RUBY'
      require "shoal"
      Shoal::Client.new(ARGV[0], operation_timeout_ms: 10_000, fetch_claim_s: 3).fetch("orphan") do
        $stdout.puts("computing")
        $stdout.flush
        sleep
      end
    RUBY
    @cache.set("orphan", "old")
    IO.popen([*ENDS_WITH_US, RbConfig.ruby, "-w", "-e", program, @endpoint]) do |winner|
      assert_equal "computing\n", winner.gets
      assert claimed?("orphan")
      Process.kill(:KILL, winner.pid)
    end
    assert claimed?("orphan")
    assert(eventually { @cache.fetch("orphan", ttl: 60, stale_ttl: 60) { "heir" } == "heir" })
  end

  # A fork inherits the lease of its parent, who goes on computing.
  def test_a_child_gives_back_nothing_of_its_parents
    @cache.set("parent's", "old")
    is_child = catch(:child) do
      @cache.fetch("parent's", ttl: 60) do
        child = fork || throw(:child, true)
        Process.wait(child)
        assert claimed?("parent's")
        "value"
      end
      false
    end
    exit!(0) if is_child
  end

  def test_nil_is_stored_where_it_is_asked_for
    assert_equal([nil, 1], [@cache.fetch("nil", ttl: 60) { nil }, @cache.fetch("nil", ttl: 60) { 1 }])
    assert_nil(@cache.fetch("kept", ttl: 60, cache_nils: true) { nil })
    assert_nil(@cache.fetch("kept", ttl: 60) { flunk "computed again" })
  end

  def test_a_value_that_cannot_be_stored_is_given_all_the_same
    small = client(**PATIENT, max_value_bytes: 100)
    2.times { |i| assert_equal i.to_s * 200, small.fetch("large", ttl: 60) { i.to_s * 200 } }
    closed = client(**PATIENT)
    assert_equal("value", closed.fetch("closed") { closed.close || "value" })
  end

  def test_what_fails_is_told
    assert_refused(ArgumentError, /block/) { @cache.fetch("k") }
    assert_refused(Shoal::BadKey) { @cache.fetch("") { flunk } }
    assert_refused(Shoal::InvalidArgument, /stale_ttl/) { @cache.fetch("k", stale_ttl: -1) { flunk } }
    assert_refused(TypeError) { @cache.fetch("k", ttl: "soon") { flunk } }
    raw = client(fetch_wait_ms: OPERATION_TIMEOUT_MS)
    assert_refused(TypeError, /:raw/) { raw.fetch("k") { 5 } }
    assert_equal("5", raw.fetch("k") { "5" })
  end

  def test_a_value_that_cannot_be_read_is_told
    client(**PATIENT, codec: :marshal).fetch("damaged", ttl: 60) { [1] }
    assert_refused(Shoal::BadValue) { @cache.fetch("damaged") { flunk } }
  end

  def test_a_dead_node_is_an_error_or_everybody_computes
    dead = "static://127.0.0.1:#{free_port}"
    assert_raises(Shoal::NodeDown) { Shoal::Client.new(dead, retry_attempts: 0).fetch("k") { flunk } }
    assert_equal("v", Shoal::Client.new(dead, retry_attempts: 0, on_node_failure: :miss).fetch("k") { "v" })
  end
end

# However a block is left, the next caller computes at once, without help of the collector's.
class LeavingTest < FleetTest
  class Stop < StandardError; end

  def setup
    super
    @cache = client(**PATIENT)
    GC.disable
  end

  def teardown
    GC.enable
  end

  def assert_next_computes(message = nil)
    begin_s = Process.clock_gettime(Process::CLOCK_MONOTONIC)
    assert_equal("next", @cache.fetch("k", ttl: -1) { "next" }, message)
    assert_operator Process.clock_gettime(Process::CLOCK_MONOTONIC) - begin_s, :<, 5, message
  end

  def test_by_its_own
    assert_raises(Stop) { @cache.fetch("k") { raise Stop } }
    assert_next_computes "raise"
    assert_equal(:thrown, catch(:out) { @cache.fetch("k") { throw :out, :thrown } })
    assert_next_computes "throw"
    assert_equal(:broken, @cache.fetch("k") { break :broken })
    assert_next_computes "break"
    assert_raises(TypeError) { client(**PATIENT, codec: :marshal).fetch("k") { -> {} } }
    assert_next_computes "what no codec takes"
    assert_raises(SystemExit) { @cache.fetch("k") { exit } }
    assert_next_computes "exit"
  end

  # A thread that computes for ever.
  def computing(&block)
    inside = Queue.new
    thread = Thread.new do
      Thread.current.report_on_exception = false
      block.call(-> { inside.push(:computing) && sleep })
    ensure
      inside.push(:ended)
    end
    assert_equal :computing, inside.pop
    thread
  end

  def test_from_outside
    computing { |compute| @cache.fetch("k", &compute) }.kill.join
    assert_next_computes "kill"
    thread = computing { |compute| @cache.fetch("k", &compute) }
    thread.raise(Stop)
    assert_raises(Stop) { thread.value }
    assert_next_computes "raise"
    timed = computing { |compute| Timeout.timeout(0.01) { @cache.fetch("k", &compute) } }
    assert_raises(::Timeout::Error) { timed.value }
    assert_next_computes "timeout"
  end

  # Two interrupts, of which the second comes while the claim is given back.
  def test_from_outside_twice
    server = @servers[0]
    cache = client(**PATIENT, lanes_per_node: 1, attempt_timeout_ms: OPERATION_TIMEOUT_MS)
    thread = computing { |compute| cache.fetch("k", &compute) }
    server.freeze
    thread.raise(Stop)
    sleep 0.05
    thread.kill
    assert_nil thread.join(0.05)
    server.thaw
    thread.join
    assert_next_computes
  end

  # At any moment of a fetch, and above all between the grant of the lease and its block.
  def test_from_outside_at_any_moment
    100.times do |turn|
      thread = Thread.new { loop { @cache.fetch("k", ttl: -1) { "v" } } }
      sleep rand / 200
      turn.even? ? thread.kill : thread.raise(Stop)
      thread.report_on_exception = false
      begin
        thread.join
      rescue Stop
        nil
      end
      assert_next_computes turn.to_s
    end
  end

  # How far this thread counts while another ends its computation, whose server stands still.
  def count_while_ending(key, &leave)
    cache = Shoal::Client.new(@endpoint, operation_timeout_ms: 500, retry_attempts: 0)
    assert eventually { cache.get(key) || true rescue false } # rubocop:disable Style/RescueModifier
    thread = computing { |compute| catch(:out) { cache.fetch(key) { compute.call && leave.call } } }
    assert eventually { thread.status == "sleep" }
    @servers[0].freeze
    thread.wakeup
    steps = 0
    steps += 1 until thread.join(0.001)
    steps
  ensure
    @servers[0].thaw
  end

  # Held for those 500 ms, the lock would let this thread take a step or two.
  def test_the_lock_is_free_while_a_computation_ends
    assert_operator count_while_ending("stored") { "v" }, :>, 4
    assert_operator count_while_ending("abandoned") { throw :out }, :>, 4
  end

  def test_other_threads_run_while_a_block_computes
    thread = computing { |compute| @cache.fetch("k", &compute) }
    assert_equal("own", @cache.fetch("other") { "own" })
    assert_nil @cache.get("k")
    thread.kill.join
  end
end

# What adapters are given.
class ClaimTest < FleetTest
  def test_a_claim_is_one_callers
    cache = client(**PATIENT)
    cache.set("k", "old")
    told = cache.claim("k") { |mine| [mine, cache.claim("k") { |theirs| theirs }] }
    assert_equal([["old", true], ["old", false]], told.map { |claim| [claim.value, claim.mine] })
    assert(cache.cas("k", "new", told[1].token))
    assert_equal("new", cache.claim("k") { |claim| claim.mine && claim.value })
  end

  def test_others_wait_where_there_is_no_value
    cache = client(**PATIENT)
    inside = Queue.new
    thread = Thread.new { cache.claim("k") { |claim| inside.push(claim) && sleep(0.1) && cache.set("k", "stored") } }
    assert_equal([nil, nil, true], inside.pop.to_a)
    assert_equal("stored", cache.claim("k", &:value))
    thread.join
  end
end
