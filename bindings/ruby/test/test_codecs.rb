# frozen_string_literal: true

# Codecs: what comes back, which flags and bytes lie on the server, and what damage does.
# May require: support.
require "support"

# Values are [bytes, flags], as they lie on the server.
class Seen
  def encode(value)
    value
  end

  def decode(data, flags)
    [data, flags]
  end
end

class CodecsTest < FleetTest
  Point = Struct.new(:x, :y)

  def setup
    super
    @server = client(codec: Seen.new)
  end

  # What a client stores for a value, which must read back as it was, strings in their encoding.
  def stored(codec, value, **options)
    cache = client(codec: codec, **options)
    cache.set("k", value)
    assert_same_value value, cache.get("k")
    assert_same_value value, cache.get_many("k")["k"]
    @server.get("k")
  end

  def assert_same_value(value, back)
    value.nil? ? assert_nil(back) : assert_equal(value, back)
    assert_equal value.encoding, back.encoding if value.is_a?(String)
  end

  def test_marshal_is_dallis
    ["schön", "\xff".b, "w".encode("UTF-16LE"), 5, 2**70, -1.5, nil, true, false, :symbol, { a: ["b", 1r] },
     Point.new(1, 2), Time.at(0), 1..5, "x" * 10_000].each do |value|
      %i[marshal dalli].each { |codec| assert_equal [Marshal.dump(value), 1], stored(codec, value) }
    end
  end

  def test_marshal_reads_what_is_not_marshalled
    { ["schön".b, 0] => "schön".b, ["schön".b, 4] => "schön", ["schön".b, 2] => "schön", ["5 ".b, 0] => "5 ".b }
      .each do |item, value|
        @server.set("k", item)
        assert_same_value value, client(codec: :marshal).get("k")
      end
  end

  def test_json
    assert_equal ["\0\xff".b, 0], stored(:json, "\0\xff".b)
    assert_equal ["schön".b, 4], stored(:json, "schön")
    assert_equal ['{"a":["ö",1,null,true,1.5]}'.b, 1], stored(:json, { "a" => ["ö", 1, nil, true, 1.5] })
    [nil, 5, true, "", []].each { |value| stored(:json, value) }
    cache = client(codec: :json)
    cache.set("k", "schön".encode("ISO-8859-1"))
    assert_equal "schön", cache.get("k")
    cache.set("k", { symbol: :value })
    assert_equal({ "symbol" => "value" }, cache.get("k"))
    assert_raises(EncodingError) { cache.set("k", "\xff") }
    assert_raises(JSON::GeneratorError) { cache.set("k", Float::NAN) }
  end

  def test_compression
    text = "la " * 5000
    [[:marshal, :zlib, 1 | 2], [:json, :zlib, 4 | 2], [:json, :zstd, 4 | 8]].each do |codec, compress, flags|
      data, seen = stored(codec, text, compress: compress)
      assert_equal flags, seen
      assert_operator data.bytesize, :<, 1000
    end
    assert_equal 1, stored(:marshal, "la", compress: :zlib)[1]
    assert_equal 3, stored(:marshal, "la " * 50, compress: :zlib, compress_min_bytes: 1)[1]
    assert_equal 1, stored(:marshal, text, compress: :none)[1]
  end

  def test_wrong_choices_are_told_at_once
    [{ codec: :marshall }, { codec: 5 }, { codec: "json" }, { compress: :zlib }, { codec: Seen.new, compress: :zlib },
     { codec: nil }, { codec: :json, compress: :lzma }].each do |options|
      assert_raises(ArgumentError, options.inspect) { client(**options) }
    end
    assert_raises(RangeError) { client(codec: :json, compress_min_bytes: -1) }
    assert_refused(ArgumentError, /no layout/) { Shoal::CoreCodec.new("dali") }
    assert_raises(Shoal::Unsupported) { client(codec: :marshal, compress: :zstd).set("k", "v" * 5000) }
  end

  def test_counters_and_appending
    cache = client(codec: :marshal)
    assert_equal [10, 9, "9"], [cache.increment("k", initial: 10), cache.decrement("k"), cache.get("k").rstrip]
    @server.set("k", ["b", 0])
    assert cache.append("k", "c")
    assert cache.prepend("k", "a")
    assert_equal "abc", cache.get("k")
    assert_raises(TypeError) { cache.append("k", { a: 1 }) }
  end

  def test_damage_is_a_bad_value
    [[:marshal, "\x04", 1], [:marshal, "x", 1], [:marshal, "\x04\bo:\vNoSuch\0", 1], [:marshal, "\xffx", 2],
     [:marshal, "x", 3], [:marshal, "x", 1 << 20], [:json, "{", 1], [:json, "\xff", 1]].each do |codec, data, flags|
      @server.set("k", [data, flags])
      error = assert_raises(Shoal::BadValue) { client(codec: codec).get("k") }
      assert_equal "SHOAL_E_BAD_VALUE", error.status_name
      assert_raises(Shoal::BadValue) { client(codec: codec).get_many("k") }
    end
  end

  def test_raw_reads_bytes_whatever_their_flags
    @server.set("k", ["v", 16])
    assert_equal "v", client.get("k")
  end

  # Leaves by a way of its own.
  class Leaving < Seen
    attr_writer :way

    def decode(_data, _flags)
      @way.call
    end
  end

  def test_a_codec_may_leave_in_any_way
    client.set_many({ "a" => "1", "b" => "2" })
    leaving = Leaving.new
    cache = client(codec: leaving)
    leaving.way = -> { raise IOError }
    assert_raises(IOError) { cache.get_many("a", "b") }
    leaving.way = -> { throw :out, 5 }
    assert_equal(5, catch(:out) { cache.get_many("a", "b") })
    leaving.way = -> { Thread.current.kill }
    assert_nil Thread.new { cache.get_many("a", "b") }.value
    leaving.way = -> { Fiber.yield }
    Fiber.new { cache.get_many("a", "b") }.resume
    GC.start
    leaving.way = -> { 7 }
    assert_equal({ "a" => 7, "b" => 7 }, cache.get_many("a", "b"))
  end

  def test_a_codec_may_come_back_when_all_is_over
    require "continuation"
    client.set_many({ "a" => "1", "b" => "2" })
    leaving = Leaving.new
    cache = client(codec: leaving)
    turns = 0
    back = nil
    leaving.way = -> { callcc { |continuation| back = continuation } && 7 }
    assert_operator cache.get_many("a", "b").size, :<=, 2
    turns += 1
    back.call(7) if turns < 3
    assert_equal 3, turns
  end
end
