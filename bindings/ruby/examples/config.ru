# frozen_string_literal: true

# The example: a Rack application whose cache is the fleet that `shoal local --port 11300` starts, or the one at
# SHOAL_ENDPOINT. Its only page, plain text, tells what it takes from the cache, and from which node.
# May require: ActiveSupport and shoal. README.md, under Example, says how to see it work.
require "active_support/cache/shoal_store"

# Everything here goes on, slower, while nodes are missing.
class Page
  ARTICLES = Array.new(100) { |number| "article-#{number}" }

  def initialize(cache)
    @cache = cache
  end

  def call(_environment)
    [200, { "content-type" => "text/plain" }, [text]]
  end

  private

  def text
    report = @cache.fetch("report", expires_in: 30) { write_report }
    topology = @cache.client.topology
    <<~TEXT
      report    written at #{report}, kept by #{@cache.client.route("report")}
      articles  #{count_articles} of #{ARTICLES.size} from the cache
      hits      #{count_hit}
      fleet     version #{topology.version}: #{topology.nodes.map(&:name).join(" ")}
    TEXT
  end

  # Stands for something slow.
  def write_report
    sleep 0.2
    Time.now.strftime("%H:%M:%S")
  end

  # How many articles the cache had; the others are there the next time.
  def count_articles
    found = @cache.read_multi(*ARTICLES)
    @cache.write_multi((ARTICLES - found.keys).to_h { |key| [key, "the text of #{key}"] })
    found.size
  end

  # How often the page was taken. The counter starts anew where its node is gone.
  def count_hit
    @cache.write("hits", 0, raw: true, unless_exist: true)
    @cache.increment("hits") || "not counted: its node is down"
  end
end

# In a Rails application these are lines of its log by themselves.
ActiveSupport::Notifications.subscribe(/\.shoal\z/) { |event| warn "Shoal: #{event.payload[:message]}" }

endpoint = ENV.fetch("SHOAL_ENDPOINT", "elasticache://127.0.0.1:11300")
# Nodes come and go while one looks: ask for them each second, and not each minute.
run Page.new(ActiveSupport::Cache.lookup_store(:shoal_store, endpoint, discovery_interval_ms: 1000))
