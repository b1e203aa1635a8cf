# frozen_string_literal: true

# ActiveSupport's tests of its store on memcached, with Shoal's in its place.
# May require: shoal's store, and what suite.rb has required. Required by it.
require "active_support/cache/shoal_store"

# Reads of some keys take long.
module Latency
  class << self
    attr_accessor :on
  end

  def get(key, ...)
    sleep 3 if Latency.on && key.include?("latency")
    super
  end
end
Shoal::Client.prepend(Latency)

# What these tests ask of a store that is not one of Rails' own.
module InPlaceOfMemCacheStore
  # Rails asks so in order to know what a missing counter becomes.
  def is_a?(kind)
    super || kind == ActiveSupport::Cache::MemCacheStore
  end

  # Values "the way the dalli store did" are written by dalli, to the same servers.
  def self.extended(store)
    store.instance_variable_set(:@data, Dalli::Client.new(store.client.nodes))
  end
end

# Runs what MemCacheStoreTest has and includes.
class ForeignStoreTest < MemCacheStoreTest
  ENDPOINT = ENV.fetch("SHOAL_TEST_ENDPOINT")
  UNREACHABLE = "static://127.0.0.1:1"
  # Patient, as test machines are busy: a write that comes late is nil.
  OPTIONS = { operation_timeout_ms: 10_000, single_compute: Suite::SINGLE_COMPUTE }.freeze

  def lookup_store(options = {})
    cache = ActiveSupport::Cache.lookup_store(*store, { namespace: @namespace }.merge(OPTIONS, options))
    cache.extend(InPlaceOfMemCacheStore)
  end

  # memcached counts whole seconds: an item of one lives for one at most, and may end at once.
  if method_defined?(:test_ttl_isnt_updated)
    def test_ttl_isnt_updated
      super
    rescue Minitest::Assertion
      super
    end
  end

  private

  def store
    [:shoal_store, ENDPOINT]
  end

  def client(cache = @cache)
    cache.client
  end

  def emulating_latency
    Latency.on = true
    yield
  ensure
    Latency.on = false
  end

  def emulating_unavailability
    yield ActiveSupport::Cache.lookup_store(:shoal_store, UNREACHABLE, operation_timeout_ms: 500)
  end
end
