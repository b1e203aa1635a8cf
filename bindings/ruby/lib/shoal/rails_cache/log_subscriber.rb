# frozen_string_literal: true

# A fleet's notifications, in Rails' log.
# May require: ActiveSupport. Attached by the Railtie.
require "active_support/log_subscriber"

module Shoal
  module RailsCache
    # One line an event; what went wrong is a warning.
    class LogSubscriber < ActiveSupport::LogSubscriber
      # @param event [ActiveSupport::Notifications::Event]
      def topology_changed(event)
        nodes = event.payload[:nodes]
        preset = event.payload[:preset]
        info { "#{sentence(event)}#{": #{nodes.join(", ")}" if nodes}#{"; keys are placed as by #{preset}" if preset}" }
      end

      # @param event [ActiveSupport::Notifications::Event]
      def discovery_recovered(event)
        info { sentence(event) }
      end

      # @param event [ActiveSupport::Notifications::Event]
      def discovery_failed(event)
        warn { sentence(event) }
      end

      alias node_recovered discovery_recovered
      alias node_failed discovery_failed
      alias warning discovery_failed

      private

      def sentence(event)
        lost = event.payload[:dropped]
        "Shoal: #{event.payload[:message]}#{" (#{lost} events before it were lost)" if lost&.positive?}"
      end
    end
  end
end
