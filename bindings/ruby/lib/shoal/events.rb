# frozen_string_literal: true

# What happened to a fleet in the background: a queue that whoever wants the events drains on a thread of its own.
# May require: the native module. Required by the package.
module Shoal
  # One event: its kind (a Symbol), a sentence for a log, the node or discovery endpoint it is about (nil where none),
  # the version of the list of nodes at that moment, and how many events before it were lost to this client.
  Event = Struct.new(:kind, :message, :node, :version, :dropped)

  class Client
    EVENT_KINDS = {
      Native::EVENT_TOPOLOGY_CHANGED => :topology_changed,
      Native::EVENT_DISCOVERY_FAILED => :discovery_failed,
      Native::EVENT_DISCOVERY_RECOVERED => :discovery_recovered,
      Native::EVENT_NODE_FAILED => :node_failed,
      Native::EVENT_NODE_RECOVERED => :node_recovered,
      Native::EVENT_WARNING => :warning
    }.freeze
    private_constant :EVENT_KINDS

    # Takes the oldest event that this client has not seen; of those the fleet keeps the last 256. No traffic.
    # @return [Event, nil] nil where none waits
    def next_event
      event = Native.client_next_event(@handle) or return
      node = Native.event_node(event)
      Event.new(EVENT_KINDS.fetch(Native.event_kind(event), :warning), Native.event_message(event),
                node.empty? ? nil : node, Native.event_version(event), Native.event_dropped(event)).freeze
    end
  end
end
