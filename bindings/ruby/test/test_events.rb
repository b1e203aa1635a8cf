# frozen_string_literal: true

# Events, and the description of options.
# May require: support.
require "support"

class EventsTest < FleetTest
  def drain(client)
    events = []
    while (event = client.next_event)
      events << event
    end
    events
  end

  def test_the_first_list_of_nodes_is_told_once
    # A name of its own, and so a fleet that no other test has used.
    one = Shoal::Client.new("static://localhost:#{@servers.first.port}")
    one.nodes
    changed = drain(one).select { |event| event.kind == :topology_changed }
    assert_equal 1, changed.size
    assert_predicate changed.first, :frozen?
    assert_equal 0, changed.first.dropped
    assert_match(/1 node/, changed.first.message)
    assert_nil one.next_event
  end

  def test_a_node_that_fails_is_named
    port = free_port
    one = Shoal::Client.new("static://127.0.0.1:#{port}", operation_timeout_ms: 500)
    assert_raises(Shoal::Error) { one.get("key") }
    assert_includes drain(one).map { |event| [event.kind, event.node] }, [:node_failed, "127.0.0.1:#{port}"]
  end
end

class OptionsTest < Minitest::Test
  def test_options_are_those_of_the_core
    option = Shoal.options.find { |each| each.name == :operation_timeout_ms }
    assert_equal %w[integer ms 500], [option.type, option.unit, option.default]
    assert_predicate option, :frozen?
    assert_operator Shoal.options.size, :>, 20
  end
end
