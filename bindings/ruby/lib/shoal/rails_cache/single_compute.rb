# frozen_string_literal: true

# What `single_compute: true` makes of Rails' fetch: of all who miss an entry, in whatever process, one computes it.
# May require: shoal, ActiveSupport. Included in the Rails store, behind its fetch.
require "shoal"

module Shoal
  module RailsCache
    # Rails reads, judges and writes entries as ever; only who is to compute is decided by the claim. So entries stay
    # those of MemCacheStore, and options that the block sets for its entry hold.
    module SingleCompute
      # What is computed under where the claim's node cannot be reached.
      UNCLAIMED = Claim.new(nil, nil, true).freeze
      private_constant :UNCLAIMED

      private

      # Rails would bump or delete an expired entry right here: that is for the one who computes.
      def handle_expired_entry(entry, key, options)
        return super unless options[:single_compute]

        entry unless entry&.expired?
      end

      # The second time is for those who found what is of no use: then it is gone, and they wait.
      def save_block_result_to_cache(name, *key, options, &block)
        return super unless options[:single_compute] && !options[:force]

        item = normalize_key(name, options)
        [true, false].each do |may_wait|
          with_claim(item) do |claim|
            entry = readable(claim.value, name, options)
            return serve(entry, claim, name, options) if to_be_served?(entry, claim, options)

            if claim.mine || !may_wait
              handle_expired_entry(entry, item, options.except(:single_compute))
              return super(name, *key, options, &block)
            end
            call(false) { |client| client.cas(item, Raw.new(""), claim.token, -1) }
          end
        end
      end

      # Without a permit of the pool: nobody is to wait for those who wait here, or compute.
      def with_claim(key)
        begun = false
        begin
          return @client.claim(key) { |claim| (begun = true) && yield(claim) }
        rescue Error => e
          raise if begun # the block's own

          @failures.settle(e)
        end
        yield UNCLAIMED
      end

      # What somebody has stored meanwhile, or, while another computes, what Rails may race for.
      def to_be_served?(entry, claim, options)
        return false if entry.nil?
        return true unless entry.expired?

        window = options[:race_condition_ttl].to_i
        !claim.mine && window.positive? && Time.now.to_f - entry.expires_at <= window
      end

      # An old entry is none of the local cache's: a read that found it there would delete the new one.
      def serve(entry, claim, name, options)
        item = normalize_key(name, options)
        entry.expired? ? local_cache&.delete_entry(item) : remember(item, entry, claim.value)
        get_entry_value(entry, name, options)
      end
    end
  end
end
