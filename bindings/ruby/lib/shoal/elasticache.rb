# frozen_string_literal: true

# In the place of dalli-elasticache: its constructor and its methods, on a client that follows the fleet by itself.
# May require: the client, dalli_options. Loaded by the package where its name is first used.
require "shoal/dalli_options"

module Shoal
  # What `Dalli::ElastiCache` was, with the options it handed to dalli.
  #
  #   elasticache = Shoal::ElastiCache.new("my-cluster.cfg.use1.cache.amazonaws.com:11211", expires_in: 3600)
  #   elasticache.client.set("key", "value")
  #
  # Keys stay on their nodes, and values are read and written as dalli does.
  class ElastiCache
    # A client whose items live for `expires_in` seconds where a call says nothing else.
    class Client < Shoal::Client
      # @param endpoint [String] see Shoal::Client#initialize
      # @param expires_in [Numeric]
      # @param cache_nils [Boolean] see Shoal::Client#fetch
      # @param options [Hash] see Shoal::Client#initialize
      def initialize(endpoint, expires_in: 0, cache_nils: false, **options)
        super(endpoint, **options)
        @expires_in = expires_in
        @cache_nils = cache_nils
      end

      # @see Shoal::Client#set
      def set(key, value, seconds = @expires_in, ttl: seconds)
        super(key, value, ttl: ttl)
      end

      # @see Shoal::Client#add
      def add(key, value, seconds = @expires_in, ttl: seconds)
        super(key, value, ttl: ttl)
      end

      # @see Shoal::Client#replace
      def replace(key, value, seconds = @expires_in, ttl: seconds)
        super(key, value, ttl: ttl)
      end

      # @see Shoal::Client#cas
      def cas(key, value, token, seconds = @expires_in, ttl: seconds)
        super(key, value, token, ttl: ttl)
      end

      # @see Shoal::Client#set_many
      def set_many(mapping, seconds = @expires_in, ttl: seconds)
        super(mapping, ttl: ttl)
      end

      # @see Shoal::Client#increment
      def increment(key, delta = 1, initial: nil, ttl: @expires_in)
        super(key, delta, initial: initial, ttl: ttl)
      end

      # @see Shoal::Client#decrement
      def decrement(key, delta = 1, initial: nil, ttl: @expires_in)
        super(key, delta, initial: initial, ttl: ttl)
      end

      # @see Shoal::Client#fetch
      def fetch(key, seconds = @expires_in, ttl: seconds, stale_ttl: 0, cache_nils: @cache_nils)
        super(key, ttl: ttl, stale_ttl: stale_ttl, cache_nils: cache_nils)
      end
    end

    CODECS = { Marshal => :marshal, JSON => :json }.freeze

    private_constant :CODECS

    # @return [Client] one client, which is kept and follows the fleet
    attr_reader :client

    # @param endpoint [String] the cluster's configuration endpoint
    # @param dalli_options [Hash] dalli's options: namespace, expires_in, cache_nils, compress, compression_min_size,
    #   serializer, socket_timeout, keepalive, value_max_bytes; those without a counterpart are ignored. Shoal's own may
    #   stand beside them
    # @param timeout [Numeric] seconds that one poll of the endpoint may take
    # @param ssl_context [nil] Ruby's own TLS is not taken: set tls and tls_ca_file instead
    # @raise [Unsupported] for an ssl_context and for SASL, [BadOption] for an option that neither dalli nor Shoal has
    def initialize(endpoint, dalli_options = {}, timeout: 5, ssl_context: nil)
      options = dalli_options.transform_keys(&:to_sym)
      options[:ssl_context] ||= ssl_context
      @client = Client.new(endpoint, preset: "dalli-elasticache", discovery_timeout_ms: (timeout * 1000).ceil,
                                     **values(options), **DalliOptions.translate(options))
    end

    # @return [Array<String>] the names of the nodes, "host:port"
    def servers
      client.nodes
    end

    # @return [Integer] the version of the cluster's configuration
    def version
      client.topology.version
    end

    # @return [String, nil] the version of memcached that the nodes run; nil where none answers
    def engine_version
      client.stats.values.compact.first&.fetch("version", nil)
    end

    # There is nothing left to do: the client follows the fleet.
    # @return [self]
    def refresh
      self
    end

    private

    # Those of dalli's options that say what is stored, taken out of them.
    def values(options)
      serializer = options.delete(:serializer) { Marshal }
      namespace = options.delete(:namespace)
      namespace = namespace.call if namespace.respond_to?(:call)
      codec = CODECS.fetch(serializer) do
        raise ArgumentError, "serializer is Marshal or JSON, not #{serializer.inspect}"
      end
      { codec: codec, compress: options.delete(:compress) { true } ? :zlib : :none,
        compress_min_bytes: options.delete(:compression_min_size), key_prefix: namespace && "#{namespace}:",
        expires_in: options.delete(:expires_in), cache_nils: options.delete(:cache_nils) }.compact
    end
  end
end
