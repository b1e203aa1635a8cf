# frozen_string_literal: true

# Servers for the Ruby tests: memcached processes on free ports, which end with the test.
# May require: the standard library, minitest and shoal. Used by the tests here and by tests/conformance/run_cases.rb.
require "minitest/autorun" unless defined?(SHOAL_WITHOUT_MINITEST)
require "open3"
require "socket"
require "tmpdir"
require "shoal"

# A warning that one of Shoal's own files gives is an error.
module Warning
  def self.warn(message, category: nil)
    raise message if message.match?(%r{/(bindings/ruby|shoal)/})

    super
  end
end

# Generous, as test machines are busy: nothing here is about how fast a call is.
OPERATION_TIMEOUT_MS = 10_000

# Whether a condition comes true in that time.
def eventually(seconds = 10)
  stop = Process.clock_gettime(Process::CLOCK_MONOTONIC) + seconds
  until yield
    return false if Process.clock_gettime(Process::CLOCK_MONOTONIC) > stop

    sleep 0.005
  end
  true
end

RESERVED = [] # rubocop:disable Style/MutableConstant

# A port that nobody listens on, and that only who names it gets while this process lives: it stays bound.
def free_port
  RESERVED << probe = Socket.new(:INET, :STREAM)
  probe.setsockopt(:SOCKET, :REUSEADDR, true)
  probe.bind(Addrinfo.tcp("127.0.0.1", 0))
  probe.local_address.ip_port
end

# Whether somebody listens on a port.
def answers?(port)
  TCPSocket.open("127.0.0.1", port).close
  true
rescue SystemCallError
  false
end

# Before a command of which nothing may stay behind: it ends with the thread that started it.
ENDS_WITH_US = %w[setpriv --pdeathsig KILL].freeze

# One memcached process.
class Memcached
  attr_reader :port, :name, :pid

  def initialize
    @port = free_port
    @name = "127.0.0.1:#{@port}"
    @pid = spawn(*ENDS_WITH_US, "memcached", "-l", "127.0.0.1", "-p", @port.to_s, "-U", "0", "-t", "1", "-m", "64",
                 "-c", "2048", "-u", "root")
    raise "memcached does not answer" unless eventually { answers?(@port) }
  end

  # It keeps its connections and answers nothing, from when this returns.
  def freeze
    Process.kill(:STOP, @pid)
    Process.wait(@pid, Process::WUNTRACED)
    self
  end

  # It goes on.
  def thaw
    Process.kill(:CONT, @pid)
  end

  # It ends, frozen or not.
  def stop
    Process.kill(:KILL, @pid)
    Process.wait(@pid)
  end
end

# The command `shoal` of the build that is tested.
SHOAL = File.join(ENV.fetch("SHOAL_BUILD", "build"), "core/cli/shoal")

# A fleet with a discovery endpoint, as `shoal local` starts it.
class LocalFleet
  attr_reader :endpoint

  def initialize(nodes, *options)
    @folder = Dir.mktmpdir
    reader, writer = IO.pipe
    @pid = spawn(*ENDS_WITH_US, SHOAL, "local", "--nodes", nodes.to_s, "--dir", @folder, *options, out: writer)
    writer.close
    @endpoint = reader.gets.split.last
  end

  # The endpoint's host:port alone.
  def address
    @endpoint[%r{\A(?:\w+://)?([^?]+)}, 1]
  end

  # Whom to trust, where the fleet has TLS.
  def ca_file
    File.join(@folder, "tls/ca.pem")
  end

  # `shoal local add`, `remove` or `list`: what it prints.
  def change(*words)
    output, status = Open3.capture2(SHOAL, "local", *words, "--dir", @folder)
    raise "shoal local #{words.first} failed" unless status.success?

    output
  end

  # It ends, and its nodes with it.
  def stop
    Process.kill(:TERM, @pid)
    Process.wait(@pid)
    FileUtils.rm_rf(@folder)
  end
end

# The same servers for all tests of a process, as many as one of them asked for.
module Servers
  @all = []
  @owner = Process.pid

  def self.take(count)
    @all << Memcached.new while @all.size < count
    @all.first(count)
  end

  def self.stop
    @all.each(&:stop) if Process.pid == @owner
  end
end

return if defined?(SHOAL_WITHOUT_MINITEST)

Minitest.after_run { Servers.stop }

# Tests with a fleet, emptied before each.
class FleetTest < Minitest::Test
  # How many servers; a class says its own.
  def self.nodes
    1
  end

  def setup
    @servers = Servers.take(self.class.nodes)
    @endpoint = "static://#{@servers.map(&:name).join(",")}"
    assert eventually { empty? }, "the fleet cannot be emptied"
  end

  # A node that a test before this one stopped may be out of use for a moment.
  def empty?
    client.flush_all.nil?
  rescue Shoal::Error
    false
  end

  # A client of this fleet.
  def client(**options)
    Shoal::Client.new(@endpoint, operation_timeout_ms: OPERATION_TIMEOUT_MS, **options)
  end

  # Whether something is refused with a message that matches, by this kind of exception.
  def assert_refused(kind, message = //, &block)
    assert_match message, assert_raises(kind, &block).message
  end

  # Runs a program on this fleet in a Ruby of its own; its standard output. Nothing may come on its standard error.
  def run_ruby(program, *arguments)
    output, complaints, status = Open3.capture3(RbConfig.ruby, "-w", "-e", program, @endpoint, *arguments)
    assert_equal [0, ""], [status.exitstatus || status, complaints], output
    output
  end
end
