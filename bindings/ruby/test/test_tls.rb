# frozen_string_literal: true

# TLS, on a fleet of `shoal local --tls`.
# May require: support.
require "support"

class TlsTest < Minitest::Test
  def setup
    skip "SHOAL_BUILD names no build with the command shoal" unless File.file?(SHOAL)
    @fleet = LocalFleet.new(2, "--tls")
  end

  def teardown
    @fleet&.stop
  end

  # Clients by each spelling of the same.
  def clients(**options)
    trusting = { tls_ca_file: @fleet.ca_file, operation_timeout_ms: OPERATION_TIMEOUT_MS, **options }
    [Shoal::Client.new(@fleet.endpoint, **trusting.except(:tls_ca_file)),
     Shoal::Client.new("elasticaches://#{@fleet.address}", **trusting),
     Shoal::Client.new(@fleet.address, tls: true, **trusting),
     Shoal::ElastiCache.new(@fleet.address, { tls: true, **trusting.except(:codec) }).client]
  end

  def test_values_go_round
    clients(codec: :marshal).each_with_index do |cache, index|
      assert_equal 2, cache.nodes.size
      values = (1..40).to_h { |i| ["k#{i}", { "of" => index, "long" => "x" * 1000 * i }] }
      assert_empty cache.set_many(values)
      assert_equal values, cache.get_many(*values.keys)
      assert_equal values["k30"], cache.get("k30")
    end
  end

  def test_who_trusts_another_authority_is_told_why
    node = clients.first.nodes.first
    { @fleet.address => Shoal::DiscoveryError, "static://#{node}" => Shoal::NodeDown }.each do |endpoint, kind|
      cache = Shoal::Client.new(endpoint, tls: true, operation_timeout_ms: OPERATION_TIMEOUT_MS)
      error = assert_raises(kind) { cache.get("k") }
      assert_match(/#{endpoint[%r{[^/]+\z}]}: certificate verify failed: .*: set tls_ca_file to /, error.message)
    end
  end

  def test_a_file_that_is_not_there
    error = assert_raises(Shoal::BadOption) do
      Shoal::Client.new("elasticaches://localhost", tls_ca_file: "/nowhere.pem")
    end
    assert_match(%r{tls_ca_file.*/nowhere\.pem}, error.message)
  end
end
