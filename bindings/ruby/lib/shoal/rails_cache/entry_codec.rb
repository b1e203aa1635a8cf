# frozen_string_literal: true

# What the store's values look like in memcached: as Rails' mem_cache_store writes them by dalli.
# May require: shoal. Made by clients.rb.
require "shoal"

module Shoal
  module RailsCache
    # A value that is stored as it is, as Rails asks for by `raw: true`.
    Raw = Struct.new(:bytes)

    # What Rails made of an entry is marshalled once more, a String too, as dalli does; Raw is not. A value that
    # cannot be read is a miss, which is logged.
    class EntryCodec < MarshalCodec
      # @param failures [Failures]
      def initialize(failures)
        super()
        @failures = failures
      end

      # @param value [Object, Raw]
      # @return [Array(String, Integer)] bytes and flags
      def encode(value)
        value.instance_of?(Raw) ? [value.bytes, 0] : super
      end

      # @return [Object, nil] nil for what cannot be read
      def decode(data, flags)
        super
      rescue BadValue => e
        @failures.tell(e)
        nil
      end
    end
  end
end
