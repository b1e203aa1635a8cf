# frozen_string_literal: true

# The options of dalli, and of what is made on it, as Shoal's: so that a configuration need not change.
# May require: the exceptions. Required by the Rails store and by Shoal::ElastiCache.
module Shoal
  # Each option is a rule, which turns its value into Shoal's options; one that Shoal has no use for becomes none.
  module DalliOptions
    IGNORE = ->(_value) { {} }

    # @param name [Symbol] the option
    # @param why [String] what is to be done instead
    # @return [Proc] a rule that takes nothing but nil and false
    def self.refuse(name, why)
      lambda do |value|
        next {} unless value

        raise Unsupported.new("#{name} cannot be followed: #{why}", status: Native::E_UNSUPPORTED)
      end
    end

    SASL = "Shoal does not speak SASL: leave it out where the servers ask for no password"

    # What has no counterpart, with the reason in the README.
    WITHOUT_USE = %i[
      cache_nils compression compression_max_size compression_min_size compressor decompressed_max_bytes defer_drain
      digest_class down_retry_delay error_when_over_max_size failover namespace_separator otel_db_statement
      otel_peer_service protocol_implementation rcvbuf silence_marshal_warning sndbuf socket_failure_delay
      string_fastpath threadsafe
    ].freeze

    RULES = {
      **WITHOUT_USE.to_h { |name| [name, IGNORE] },
      socket_timeout: ->(seconds) { seconds ? { operation_timeout_ms: [(Float(seconds) * 1000).ceil, 1].max } : {} },
      socket_max_failures: ->(count) { count ? { failure_threshold: [Integer(count), 1].max } : {} },
      keepalive: ->(value) { value.nil? ? {} : { tcp_keepalive: value ? true : false } },
      value_max_bytes: ->(bytes) { bytes ? { max_value_bytes: Integer(bytes) } : {} },
      username: refuse(:username, SASL),
      ssl_context: refuse(:ssl_context, "TLS is done in C: set tls, tls_ca_file, tls_cert_file and tls_key_file")
    }.freeze

    # Shoal's protocols are named alike, but for the binary one, which nobody needs to speak.
    PROTOCOLS = { "binary" => :auto }.freeze

    # @param options [Hash{Symbol => Object}] dalli's and Shoal's own, mixed
    # @return [Hash{Symbol => Object}] Shoal's; those said in its own words win
    def self.translate(options)
      translated = RULES.each_with_object({}) do |(name, rule), all|
        all.update(apply(name, rule, options[name])) if options.key?(name)
      end
      own = options.reject { |name, _| RULES.key?(name) }
      own[:protocol] = PROTOCOLS.fetch(own[:protocol].to_s, own[:protocol]) if own.key?(:protocol)
      translated.merge(own)
    end

    def self.apply(name, rule, value)
      rule.call(value)
    rescue TypeError => e
      raise ArgumentError, "#{name}: #{value.inspect} cannot be read: #{e.message}"
    end
    private_class_method :apply

    # The endpoint of a list of servers as dalli takes them: "host", "host:port:weight", "/path",
    # "memcached://host:port", with commas or in Arrays. One of Shoal's own, with another scheme, stands alone.
    # @param servers [Array, String, nil]
    # @return [String]
    def self.endpoint(servers)
      names = Array(servers).flatten.compact.flat_map { |name| split(name) }.reject(&:empty?)
      names = split(ENV.fetch("MEMCACHE_SERVERS", "")) if names.empty?
      names = ["127.0.0.1:11211"] if names.empty?
      return names.first.sub(/\A([^:]+:\d+):\d+\z/, "\\1") if names.one? # a weight among no others
      raise ArgumentError, "an endpoint with :// stands alone" if names.any? { |name| name.include?("://") }

      names.join(",")
    end

    def self.split(name)
      unless name.is_a?(String)
        raise ArgumentError, "a server is named by a String, such as \"host:port\", not by #{name.class}"
      end

      names = name.split(",").map { |each| each.strip.delete_prefix("memcached://") }
      return [name.strip] if names.any? { |each| each.include?("://") }
      raise ArgumentError, "a server's address holds a user or a password: #{SASL}" if names.any?(/@/)

      names
    end
    private_class_method :split
  end
  private_constant :DalliOptions
end
