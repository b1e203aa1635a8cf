# frozen_string_literal: true

# What a store does otherwise with Rails 6.1, whose local cache keeps entries, where later ones keep what is stored of
# them. May require: ActiveSupport. Prepended to the Rails store with that release alone.
module Shoal
  module RailsCache
    # Goes away with Rails 6.1.
    module Rails61
      private

      # The local cache is to give back what the server would: text.
      def write_entry(key, entry, raw: false, **options)
        return super unless raw

        text = ActiveSupport::Cache::Entry.new(entry.value.to_s, compress: false)
        text.expires_at = entry.expires_at
        super(key, text, raw: true, **options)
      end

      def serialize_entry(entry, raw: false, **)
        raw ? entry.value.to_s : @coder.dump(entry)
      end

      def deserialize_entry(payload, **)
        return if payload.nil?

        entry = @coder.load(payload)
        entry.is_a?(ActiveSupport::Cache::Entry) ? entry : ActiveSupport::Cache::Entry.new(entry, compress: false)
      end

      def remember(key, entry, _payload)
        local_cache&.write_entry(key, entry)
      end
    end
  end
end
