# frozen_string_literal: true

# A fleet's events as ActiveSupport's notifications: topology_changed.shoal, node_failed.shoal, ...
# May require: shoal, ActiveSupport. Called by the Rails store behind its calls.
require "active_support/notifications"
require "shoal"

module Shoal
  module RailsCache
    # Passes events on, from the threads that use the cache: it has none of its own, which a fork would lose.
    class Notifier
      PAUSE_S = 1.0
      private_constant :PAUSE_S

      # @param client [Client]
      # @param preset [Symbol, nil] told along with the list of nodes
      def initialize(client, preset)
        @client = client
        @preset = preset
        @due = 0.0
      end

      # Passes on what has happened, but once a second at most.
      # @return [nil]
      def publish
        now = Process.clock_gettime(Process::CLOCK_MONOTONIC)
        return if now < @due

        @due = now + PAUSE_S
        while (event = @client.next_event)
          ActiveSupport::Notifications.instrument("#{event.kind}.shoal", payload(event))
        end
      rescue Closed
        nil
      end

      private

      def payload(event)
        told = event.to_h.except(:kind)
        event.kind == :topology_changed ? told.merge(nodes: @client.nodes, preset: @preset) : told
      rescue Error # the list was lost again
        told
      end
    end
  end
end
