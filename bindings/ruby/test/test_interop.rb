# frozen_string_literal: true

# The dalli that is installed reads what Shoal writes, and Shoal what dalli writes, on the same nodes.
# May require: the standard library, support, dalli; skipped where it is not installed.
require "json"
require "logger"
require "support"

class InteropTest < FleetTest
  VALUES = { text: "schön", ascii: "text", bytes: "\0\xff".b, empty: "", integer: -5, large: 2**70, float: 1.5,
             nil: nil, true: true, false: false, symbol: :symbol, array: [1, "a", nil, { b: :c }], rational: 1r / 3,
             long: "la " * 5000, "long list": ["ä"] * 5000, random: Random.new(1).bytes(20_000) }.freeze
  KEYS = [*Array.new(300) { |i| "key-#{i}" }, "ключ", "views/posts/1-20240101", "k" * 250].freeze

  def self.nodes
    3
  end

  def setup
    super
    require "dalli"
    Dalli.logger = Logger.new(File::NULL)
  rescue LoadError
    skip "dalli is not installed"
  end

  def dalli(**options)
    Dalli::Client.new(@servers.map(&:name), options)
  end

  def assert_same_value(value, back, name)
    value.nil? ? assert_nil(back, name) : assert_equal(value, back, name)
    assert_equal value.encoding, back.encoding, name if value.is_a?(String)
  end

  # Values go both ways, by one key and by many.
  def check(ours, theirs, values = VALUES)
    values.each do |name, value|
      key = name.to_s.tr(" ", "-")
      ours.set(key, value)
      assert_same_value value, theirs.get(key), "dalli reads #{name}"
      theirs.set("d-#{key}", value)
      assert_same_value value, ours.get("d-#{key}"), "Shoal reads #{name}"
      assert_same_value value, ours.get_many("d-#{key}")["d-#{key}"], "Shoal reads #{name} with others"
    end
  end

  def test_values
    { none: false, zlib: true }.each do |ours, theirs|
      check(client(codec: :marshal, compress: ours, preset: :dalli), dalli(compress: theirs))
    end
  end

  def test_gzip_is_read
    return skip("this dalli has no GzipCompressor") unless Dalli.const_defined?(:GzipCompressor)

    dalli(compressor: Dalli::GzipCompressor).set("k", VALUES[:long])
    assert_equal VALUES[:long], client(codec: :marshal, preset: :dalli).get("k")
  end

  def test_json
    values = VALUES.slice(:integer, :float, :nil, :true).merge(hash: { "a" => ["ä", nil] }, long: ["ä"] * 5000)
    check(client(codec: :json, compress: :zlib, preset: :dalli), dalli(serializer: JSON), values)
  end

  def test_raw_values_and_counters
    ours = client(codec: :marshal, preset: :dalli)
    theirs = dalli
    theirs.set("raw", "5", 0, raw: true)
    assert_equal [6, 7], [ours.increment("raw"), theirs.incr("raw")]
    assert_equal "7", ours.get("raw")
    ours.increment("n", initial: 3)
    assert_equal ["3", 4], [theirs.get("n", raw: true), theirs.incr("n")]
  end

  # From 5.0.4 on, dalli may write text without Marshal.
  def test_text_on_the_fast_path
    theirs = dalli(string_fastpath: true)
    VALUES.slice(:text, :ascii, :bytes, :empty).each do |name, value|
      theirs.set("k", value)
      assert_same_value value, client(codec: :marshal, preset: :dalli).get("k"), name
    end
  end

  def test_keys_lie_where_dalli_puts_them
    theirs = dalli
    ours = client(codec: :marshal, preset: :dalli)
    KEYS.each { |key| theirs.set(key, key) }
    assert_equal KEYS.to_h { |key| [key, key] }, ours.get_many(KEYS)
    assert_operator KEYS.map { |key| ours.route(key) }.uniq.size, :==, 3
    assert_equal [], ours.set_many(KEYS.to_h { |key| [key, key * 2] })
    KEYS.each { |key| assert_equal key * 2, theirs.get(key) }
  end

  def test_keys_with_a_namespace
    theirs = dalli(namespace: "app")
    ours = client(codec: :marshal, preset: :dalli, key_prefix: "app:")
    keys = KEYS.select { |key| key.size < 200 }
    keys.each { |key| theirs.set(key, key) }
    assert_equal keys.to_h { |key| [key, key] }, ours.get_many(keys)
    ours.set("new", "value")
    assert_equal "value", theirs.get("new")
  end
end
