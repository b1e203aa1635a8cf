# frozen_string_literal: true

# Rails' cache on Shoal: config.cache_store = :shoal_store, "host:port", { namespace: "app" }
# May require: ActiveSupport, shoal and its rails_cache. ActiveSupport requires it by the store's name.
require "logger" # ActiveSupport 6.1 forgets it
require "active_support"
require "active_support/cache"
require "active_support/core_ext/array/extract_options"
require "active_support/core_ext/marshal" if ActiveSupport.version < Gem::Version.new("7")
require "shoal"
require "shoal/rails_cache/settings"
require "shoal/rails_cache/clients"
require "shoal/rails_cache/rails61"
require "shoal/rails_cache/single_compute"

module ActiveSupport
  module Cache
    # A cache on a fleet of memcached nodes that may come and go.
    #
    # Keys and values are those of MemCacheStore of the same Rails, which reads what this writes, and the other way. A
    # node that fails makes its keys' reads misses and its writes false or nil, and is logged; with `on_node_failure:
    # :error` it raises Shoal::Error instead.
    class ShoalStore < Store
      LEGACY = ActiveSupport.version < Gem::Version.new("7")
      # Rails 6.1's entries are marshalled by the client alone.
      DEFAULT_CODER = NullCoder if LEGACY
      # What MemCacheStore gives for a write that failed.
      NOT_WRITTEN = LEGACY ? false : nil
      DAMAGED = LEGACY ? [] : [DeserializationError]
      KEY_MAX_BYTES = 250
      ESCAPED = /[\x00-\x20%\x7F-\xFF]/n.freeze
      DIGEST_MARK = LEGACY ? ":md5:" : ":hash:"
      # How much longer than Rails says an item lives in the server, so that Rails finds what has just expired.
      RACE_SECONDS = 300
      EXPIRED = -1
      private_constant :LEGACY, :NOT_WRITTEN, :DAMAGED, :KEY_MAX_BYTES, :ESCAPED, :DIGEST_MARK, :RACE_SECONDS, :EXPIRED

      # @return [true]
      def self.supports_cache_versioning?
        true
      end

      include Shoal::RailsCache::SingleCompute
      prepend Strategy::LocalCache
      prepend Shoal::RailsCache::Rails61 if LEGACY

      # The client behind it, shared by all stores with the same settings, for what Rails has no name for.
      # @return [Shoal::Client]
      attr_reader :client

      # Makes a store; the network is not touched before the first call.
      # @param servers [Array<String>] an endpoint as Shoal::Client takes it, or servers as dalli does; by default
      #   those of ENV["MEMCACHE_SERVERS"], or else 127.0.0.1:11211. Behind them, in a Hash, options: Rails' own,
      #   `single_compute`, Shoal's, dalli's, and for a pool `pool`, or `pool_size` and `pool_timeout`
      # @raise [ArgumentError] for an option that nobody knows; the message names the nearest
      def initialize(*servers)
        servers = servers.flatten
        arguments = Shoal::RailsCache::Arguments.new(servers, servers.extract_options!)
        super(arguments.store)
        shared = Shoal::RailsCache::Clients.share(arguments.client)
        @client = shared.client
        @failures = shared.failures
        @notifier = shared.notifier
        @pool = arguments.pool && make_pool(arguments.pool)
      end

      # Adds to a counter. A missing one starts with amount; with Rails 6.1 it is not made, and gives nil.
      # @param name [Object]
      # @param amount [Integer]
      # @param options [Hash] expires_in counts only where the counter is made
      # @return [Integer, nil] nil where it is no number, and where its node fails
      def increment(name, amount = 1, options = nil)
        count(:increment, name, amount.to_i, options)
      end

      # Subtracts from a counter, which stays at 0 or above. A missing one starts with 0; with Rails 6.1 it is not made.
      # @param (see #increment)
      # @return (see #increment)
      def decrement(name, amount = 1, options = nil)
        count(:decrement, name, amount.to_i, options)
      end

      # Empties every node of the fleet: other applications' keys too, whatever their namespace.
      # @return [true, nil] nil where not every node was emptied
      def clear(_options = nil)
        call(nil) { |client| client.flush_all || true }
      end

      # What the nodes say of themselves.
      # @return [Hash{String => Hash, nil}] by node; nil for one that does not answer
      def stats
        @client.stats
      end

      # Without the endpoint, which may hold a password.
      # @return [String]
      def inspect
        "#<#{self.class} options=#{options.inspect}>"
      end

      private

      # --- Calls ---

      # The pool holds permits and no client: it only limits how many threads use the cache at once. From 2.4 on it
      # closes what it holds in the child of a fork, which here is the parent's too.
      def make_pool(options)
        require "connection_pool"
        ConnectionPool.new(**options) { :permit }
      end

      # A call of the client's; `otherwise` where the fleet failed it. Of a read of many, what was read.
      def call(otherwise, &block)
        result = attempt(otherwise, &block)
        @notifier.publish
        result
      end

      def attempt(otherwise)
        @pool ? @pool.with { yield(@client) } : yield(@client)
      rescue Shoal::Error => e
        @failures.settle(e)
        e.partial || otherwise
      end

      # --- What Store asks for ---

      def read_entry(key, **options)
        deserialize_entry(read_serialized_entry(key, **options), **options)
      end

      def read_serialized_entry(key, **)
        call(nil) { |client| client.get(key) }
      end

      def read_multi_entries(names, **options)
        keys = names.to_h { |name| [name, normalize_key(name, options)] }
        payloads = call({}) { |client| client.get_many(keys.values.uniq) }
        keys.each_with_object({}) do |(name, key), values|
          entry = deserialize_entry(payloads[key], raw: options[:raw])
          next if entry.nil? || entry.expired? || entry.mismatched?(normalize_version(name, options))

          values[name] = entry.value
        rescue *DAMAGED
          next
        end
      end

      def write_entry(key, entry, **options)
        write_serialized_entry(key, serialize_entry(entry, **options), **options)
      end

      def write_serialized_entry(key, payload, unless_exist: false, **options)
        value = options[:raw] ? Shoal::RailsCache::Raw.new(payload) : payload
        ttl = lifetime(**options)
        call(NOT_WRITTEN) do |client|
          unless_exist ? client.add(key, value, ttl) : set(client, key, value, ttl)
        end
      end

      # One batch, and not one call a key.
      def write_multi_entries(entries, **options)
        return super if options[:unless_exist]

        payloads = entries.to_h { |key, entry| [key, serialize_entry(entry, **options)] }
        failed = store_many(payloads, **options)
        payloads.each do |key, payload|
          failed.include?(key) ? local_cache&.delete_entry(key) : remember(key, entries[key], payload)
        end
        entries
      end

      def delete_entry(key, **)
        call(false) { |client| client.delete(key) }
      end

      def serialize_entry(entry, raw: false, **options)
        raw ? entry.value.to_s : super
      end

      def deserialize_entry(payload, raw: false, **)
        payload && raw ? Entry.new(payload) : super(payload)
      end

      # The entry of what is stored; nil for one that is damaged, or of another version.
      def readable(payload, name, options)
        entry = deserialize_entry(payload, **options)
        return if entry.nil? || entry.mismatched?(normalize_version(name, options))

        entry.value # which is not looked at before
        entry
      rescue *DAMAGED
        nil
      end

      # As MemCacheStore's, so that it finds the same items.
      def normalize_key(key, options = nil)
        made = super
        return if made.nil?

        made = made.b.gsub(ESCAPED) { |byte| format("%%%02X", byte.ord) }
        return made if made.size <= KEY_MAX_BYTES

        digest = DIGEST_MARK + ActiveSupport::Digest.hexdigest(made)
        made[0, KEY_MAX_BYTES - digest.size] + digest
      end

      # --- Parts of these ---

      # Where that fails the old value is deleted, so that nobody reads it any more.
      def set(client, key, value, ttl)
        client.set(key, value, ttl)
      rescue Shoal::Error
        discard(client, [key])
        raise
      end

      # The keys that failed.
      def store_many(payloads, raw: false, **options)
        values = raw ? payloads.transform_values { |payload| Shoal::RailsCache::Raw.new(payload) } : payloads
        call(payloads.keys) do |client|
          failed = client.set_many(values, lifetime(raw: raw, **options))
          refuse(client, failed, values.size) unless failed.empty?
          failed
        end
      end

      def refuse(client, failed, count)
        discard(client, failed)
        @failures.settle(Shoal::Error.new("write_multi: #{failed.size} of #{count} values were not stored"))
      end

      # What could not be stored is not to be read any more; a node that is down keeps it from us as well as from all.
      def discard(client, keys)
        client.delete_many(keys)
      rescue Shoal::Error
        nil # the failure to store is told
      end

      # What the local cache keeps of an entry that was stored.
      def remember(key, _entry, payload)
        local_cache&.write_entry(key, payload)
      end

      def count(operation, name, amount, options)
        options = merged_options(options)
        key = normalize_key(name, options)
        delta = operation == :increment ? amount : -amount
        initial = LEGACY ? nil : [delta, 0].max
        instrument(operation, LEGACY ? name : key, amount: amount) do
          call(nil) { |client| client.increment(key, delta, initial: initial, ttl: seconds(options[:expires_in])) }
        end
      end

      # How long the server keeps an item. Rails itself tells whether an entry has expired, but for a raw one.
      def lifetime(expires_in: nil, race_condition_ttl: nil, raw: false, **)
        ttl = seconds(expires_in)
        race_condition_ttl && ttl.positive? && !raw ? ttl + RACE_SECONDS : ttl
      end

      # Seconds as the client takes them: 0 for ever, negative expired at once.
      def seconds(expires_in)
        return 0 if expires_in.nil?

        expires_in.positive? ? expires_in.to_f.ceil : EXPIRED
      end
    end
  end
end
