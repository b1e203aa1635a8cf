# frozen_string_literal: true

# Ruby's contestants: makes calls of the client that it is told, and keeps the time. Asked and answered a line of JSON
# at a time, as contestant.py says.
# May require: the standard library, shoal, dalli, ActiveSupport and both stores on memcached. Started by __main__.py.
require "json"
require "logger"
require "openssl"
require "dalli"
require "shoal"
require "active_support"
require "active_support/cache"

# dalli 3.0 misses this method of its own in get_multi over TLS.
Dalli::Socket::SSLSocket.define_method(:server) { io.server } unless Dalli::Socket::SSLSocket.method_defined?(:server)

# A client on some nodes. Each of its operations is bound to the same keys and values.
class Contestant
  def initialize(told)
    @load = told["load"]
    @key, @value = @load.first
    @client = make(told["name"], told)
    @calls = bind(@client)
    @operation = told["operation"]
    @call = @calls.fetch(@operation)
    @threads = told["threads"]
  end

  def close
    @client.close if @client.respond_to?(:close)
  end

  # What a call gives; of a store, whether all was stored, as far as the client tells.
  def call(operation = @operation)
    result = @calls.fetch(operation).call
    operation.start_with?("get") ? result : stored?(result)
  end

  def run(times)
    if @threads == 1
      times.times { @call.call }
    else
      in_threads(times)
    end
  end

  private

  def in_threads(times)
    calls = (@each ||= calls_of_threads)
    calls.each_with_index.map do |call, number|
      Thread.new { ((times + number) / @threads).times { call.call } }
    end.each(&:join)
  end

  def calls_of_threads
    Array.new(@threads) { @call }
  end
end

# Shoal's client in dalli's place, and ActiveSupport's store on it.
class ShoalContestant < Contestant
  def make(name, told)
    options = { preset: :dalli, operation_timeout_ms: 60_000, codec: name.include?("marshal") ? :marshal : :raw }
    options.update(tls: true, tls_ca_file: told["ca"]) if name != "shoal plain" && !told["ca"].empty?
    Shoal::Client.new("static://#{told['nodes'].join(',')}", **options)
  end

  def bind(client)
    keys = @load.keys
    { "get" => -> { client.get(@key) }, "set" => -> { client.set(@key, @value) },
      "get_many" => -> { client.get_many(keys) }, "set_many" => -> { client.set_many(@load) } }
  end

  def stored?(result)
    result == true || result == []
  end
end

# dalli, whose set_many is its quiet multi: it awaits the servers at its end, and tells nothing of any key.
class DalliContestant < Contestant
  def make(name, told)
    @told = told
    @options = { compress: false, raw: !name.include?("marshal"), socket_timeout: 60 }
    @options[:ssl_context] = ssl_context(told["ca"]) unless told["ca"].empty?
    Dalli::Client.new(told["nodes"], @options)
  end

  def bind(client)
    keys = @load.keys
    raw = { raw: @options[:raw] }
    { "get" => -> { client.get(@key, raw) }, "set" => -> { client.set(@key, @value, nil, raw) },
      "get_many" => -> { client.get_multi(*keys) },
      "set_many" => -> { client.multi { @load.each { |key, value| client.set(key, value, nil, raw) } } } }
  end

  def stored?(result)
    result.is_a?(Integer) || result.equal?(@load)
  end

  private

  # A client a thread.
  def calls_of_threads
    Array.new(@threads) { bind(Dalli::Client.new(@told["nodes"], @options)).fetch(@told["operation"]) }
  end

  def ssl_context(ca_file)
    context = OpenSSL::SSL::SSLContext.new
    context.ca_file = ca_file
    context.verify_mode = OpenSSL::SSL::VERIFY_PEER
    context.verify_hostname = true
    context
  end
end

# Rails.cache by either store, as config.cache_store makes it.
class RailsContestant < Contestant
  def make(name, told)
    ActiveSupport::Cache.lookup_store(name.to_sym, *told["nodes"], { namespace: name })
  end

  def bind(cache)
    keys = @load.keys
    { "get" => -> { cache.read(@key) }, "set" => -> { cache.write(@key, @value) },
      "get_many" => -> { cache.read_multi(*keys) }, "set_many" => -> { cache.write_multi(@load) } }
  end

  # write_multi gives what it wrote, or nothing of use: the servers' counters tell.
  def stored?(_result)
    true
  end

  def close; end
end

KINDS = { "dalli" => DalliContestant, "dalli marshal" => DalliContestant, "shoal_store" => RailsContestant,
          "mem_cache_store" => RailsContestant }.freeze

def turn(contestant, times)
  clocks = [Process::CLOCK_MONOTONIC, Process::CLOCK_PROCESS_CPUTIME_ID]
  began = clocks.map { |clock| Process.clock_gettime(clock) }
  contestant.run(times)
  clocks.zip(began).map { |clock, before| Process.clock_gettime(clock) - before }
end

def describe
  { ruby: RUBY_VERSION, shoal: Shoal::VERSION, dalli: Dalli::VERSION, activesupport: ActiveSupport.version.to_s }
end

def answer(told, made)
  name = told["name"]
  case told["do"]
  when "describe" then describe
  when "make" then !(made[name] = KINDS.fetch(name, ShoalContestant).new(told)).nil?
  when "close" then made.delete(name).close
  when "turn" then turn(made[name], told["times"])
  when "call" then made[name].call
  else made[name].call(told["do"])
  end
end

made = {}
$stdout.sync = true
while (line = gets)
  begin
    puts JSON.generate({ is: answer(JSON.parse(line), made) })
  rescue StandardError => error
    puts JSON.generate({ failed: "#{error.class}: #{error.message.lines.first}" })
  end
end
