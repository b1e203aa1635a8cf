# frozen_string_literal: true

# Rack's sessions on Shoal: use Rack::Session::Shoal, cache: client, expire_after: 3600
# May require: Rack 2.2, or Rack 3 with its gem rack-session, and shoal. Required by the application.
require "rack/session/abstract/id"
require "shoal"

module Rack
  module Session
    # Sessions kept by a Shoal::Client, under the digests of the ids that the cookies carry.
    #
    # While the node of a session is down its requests have an empty session, and the cookie stays as it is where the
    # new one cannot be saved either; the reason is written to the request's rack.errors. Of requests side by side the
    # last one's session stays.
    class Shoal < Abstract::PersistedSecure
      # @param app [#call]
      # @param cache [Shoal::Client] with a codec that takes a Hash, and a `key_prefix` of the sessions' own
      # @param options [Hash] those of Rack's sessions; `expire_after`, in seconds, is the item's time to live too
      def initialize(app, cache:, **options)
        super(app, options)
        @cache = cache
      end

      # @return [Array] the id and what it holds; a new id for one that the fleet does not know
      def find_session(request, sid)
        session = sid && attempt(request) { @cache.get(sid.private_id) }
        session ? [sid, session] : [generate_sid, {}]
      end

      # @return [Rack::Session::SessionId, false] false where the node failed, of which Rack writes a warning
      def write_session(request, sid, session, options)
        stored = attempt(request) { @cache.set(sid.private_id, session, ttl: options[:expire_after] || 0) }
        stored ? sid : false
      end

      # @return [Rack::Session::SessionId, nil] a new id, unless there is to be none
      # @raise [Shoal::Error] where the session may be there still
      def delete_session(_request, sid, options)
        @cache.delete(sid.private_id)
        generate_sid unless options[:drop]
      end

      private

      def attempt(request)
        yield
      rescue ::Shoal::Error => e
        request.get_header("rack.errors").puts("Rack::Session::Shoal: #{e.message}")
        nil
      end
    end
  end
end
