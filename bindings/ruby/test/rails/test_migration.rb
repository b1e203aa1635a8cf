# frozen_string_literal: true

# Shoal in dalli's place, and back: on three nodes, the Rails store finds what Rails' own on dalli wrote, and the
# other way. May require: dalli, rails_support.
require "dalli"
require_relative "rails_support"

Dalli.logger.level = Logger::ERROR

# Makes and reads items in all ways that a store has.
module Items
  VALUES = { "text" => "text", "binary" => "\xFF\0".b, "empty" => "", "number" => 5, "nil" => nil, "false" => false,
             "nested" => { list: [1, "ü", Time.at(0)] }, "large" => { "x" => "0" * 100_000 }, "key with space" => 1,
             "ümlaut" => 2, "l" * 300 => 3, ["array", 1] => 4, "range" => (1..2) }.freeze
  OPTIONS = { namespace: "app", expires_in: 60, race_condition_ttl: 5, compress_threshold: 500 }.freeze

  def write_all(store)
    VALUES.each { |key, value| assert store.write(key, value) }
    store.write("versioned", "v", version: 7)
    store.write("raw", 10, raw: true)
    store.write("raw text", "ünd", raw: true)
    store.write("plain", "p" * 2000, compress: false)
  end

  def assert_all(store)
    VALUES.each do |key, value|
      assert store.exist?(key), key
      value.nil? ? assert_nil(store.read(key)) : assert_equal(value, store.read(key))
    end
    assert_equal VALUES, store.read_multi(*VALUES.keys)
    assert_equal ["v", nil], [store.read("versioned", version: 7), store.read("versioned", version: 8)]
    assert_equal ["10", "ünd".b], [store.read("raw", raw: true), store.read("raw text", raw: true).b]
    assert_equal "p" * 2000, store.read("plain")
    assert_equal [12, 11], [store.increment("raw", 2), store.decrement("raw")]
    store.write("raw", 10, raw: true)
  end
end

class RailsMigrationTest < StoreTest
  include Items

  def self.nodes
    3
  end

  def setup
    super
    @theirs = mem_cache_store
    @ours = store(**OPTIONS)
  end

  # Rails' own; connection_pool 3 refuses the pool that Rails 7 makes of it.
  def mem_cache_store(**options)
    options[:pool] = false unless RAILS_6
    ActiveSupport::Cache.lookup_store(:mem_cache_store, *@servers.map(&:name), **OPTIONS, **options)
  end

  def test_what_rails_wrote_is_read
    write_all(@theirs)
    assert_all(@ours)
    VALUES.each_key { |key| assert_same true, @ours.delete(key) }
  end

  def test_rails_reads_what_we_wrote
    write_all(@ours)
    assert_all(@theirs)
    @ours.write_multi(VALUES)
    assert_all(@theirs)
  end

  def test_counters
    @theirs.write("n", 1, raw: true) if RAILS_6 # which makes no counters
    assert_equal RAILS_6 ? [6, 7] : [5, 6], [@theirs.increment("n", 5), @ours.increment("n")]
    @ours.write("m", 1, raw: true) if RAILS_6
    assert_equal RAILS_6 ? [6, 7] : [5, 6], [@ours.increment("m", 5), @theirs.increment("m")]
  end

  # Entries of Rails 6.1, which later ones write where they are given no coder, and those of 7.0.
  def test_older_formats
    skip "Rails 6.1 has one format" if RAILS_6
    [{ coder: nil }, {}].each do |options|
      ActiveSupport::Cache.format_version = 7.0
      write_all(mem_cache_store(**options))
      assert_all(@ours)
      assert_all(store(**OPTIONS))
    ensure
      ActiveSupport::Cache.format_version = 7.1
    end
  end
end
