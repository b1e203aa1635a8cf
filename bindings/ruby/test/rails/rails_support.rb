# frozen_string_literal: true

# What the tests of the Rails store share.
# May require: support, ActiveSupport. Used by the tests here.
require "support"
require "active_support/cache/shoal_store"
require "active_support/core_ext/numeric/time"

ActiveSupport::Cache.format_version = 7.1 if ActiveSupport::Cache.respond_to?(:format_version=)

RAILS_6 = ActiveSupport.version < Gem::Version.new("7")
# What a write that failed gives.
NOT_WRITTEN = RAILS_6 ? false : nil

# Tests of stores on a fleet, whose log is kept.
class StoreTest < FleetTest
  def setup
    super
    @log = StringIO.new
    ActiveSupport::Cache::Store.logger = Logger.new(@log, level: Logger::INFO)
    @store = store
  end

  def teardown
    ActiveSupport::Cache::Store.logger = nil
  end

  # A store on this fleet.
  def store(**options)
    ActiveSupport::Cache.lookup_store(:shoal_store, @servers.map(&:name),
                                      **{ operation_timeout_ms: OPERATION_TIMEOUT_MS }, **options)
  end

  # A store whose one server does not exist.
  def dead_store(**options)
    endpoint = "static://127.0.0.1:#{free_port}"
    ActiveSupport::Cache.lookup_store(:shoal_store, endpoint, operation_timeout_ms: 300, **options)
  end

  # The client's own view of what a store wrote.
  def stored(key)
    client(preset: :rails).get(key)
  end

  # The events of these names that a block brings.
  def notifications(pattern)
    events = []
    subscriber = ActiveSupport::Notifications.subscribe(pattern) { |*event| events << [event[0], event[4]] }
    yield
    events
  ensure
    ActiveSupport::Notifications.unsubscribe(subscriber)
  end
end
