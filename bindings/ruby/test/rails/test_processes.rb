# frozen_string_literal: true

# The Rails store in threads and forks.
# May require: rails_support.
require_relative "rails_support"

class ProcessesTest < StoreTest
  def self.nodes
    2
  end

  # Whether every value that is read is the one that was written.
  def own_values?(cache, number, turns)
    (1..turns).all? do |turn|
      cache.write("k#{number}", [number, turn])
      cache.write_multi({ "m#{number}" => turn })
      cache.read("k#{number}") == [number, turn] && cache.read_multi("m#{number}") == { "m#{number}" => turn } &&
        cache.fetch("k#{number}") { :wrong } == [number, turn]
    end
  end

  def test_threads
    [@store, store(pool: { size: 3, timeout: 30 })].each do |cache|
      threads = Array.new(8) { |number| Thread.new { own_values?(cache, number, 50) } }
      assert_equal [true] * 8, threads.map(&:value)
    end
  end

  def test_stores_made_side_by_side_share_a_client
    clients = Array.new(8) { Thread.new { store(retry_budget: 0.5).client } }.map(&:value)
    assert_equal 1, clients.uniq.size
  end

  def test_parent_and_children
    [@store, store(pool: { size: 3, timeout: 30 })].each do |cache|
      cache.write("before", "the fork")
      busy = Thread.new { own_values?(cache, "thread", 300) }
      children = Array.new(4) do |number|
        fork { exit!(own_values?(cache, number, 50) && cache.read("before") == "the fork" ? 0 : 1) }
      end
      assert own_values?(cache, "parent", 50)
      assert_equal [0] * 4, children.map { |child| Process.wait2(child)[1].exitstatus }
      assert busy.value
    end
  end

  def test_events_go_on_in_a_child
    @store.read("k")
    reader, writer = IO.pipe
    child = fork do
      fleet = ActiveSupport::Cache.lookup_store(:shoal_store, "static://localhost:#{@servers[0].port}")
      events = notifications("topology_changed.shoal") { fleet.read("k") }
      writer.write(events.map { |_, payload| payload[:nodes] }.inspect)
      writer.close
      exit!(0)
    end
    writer.close
    assert_equal [["localhost:#{@servers[0].port}"]].inspect, reader.read
    Process.wait(child)
  end
end
