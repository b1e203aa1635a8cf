# The load of the fault bench through a Ruby client: load.rb CLIENT SERVERS RATE SECONDS KEYS, and -I with Shoal's files
# before it. load.py says what every driver does. May use: the standard library and the client. Started by tests/faults.

BUCKET_S = 0.1
STALLED_S = 0.05
BACKLOG_S = 0.02
ERRORS_TOLD = 8
SIZE = 200

# A client's two calls: `get` gives nil for a miss; what cannot be done raises.
Cache = Struct.new(:client) do
  def get(key) = client.get(key)

  def set(key, value)
    client.set(key, value) or raise "set gave nothing"
  end
end

def make_cache(name, servers)
  case name
  when "ruby"
    require "shoal"
    Cache.new(Shoal::Client.new(servers))
  when "dalli"
    require "dalli"
    require "logger"
    Dalli.logger = Logger.new(File::NULL)
    Cache.new(Dalli::Client.new(servers.split(",")))
  else
    abort "load.rb: there is no client #{name}"
  end
end

def now = Process.clock_gettime(Process::CLOCK_MONOTONIC)

def make_value(key, version) = "#{key} #{version} ".ljust(SIZE, ".")

# The counts of a tenth of a second.
Bucket = Struct.new(:index, :operations, :fine, :errors, :wrong, :stale, :longest_s, :stalled_s) do
  def self.start(index) = new(index, 0, 0, 0, 0, 0, 0.0, 0.0)

  def tell
    return if operations.zero?

    times = [longest_s, stalled_s].map { |seconds| (seconds * 1e6).to_i }
    puts ["bucket", index, operations, fine, errors, wrong, stale, *times].join(" ")
  end
end

# The operations.
class Load
  def initialize(cache, keys)
    @cache = cache
    @tried = [0] * keys
    @stored = [0] * keys
    @errors_told = 0
    @random = Random.new(1)
    @bucket = Bucket.start(0)
  end

  def run(rate, seconds)
    @tried.each_index { |number| store(number) }
    @bucket = Bucket.start(0)
    began = due = now
    puts format("start %.6f", began)
    while (at = now) < began + seconds
      if at < due
        sleep(due - at)
        next
      end
      due = (at - due > BACKLOG_S ? at : due) + 1 / rate
      turn_to(((at - began) / BUCKET_S).to_i)
      operate
    end
    @bucket.tell
    puts "end"
  end

  private

  def turn_to(index)
    return if index == @bucket.index

    @bucket.tell
    @bucket = Bucket.start(index)
  end

  # Whether the block succeeded, and what it gave.
  def call
    began = now
    [true, yield]
  rescue StandardError => e
    @errors_told += 1
    puts "error #{e.class} #{e.message.split.join(" ")}" if @errors_told <= ERRORS_TOLD
    [false, nil]
  ensure
    taken = now - began
    @bucket.longest_s = [@bucket.longest_s, taken].max
    @bucket.stalled_s += taken if taken > STALLED_S
  end

  def store(number)
    version = @tried[number] += 1
    key = "key:#{number}"
    value = make_value(key, version)
    succeeded, = call { @cache.set(key, value) }
    @stored[number] = version if succeeded
    succeeded
  end

  def read(number)
    succeeded, value = call { @cache.get("key:#{number}") }
    return false unless succeeded
    return store(number) if value.nil?

    judge(number, value)
    true
  end

  def judge(number, value)
    version = value.is_a?(String) ? value.b[/\A\S+ (\d+) /, 1].to_i : -1
    if !value.is_a?(String) || value.b != make_value("key:#{number}", version) || version > @tried[number]
      @bucket.wrong += 1
    elsif version < @stored[number]
      @bucket.stale += 1
    end
  end

  def operate
    number = @random.rand(@tried.size)
    succeeded = @random.rand(5).zero? ? store(number) : read(number)
    @bucket.operations += 1
    succeeded ? @bucket.fine += 1 : @bucket.errors += 1
  end
end

$stdout.sync = true
Load.new(make_cache(ARGV[0], ARGV[1]), ARGV[4].to_i).run(ARGV[2].to_f, ARGV[3].to_f)
