# frozen_string_literal: true

# The arguments of a cache store, turned into what Rails' Store, a Shoal::Client and a pool are made of. No network.
# May require: shoal, ActiveSupport, did_you_mean. Called by the Rails store.
require "did_you_mean"
require "shoal"
require "shoal/dalli_options"

module Shoal
  module RailsCache
    # What a client is made of: stores with equal settings share one.
    Settings = Struct.new(:endpoint, :preset, :options, :raises)

    # The arguments of `config.cache_store = :shoal_store, ...`.
    class Arguments
      # What Store takes in its constructor or with every call.
      STORE = (ActiveSupport::Cache::UNIVERSAL_OPTIONS + %i[raw single_compute skip_nil]).freeze
      POOL = %i[pool pool_size pool_timeout].freeze
      PLACING = %i[distribution hash ring_identity].freeze
      # Options of the client's that make no sense here, with what does.
      ELSEWHERE = {
        endpoint: "the endpoint stands before the options",
        codec: "Rails makes the values; see its coder, serializer, compressor",
        compress_min_bytes: "Rails compresses; see its compress_threshold",
        key_prefix: "Rails has the option namespace"
      }.freeze
      private_constant :POOL, :PLACING, :ELSEWHERE

      # @return [Hash] the options of Rails' Store
      attr_reader :store
      # @return [Settings] those of the client
      attr_reader :client
      # @return [Hash, nil] those of ConnectionPool.new; nil for no pool
      attr_reader :pool

      # @param servers [Array] see DalliOptions.endpoint
      # @param options [Hash] of Rails' Store, of Shoal and of dalli
      # @raise [ArgumentError] for an option that nobody knows, and a value that cannot be
      def initialize(servers, options)
        options = options.transform_keys(&:to_sym)
        refuse_unknown(options)
        options[:skip_nil] = !options.delete(:cache_nils) if options.key?(:cache_nils)
        @store = options.slice(*STORE)
        @pool = read_pool(**options.slice(*POOL))
        @client = read_client(servers, options.except(*STORE, *POOL))
      end

      private

      def refuse_unknown(options)
        own = Shoal.options.map(&:name) - ELSEWHERE.keys + %i[preset]
        known = [*STORE, *POOL, *own, *DalliOptions::RULES.keys, :serializer]
        options.each_key do |name|
          next if known.include?(name)
          raise ArgumentError, "#{name} is no option of this store: #{ELSEWHERE[name]}" if ELSEWHERE.key?(name)

          nearest = DidYouMean::Levenshtein
          best = known.min_by { |other| nearest.distance(name.to_s, other.to_s) }
          raise ArgumentError, "unknown option #{name}; the nearest is #{best}"
        end
      end

      # Rails 6.1 has pool_size and pool_timeout, later ones pool, which is true, false or a Hash.
      def read_pool(pool: nil, pool_size: nil, pool_timeout: nil)
        sizes = { size: pool_size, timeout: pool_timeout }.compact
        sizes.update(pool) if pool.is_a?(Hash)
        unless [true, false, nil].include?(pool) || pool.is_a?(Hash)
          raise TypeError, "pool is true, false, or a Hash with size and timeout, not #{pool.inspect}"
        end
        return if pool == false || (pool.nil? && sizes.empty?)

        { size: Integer(sizes.fetch(:size, 5)), timeout: Float(sizes.fetch(:timeout, 5)) }
      end

      def read_client(servers, options)
        refuse_serializer(options.delete(:serializer))
        preset = options.fetch(:preset, (options.keys & PLACING).empty? ? :rails : nil)
        translated = DalliOptions.translate(options.except(:preset)).compact
        raises = translated[:on_node_failure].to_s == "error"
        # The core is told neither, so that what fails is known here, and logged.
        translated.delete(:on_node_failure) if %w[error miss].include?(translated[:on_node_failure].to_s)
        Settings.new(DalliOptions.endpoint(servers), preset&.to_sym, translated.sort.freeze, raises).freeze
      rescue Unsupported => e
        raise ArgumentError, e.message
      end

      # Before Rails 7.1 this was dalli's option; later it is among Store's.
      def refuse_serializer(serializer)
        return if serializer.nil? || serializer == Marshal

        raise ArgumentError, "serializer is Marshal with this release of Rails: for another give a coder"
      end
    end
  end
end
