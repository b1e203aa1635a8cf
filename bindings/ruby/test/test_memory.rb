# frozen_string_literal: true

# The collector: under stress, with compaction beside every call, and how much memory many calls leave behind.
# May require: support.
require "support"

class MemoryTest < FleetTest
  def self.nodes
    2
  end

  def setup
    super
    @cache = client(codec: :marshal, compress: :zlib, compress_min_bytes: 100)
  end

  # A bit of everything; whether all that came back is right.
  def everything(number)
    pairs = { "a#{number}" => "x" * 300, "b#{number}": [number, "y" * 20_000], +"c" + number.to_s => nil }
    @cache.set_many(pairs).empty? && @cache.get_many(pairs.keys + ["none"]) == pairs &&
      @cache.set("d#{number}", number) && @cache.gets("d#{number}")[0] == number && counts?(number) &&
      @cache.topology.nodes.map(&:name) == @cache.nodes && refuses? && fetches?(number) &&
      @cache.delete_many(pairs.keys).empty?
  end

  def fetches?(number)
    key = "f#{number}"
    @cache.delete(key)
    @cache.fetch(key) { break }
    @cache.fetch(key) { [number] } == [number] && @cache.fetch(key) { :other } == [number] &&
      @cache.claim(key) { |claim| claim.value == [number] && !claim.mine }
  end

  def counts?(number)
    @cache.delete("n#{number}")
    @cache.increment("n#{number}", initial: 5) == 5 && @cache.decrement("n#{number}", 2) == 3
  end

  def refuses?
    @cache.get_many("bad key", "none")
    false
  rescue Shoal::BadKey => e
    e.partial == {} && @cache.stats.size == 2 && Shoal::Client.new(@endpoint).close.nil?
  end

  def test_under_stress
    assert everything(0)
    GC.stress = true
    right = everything(1)
    GC.stress = false
    assert right
  ensure
    GC.stress = false
  end

  def test_beside_compaction
    skip "this Ruby compacts nothing" unless GC.respond_to?(:compact)
    stop = false
    compactor = Thread.new { GC.compact && sleep(0.01) until stop }
    workers = Array.new(2) { |number| Thread.new { Array.new(20) { everything(number) }.all? } }
    assert workers.all?(&:value)
    GC.verify_compaction_references(toward: :empty)
    assert everything(2)
  ensure
    stop = true
    compactor&.join
  end

  def megabytes
    GC.start
    File.read("/proc/self/statm").split[1].to_i * Etc.sysconf(Etc::SC_PAGESIZE) / 2.0**20
  end

  # What leaked once a call would come to 100 MB in each.
  LEAKS = { values: ->(cache, large) { cache.get(large) }, batches: ->(cache, large) { cache.get_many(large) },
            codecs: ->(cache, large) { cache.set("other", large * 20_000) },
            leases: ->(cache, large) { cache.fetch(large) { break } },
            clients: lambda { |cache, _|
              handles = Array.new(5) { [cache.topology, cache.stats, Shoal::Client.new("a:1,b:2")] }
              handles.clear
            } }.freeze

  def test_nothing_is_left_behind
    require "etc"
    @cache.set("large", Random.bytes(100_000))
    LEAKS.each do |name, call|
      100.times { call.call(@cache, "large") }
      before = megabytes
      1000.times { call.call(@cache, "large") }
      assert_operator megabytes - before, :<, 40, name
    end
  end

  def test_a_client_that_nobody_holds_is_freed
    Array.new(100) { Shoal::Client.new(@endpoint) }.clear
    GC.start
    alive = ObjectSpace.each_object(Shoal::Client).count
    assert_operator alive, :<, 50
  end
end
