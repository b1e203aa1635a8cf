# frozen_string_literal: true

# The client: every call is one of the core's, with Ruby's types around it.
# May require: the native module, codecs, exceptions. Adapters require this through the package alone.
module Shoal
  # One node of the fleet: its name ("host:port", or the path of a Unix socket), host, address (what discovery gave; ""
  # where it gave none), port (0 for a Unix socket) and weight.
  Node = Struct.new(:name, :host, :address, :port, :weight)

  # The list of nodes at one moment: the configuration version that the endpoint gave (0 for a fixed list), and nodes.
  Topology = Struct.new(:version, :nodes)

  # What Client#claim found: the value (nil where there is none) with its token for Client#cas, and whether the next
  # one is the caller's to compute.
  Claim = Struct.new(:value, :token, :mine)

  # A view of a fleet. It may serve any number of threads, and parent and child after a fork.
  #
  #   cache = Shoal::Client.new("my-cluster.cfg.use1.cache.amazonaws.com:11211")
  #   cache.set("greeting", "hello", ttl: 60)
  #
  # Keys are Strings, sent byte for byte, or Symbols. Times to live are seconds, and may stand in the last place too: 0
  # for ever, negative expired at once, fractions rounded up. Every call waits for `operation_timeout_ms` at most, while
  # other threads run, and raises a subclass of Shoal::Error where it fails.
  class Client
    MAX_SECONDS = 2**63 - 1
    private_constant :MAX_SECONDS

    # Makes a client for a block, and closes it behind it.
    # @param endpoint [String, Array<String>] see #initialize
    # @param options [Hash] see #initialize
    # @yieldparam client [Client]
    # @return [Object] what the block gives
    def self.open(endpoint, **options)
      client = new(endpoint, **options)
      begin
        yield client
      ensure
        client.close
      end
    end

    # Makes a client; the network is not touched before the first call.
    # @param endpoint [String, Array<String>] "host:port" to discover, a list of nodes, or any other that the core reads
    # @param codec [Symbol, Object] :raw (bytes alone), :marshal (dalli's), :json, or an object with encode and decode
    # @param compress [Symbol, nil] :none, :zlib or :zstd, for values from compress_min_bytes on
    # @param compress_min_bytes [Integer, nil]
    # @param preset [Symbol, String, nil] whose place Shoal takes, e.g. :dalli: keys stay on their nodes
    # @param options [Hash] those that `shoal config` lists, e.g. operation_timeout_ms: 200; nil is the default
    def initialize(endpoint, codec: :raw, compress: nil, compress_min_bytes: nil, preset: nil, **options)
      @codec = Codecs.make(codec, **{ compress: compress, compress_min_bytes: compress_min_bytes }.compact)
      @many_codec = @codec.instance_of?(RawCodec) ? nil : @codec
      config = Native.config_new
      Native.config_set_preset(config, preset.to_s) if preset
      Native.config_set(config, "endpoint", option_text(endpoint))
      options.each { |name, value| Native.config_set(config, name.to_s, option_text(value)) unless value.nil? }
      @handle = Native.client_new(config)
    end

    # --- Reading ---

    # The value of a key.
    # @param key [String, Symbol]
    # @param default [Object] what comes where there is none
    # @return [Object]
    def get(key, default = nil)
      found = Native.get(@handle, key)
      found ? @codec.decode(found[0], found[1]) : default
    end

    # The value of a key with its token for #cas.
    # @param key [String, Symbol]
    # @return [Array(Object, Integer), nil] nil where there is no item
    def gets(key)
      found = Native.get(@handle, key)
      found && [@codec.decode(found[0], found[1]), found[2]]
    end

    # The values of many keys. Where the read of a key failed, its error is raised once all are read; its `partial` is
    # the Hash of the hits.
    # @param keys [Array<String, Symbol>] one after the other, or in one Enumerable
    # @return [Hash{String, Symbol => Object}] those keys that have a value, as the caller gave them
    def get_many(*keys)
      Native.get_many(@handle, list(keys), @many_codec)
    end
    alias get_multi get_many

    # The value of a key, which gets a new time to live.
    # @param key [String, Symbol]
    # @param seconds [Numeric] the time to live
    # @param default [Object] what comes where there is none
    # @param ttl [Numeric] the same as seconds
    # @return [Object]
    def get_and_touch(key, seconds = nil, default = nil, ttl: seconds)
      found = Native.get_and_touch(@handle, key, whole_seconds(ttl))
      found ? @codec.decode(found[0], found[1]) : default
    end

    # --- Writing ---

    # Stores a value, whatever was there. A value that the server refuses is an exception.
    # @param key [String, Symbol]
    # @param value [Object] what the codec takes
    # @param seconds [Numeric] the time to live
    # @param ttl [Numeric] the same as seconds
    # @return [true]
    def set(key, value, seconds = 0, ttl: seconds)
      store(Native::SET, key, value, ttl)
    end

    # Stores a value only where there was none.
    # @param (see #set)
    # @return [Boolean] whether it was stored
    def add(key, value, seconds = 0, ttl: seconds)
      store(Native::ADD, key, value, ttl)
    end

    # Stores a value only where there was one.
    # @param (see #set)
    # @return [Boolean] whether it was stored
    def replace(key, value, seconds = 0, ttl: seconds)
      store(Native::REPLACE, key, value, ttl)
    end

    # Puts bytes behind those that are there. The item's lifetime and flags stay as they are, and no codec is asked:
    # what is there should be neither serialised nor compressed.
    # @param key [String, Symbol]
    # @param value [String]
    # @param seconds [Numeric] the server ignores it
    # @param ttl [Numeric] the same as seconds
    # @return [Boolean] false where there are none
    def append(key, value, seconds = 0, ttl: seconds)
      Native.store(@handle, Native::APPEND, key, value, 0, whole_seconds(ttl), 0).zero?
    end

    # Puts bytes before those that are there; else as #append.
    # @param (see #append)
    # @return [Boolean] false where there are none
    def prepend(key, value, seconds = 0, ttl: seconds)
      Native.store(@handle, Native::PREPEND, key, value, 0, whole_seconds(ttl), 0).zero?
    end

    # Stores a value only where the item is still that of the token from #gets.
    # @param key [String, Symbol]
    # @param value [Object] what the codec takes
    # @param token [Integer]
    # @param seconds [Numeric] the time to live
    # @param ttl [Numeric] the same as seconds
    # @return [Boolean] whether it was stored
    def cas(key, value, token, seconds = 0, ttl: seconds)
      data, flags = @codec.encode(value)
      Native.store(@handle, Native::CAS, key, data, flags, whole_seconds(ttl), token).zero?
    end

    # Stores many values. An exception means that nothing was sent.
    # @param mapping [Hash{String, Symbol => Object}]
    # @param seconds [Numeric] the time to live
    # @param ttl [Numeric] the same as seconds
    # @return [Array<String, Symbol>] the keys that were not stored
    def set_many(mapping, seconds = 0, ttl: seconds)
      items = mapping.map { |key, value| [key, *@codec.encode(value)] }
      Native.set_many(@handle, items, whole_seconds(ttl))
    end

    # Gives an item a new time to live.
    # @param key [String, Symbol]
    # @param seconds [Numeric] the time to live
    # @param ttl [Numeric] the same as seconds
    # @return [Boolean] false where there is none
    def touch(key, seconds = nil, ttl: seconds)
      Native.touch(@handle, key, whole_seconds(ttl)).zero?
    end

    # Deletes an item.
    # @param key [String, Symbol]
    # @return [Boolean] false where there was none
    def delete(key)
      Native.delete(@handle, key).zero?
    end

    # Deletes many items. An exception means that nothing was sent.
    # @param keys [Array<String, Symbol>] one after the other, or in one Enumerable
    # @return [Array<String, Symbol>] the keys that could not be deleted; those without an item are not among them
    def delete_many(*keys)
      Native.delete_many(@handle, list(keys))
    end

    # Adds to a counter. A missing one starts with initial (delta is not added) and ttl. Past 2**64 - 1 it wraps. It is
    # never repeated on its own.
    # @param key [String, Symbol]
    # @param delta [Integer]
    # @param initial [Integer, nil]
    # @param ttl [Numeric] counts only where the counter is made
    # @return [Integer, nil] the new number; nil where there is none and no initial
    # @raise [NotANumber] where the item is no decimal number
    def increment(key, delta = 1, initial: nil, ttl: 0)
      Native.increment(@handle, key, delta, initial, whole_seconds(ttl))
    end

    # Subtracts from a counter, which stays at 0 or above; else as #increment.
    # @param (see #increment)
    # @return (see #increment)
    def decrement(key, delta = 1, initial: nil, ttl: 0)
      Native.increment(@handle, key, -delta, initial, whole_seconds(ttl))
    end

    # --- Computing ---

    # The value of a key, which the block computes where it is missing or has run out. Of all callers of the fleet, in
    # any process and language, one computes at a time: the others get the old value, or wait, up to `fetch_wait_ms`,
    # and then compute as well. What leaves the block (an exception, `break`, a kill, a timeout) lets the next one
    # compute at once. A value that cannot be stored is given all the same.
    # @param key [String, Symbol]
    # @param seconds [Numeric] the time to live
    # @param ttl [Numeric] the same as seconds
    # @param stale_ttl [Numeric] for how many seconds more the value is given to others while one computes the next
    # @param cache_nils [Boolean] whether a nil that the block gives is stored; else the next caller computes, too
    # @yieldreturn [Object] what the codec takes
    # @return [Object]
    # @raise [ArgumentError] without a block
    def fetch(key, seconds = 0, ttl: seconds, stale_ttl: 0, cache_nils: false)
      raise ArgumentError, "fetch takes a block that computes the value; to read alone call get" unless block_given?

      with_lease(key, ttl, stale_ttl) do |found, lease|
        next @codec.decode(found[0], found[1]) unless lease

        value = yield
        fulfil(lease, value) unless value.nil? && !cache_nils
        value
      end
    end

    # For adapters, which store in a way of their own: calls the block with what is there, and whether it is the
    # caller's to compute the next value. Where it is, others who claim the key meanwhile are told that it is not
    # theirs, or, where there is no value, wait up to `fetch_wait_ms`; behind the block the claim is given back.
    # @param key [String, Symbol]
    # @yieldparam claim [Claim]
    # @return [Object] what the block gives
    def claim(key)
      with_lease(key, 0, 0) do |found, lease|
        yield Claim.new(found && @codec.decode(found[0], found[1]), found && found[2], !lease.nil?).freeze
      end
    end

    # --- The fleet ---

    # Empties every node of the fleet, other clients' items too.
    # @return [nil]
    def flush_all
      Native.flush_all(@handle)
      nil
    end

    # What the nodes say of themselves.
    # @param group [Symbol, String, nil] what memcached's `stats` takes: :settings, :items, :slabs, ...
    # @return [Hash{String => Hash{String => String}, nil}] by node; nil for a node that did not answer
    def stats(group = nil)
      stats = Native.stats_read(@handle, group&.to_s)
      Array.new(Native.stats_node_count(stats)) do |node|
        [Native.stats_node_name(stats, node), Native.stats_node_status(stats, node).zero? ? counters(stats, node) : nil]
      end.to_h
    end

    # The names, "host:port", of the nodes in use.
    # @return [Array<String>]
    def nodes
      topology.nodes.map(&:name)
    end

    # The list of nodes in use, with its version.
    # @return [Topology]
    def topology
      topology = Native.client_topology(@handle)
      nodes = Array.new(Native.topology_node_count(topology)) do |index|
        node = Native.topology_node_at(topology, index)
        Node.new(Native.node_name(node), Native.node_host(node), Native.node_address(node), Native.node_port(node),
                 Native.node_weight(node)).freeze
      end
      Topology.new(Native.topology_version(topology), nodes.freeze).freeze
    end

    # The name of the node that a key belongs to now. No traffic to it.
    # @param key [String, Symbol]
    # @return [String]
    def route(key)
      Native.node_name(Native.route(@handle, key))
    end

    # --- Its life ---

    # Ends the client: later calls raise Closed. It need not be called, and may be more than once.
    # @return [nil]
    def close
      Native.client_close(@handle)
    end

    # Without the endpoint, which may hold a password.
    # @return [String]
    def inspect
      Kernel.instance_method(:to_s).bind_call(self)
    end

    # @raise [TypeError] for dup and clone
    def initialize_copy(_other)
      raise TypeError, "a Shoal::Client cannot be copied: share it among threads, or make another of the same arguments"
    end

    # @raise [TypeError] for Marshal.dump
    def marshal_dump
      raise TypeError, "a Shoal::Client cannot be dumped: keep it across a fork, or make another of the same arguments"
    end

    private

    def store(mode, key, value, ttl)
      data, flags = @codec.encode(value)
      Native.store(@handle, mode, key, data, flags, whole_seconds(ttl), 0).zero?
    end

    # However the block is left, the claim is given back, and not first by the collector, which would wait for the node.
    def with_lease(key, ttl, stale_ttl)
      lease = Native.lease_new
      begin
        status, found = Native.fetch_begin(@handle, key, whole_seconds(ttl), whole_seconds(stale_ttl), lease)
        yield found, (lease if status == Native::COMPUTE)
      ensure
        Native.lease_abandon(lease)
      end
    end

    # The value in hand is right even where it could not be stored.
    def fulfil(lease, value)
      data, flags = @codec.encode(value)
      begin
        Native.lease_store(lease, data, flags)
      rescue Error
        nil # the next caller computes
      end
    end

    # Fractions go away from 0, so that no item expires early, and none that should be gone lives for ever.
    def whole_seconds(ttl)
      return ttl if ttl.instance_of?(Integer) && ttl.bit_length < 64
      raise TypeError, "ttl is a number of seconds, not #{ttl.class}; 0 means for ever" unless ttl.is_a?(Numeric)

      (ttl.positive? ? ttl.ceil : ttl.floor).to_i.clamp(-MAX_SECONDS, MAX_SECONDS)
    end

    # An option's value as the core reads it: lists with commas, true, false, numbers and symbols by their names.
    def option_text(value)
      value.is_a?(Array) ? value.map { |each| option_text(each) }.join(",") : value.to_s
    end

    # The keys of a call for many: its arguments, or the one Enumerable among them.
    def list(keys)
      keys.size == 1 && keys.first.is_a?(Enumerable) ? keys.first.to_a : keys
    end

    def counters(stats, node)
      Array.new(Native.stats_count(stats, node)) do |index|
        [Native.stats_name(stats, node, index), Native.stats_value(stats, node, index)]
      end.to_h
    end
  end
end
