# frozen_string_literal: true

# What the Rails store does beyond ActiveSupport's own tests of it: keys, lifetimes, batches, counters, pools.
# May require: rails_support.
require_relative "rails_support"

class KeysTest < StoreTest
  def self.nodes
    2
  end

  def test_keys_of_any_encoding
    Encoding.list.each do |encoding|
      key = (+"foo").force_encoding(encoding)
      assert @store.write(key, "1", raw: true), encoding
      assert_equal %w[1 1], [@store.read(key, raw: true), @store.fetch(key, raw: true)], encoding
      assert_equal 2, @store.increment(key)
      assert_equal encoding, key.encoding
      assert_same true, @store.delete(key)
    end
  end

  def test_odd_keys
    keys = ["a b", "a%20b", "\x00\x7F\n\r", "ümlaut", "\xFF\xFE", "x" * 251, "x" * 252, "ü" * 200, :symbol,
            { b: 1 }, 5, ["a", 1]]
    keys.each_with_index { |key, index| assert_same true, @store.write(key, index) }
    keys.each_with_index { |key, index| assert_equal index, @store.read(key), key.inspect }
    assert_equal keys.each_with_index.to_h, @store.read_multi(*keys)
  end

  def test_long_keys_have_250_bytes
    made = ["k" * 251, "é" * 100, "n" * 3000].map { |key| @store.send(:normalize_key, key, { namespace: "ns" }) }
    assert_equal [250] * 3, made.map(&:bytesize)
    assert_equal "k" * 250, @store.send(:normalize_key, "k" * 250, {})
    assert_nil @store.send(:normalize_key, nil, {}) if RAILS_6
  end

  def test_two_names_of_one_key
    @store.write("a", 1)
    assert_equal({ "a" => 1, :a => 1 }, @store.read_multi("a", :a))
  end

  def test_namespaces
    spaces = [{ namespace: "a" }, { namespace: "b" }, { namespace: -> { "c" } }, {}]
    spaces.each_with_index { |options, index| store(**options).write("k", index) }
    spaces.each_with_index { |options, index| assert_equal index, store(**options).read("k") }
    assert_equal 2, @store.read("k", namespace: "c")
  end
end

class LifetimesTest < StoreTest
  def test_items_expire
    @store.write("short", 1, expires_in: 1)
    @store.write("fraction", 1, expires_in: 0.2)
    @store.write_multi({ "many" => 1 }, expires_in: 1)
    @store.write("raw", 1, expires_in: 1, raw: true)
    @store.write("long", 1, expires_in: 60.days)
    @store.write("ever", 1)
    assert eventually { @store.read_multi("short", "fraction", "many", "ever").keys == %w[ever] }
    assert eventually { @store.read("raw", raw: true).nil? }
    assert_equal [1, 1], [@store.read("long"), @store.read("ever")]
  end

  def test_what_is_expired_already
    [0, 0.0, 0.seconds].each do |expires_in|
      assert @store.write("k", 1, expires_in: expires_in)
      assert_nil @store.read("k")
      assert @store.write("k", 1, expires_in: expires_in, raw: true)
      assert_nil @store.read("k", raw: true)
    end
  end

  def test_the_server_keeps_longer_what_may_be_raced_for
    key = @store.send(:normalize_key, "k", {})
    lifetime = lambda do |**options|
      @store.write("k", "v", expires_in: 10, **options)
      # memcached tells the time to live that is left in its dump of keys.
      TCPSocket.open("127.0.0.1", @servers[0].port) do |socket|
        socket.write("mg #{key} t\r\n")
        socket.gets[/t(-?\d+)/, 1].to_i
      end
    end
    assert_includes 305..310, lifetime.call(race_condition_ttl: 5)
    assert_includes 5..10, lifetime.call
    assert_includes 5..10, lifetime.call(race_condition_ttl: 5, raw: true)
  end
end

class BatchesTest < StoreTest
  def self.nodes
    3
  end

  # How often a method of the client's is called in a block.
  def calls(*names)
    count = 0
    trace = TracePoint.new(:call) do |point|
      count += 1 if point.defined_class == Shoal::Client && names.include?(point.method_id)
    end
    trace.enable { yield }
    count
  end

  def test_many_are_one_call
    values = Array.new(200) { |i| ["k#{i}", { i => "v" * i }] }.to_h
    assert_equal 1, calls(:set, :set_many) { @store.write_multi(values) }
    assert_equal 1, calls(:get, :get_many) { assert_equal values, @store.read_multi(*values.keys, "none") }
    assert_equal 2, calls(:get, :get_many, :set, :set_many) { @store.fetch_multi("n1", "n2", "k1") { |name| name } }
    assert_equal %w[n1 n2], @store.read_multi("n1", "n2").values
  end

  def test_options_of_many
    @store.write_multi({ "a" => 1, "b" => 2 }, raw: true)
    assert_equal({ "a" => "1", "b" => "2" }, @store.read_multi("a", "b", raw: true))
    assert_equal 3, @store.increment("b")
    @store.write_multi({ "a" => 5, "c" => 6 }, unless_exist: true, raw: true)
    assert_equal({ "a" => "1", "c" => "6" }, @store.read_multi("a", "c", raw: true))
  end

  def test_the_local_cache_knows_of_many
    @store.with_local_cache do
      @store.write("a", 1)
      @store.write_multi({ "a" => 2, "b" => { "x" => 1 } })
      assert_equal [2, { "x" => 1 }], [@store.read("a"), @store.read("b")]
      store.delete("b")
      assert_equal({ "x" => 1 }, @store.read("b"))
    end
  end

  def test_delete_multi_counts
    @store.write_multi({ "a" => 1, "b" => 2 })
    assert_equal 2, @store.delete_multi(%w[a none b])
    assert_same false, @store.delete("a")
  end
end

class CountersTest < StoreTest
  def test_a_missing_counter
    assert_equal RAILS_6 ? [nil, nil, nil] : [1, 5, 0],
                 [@store.increment("a"), @store.increment("b", 5), @store.decrement("c", 3)]
  end

  def test_counting
    @store.write("n", 10, raw: true)
    assert_equal [11, 15, 12, 0], [@store.increment("n"), @store.increment("n", 4), @store.decrement("n", 3),
                                   @store.decrement("n", 99)]
    assert_equal 5, @store.increment("n", 5, expires_in: 60)
    assert_equal 3, @store.increment("n", -2)
  end

  def test_what_is_no_number
    @store.write("text", "text", raw: true)
    @store.write("entry", 5)
    assert_equal [nil, nil], [@store.increment("text"), @store.decrement("entry")]
    assert_match(/NotANumber/, @log.string)
  end

  def test_a_lifetime_is_not_renewed
    skip "Rails 6.1 makes no counters" if RAILS_6
    @store.increment("n", 1, expires_in: 1)
    assert eventually { @store.read("n", raw: true).nil? }
    assert_equal 1, @store.increment("n", 1, expires_in: 60)
  end
end

class PoolsTest < StoreTest
  def test_a_pool_limits_who_waits
    small = store(pool_size: 1, pool_timeout: 0.1)
    inside = Queue.new
    holder = Thread.new do
      small.instance_variable_get(:@pool).with { inside.push(1) && sleep }
    end
    inside.pop
    assert_raises(::Timeout::Error) { small.read("k") }
    assert_nil @store.read("k")
  ensure
    holder.kill.join
  end

  def test_spellings
    [{ pool: true }, { pool: { size: "2", timeout: "1.5" } }, { pool_size: 2 }, { pool_timeout: 1 }].each do |options|
      pool = store(**options).instance_variable_get(:@pool)
      assert_instance_of ConnectionPool, pool
      assert_equal options.values.first.is_a?(Hash) || options[:pool_size] ? 2 : 5, pool.size
    end
    [{}, { pool: false }, { pool: nil }].each { |options| assert_nil store(**options).instance_variable_get(:@pool) }
    [{ size: [] }, { timeout: [] }, 5].each { |pool| assert_raises(TypeError) { store(pool: pool) } }
  end

  def test_equal_settings_share_a_client
    assert_same @store.client, store(namespace: "other", expires_in: 5, pool: { size: 2 }).client
    refute_same @store.client, store(retry_attempts: 1).client
  end
end
