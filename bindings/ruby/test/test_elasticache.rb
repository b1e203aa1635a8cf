# frozen_string_literal: true

# Shoal::ElastiCache with dalli-elasticache's arguments, on a memcached that knows a cluster's configuration.
# May require: the standard library, support; dalli where it is installed.
require "logger"
require "support"

class ElastiCacheTest < FleetTest
  def self.nodes
    3
  end

  def setup
    super
    @names = @servers.drop(1).map { |server| "localhost:#{server.port}" }
    @configuration = Shoal::Client.new("static://#{@servers[0].name}", operation_timeout_ms: OPERATION_TIMEOUT_MS)
    list(12, @servers.drop(1))
  end

  # A stock memcached serves the older form of discovery once this key is set.
  def list(version, servers)
    nodes = servers.map { |server| "localhost|127.0.0.1|#{server.port}" }
    @configuration.set("AmazonElastiCache:cluster", "#{version}\n#{nodes.join(" ")}\n")
  end

  def elasticache(options = {}, **more)
    Shoal::ElastiCache.new(@servers[0].name, { operation_timeout_ms: OPERATION_TIMEOUT_MS }.merge(options), **more)
  end

  def test_what_it_tells
    cluster = elasticache
    assert_equal [@names, 12], [cluster.servers, cluster.version]
    assert_match(/\A\d+\.\d+/, cluster.engine_version)
    assert_same cluster, cluster.refresh
    assert_same cluster.client, cluster.client
  end

  def test_the_client_follows_the_fleet
    cluster = elasticache({ discovery_interval_ms: 50 })
    assert_equal @names, cluster.servers
    list(13, @servers.drop(2))
    assert eventually { cluster.version == 13 }
    assert_equal @names.drop(1), cluster.refresh.servers
  end

  def test_dallis_options
    cluster = elasticache({ "namespace" => -> { "app" }, compress: true, compression_min_size: 100, expires_in: 100,
                            socket_timeout: 10, keepalive: true, failover: false, threadsafe: true,
                            value_max_bytes: 500_000 }, timeout: 2)
    cluster.client.set("k", "la " * 100)
    assert_equal "la " * 100, cluster.client.get("k")
    plain = elasticache.client
    assert_equal "la " * 100, plain.get("app:k")
    assert_raises(Shoal::TooLarge) { cluster.client.set("k", Random.bytes(600_000)) }
    json = elasticache({ serializer: JSON }).client
    json.set("j", { a: [1] })
    assert_equal({ "a" => [1] }, json.get("j"))
  end

  def test_fetch_as_with_dalli
    gone = elasticache({ expires_in: -1, cache_nils: true }).client
    assert_equal([1, 2], [1, 2].map { |i| gone.fetch("k") { i } })
    assert_equal([3, 3, nil, nil], [3, 4].map { |i| gone.fetch("k", 60) { i } } +
                                   [nil, 5].map { |i| gone.fetch("nil", ttl: 60) { i } })
    assert_equal([nil, 5], [nil, 5].map { |i| elasticache.client.fetch("other") { i } })
  end

  def test_items_expire_by_default
    gone = elasticache({ expires_in: -1 }).client
    assert gone.set("k", 1)
    assert_equal [], gone.set_many({ "l" => 1 })
    assert gone.add("m", 1)
    gone.increment("n", initial: 5)
    assert_equal({}, gone.get_many("k", "l", "m", "n"))
    assert_equal [true] * 3, [gone.set("k", 1, ttl: 60), gone.add("l", 1, 60), gone.replace("l", 2, ttl: 60)]
    gone.set_many({ "m" => 1 }, 60)
    assert_equal({ "k" => 1, "l" => 2, "m" => 1 }, gone.get_many("k", "l", "m"))
    assert gone.cas("k", 2, gone.gets("k")[1])
    assert gone.replace("l", 3)
    assert_equal 5, gone.decrement("n", initial: 5)
    assert_equal({ "m" => 1 }, gone.get_many("k", "l", "m", "n"))
  end

  def test_what_cannot_be_is_refused
    assert_refused(Shoal::Unsupported, /ssl_context/) { elasticache({}, ssl_context: Object.new) }
    assert_refused(Shoal::Unsupported, /username/) { elasticache({ username: "me", password: "secret" }) }
    assert_refused(ArgumentError, /serializer/) { elasticache({ serializer: Kernel }) }
    assert_refused(Shoal::BadOption, /expires_on/) { elasticache({ expires_on: 5 }) }
  end

  def test_dalli_finds_the_same
    require "dalli"
    Dalli.logger = Logger.new(File::NULL)
    options = { namespace: "app", expires_in: 60, compress: true }
    ours = elasticache(options).client
    theirs = Dalli::Client.new(@names, **options)
    keys = Array.new(100) { |i| "key-#{i}" }
    keys.each { |key| theirs.set(key, [key] * 2000) }
    assert_equal keys.to_h { |key| [key, [key] * 2000] }, ours.get_many(keys)
    ours.set_many(keys.to_h { |key| [key, "#{key} " * 2000] })
    keys.each { |key| assert_equal "#{key} " * 2000, theirs.get(key) }
  rescue LoadError
    skip "dalli is not installed"
  end
end
