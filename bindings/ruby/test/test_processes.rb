# frozen_string_literal: true

# Processes: forks without a call, daemons, Puma's workers, and processes that end with clients alive.
# May require: the standard library, support.
require "net/http"
require "tmpdir"
require "support"

# Whether every value that a process reads is its own.
def own_values?(cache, number, turns)
  turns.times do |turn|
    value = "#{number} #{turn}"
    cache.set("k#{number}", value)
    return false unless cache.get("k#{number}") == value && cache.get_many("k#{number}") == { "k#{number}" => value }
  end
  true
end

class ForksTest < FleetTest
  def self.nodes
    2
  end

  # The status of a child that runs a block; it leaves without the tests' own ends.
  def in_child
    fork do
      status = yield
      exit!(status)
    rescue Exception => e # rubocop:disable Lint/RescueException
      warn e.full_message
      exit!(99)
    end
  end

  def exit_of(child)
    Process.wait2(child)[1].exitstatus
  end

  def test_parent_and_children_go_on
    cache = client
    cache.set("before", "the fork")
    children = Array.new(4) do |number|
      in_child { own_values?(cache, number, 100) && cache.get("before") == "the fork" ? 0 : 1 }
    end
    assert own_values?(cache, "parent", 100)
    assert_equal [0] * 4, children.map { |child| exit_of(child) }
    assert own_values?(cache, "parent", 10)
  end

  def test_a_fork_while_other_threads_call
    cache = client
    stop = false
    threads = Array.new(3) { |number| Thread.new { own_values?(cache, number, 5) || raise("wrong values") until stop } }
    10.times do |number|
      child = in_child do
        grandchild = in_child { own_values?(cache, "g#{number}", 20) ? 0 : 1 }
        own_values?(cache, "c#{number}", 20) ? exit_of(grandchild) : 2
      end
      assert_equal 0, exit_of(child)
    end
    stop = true
    threads.each(&:join)
  ensure
    stop = true
  end

  def test_a_fork_while_the_background_thread_runs
    program = <<~'RUBY'
      require "shoal"
      cache = Shoal::Client.new(ARGV[0].delete_prefix("static://").split(",")[0], operation_timeout_ms: 10_000)
      cache.set("k", "v")
      child = fork { exit(cache.get("k") == "v" ? 3 : 4) }
      p cache.get("k"), Process.wait2(child)[1].exitstatus
    RUBY
    assert_equal "\"v\"\n3\n", run_ruby(program)
  end

  def test_a_daemon
    reader, writer = IO.pipe
    program = <<~'RUBY'
      require "shoal"
      cache = Shoal::Client.new(ARGV[0], operation_timeout_ms: 10_000)
      cache.set("k", "v")
      Process.daemon(false, true)
      IO.for_fd(ARGV[1].to_i).puts(cache.get("k"), cache.set("k", "w"))
    RUBY
    Process.wait(spawn(RbConfig.ruby, "-w", "-e", program, @endpoint, writer.fileno.to_s, writer => writer))
    writer.close
    assert_equal "v\ntrue\n", reader.read
  end
end

class EndsTest < FleetTest
  PROGRAM = <<~'RUBY'
    require "shoal"
    CACHE = Shoal::Client.new(ARGV[0], operation_timeout_ms: 10_000)
    CACHE.set("k", "v")
    HELD = Object.new
    ObjectSpace.define_finalizer(HELD, proc { puts "finalizer #{CACHE.get("k") rescue $!.class}" })
  RUBY
  CALLER = "Thread.new { loop { CACHE.get(\"k\") } }; sleep 0.05\n"

  def test_an_end_with_clients_alive_and_threads_waiting
    at_exit = "at_exit { puts \"exit \#{CACHE.get(\"k\")}\" }\n"
    assert_equal "exit v\nfinalizer v\n", run_ruby(PROGRAM + at_exit + CALLER)
    assert_equal "", run_ruby("#{PROGRAM}#{CALLER}exit!(0)")
  end

  def test_a_finalizer_may_use_a_closed_client
    assert_equal "finalizer Shoal::Closed\n", run_ruby("#{PROGRAM}at_exit { CACHE.close }")
  end
end

# Puma as Debian has it: two workers of five threads each, and a client that was made and used before the fork.
class PumaTest < FleetTest
  def self.nodes
    2
  end

  CONFIGURATION = <<~'RUBY'
    require "shoal"
    cache = Shoal::Client.new(ENV.fetch("SHOAL_ENDPOINT"), operation_timeout_ms: 10_000)
    cache.set("before", "the fork")
    workers 2
    threads 5, 5
    preload_app!
    quiet
    app do |env|
      key = "k#{env["PATH_INFO"]}"
      right = cache.set(key, key) && cache.get(key) == key && cache.get("before") == "the fork" &&
              cache.get_many(key, "before") == { key => key, "before" => "the fork" }
      [200, {}, ["#{right} #{Process.pid}"]]
    end
  RUBY

  def answers_of(port, requests, number)
    Net::HTTP.start("127.0.0.1", port, read_timeout: 60) do |http|
      Array.new(requests) { |request| http.get("/#{number}-#{request}").body.split }
    end
  end

  def with_puma
    skip "puma is not installed" unless system("puma", "--version", out: File::NULL, err: File::NULL)
    Dir.mktmpdir do |folder|
      File.write("#{folder}/puma.rb", CONFIGURATION)
      port = free_port
      puma = spawn({ "SHOAL_ENDPOINT" => @endpoint }, *ENDS_WITH_US, "puma", "-C", "#{folder}/puma.rb", "-b",
                   "tcp://127.0.0.1:#{port}", chdir: folder, out: "#{folder}/log", err: %i[child out], pgroup: true)
      begin
        assert eventually(60) { answers?(port) }, File.read("#{folder}/log")
        yield port
      ensure
        Process.kill(:TERM, puma)
        Process.wait(puma)
      end
      refute_match(/Error|warn/i, File.read("#{folder}/log"))
    end
  end

  def test_workers_and_their_threads_read_their_own_values
    with_puma do |port|
      answers = []
      # Until both workers were asked: which of them takes a connection is theirs.
      both = eventually(60) do
        threads = Array.new(10) { |number| Thread.new { answers_of(port, 50, number) } }
        answers.concat(threads.flat_map(&:value))
        answers.map(&:last).uniq.size == 2
      end
      assert both, "only one worker answered"
      assert_equal ["true"], answers.map(&:first).uniq
    end
  end
end
