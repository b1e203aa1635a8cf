# frozen_string_literal: true

# Exceptions: their hierarchy, and what they carry from a fleet whose nodes fail.
# May require: support.
require "support"

class HierarchyTest < Minitest::Test
  def test_every_status_has_a_class
    statuses = Shoal::Native.constants.grep(/\AE_/)
    assert_operator statuses.size, :>, 15
    kinds = Shoal.constants.map { |name| Shoal.const_get(name) }.grep(Class).select { |kind| kind < Shoal::Error }
    classes = Shoal.class_eval("CLASSES", __FILE__, __LINE__)
    assert_equal statuses.map { |name| Shoal::Native.const_get(name) }.sort, classes.keys.sort
    assert_equal kinds.sort_by(&:name), classes.values.sort_by(&:name)
  end

  def test_all_are_errors_of_ours
    assert_equal StandardError, Shoal::Error.superclass
    error = Shoal::Error.new("text", status: -1000)
    assert_equal "SHOAL_E_UNKNOWN", error.status_name
  end

  def test_an_error_survives_marshal
    error = Shoal::Timeout.new("late", status: -9, node: "a:1", errno: 5, attempts: 2, retriable: true)
    again = Marshal.load(Marshal.dump(error))
    assert_equal [Shoal::Timeout, "late", "a:1", 5, 2, true, false, "SHOAL_E_TIMEOUT"],
                 [again.class, again.message, again.node, again.errno, again.attempts, again.retriable?,
                  again.outcome_unknown?, again.status_name]
  end
end

class FailuresTest < FleetTest
  def test_a_node_that_is_not_there
    name = "127.0.0.1:#{free_port}"
    cache = Shoal::Client.new("static://#{name}")
    error = assert_raises(Shoal::NodeDown) { cache.get("k") }
    assert_equal [name, true], [error.node, error.retriable?]
    assert_equal [["k"], { name => nil }], [cache.set_many({ "k" => "v" }), cache.stats]
    assert_equal({}, assert_raises(Shoal::NodeDown) { cache.get_many("k") }.partial)
    assert_nil Shoal::Client.new("static://#{name}", on_node_failure: :miss).get("k")
  end

  def test_a_lost_reply_leaves_the_outcome_unknown
    server = @servers[0]
    cache = client(operation_timeout_ms: 300)
    cache.set("k", "1")
    server.freeze
    error = assert_raises(Shoal::Timeout) { cache.increment("k") }
    assert_equal [server.name, 1, true], [error.node, error.attempts, error.outcome_unknown?]
  ensure
    server.thaw
  end

  def test_an_endpoint_that_knows_no_fleet
    cache = Shoal::Client.new("elasticache://#{@servers[0].name}", operation_timeout_ms: 5000)
    assert_raises(Shoal::DiscoveryError) { cache.get("k") }
  end
end
