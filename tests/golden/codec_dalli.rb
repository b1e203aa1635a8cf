# dalli as make_codec_vectors.py asks for it: writes values of every kind, or checks what it reads. With its own
# serialiser it is the codec dalli; with JSON for one it is the codec json.
#
# Arguments: write or check, the port.
require 'dalli'
require 'json'

def client(**options)
  Dalli::Client.new("127.0.0.1:#{ARGV[1]}", compression_min_size: 100, **options)
end

VALUES = {
  'string' => 'text: äöü €', 'integer' => 42, 'true' => true, 'nil' => nil, 'float' => 1.5,
  'hash' => { 'a' => [1, 2.5, nil], 'b' => 'c' }, 'array-long' => ['an element that repeats'] * 20 + (1..50).to_a
}.freeze

def tell(codec, name, kind, plain)
  puts "#{codec} #{name} #{kind} 0 #{plain.empty? ? '-' : plain.unpack1('H*')}"
end

def write_raw(codec, client)
  { 'raw' => "\x00\xff bytes".b, 'raw-empty' => '', 'raw-number' => '42', 'raw-long' => 'bytes that repeat ' * 20 }
    .each do |name, value|
      client.set("#{codec}-#{name}", value, nil, raw: true)
      tell(codec, "#{codec}-#{name}", 'bytes', value)
    end
end

def write
  puts "dalli #{Dalli::VERSION}"
  marshal, gzip, json = client, client(compressor: Dalli::GzipCompressor), client(serializer: JSON)
  VALUES.each do |name, value|
    marshal.set(name, value)
    tell('dalli', name, 'marshal', Marshal.dump(value))
    json.set("json-#{name}", value)
    tell('json', "json-#{name}", 'json', JSON.dump(value))
  end
  gzip.set('gzip', VALUES['array-long'])
  tell('dalli', 'gzip', 'marshal', Marshal.dump(VALUES['array-long']))
  write_raw('dalli', marshal)
  write_raw('json', json)
end

def check
  clients = { 'dalli' => client, 'json' => client(serializer: JSON) }
  lines = $stdin.readlines
  lines.each do |line|
    codec, name, kind, plain = line.split
    plain = [plain.delete('-')].pack('H*')
    wanted = { 'marshal' => ->(it) { Marshal.load(it) }, 'json' => ->(it) { JSON.parse(it) } }
             .fetch(kind, ->(it) { it }).call(plain)
    got = clients[codec].get(name)
    abort("#{name}: #{got.inspect}") unless got == wanted
  end
  puts lines.size
end

ARGV[0] == 'write' ? write : check
