# frozen_string_literal: true

# Does what fetch.py asks for, by Ruby's client; fetch_worker.py tells the argument and the lines.
# May require: shoal.
require "shoal"

PAUSE_S = 0.05

def now_ns = Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond)

def run(journal, endpoint, key, *numbers)
  seconds, ttl, stale_ttl, cost_ms = numbers.map(&:to_i)
  client = Shoal::Client.new(endpoint)
  value = "value of #{key}".b
  end_ns = now_ns + (seconds * 1_000_000_000)
  calls = slow = longest = wrong = 0
  while calls.zero? || now_ns < end_ns
    begun = now_ns
    computed = nil
    found = client.fetch(key, ttl: ttl, stale_ttl: stale_ttl) do
      computed = now_ns
      sleep(cost_ms / 1000.0)
      journal.syswrite("#{computed} #{now_ns}\n")
      value
    end
    waited = (computed || now_ns) - begun
    longest = [longest, waited].max
    slow += 1 if waited >= cost_ms * 1_000_000 / 2
    wrong += 1 if found != value
    calls += 1
    sleep(PAUSE_S)
  end
  [calls, slow, longest, wrong]
end

journal = File.open(ARGV.fetch(0), File::WRONLY | File::APPEND | File::CREAT)
$stdout.sync = true
puts "ready"
$stdin.each_line { |line| puts run(journal, *line.split).join(" ") }
