# frozen_string_literal: true

# The Rails store within Rails: notifications, the log, sessions, an application.
# May require: Rails, rails_support.
require_relative "rails_support"
require "action_dispatch"
require "rails"
require "shoal/railtie"
require "tmpdir"

class NotificationsTest < StoreTest
  def test_the_list_of_nodes_is_told
    node = "localhost:#{@servers[0].port}" # a name that no other test uses
    fresh = ActiveSupport::Cache.lookup_store(:shoal_store, "static://#{node}")
    events = notifications("topology_changed.shoal") { fresh.read("k") }
    assert_equal 1, events.size
    assert_equal [[node], :rails, 0], events[0][1].values_at(:nodes, :preset, :dropped)
  end

  def test_rails_own_notifications
    events = notifications(/\Acache_.*active_support\z/) do
      @store.write("k", 1)
      @store.read("k")
      @store.increment("n")
      @store.write_multi({ "k" => 1 })
      @store.read_multi("k", "none")
    end
    names = %w[write read increment write_multi read_multi].map { |name| "cache_#{name}.active_support" }
    assert_equal names, events.map(&:first)
    assert_equal ["ActiveSupport::Cache::ShoalStore"], events.map { |_, payload| payload[:store] }.uniq
    assert_equal [true, ["k"]], [events[1][1][:hit], events[4][1][:hits]]
  end
end

class LogTest < StoreTest
  Subscriber = Shoal::RailsCache::LogSubscriber

  def test_lines
    before = ActiveSupport::LogSubscriber.logger
    ActiveSupport::LogSubscriber.logger = Logger.new(log = StringIO.new)
    subscriber = Subscriber.new
    { topology_changed: { message: "now", nodes: %w[a b], preset: :rails, dropped: 2 },
      node_failed: { message: "down" }, node_recovered: { message: "up" }, discovery_failed: { message: "lost" },
      discovery_recovered: { message: "found" }, warning: { message: "look" } }.each do |name, payload|
      subscriber.public_send(name, ActiveSupport::Notifications::Event.new("#{name}.shoal", nil, nil, "id", payload))
    end
    told = log.string.lines.map { |line| line[/(INFO|WARN).*: (Shoal: .*)/] && [$1, $2] }
    assert_equal [["INFO", "Shoal: now (2 events before it were lost): a, b; keys are placed as by rails"],
                  ["WARN", "Shoal: down"], ["INFO", "Shoal: up"], ["WARN", "Shoal: lost"], ["INFO", "Shoal: found"],
                  ["WARN", "Shoal: look"]], told
  ensure
    ActiveSupport::LogSubscriber.logger = before
  end
end

class SessionsTest < StoreTest
  def visit(app, cookie = nil)
    status, headers, body = app.call(Rack::MockRequest.env_for("/", { "HTTP_COOKIE" => cookie }.compact))
    assert_equal 200, status
    text = +""
    body.each { |part| text << part }
    body.close if body.respond_to?(:close)
    set = headers["Set-Cookie"] || headers["set-cookie"]
    [text, Array(set).first&.slice(/\A[^;]+/)]
  end

  def with_sessions(app, **options)
    ActionDispatch::Cookies.new(ActionDispatch::Session::CacheStore.new(app, **options))
  end

  def test_sessions_in_the_store
    count = lambda do |env|
      session = Rack::Request.new(env).session
      session["visits"] = session["visits"].to_i + 1
      [200, {}, [session["visits"].to_s]]
    end
    app = with_sessions(count, cache: @store, expire_after: 60, key: "_session")
    text, cookie = visit(app)
    assert_equal "1", text
    assert_match(/\A_session=\h+\z/, cookie)
    assert_equal %w[2 3], [visit(app, cookie)[0], visit(app, cookie)[0]]
    assert_equal "1", visit(app)[0]
  end

  def test_sessions_on_a_dead_fleet
    app = with_sessions(->(env) { [200, {}, [Rack::Request.new(env).session["a"].inspect]] }, cache: dead_store)
    assert_equal "nil", visit(app, "_session_id=#{"0" * 32}")[0]
  end
end

class ApplicationTest < StoreTest
  # A gem that Bundler requires comes behind Rails.
  PROGRAM = <<~'RUBY'
    require "logger"
    require "rails"
    require "action_controller/railtie"
    require "shoal"
    class Application < Rails::Application
      config.eager_load = false
      config.hosts.clear
      config.secret_key_base = "of this test alone"
      config.logger = Logger.new($stdout, formatter: ->(_, _, _, text) { "#{text}\n" })
      config.cache_store = :shoal_store, ARGV[0], { namespace: "app", expires_in: 60 }
      config.session_store :cache_store
      config.active_support.cache_format_version = 7.1 if config.active_support.respond_to?(:cache_format_version)
    end
    Application.initialize!
    Rails.logger.level = :info
    puts Rails.cache.class, Rails.cache.fetch("k") { 5 }, Rails.cache.read("k"), Rails.cache.options[:namespace]
  RUBY

  def test_an_application
    Dir.mktmpdir do |folder|
      output, status = Open3.capture2e(RbConfig.ruby, "-e", PROGRAM, @servers[0].name, chdir: folder)
      assert status.success?, output
      lines = output.lines(chomp: true)
      assert_equal ["ActiveSupport::Cache::ShoalStore", "5", "5", "app"], lines.last(4), output
      assert_match(/^Shoal: .*: #{@servers[0].name}; keys are placed as by rails$/, output)
    end
  end
end
