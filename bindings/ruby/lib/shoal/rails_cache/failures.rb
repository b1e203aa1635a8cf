# frozen_string_literal: true

# What becomes of an error: the program's own are raised, the fleet's are logged, reported and forgiven.
# May require: shoal, ActiveSupport. Called by the Rails store and its codec.
require "shoal"

module Shoal
  module RailsCache
    # Tells of failures by the store's logger and by Rails' error reporter: of each kind at each node once a second at
    # most.
    class Failures
      # Errors that waiting does not mend, whatever the fleet does.
      OF_THE_PROGRAM = [BadEndpoint, BadKey, BadOption, Closed, InvalidArgument, OutOfMemory, Unsupported].freeze
      PAUSE_S = 1.0
      SOURCE = "shoal_store.active_support"
      private_constant :OF_THE_PROGRAM, :PAUSE_S, :SOURCE

      # @param raises [Boolean] whether the fleet's errors are raised too
      def initialize(raises)
        @raises = raises
        @told = {} # kind => [when, how many have not been told since]
      end

      # Raises what is to be raised; returns where the call goes on as if nothing were cached.
      # @param error [Error]
      def settle(error)
        raise error if @raises || OF_THE_PROGRAM.any? { |kind| error.is_a?(kind) }

        tell(error)
      end

      # Logs and reports, unless one of its kind was just now.
      # @param error [Error]
      # @return [nil]
      def tell(error)
        kind = [error.class, error.node]
        now = Process.clock_gettime(Process::CLOCK_MONOTONIC)
        last, silent = @told.fetch(kind, [now - PAUSE_S, 0])
        if now - last < PAUSE_S
          @told[kind] = [last, silent + 1]
        else
          @told[kind] = [now, 0]
          publish(error, silent)
        end
        nil
      end

      private

      def publish(error, silent)
        more = silent.zero? ? "" : " (#{silent} more of this kind before it)"
        ActiveSupport::Cache::Store.logger&.error("#{error.class}: #{error.message}#{more}")
        return unless ActiveSupport.respond_to?(:error_reporter)

        ActiveSupport.error_reporter&.report(error, handled: true, severity: :warning, source: SOURCE)
      end
    end
  end
end
