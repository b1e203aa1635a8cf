# Where dalli puts keys: the ring of its client is asked, with nodes that all say they are alive.
# Arguments: the fleets, the keys, and a namespace or nothing. dalli puts that before each key with a colon and hashes it
# too; the keys told are those with it, without the few that grow too long. See make_vectors, which calls this.
require "dalli"

def read_lines(path)
  File.readlines(path, chomp: true).reject { |line| line.start_with?("#") }
end

def percent_decode(name)
  name.b.gsub(/%(\h\h)/n) { [$1].pack("H2") }.force_encoding("UTF-8")
end

def place_keys(nodes, keys, namespace)
  servers = nodes.map { |host, port, weight| "#{host.include?(":") ? "[#{host}]" : host}:#{port}:#{weight}" }
  client = Dalli::Client.new(servers, namespace: namespace)
  ring = client.send(:ring)
  ring.servers.each { |server| server.define_singleton_method(:alive?) { true } }
  manager = client.instance_variable_get(:@key_manager)
  keys.map { |key| ring.servers.index(ring.server_for_key(manager.validate_key(key))) }
end

fleets = read_lines(ARGV[0]).map { |line| line.split("\t").drop(1).map(&:split) }
namespace = ARGV[2]
prefix = namespace ? "#{namespace}:" : ""
names = read_lines(ARGV[1]).reject { |name| percent_decode(prefix + name).bytesize > 250 }
columns = fleets.map { |nodes| place_keys(nodes, names.map { |name| percent_decode(name) }, namespace) }
names.each_with_index do |name, i|
  puts "key\t#{prefix}#{name}\t#{columns.map { |places| places[i] }.join(" ")}"
end
