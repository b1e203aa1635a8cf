# frozen_string_literal: true

# The Rails store over TLS, by its own settings, on a fleet of `shoal local --tls`.
# May require: rails_support.
require_relative "rails_support"

class TlsTest < Minitest::Test
  def setup
    skip "SHOAL_BUILD names no build with the command shoal" unless File.file?(SHOAL)
    @fleet = LocalFleet.new(2, "--tls")
    @log = StringIO.new
    ActiveSupport::Cache::Store.logger = Logger.new(@log, level: Logger::INFO)
  end

  def teardown
    ActiveSupport::Cache::Store.logger = nil
    @fleet&.stop
  end

  def store(address, **options)
    ActiveSupport::Cache.lookup_store(:shoal_store, address, operation_timeout_ms: OPERATION_TIMEOUT_MS, **options)
  end

  def test_values_go_round
    spellings = [[@fleet.endpoint], [@fleet.address, { tls: true, tls_ca_file: @fleet.ca_file }]]
    spellings.each_with_index do |(address, options), index|
      cache = store(address, **options.to_h)
      values = (1..20).to_h { |i| ["k#{i}", [index, i]] }
      cache.write_multi(values)
      assert_equal values, cache.read_multi(*values.keys)
      assert_equal [index, 7], cache.fetch("k7") { flunk }
      assert_equal 2, cache.client.nodes.size
    end
  end

  def test_who_trusts_another_authority_misses_and_logs_why
    cache = store("elasticaches://#{@fleet.address}")
    assert_equal [nil, NOT_WRITTEN], [cache.read("k"), cache.write("k", 1)]
    assert_match(/#{@fleet.address}: certificate verify failed: .*: set tls_ca_file to /, @log.string)
    strict = store("elasticaches://#{@fleet.address}", on_node_failure: :error)
    assert_raises(Shoal::DiscoveryError) { strict.read("k") }
  end
end
