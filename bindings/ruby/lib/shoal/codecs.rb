# frozen_string_literal: true

# Codecs: what a value looks like in memcached. Flags and compression are the core's; the serialisers are Ruby's.
# May require: json, the native module and the exceptions. Required by the package, and by whoever writes a codec.
require "json"

module Shoal
  # Bytes as they are, and nothing else; flags are written as 0 and not looked at.
  #
  # Any object with these two methods is a codec.
  class RawCodec
    # What to store for a value.
    # @param value [String] its bytes, whatever its encoding
    # @return [Array(String, Integer)] bytes and 32 flag bits
    def encode(value)
      return [value, 0] if value.is_a?(String)

      raise TypeError, "codec: :raw carries Strings of bytes, not #{value.class}: encode the value, or give the " \
                       "client codec: :json or codec: :marshal"
    end

    # The value of what was stored.
    # @param data [String] the bytes
    # @param _flags [Integer] not looked at
    # @return [String] the bytes, in binary encoding
    def decode(data, _flags)
      data
    end
  end

  # Kinds of values, given to and taken from one of the core's layouts.
  # @abstract A subclass has `encode`, and `load`, which gives the value of what its serialiser made.
  class CoreCodec
    COMPRESSIONS = { none: Native::COMPRESS_NONE, zlib: Native::COMPRESS_ZLIB, zstd: Native::COMPRESS_ZSTD }.freeze
    private_constant :COMPRESSIONS

    # @param layout [String] a codec of the core's, e.g. "dalli"
    # @param compress [Symbol] :none, :zlib or :zstd
    # @param compress_min_bytes [Integer] shorter values are stored as they are
    def initialize(layout, compress: :none, compress_min_bytes: 4096)
      @layout = Native.codec_find(layout) or raise ArgumentError, "the core knows no layout #{layout.inspect}"
      @compress = COMPRESSIONS.fetch(compress) do
        raise ArgumentError, "compress is one of :none, :zlib and :zstd, not #{compress.inspect}"
      end
      @compress_min_bytes = compress_min_bytes
      # Whether all this fits together is told now, and not by the first large value.
      pack(Native::KIND_BYTES, "")
    end

    # The value of what was stored.
    # @param data [String] the bytes
    # @param flags [Integer] the 32 flag bits
    # @return [Object] the value
    # @raise [BadValue] where the bytes or the flags are not of this codec
    def decode(data, flags)
      kind, plain = Native.decode(@layout, flags, data)
      case kind
      when Native::KIND_BYTES then plain
      when Native::KIND_TEXT then String.new(plain, encoding: Encoding::UTF_8)
      else deserialize(kind, plain)
      end
    end

    private

    def deserialize(kind, plain)
      load(plain)
    rescue StandardError => e # whatever a serialiser raises on damaged bytes
      raise BadValue.new("a stored value of the kind #{Native.kind_name(kind)} cannot be read: #{e.class}",
                         status: Native::E_BAD_VALUE)
    end

    def pack(kind, data)
      Native.encode(@layout, kind, data, @compress, @compress_min_bytes)
    end
  end

  # Any value that Marshal takes, as dalli and Rails' mem_cache_store store it: all of them are marshalled, strings and
  # integers too. What dalli stored with `raw: true`, and what a server counted, comes back as a String of bytes.
  #
  # Whoever can write to the memcached can run code in its readers: unmarshal from servers you trust alone.
  class MarshalCodec < CoreCodec
    # @param options [Hash] compress and compress_min_bytes: see CoreCodec#initialize
    def initialize(**options)
      super("dalli", **options)
    end

    # What to store for a value.
    # @param value [Object] any that Marshal takes
    # @return [Array(String, Integer)] bytes and 32 flag bits
    def encode(value)
      pack(Native::KIND_MARSHAL, Marshal.dump(value))
    end

    private

    def load(plain)
      Marshal.load(plain)
    end
  end

  # Strings as they are, all else as JSON; other languages read it, and dalli with `serializer: JSON` too. A binary
  # String comes back binary, any other as UTF-8.
  class JsonCodec < CoreCodec
    # @param options [Hash] compress and compress_min_bytes: see CoreCodec#initialize
    def initialize(**options)
      super("json", **options)
    end

    # What to store for a value.
    # @param value [Object] a String, or what JSON can tell: a Symbol comes back as a String
    # @return [Array(String, Integer)] bytes and 32 flag bits
    # @raise [EncodingError] a String that is neither binary nor valid text
    def encode(value)
      return pack(Native::KIND_JSON, JSON.generate(value)) unless value.is_a?(String)
      return pack(Native::KIND_BYTES, value) if value.encoding == Encoding::BINARY

      text = value.encode(Encoding::UTF_8)
      return pack(Native::KIND_TEXT, text) if text.valid_encoding?

      raise EncodingError, "a String is not valid #{value.encoding}: give it its encoding, or make it binary"
    end

    private

    def load(plain)
      JSON.parse(plain.force_encoding(Encoding::UTF_8))
    end
  end

  # The codecs that have names.
  module Codecs
    MAKERS = { marshal: MarshalCodec, dalli: MarshalCodec, json: JsonCodec }.freeze
    private_constant :MAKERS

    # The codec of a name, or a codec as it stands, which takes no options.
    # @param codec [Symbol, Object] :raw, :marshal (or :dalli), :json, or an object with encode and decode
    # @param options [Hash] compress and compress_min_bytes
    # @return [Object] a codec
    def self.make(codec, **options)
      return MAKERS.fetch(codec).new(**options) if MAKERS.key?(codec)

      unless options.empty?
        raise ArgumentError, "#{options.keys.join(" and ")} belong to the codecs #{MAKERS.keys.join(", ")}, not to " \
                             "codec: #{codec.inspect}"
      end
      return RawCodec.new if codec == :raw
      return codec if codec.respond_to?(:encode) && codec.respond_to?(:decode) && !codec.is_a?(String)

      raise ArgumentError, "codec is one of :raw, #{MAKERS.keys.map(&:inspect).join(", ")}, or an object with encode " \
                           "and decode, not #{codec.inspect}"
    end
  end
end
