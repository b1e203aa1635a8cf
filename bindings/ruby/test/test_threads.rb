# frozen_string_literal: true

# Threads: eight on one client, Ruby's lock free while a call waits, and interrupts, which come through behind a call.
# May require: the standard library, support.
require "timeout"
require "support"

class ThreadsTest < FleetTest
  def self.nodes
    2
  end

  # Runs blocks side by side; raises what one of them raised.
  def run_all(*blocks)
    blocks.map { |block| Thread.new(&block).tap { |thread| thread.report_on_exception = false } }.each(&:join)
  end

  def test_eight_threads_on_one_client
    cache = client(codec: :marshal)
    work = lambda do |number|
      keys = Array.new(20) { |i| "#{number}-#{i}" }
      30.times do |turn|
        values = keys.to_h { |key| [key, [number, turn, key]] }
        raise "not stored" unless cache.set_many(values).empty?
        raise "wrong values" unless cache.get_many(keys) == values
        raise "a wrong value" unless keys.first(5).all? { |key| cache.get(key) == values[key] }

        cache.increment("turns", initial: 1)
      end
    end
    run_all(*Array.new(8) { |number| -> { work.call(number) } })
    assert_equal 8 * 30, cache.increment("turns", 0)
  end

  def test_a_list_may_change_while_its_keys_are_read
    cache = client
    keys = Array.new(100) { |i| "k#{i}" }
    cache.set_many(keys.to_h { |key| [key, "v"] })
    shared = keys.dup
    done = false
    change = lambda do
      until done
        shared.replace(Array.new(50) { |i| i.to_s + "x" * 20 })
        shared.replace(keys)
        Thread.pass
      end
    end
    read = lambda do
      50.times { raise "a wrong key" unless (cache.get_many(shared).keys - keys).empty? }
    ensure
      done = true
    end
    run_all(change, read)
  end

  def test_closing_while_others_call
    cache = client
    call = lambda do
      loop { cache.set("k", "v") && cache.get_many("k") }
    rescue Shoal::Closed
      nil
    end
    run_all(call, call, -> { sleep(0.05) && cache.close })
  end

  CALLS = { get: ->(cache) { cache.get("k") }, set: ->(cache) { cache.set("k", "v") },
            get_many: ->(cache) { cache.get_many("k") }, increment: ->(cache) { cache.increment("k") },
            get_and_touch: ->(cache) { cache.get_and_touch("k", 5) }, delete: ->(cache) { cache.delete("k") },
            touch: ->(cache) { cache.touch("k", 5) }, flush_all: ->(cache) { cache.flush_all },
            fetch: ->(cache) { cache.fetch("k") { "v" } } }.freeze

  # How far another thread counts while a call waits for a server that stands still.
  def count_while(&call)
    steps = 0
    @servers[0].freeze
    caller = Thread.new { assert_raises(Shoal::Error, &call) }
    steps += 1 while caller.join(0.001).nil?
    steps
  ensure
    @servers[0].thaw
  end

  def test_the_lock_is_free_while_a_call_waits
    CALLS.each do |name, call|
      # A client of its own, as the node is out of use behind the first call; connected before it stands still.
      cache = Shoal::Client.new("static://#{@servers[0].name}", lane_idle_s: 60, operation_timeout_ms: 500,
                                                                retry_attempts: 0)
      assert eventually { cache.get("k") || true rescue false } # rubocop:disable Style/RescueModifier
      # Held for those 500 ms, the lock would let this thread take a step or two.
      assert_operator count_while { call.call(cache) }, :>, 4, name
      cache.close
    end
  end
end

# A client with one connection to its one node, which a call that was interrupted must not keep.
class InterruptsTest < FleetTest
  class Stop < StandardError; end

  def setup
    super
    @server = @servers[0]
    @cache = client(lanes_per_node: 1, attempt_timeout_ms: OPERATION_TIMEOUT_MS)
    @cache.set("k", "v")
  end

  # A thread that waits for a server that stands still; what the block does to it comes before the server goes on.
  def waiting(call)
    @server.freeze
    thread = Thread.new(&call).tap { |each| each.report_on_exception = false }
    assert eventually { thread.status == "sleep" }
    sleep 0.01
    yield thread
    assert_nil thread.join(0.05), "the call is not to be cut short"
    @server.thaw
    thread
  end

  CALLS = [->(cache) { cache.get("k") }, ->(cache) { cache.set("k", "v") }, ->(cache) { cache.get_many("k", "l") },
           ->(cache) { cache.set_many({ "k" => "v" }) }, ->(cache) { cache.stats }].freeze

  def test_threads_are_killed_behind_their_call
    CALLS.cycle(4) do |call|
      reached = false
      thread = waiting(-> { call.call(@cache) && reached = true }, &:kill)
      assert_nil thread.value
      refute reached
      assert_equal "v", @cache.get("k")
    end
  end

  def test_exceptions_come_behind_the_call
    CALLS.cycle(4) do |call|
      thread = waiting(-> { call.call(@cache) && sleep }) { |each| each.raise(Stop) }
      assert_raises(Stop) { thread.value }
      assert_equal "v", @cache.get("k")
    end
  end

  def test_timeouts_come_behind_the_call
    thread = waiting(-> { Timeout.timeout(0.02) { @cache.get("k") && sleep } }) { sleep 0.05 }
    assert_raises(::Timeout::Error) { thread.value }
    assert_equal "v", @cache.get("k")
  end

  def test_an_interrupt_that_may_not_come_yet
    found = nil
    thread = Thread.new do
      Thread.current.report_on_exception = false
      Thread.handle_interrupt(Stop => :never) do
        Thread.current.raise(Stop)
        found = [@cache.get("k"), @cache.get_many("k")]
      end
    end
    assert_raises(Stop) { thread.value }
    assert_equal ["v", { "k" => "v" }], found
  end

  def test_an_interrupt_that_may_come_where_calls_wait
    reached = false
    thread = Thread.new do
      Thread.current.report_on_exception = false
      Thread.handle_interrupt(Stop => :on_blocking) do
        Thread.current.raise(Stop)
        reached = true
        @cache.get("k")
        reached = :too_far
      end
    end
    assert_raises(Stop) { thread.value }
    assert_same true, reached
  end

  # A call that waits for the one connection has sent nothing yet: what it was given is still needed.
  def test_what_was_lent_may_change_meanwhile
    lent = { one: [+"one", +"1" * 500_000], many: [+"many", +"2" * 500_000] }
    threads = []
    waiting(-> { @cache.get("k") }) do
      threads << Thread.new { @cache.set(*lent[:one]) } << Thread.new { @cache.set_many([lent[:many]].to_h) }
      assert eventually { threads.map(&:status) == %w[sleep sleep] }
      sleep 0.01
      lent.each_value { |strings| strings.each { |string| string.replace("x" * string.size).clear } }
      GC.start
      GC.compact if GC.respond_to?(:compact)
    end.join
    threads.each(&:join)
    assert @cache.get_many("one", "many", "x") == { "one" => "1" * 500_000, "many" => "2" * 500_000 }
  end

  def test_signals_come_behind_the_call
    program = <<~RUBY
      require "shoal"
      $stdout.sync = true
      cache = Shoal::Client.new(ARGV[0], operation_timeout_ms: 10_000, attempt_timeout_ms: 10_000, lanes_per_node: 1)
      cache.get("k")
      trap(:USR1) { puts "trapped" }
      2.times do
        puts "ready"
        $stdin.gets
        puts cache.get("k")
      rescue Interrupt
        puts "interrupted"
      end
      puts cache.get("k")
    RUBY
    IO.popen([*ENDS_WITH_US, RbConfig.ruby, "-w", "-e", program, @endpoint], "r+") do |other|
      { USR1: %w[trapped v], INT: %w[interrupted v] }.each do |signal, lines|
        assert_equal "ready", other.gets(chomp: true)
        send_while_it_waits(signal, other)
        assert_equal(lines, lines.map { other.gets(chomp: true) })
      end
    end
  end

  def send_while_it_waits(signal, other)
    @server.freeze
    other.puts
    sleep 0.2
    Process.kill(signal, other.pid)
    sleep 0.05
    @server.thaw
  end
end
