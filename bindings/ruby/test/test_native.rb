# frozen_string_literal: true

# The native module is what TYPEMAPS.md says, and takes no nonsense.
# May require: the standard library, support.
require "weakref"
require "support"

class NativeTest < Minitest::Test
  Native = Shoal::Native

  def setup
    @handle = Shoal::Client.new("static://127.0.0.1:1,127.0.0.1:2").instance_variable_get(:@handle)
  end

  def assert_refused(kind, message = //, &block)
    assert_match message, assert_raises(kind, &block).message
  end

  ROOT = File.expand_path("../../..", __dir__)

  # Every public function of the headers that shoal.i includes, but for what C has to itself (batches, values, errors,
  # frees) and what Ruby leaves out.
  def test_functions
    headers = File.read("#{ROOT}/swig/shoal.i").scan(%r{^%include <(shoal/.*)>}).flatten
    text = headers.map { |path| File.read("#{ROOT}/core/include/#{path}") }.join
    declared = text.scan(/^SHOAL_API [^;(]*?\bshoal_(\w+)\(/).flatten
    hidden = declared.grep(/\A(batch|value|error)_|_free\z/) + %w[client_shared set gets codec_encode codec_decode]
    ours = %w[use_errors get_many set_many delete_many encode decode lease_new]
    assert_operator declared.size, :>, 80
    assert_equal (declared - hidden + ours).sort, Native.singleton_methods(false).map(&:to_s).sort
  end

  def test_handles_are_told_apart
    config = Native.config_new
    [nil, 5, "client", config, Object.new].each do |wrong|
      assert_refused(TypeError, /expected shoal_client/) { Native.get(wrong, "k") }
    end
    assert_refused(TypeError, /expected shoal_config/) { Native.client_new(nil) }
    assert_refused(TypeError, /expected shoal_topology/) { Native.topology_version(@handle) }
  end

  def test_handles_come_from_calls_alone
    kind = @handle.class
    assert_raises(NoMethodError) { kind.new }
    [-> { kind.allocate }, -> { @handle.dup }, -> { @handle.clone }, -> { Marshal.dump(@handle) }].each do |call|
      assert_raises(TypeError, &call)
    end
  end

  def test_texts
    config = Native.config_new
    assert_raises(TypeError) { Native.config_set(config, :endpoint, "a:1") }
    assert_raises(Shoal::Error) { Native.config_set(config, nil, nil) }
    assert_nil Native.option_find("no such")
    assert_nil Native.option_at(Native.option_count)
    assert_equal "key_prefix", Native.option_name(Native.option_find("key_prefix"))
  end

  def test_texts_that_are_no_utf8_are_escaped
    config = Native.config_new
    Native.config_set(config, "key_prefix", "\xFFä\xFE:")
    text = Native.config_get(config, "key_prefix")
    assert_equal ["\\xFFä\\xFE:", Encoding::UTF_8], [text, text.encoding]
  end

  def test_numbers
    [-1, 2**64, -2**70].each { |wrong| assert_raises(RangeError) { Native.option_at(wrong) } }
    [2**31, -2**31 - 1].each { |wrong| assert_raises(RangeError) { Native.status_name(wrong) } }
    [1.0, "1", nil].each { |wrong| assert_raises(TypeError) { Native.option_at(wrong) } }
    assert_raises(RangeError) { Native.decode(Native.codec_find("raw"), 2**32, "") }
  end

  def test_items_of_a_batch
    [5, [5], [["k"]], [["k", "v", -1]], [["k", :text, 0]], [[5, "v", 0]], [["k", "v", 0, 0]]].each do |items|
      assert_raises(TypeError, RangeError) { Native.set_many(@handle, items, 0) }
    end
  end

  def test_a_codec_gives_back_what_it_did_not_change
    codec = Native.codec_find("dalli")
    data = "bytes"
    assert_same data, Native.encode(codec, Native::KIND_BYTES, data, Native::COMPRESS_NONE, 0)[0]
    assert_same data, Native.decode(codec, 0, data)[1]
  end

  def test_a_node_keeps_its_topology
    made = Array.new(20)
    # On a stack of its own, so that nothing but the node can hold the topology.
    Thread.new do
      made.map! do
        topology = Native.client_topology(@handle)
        [WeakRef.new(topology), Native.topology_node_at(topology, 1)]
      end
    end.join
    GC.start
    assert(made.all? { |topology, node| topology.weakref_alive? && Native.node_name(node) == "127.0.0.1:2" })
    assert_nil Native.topology_node_at(Native.client_topology(@handle), 2)
  end

  def test_other_ractors_are_refused
    program = <<~'RUBY'
      require "shoal"
      CLIENT = Shoal::Client.new("127.0.0.1:1")
      begin
        Ractor.make_shareable(CLIENT)
      rescue Ractor::Error => e
        puts e.message[/can not make shareable object/]
      end
      ractor = Ractor.new { Shoal::Client.new("127.0.0.1:1") }
      begin
        ractor.respond_to?(:value) ? ractor.value : ractor.take
      rescue Ractor::RemoteError => e
        puts e.cause.class, e.cause.message
      end
    RUBY
    output, = Open3.capture3(RbConfig.ruby, "-W:no-experimental", "-e", program)
    assert_match(/\Acan not make shareable object\nRactor::(UnsafeError|IsolationError)\n/, output)
  end
end
