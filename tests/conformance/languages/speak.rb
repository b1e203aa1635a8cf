# frozen_string_literal: true

# Does what compare.py asks for, by Ruby's client; speak.py tells the arguments and the lines.
# May require: shoal.
require "shoal"

endpoint, preset = ARGV
client = Shoal::Client.new(endpoint, preset: preset.empty? ? nil : preset)
$stdin.each_line(chomp: true) do |line|
  verb, *words = line.split(" ", -1)
  key, value = words.map { |word| [word].pack("H*") }
  case verb
  when "route" then puts client.route(key)
  when "get" then puts client.get(key)&.unpack1("H*") || "missing"
  else
    client.set(key, value)
    puts "stored"
  end
end
