# frozen_string_literal: true

# What each method of the client takes and gives, on a fleet of three memcached servers.
# May require: the standard library, support.
require "set"
require "support"

class ClientTest < FleetTest
  def self.nodes
    3
  end

  def setup
    super
    @cache = client
  end

  def test_get_gives_the_value_or_the_default
    assert_nil @cache.get("k")
    assert_equal 7, @cache.get("k", 7)
    assert_same true, @cache.set("k", "v\0w")
    assert_equal "v\0w", @cache.get("k", 7)
  end

  def test_a_key_may_be_a_symbol_or_its_bytes
    @cache.set("ключ", "v")
    assert_equal "v", @cache.get("ключ".b)
    assert_equal "v", @cache.get(:ключ)
    [5, nil, ["k"]].each { |key| assert_refused(TypeError, /a key is a String or a Symbol/) { @cache.get(key) } }
  end

  def test_bad_keys
    ["", "a b", "k" * 251, "a\nb", "ключ".encode("UTF-16LE")].each do |key|
      assert_raises(Shoal::BadKey) { @cache.get(key) }
      assert_raises(Shoal::BadKey) { @cache.set(key, "v") }
    end
  end

  def test_strings_stay_as_they_were
    key = +"key"
    value = +"värt"
    frozen = "frozen"
    @cache.set(key, value)
    @cache.set(frozen, frozen)
    assert_equal ["key", "värt", Encoding::UTF_8, false], [key, value, value.encoding, value.frozen? || key.frozen?]
    key << "2"
    value << ("x" * 100)
    @cache.set(key, value)
    value << "y"
    assert_equal "värt#{"x" * 100}".b, @cache.get("key2")
    assert_equal "frozen", @cache.get(frozen)
  end

  def test_what_comes_back_is_binary_and_the_callers_own
    [+"abc", "värt", "", "\0\xff".b, "w".encode("UTF-16BE")].each do |value|
      @cache.set("k", value)
      back = @cache.get("k")
      assert_equal [value.b, Encoding::BINARY, false], [back, back.encoding, back.frozen?]
    end
  end

  def test_raw_refuses_what_is_not_a_string
    [:text, 5, nil, { a: 1 }].each do |value|
      assert_refused(TypeError, /not #{value.class}/) { @cache.set("k", value) }
    end
    assert_nil @cache.get("k")
  end

  def test_conditional_stores
    %i[replace append prepend].each { |verb| assert_same false, @cache.public_send(verb, "k", "1") }
    assert_equal [true, false, true, true, true],
                 [@cache.add("k", "2"), @cache.add("k", "3"), @cache.replace("k", "4"), @cache.append("k", "5"),
                  @cache.prepend("k", "3")]
    assert_equal "345", @cache.get("k")
    assert_raises(TypeError) { @cache.append("k", 5) }
  end

  def test_cas
    assert_nil @cache.gets("k")
    assert_same false, @cache.cas("k", "v", 1)
    @cache.set("k", "1")
    value, token = @cache.gets("k")
    assert_equal ["1", true, false], [value, @cache.cas("k", "2", token), @cache.cas("k", "3", token)]
    assert_equal "2", @cache.get("k")
    assert_raises(Shoal::InvalidArgument) { @cache.cas("k", "4", 0) }
  end

  def test_delete_and_touch
    assert_equal [false, false], [@cache.delete("k"), @cache.touch("k", 10)]
    assert_equal "none", @cache.get_and_touch("k", 10, "none")
    @cache.set("k", "v")
    assert_equal [true, "v", nil], [@cache.touch("k", ttl: 100), @cache.get_and_touch("k", ttl: -1), @cache.get("k")]
    @cache.set("k", "v")
    assert_equal [true, nil], [@cache.delete("k"), @cache.get("k")]
  end

  def test_times_to_live
    [0, 0.0, 0.1, 1r / 3, 100, 2**80, 1e30].each do |lasting|
      @cache.set("k", "v", lasting)
      assert_equal "v", @cache.get("k"), lasting
    end
    [-1, -0.5, -1r / 3, -2**80].each do |gone|
      @cache.set("k", "v", ttl: gone)
      assert_nil @cache.get("k"), gone
    end
    [Float::NAN, Float::INFINITY].each { |wrong| assert_raises(FloatDomainError) { @cache.set("k", "v", ttl: wrong) } }
    [nil, "5", true].each { |wrong| assert_refused(TypeError, /of seconds/) { @cache.set("k", "v", ttl: wrong) } }
    assert_raises(TypeError) { @cache.touch("k") }
  end

  def test_counters
    assert_nil @cache.increment("k")
    assert_equal [10, 11, 9], [@cache.increment("k", initial: 10), @cache.increment("k"), @cache.decrement("k", 2)]
    assert_equal "9", @cache.get("k").rstrip
    assert_equal 0, @cache.decrement("k", 100)
    assert_equal 2**64 - 1, @cache.decrement("missing", initial: 2**64 - 1)
    @cache.set("k", "text")
    assert_raises(Shoal::NotANumber) { @cache.increment("k") }
    [{ initial: -1 }, { initial: 2**64 }, { initial: -2**70 }].each do |wrong|
      assert_raises(RangeError) { @cache.increment("k", **wrong) }
    end
    assert_raises(RangeError) { @cache.increment("k", 2**63) }
    assert_raises(TypeError) { @cache.increment("k", 1.5) }
  end

  def test_a_value_too_large_is_an_error
    @cache.set("k", "old")
    assert_raises(Shoal::TooLarge) { @cache.set("k", "x" * 2_097_152) }
    assert_nil @cache.get("k")
  end
end

class ManyKeysTest < FleetTest
  def self.nodes
    3
  end

  def setup
    super
    @cache = client
  end

  def test_hits_come_under_the_callers_own_keys
    pairs = Array.new(200) { |i| ["key-#{i}".freeze, i.to_s] }.to_h
    assert_equal [], @cache.set_many(pairs)
    keys = [*pairs.keys, "missing"]
    hits = @cache.get_many(keys)
    assert_equal pairs, hits
    assert(keys.zip(hits.keys).all? { |mine, theirs| theirs.nil? || mine.equal?(theirs) })
    assert_equal({ "key-5": "5", "key-6" => "6" }, @cache.get_many(:"key-5", +"key-6"))
    assert_equal({ "key-5" => "5" }, @cache.get_multi(Set.new(["key-5"])))
  end

  def test_nothing_and_the_same_twice
    assert_equal [{}, {}, [], []], [@cache.get_many, @cache.get_many([]), @cache.set_many({}), @cache.delete_many([])]
    @cache.set("k", "v")
    assert_equal({ "k" => "v", k: "v" }, @cache.get_many("k", "k", :k))
    twice = [+"k", +"k"]
    hits = @cache.get_many(twice)
    twice.first << "2"
    assert_equal({ "k" => "v" }, hits)
  end

  def test_a_key_of_a_wrong_type_is_told_before_anything_is_sent
    @cache.set("a", "1")
    [["a", 5], ["a", nil], [["a"]]].each { |keys| assert_refused(TypeError, /a key is/) { @cache.delete_many(keys) } }
    assert_raises(TypeError) { @cache.get_many(5) }
    assert_equal "1", @cache.get("a")
  end

  def test_what_was_not_stored_is_told
    pairs = { "a" => "1", "large" => "x" * 2_097_152, "bad key" => "2", b: "3" }
    assert_equal ["large", "bad key"], @cache.set_many(pairs)
    assert_equal({ "a" => "1", "b" => "3" }, @cache.get_many("a", "large", "b"))
    assert_raises(TypeError) { @cache.set_many({ "c" => "4", "d" => 5 }) }
    assert_nil @cache.get("c")
  end

  def test_what_was_not_deleted_is_told
    @cache.set("a", "1")
    assert_equal ["bad key"], @cache.delete_many("a", "missing", "bad key")
    assert_nil @cache.get("a")
  end

  def test_a_failed_read_carries_the_hits
    @cache.set("a", "1")
    error = assert_raises(Shoal::BadKey) { @cache.get_many("bad key", "a", "missing") }
    assert_equal({ "a" => "1" }, error.partial)
  end

  def test_times_to_live
    @cache.set_many({ "a" => "1", "b" => "2" }, ttl: -1)
    assert_equal({}, @cache.get_many("a", "b"))
  end
end

class FleetsTest < FleetTest
  def self.nodes
    3
  end

  def test_nodes_topology_route_and_stats
    cache = client
    names = @servers.map(&:name)
    assert_equal names, cache.nodes
    topology = cache.topology
    assert_equal 0, topology.version
    assert_equal(@servers.map { |server| [server.name, "127.0.0.1", "", server.port, 1] }, topology.nodes.map(&:to_a))
    assert_includes names, cache.route("k")
    stats = cache.stats
    processes = @servers.to_h { |server| [server.name, server.pid.to_s] }
    assert_equal(processes, stats.transform_values { |counters| counters["pid"] })
    assert_includes cache.stats(:settings)[names[0]], "maxbytes"
  end

  def test_flush_all_empties_every_node
    cache = client
    keys = Array.new(50) { |i| "k#{i}" }
    cache.set_many(keys.to_h { |key| [key, "v"] })
    assert_nil cache.flush_all
    assert_equal({}, cache.get_many(keys))
  end

  def test_options_reach_the_core
    name = @servers[0].name
    cache = Shoal::Client.new(name, key_prefix: "p:", binary_keys: false, retry_budget: 0.2, protocol: :libmemcached,
                                    hash: nil, operation_timeout_ms: OPERATION_TIMEOUT_MS)
    cache.set("k", "v")
    assert_equal "v", Shoal::Client.new(name, operation_timeout_ms: OPERATION_TIMEOUT_MS).get("p:k")
    several = [name, "127.0.0.1:1"]
    assert_equal several, Shoal::Client.open(several, preset: :dalli, &:nodes)
  end

  def test_wrong_options_are_told
    assert_refused(Shoal::BadOption, /key_prefix/) { client(key_prefx: "p:") }
    assert_refused(Shoal::BadOption, /dalli/) { client(preset: :dali) }
    assert_raises(Shoal::BadOption) { Shoal::Client.new(@endpoint, operation_timeout_ms: "soon") }
    assert_raises(Shoal::BadEndpoint) { Shoal::Client.new("nonsense://x") }
    assert_refused(ArgumentError, /null byte/) { client(key_prefix: "a\0b") }
    assert_raises(ArgumentError) { Shoal::Client.new }
  end
end

class LifeTest < FleetTest
  CALLS = [->(cache) { cache.get("k") }, ->(cache) { cache.set("k", "v") }, ->(cache) { cache.get_many("k") },
           ->(cache) { cache.set_many({ "k" => "v" }) }, ->(cache) { cache.delete_many("k") },
           ->(cache) { cache.increment("k") }, ->(cache) { cache.touch("k", 5) }, :stats.to_proc, :nodes.to_proc,
           :flush_all.to_proc, ->(cache) { cache.route("k") }].freeze

  def test_use_after_close
    cache = client
    cache.set("k", "v")
    2.times { assert_nil cache.close }
    CALLS.each { |call| assert_raises(Shoal::Closed) { call.call(cache) } }
  end

  def test_a_client_for_a_block
    kept = nil
    result = Shoal::Client.open(@endpoint) { |cache| (kept = cache).set("k", "v") && 5 }
    assert_equal 5, result
    assert_raises(Shoal::Closed) { kept.get("k") }
    assert_raises(IOError) { Shoal::Client.open(@endpoint) { |cache| raise IOError, (kept = cache).inspect } }
    assert_raises(Shoal::Closed) { kept.get("k") }
  end

  def test_a_client_that_was_never_made
    cache = Shoal::Client.allocate
    [*CALLS, :close.to_proc].each { |call| assert_raises(TypeError, NoMethodError) { call.call(cache) } }
  end

  def test_dumping_and_copying_are_refused
    cache = client
    { dup: /copied/, clone: /copied/, marshal_dump: /dumped/ }.each do |call, message|
      assert_refused(TypeError, message) { cache.public_send(call) }
    end
    assert_refused(TypeError, /dumped/) { Marshal.dump({ "cache" => cache }) }
  end

  def test_a_frozen_client_works
    cache = client.freeze
    cache.set("k", "v")
    assert_equal "v", cache.get("k")
  end

  def test_inspect_tells_no_password
    refute_match(/127|name/, Shoal::Client.new("#{@endpoint}?key_prefix=name").inspect)
  end
end
