# frozen_string_literal: true

# What Rails does by itself where this gem is in its Gemfile: it logs which nodes the cache uses, and what becomes of
# them. May require: Rails. Required by the package where Rails is there.
require "rails/railtie"
require "shoal/rails_cache/log_subscriber"

module Shoal
  # The store works without it.
  class Railtie < ::Rails::Railtie
    initializer("shoal.log") { RailsCache::LogSubscriber.attach_to(:shoal) }
  end
end
