# frozen_string_literal: true

# Runs the conformance cases of cases.txt, whose head describes them, through Ruby's client on three memcached servers.
#
# Arguments: cases.txt. The client gives true, false and nil where C gives statuses, so that a step may allow for two of
# them; whatever else it can tell is compared. Fails where a case does or a line is unclear. May require: the standard
# library, shoal, and the Ruby tests' support.
SHOAL_WITHOUT_MINITEST = true
require "strscan"
require "support"

PIECE = /"((?:[^"\\]|\\[\\"rn]|\\x[0-9A-Fa-f]{2})*)"(?:\*(\d+))?|([^" ]+)/n
ESCAPES = { "r" => "\r", "n" => "\n", '"' => '"', "\\" => "\\" }.freeze
VERBS = { "get" => [1, []], "get_and_touch" => [1, %w[ttl]], "set" => [2, %w[flags ttl]], "add" => [2, %w[flags ttl]],
          "replace" => [2, %w[flags ttl]], "append" => [2, %w[flags ttl]], "prepend" => [2, %w[flags ttl]],
          "cas" => [2, %w[flags ttl cas]], "increment" => [1, %w[delta initial ttl]], "delete" => [1, []],
          "touch" => [1, %w[ttl]], "flush_all" => [0, []] }.freeze
READS = %w[get get_and_touch].freeze
MANY = %w[get set delete].freeze
OUTCOMES = %w[ok not_found not_stored exists].freeze

# A line that does not keep to the grammar.
class Unclear < StandardError; end

# A step whose outcome is another.
class Failed < StandardError; end

# The cases speak of bytes and flags: they are the values here.
class Pairs
  def encode(value)
    value
  end

  def decode(data, flags)
    [data, flags]
  end
end

def unescape(text)
  text.gsub(/\\(x\h\h|.)/n) { ESCAPES.fetch($1) { $1[1..].hex.chr } }
end

def read_word(scanner)
  word = "".b
  until scanner.eos? || scanner.check(/ /)
    scanner.scan(PIECE) or raise Unclear, "the words cannot be read"
    word << (scanner[3] || unescape(scanner[1]) * (scanner[2] || 1).to_i)
  end
  word
end

def read_words(line)
  scanner = StringScanner.new(line)
  words = []
  words << read_word(scanner) while scanner.skip(/ */) && !scanner.eos?
  words
end

def read_options(words)
  words.to_h { |word| word.split("=", 2) }
end

# One line: a verb with its words, and what is to come back.
class Step
  attr_reader :verb, :named, :status, :value, :expected

  def initialize(line)
    words = read_words(line)
    arrow = words.index("->")
    raise Unclear, "a step is written VERB ... -> STATUS ..." unless arrow&.positive? && words[arrow + 1]

    @verb = words[0]
    count, takes = VERBS.fetch(@verb) { raise Unclear, "there is no verb #{@verb}" }
    @words = words[1, count]
    @named = named_of(words[(1 + count)...arrow], takes)
    @status, *rest = words[(arrow + 1)..]
    @value = rest.shift if @status == "ok" && [*READS, "increment"].include?(@verb)
    @expected = named_of(rest, %w[flags cas not_cas])
  end

  def named_of(words, names)
    found = read_options(words)
    raise Unclear, "there is no place for #{found}" unless (found.keys - names).empty?

    found
  end

  def key
    @words[0]
  end

  def bytes
    @words[1]
  end

  def number(name, default = 0)
    @named.fetch(name, default).to_i
  end

  # The value to be stored, as Pairs takes it.
  def pair
    [bytes, number("flags")]
  end
end

# Runs lines on a client, and compares.
class Runner
  attr_accessor :batch

  def initialize(endpoint)
    @endpoint = endpoint
  end

  def use_client(options)
    @client&.close
    @client = Shoal::Client.new(@endpoint, codec: Pairs.new, operation_timeout_ms: 20_000,
                                           **options.transform_keys(&:to_sym))
  end

  def begin_case
    @tokens = {}
    use_client({})
    @client.flush_all
  end

  # --- Calling: the statuses that an outcome may stand for, and the outcome ---

  def call(step)
    ttl = step.number("ttl")
    case step.verb
    when "get" then found(@client.get(step.key))
    when "get_and_touch" then found(@client.get_and_touch(step.key, ttl: ttl))
    when "increment" then found(count(step, ttl))
    when "delete" then found(@client.delete(step.key) || nil)
    when "touch" then found(@client.touch(step.key, ttl: ttl) || nil)
    when "flush_all" then found(@client.flush_all.nil?)
    when "cas" then compare_and_set(step, ttl)
    else stored(step, ttl)
    end
  end

  def found(value)
    [[value.nil? ? "not_found" : "ok"], value]
  end

  def count(step, ttl)
    delta = step.number("delta", 1)
    initial = step.named["initial"]&.to_i
    return @client.increment(step.key, delta, initial: initial, ttl: ttl) if delta.positive?

    @client.decrement(step.key, -delta, initial: initial, ttl: ttl)
  end

  def compare_and_set(step, ttl)
    text = step.named.fetch("cas", "0")
    done = @client.cas(step.key, step.pair, @tokens.fetch(text) { text.to_i }, ttl: ttl)
    return [["ok"], nil] if done

    [[@client.get(step.key).nil? ? "not_found" : "exists"], nil]
  end

  def stored(step, ttl)
    value = %w[append prepend].include?(step.verb) ? step.bytes : step.pair
    [[@client.public_send(step.verb, step.key, value, ttl: ttl) ? "ok" : "not_stored"], nil]
  end

  def status_of(error)
    error.status_name.delete_prefix("SHOAL_E_").downcase
  end

  def outcome(step)
    call(step)
  rescue Shoal::Error => e
    [[status_of(e)], nil]
  end

  # --- Comparing ---

  def check(step, statuses, found)
    raise Failed, "came #{statuses.join(" or ")}" unless statuses.include?(step.status)
    return unless step.status == "ok"

    if READS.include?(step.verb) && found != [step.value, step.expected.fetch("flags", 0).to_i]
      raise Failed, "came #{found[0][0, 40].inspect} flags=#{found[1]}"
    end
    raise Failed, "came #{found}" if step.verb == "increment" && found != step.value.to_i

    check_token(step)
  end

  # No call but gets tells a token: it is asked for once the step is done.
  def check_token(step)
    name, other = step.expected.values_at("cas", "not_cas")
    return unless name || other

    token = @client.gets(step.key)&.last
    raise Failed, "came the token #{token}" if token.to_i.zero? || (other && @tokens.fetch(other) == token)
    raise Failed, "came another token than #{name}" if name && (@tokens[name] ||= token) != token
  end

  # --- Batches: runs of one verb go through the call for many keys, what has none step by step ---

  # The items in groups that one call can take, in their order.
  def runs
    @items.each_with_object([]) do |item, groups|
      groups << [] unless groups.any? && joins?(groups.last, item)
      groups.last << item
    end
  end

  def joins?(group, item)
    MANY.include?(item.verb) && group[0].verb == item.verb && group[0].number("ttl") == item.number("ttl") &&
      group.none? { |each| each.key == item.key }
  end

  # The statuses and the outcome of each item.
  def call_many(items)
    keys = items.map(&:key)
    case items[0].verb
    when "get" then read_many(keys)
    when "set" then told(keys, set_many(items), "ok")
    else told(keys, @client.delete_many(keys), "ok", "not_found")
    end
  end

  def set_many(items)
    @client.set_many(items.to_h { |item| [item.key, item.pair] }, ttl: items[0].number("ttl"))
  end

  def read_many(keys)
    hits = @client.get_many(keys)
    keys.map { |key| found(hits[key]) }
  rescue Shoal::Error => e
    keys.map { |key| e.partial.key?(key) ? found(e.partial[key]) : [[status_of(e), "not_found"], nil] }
  end

  def told(keys, failed, *fine)
    keys.map { |key| [failed.include?(key) ? %w[bad_key too_large] : fine, true] }
  end

  def end_batch
    return unless @batch

    status = @batch
    @batch = nil
    runs.each do |group|
      outcomes = MANY.include?(group[0].verb) ? call_many(group) : [outcome(group[0])]
      group.zip(outcomes) { |item, came| check(item, *came) }
    end
    failed = @items.any? { |item| !OUTCOMES.include?(item.status) }
    raise Failed, "the batch's items do not make it #{status}" if status != (failed ? "partial" : "ok")
  end

  # --- Lines ---

  def run_line(line)
    first = line[/\A[^ ]*/]
    return add_item(line) if first == "+"

    end_batch
    words = read_words(line)
    case first
    when "with" then use_client(read_options(words.drop(1)))
    when "sleep" then sleep words[1].to_i
    when "batch"
      @batch = words[2]
      @items = []
    else
      step = Step.new(line)
      check(step, *outcome(step))
    end
  end

  def add_item(line)
    raise Unclear, "an item without a batch" unless @batch

    @items << Step.new(line[1..])
  end
end

# Goes through a file, and counts cases, failed ones and unclear lines.
class Cases
  attr_reader :counts

  def initialize(runner, path)
    @runner = runner
    @path = path
    @counts = { cases: 0, failed: 0, unclear: 0 }
    @skip = true
  end

  def run
    File.binread(@path).lines(chomp: true).push("case").each.with_index(1) do |line, number|
      line = line.lstrip
      next if line.empty? || line.start_with?("#")

      line.start_with?("case") ? enter(line[5..], number) : guarded(line, number) { @runner.run_line(line) }
    end
  end

  # Ends the case before, and begins one; the last line has no title.
  def enter(title, number)
    guarded("the batch above", number) { @runner.end_batch }
    @runner.batch = nil
    @skip = title.nil?
    return if @skip

    @title = title
    @counts[:cases] += 1
    @runner.begin_case
  end

  def guarded(line, number)
    yield unless @skip
  rescue Unclear, Failed => e
    puts "#{@path}:#{number}: case #{@title}: #{line[0, 100]}: #{e.message}"
    @counts[e.is_a?(Failed) ? :failed : :unclear] += 1
    @skip = true
  end
end

servers = Array.new(3) { Memcached.new }
cases = Cases.new(Runner.new("static://#{servers.map(&:name).join(",")}"), ARGV.fetch(0))
begin
  cases.run
ensure
  servers.each(&:stop)
end
counts = cases.counts
puts "ruby: #{counts[:cases]} cases, #{counts[:failed]} failed, #{counts[:unclear]} unclear lines"
exit(counts[:cases].positive? && counts[:failed].zero? && counts[:unclear].zero?)
