# frozen_string_literal: true

# Shoal: a memcached client for fleets whose nodes come and go.
#
#   require "shoal"
#   cache = Shoal::Client.new("127.0.0.1:11211", codec: :json)
#   cache.set("answer", { "is" => 42 }, ttl: 60)
module Shoal
end

require "shoal/native"

module Shoal
  # The release of the C library in use, e.g. "0.1.0".
  VERSION = Native.version.freeze

  autoload :ElastiCache, "shoal/elasticache"
end

require "shoal/errors"
require "shoal/codecs"
require "shoal/client"
require "shoal/describe"
require "shoal/events"
require "shoal/railtie" if defined?(Rails::Railtie)
