# frozen_string_literal: true

# Which of ActiveSupport's own tests of cache stores run on a foreign store, and how.
#
# Those of its store on memcached do, which include all behaviours that the stores have in common, but for those named
# in LEFT_OUT. May require: ActiveSupport and its tests, dalli. Required by run.rb.
require "logger" # ActiveSupport 6.1 forgets it
require "active_support"
require "active_support/core_ext/kernel/reporting"
silence_warnings do
  Encoding.default_internal = Encoding::UTF_8
  Encoding.default_external = Encoding::UTF_8
end
require "active_support/testing/method_call_assertions"
require "active_support/test_case"
require "active_support/cache"
require "dalli"

# What ActiveSupport's abstract_unit.rb does for the tests of caches: that file itself wants Bundler.
module AbstractUnit
  def self.stand_in(folder)
    $LOADED_FEATURES << "#{folder}/abstract_unit.rb"
    Thread.abort_on_exception = true
    I18n.enforce_available_locales = false
    ActiveSupport::Cache.format_version = 7.1 if ActiveSupport::Cache.respond_to?(:format_version=)
    ActiveSupport::TestCase.include ActiveSupport::Testing::MethodCallAssertions
    return if ActiveSupport.version < Gem::Version.new("7.1")

    require "active_support/testing/error_reporter_assertions"
    ActiveSupport::TestCase.include ActiveSupport::Testing::ErrorReporterAssertions
  end
end

module Suite
  FEWEST = 125 # in any release of Rails

  OF_DALLI = "puts a fake into the client library of Rails' own store"
  OF_ITSELF = "makes Rails' own store by its name"
  OF_SERVERS = "reads the servers out of dalli"
  LEFT_OUT = {
    "test_increment_expires_in" => OF_DALLI,
    "test_decrement_expires_in" => OF_DALLI,
    "test_write_expires_at" => OF_DALLI,
    "test_unless_exist_expires_when_configured" => OF_DALLI,
    "test_uses_provided_dalli_client_if_present" => OF_ITSELF,
    "test_forwards_string_addresses_if_present" => OF_SERVERS,
    "test_falls_back_to_localhost_if_no_address_provided_and_memcache_servers_undefined" => OF_SERVERS,
    "test_falls_back_to_localhost_if_address_provided_as_nil" => OF_SERVERS,
    "test_falls_back_to_localhost_if_no_address_provided_and_memcache_servers_defined" => OF_SERVERS,
    "test_validate_pool_arguments" => OF_ITSELF,
    "test_instantiating_the_store_doesn't_connect_to_Memcache" => OF_ITSELF,
    "test_pool_options_work" => OF_ITSELF,
    "test_connection_pooling_by_default" => OF_ITSELF
  }.freeze

  # Whether the store is made with the option single_compute, which is to change nothing of what they see but this.
  SINGLE_COMPUTE = ENV.key?("SHOAL_TEST_SINGLE_COMPUTE")
  LEFT_OUT_THEN = {
    "test_coder_is_used_during_handle_expired_entry_when_expired" =>
      "counts how often an entry is read, which is once more under the claim"
  }.freeze

  # Tests that Rails 6.1 skips for each store without the method in question, which no store on memcached has.
  SKIPPED = {
    "test_local_cache_of_delete_matched" => "delete_matched",
    "test_cleanup_clears_local_cache_but_not_remote_cache" => "cleanup"
  }.freeze

  def self.load(store, endpoint, folder)
    AbstractUnit.stand_in(folder)
    # Tests of a release that is not the installed dalli's may name what dalli 5 has no more.
    Dalli::Protocol.const_set(:Binary, Dalli::Protocol::Meta) unless Dalli::Protocol.const_defined?(:Binary)
    ENV["MEMCACHE_SERVERS"] = endpoint
    store == :mem_cache_store ? require(tests(folder)) : replace(folder)
  end

  def self.tests(folder)
    "#{folder}/cache/stores/mem_cache_store_test"
  end

  # Puts Shoal's store in the place of Rails'.
  def self.replace(folder)
    require "active_support/cache/shoal_store"
    # They skip themselves where dalli finds no server there.
    ENV["MEMCACHE_SERVERS"] = Shoal::Client.open(ENV.fetch("MEMCACHE_SERVERS")) { |client| client.nodes.first }
    require tests(folder)
    require_relative "foreign_store"
    left_out = LEFT_OUT.keys + (SINGLE_COMPUTE ? LEFT_OUT_THEN.keys : [])
    left_out.each { |name| ForeignStoreTest.undef_method(name) if ForeignStoreTest.method_defined?(name) }
    MemCacheStoreTest.define_singleton_method(:runnable_methods) { equal?(MemCacheStoreTest) ? [] : super() }
  end
end
