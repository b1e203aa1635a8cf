# frozen_string_literal: true

# The process's clients: stores with equal settings share one, whatever pool each of them has.
# May require: shoal, and beside it entry_codec, failures, notifier. Called by the Rails store.
require "shoal/rails_cache/entry_codec"
require "shoal/rails_cache/failures"
require "shoal/rails_cache/notifier"

module Shoal
  module RailsCache
    # What stores with equal settings have in common.
    Shared = Struct.new(:client, :failures, :notifier)

    # Never emptied: a store may be made for a test or a request, and the next wants the connections that are there.
    module Clients
      @all = {}
      @lock = Mutex.new # a child of a fork finds it free

      # The client of these settings, which is made where there is none. No traffic.
      # @param settings [Settings]
      # @return [Shared]
      # @raise [ArgumentError] where an option or the endpoint cannot be read
      def self.share(settings)
        @lock.synchronize { @all[settings] ||= make(settings) }
      end

      def self.make(settings)
        failures = Failures.new(settings.raises)
        client = Client.new(settings.endpoint, codec: EntryCodec.new(failures), preset: settings.preset,
                                               **settings.options.to_h)
        Shared.new(client, failures, Notifier.new(client, settings.preset)).freeze
      rescue BadOption, BadEndpoint, Unsupported => e
        raise ArgumentError, e.message
      end
      private_class_method :make
    end
  end
end
