# frozen_string_literal: true

# Arguments of the Rails store: addresses, options of Rails, Shoal and dalli, and what is wrong with some.
# May require: rails_support.
require_relative "rails_support"

class SettingsTest < Minitest::Test
  Arguments = Shoal::RailsCache::Arguments

  def client_settings(*servers, **options)
    Arguments.new(servers, options).client
  end

  def endpoint(*servers)
    client_settings(*servers).endpoint
  end

  def with_environment(value)
    before = ENV["MEMCACHE_SERVERS"]
    ENV["MEMCACHE_SERVERS"] = value
    yield
  ensure
    ENV["MEMCACHE_SERVERS"] = before
  end

  def test_addresses
    assert_equal "a:1", endpoint("a:1")
    assert_equal "a:1,b", endpoint("a:1", "b")
    assert_equal "a:1,b", endpoint("a:1, b")
    assert_equal "a:1:5,b:2:1", endpoint(["a:1:5", "b:2:1"].join(","))
    assert_equal "a:1", endpoint("a:1:5")
    assert_equal "localhost:1", endpoint("memcached://localhost:1")
    assert_equal "/run/memcached.sock", endpoint("/run/memcached.sock")
    assert_equal "[::1]:11211", endpoint("[::1]:11211")
    assert_equal "elasticache://a:1,b:2?address_family=ipv4", endpoint("elasticache://a:1,b:2?address_family=ipv4")
  end

  def test_without_an_address
    with_environment(nil) { assert_equal "127.0.0.1:11211", endpoint }
    with_environment("") { assert_equal "127.0.0.1:11211", endpoint(nil) }
    with_environment("a:1,b:2") { assert_equal "a:1,b:2", endpoint }
  end

  def test_addresses_that_cannot_be
    ["memcached://user:password@host", ["elasticache://a", "b"], 5].each do |servers|
      error = assert_raises(ArgumentError) { endpoint(*servers) }
      refute_match(/password@/, error.message)
    end
    assert_raises(ArgumentError) { ActiveSupport::Cache.lookup_store(:shoal_store, "a:none") }
  end

  def test_making_one_does_not_connect
    TCPServer.open("127.0.0.1", 0) do |server|
      ActiveSupport::Cache.lookup_store(:shoal_store, "127.0.0.1:#{server.addr[1]}", namespace: "a")
      assert_equal :wait_readable, server.accept_nonblock(exception: false)
    end
  end

  def test_options_go_where_they_belong
    given = { namespace: "n", expires_in: 5, raw: true, retry_attempts: 1, "pool_size" => 3 }
    arguments = Arguments.new(["a:1"], given)
    assert_equal({ namespace: "n", expires_in: 5, raw: true }, arguments.store)
    assert_equal [[:retry_attempts, 1]], arguments.client.options
    assert_equal({ size: 3, timeout: 5.0 }, arguments.pool)
  end

  def test_an_unknown_option_names_the_nearest
    { namspace: "namespace", operation_timeout: "operation_timeout_ms", socket_timout: "socket_timeout", pol: "pool",
      distributon: "distribution" }.each do |wrong, right|
      error = assert_raises(ArgumentError) { client_settings("a", wrong => 1) }
      assert_match(/unknown option #{wrong}; the nearest is #{right}\z/, error.message)
    end
  end

  def test_options_that_belong_elsewhere
    { codec: "coder", key_prefix: "namespace", compress_min_bytes: "compress_threshold" }.each do |name, instead|
      assert_match(instead, assert_raises(ArgumentError) { client_settings("a", name => 1) }.message)
    end
  end

  def test_a_value_that_cannot_be
    error = assert_raises(ArgumentError) { ActiveSupport::Cache.lookup_store(:shoal_store, "a:1", retry_attempts: 99) }
    assert_match(/retry_attempts/, error.message)
    assert_raises(ArgumentError) { client_settings("a", socket_timeout: "soon") }
    assert_raises(ArgumentError) { client_settings("a", socket_timeout: []) }
  end

  def test_keys_are_placed_as_by_rails
    assert_equal :rails, client_settings("a", "b").preset
    assert_nil client_settings("a", distribution: :modula).preset
    assert_nil client_settings("a", preset: nil).preset
    assert_equal :pymemcache, client_settings("a", preset: "pymemcache").preset
  end

  def test_options_of_dalli
    given = { socket_timeout: 0.25, socket_max_failures: 3, keepalive: false, value_max_bytes: 5_000_000,
              compress: true, failover: true, down_retry_delay: 30, threadsafe: true, protocol: :binary, username: nil }
    assert_equal [[:failure_threshold, 3], [:max_value_bytes, 5_000_000], [:operation_timeout_ms, 250],
                  [:protocol, :auto], [:tcp_keepalive, false]], client_settings("a", **given).options
    both = client_settings("a", socket_timeout: 5, operation_timeout_ms: 100)
    assert_equal [[:operation_timeout_ms, 100]], both.options
    assert_equal [[:protocol, :meta]], client_settings("a", protocol: :meta).options
    assert_equal({ skip_nil: true }, Arguments.new([], { cache_nils: false }).store)
  end

  def test_all_options_of_dalli_are_taken
    source = Dir["#{Gem::Specification.find_by_name("dalli").full_gem_path}/lib/dalli/client.rb"].fetch(0)
    documented = File.read(source)[/# Options:.*?def initialize/m].scan(/# - :(\w+)/).flatten.map(&:to_sym)
    assert_operator documented.size, :>, 8
    # Which value each of them takes is another matter.
    documented.each { |name| client_settings("a", name => nil) unless name == :compress }
  end

  def test_options_of_dalli_that_cannot_be_followed
    { username: "u", ssl_context: Object.new }.each do |name, value|
      error = assert_raises(ArgumentError) { client_settings("a", name => value) }
      assert_match(/#{name} cannot be followed/, error.message)
    end
    return unless RAILS_6

    client_settings("a", serializer: Marshal)
    assert_match(/coder/, assert_raises(ArgumentError) { client_settings("a", serializer: JSON) }.message)
  end

  def test_nothing_shows_the_endpoint
    store = ActiveSupport::Cache.lookup_store(:shoal_store, "secret-host:1", namespace: "n")
    assert_match(/ShoalStore options=.*"n"/, store.inspect)
    refute_match(/secret/, store.inspect)
  end
end
