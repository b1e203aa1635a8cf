# frozen_string_literal: true

# What the gem shows: every public method is documented and typed, and its spelling does not change unseen.
# May require: support, and rbs, which comes with Ruby.
require "support"

ROOT = File.expand_path("..", __dir__)

# The public methods of the gem, as [class, method].
def public_functions
  modules = [Shoal] + Shoal.constants.map { |name| Shoal.const_get(name) }.grep(Module) - [Shoal::Native]
  modules.flat_map do |each|
    own = each.public_instance_methods(false) + (each.private_instance_methods(false) & [:initialize])
    own.map { |name| each.instance_method(name) } + each.singleton_methods(false).map { |name| each.method(name) }
  end
end

# How a method is called, as the RBS of it can be spelled too.
def shape(parameters)
  parameters.map do |kind, name|
    case kind
    when :req then "required"
    when :opt then "optional"
    when :rest then "rest"
    when :key, :keyreq then "#{name}:"
    when :keyrest then "**"
    end
  end.compact
end

class PublicTest < Minitest::Test
  CALLS = <<~CALLS
    get(key, default = )
    gets(key)
    get_many(*keys)
    get_multi(*keys)
    get_and_touch(key, seconds = , default = , ttl: )
    set(key, value, seconds = , ttl: )
    add(key, value, seconds = , ttl: )
    replace(key, value, seconds = , ttl: )
    append(key, value, seconds = , ttl: )
    prepend(key, value, seconds = , ttl: )
    cas(key, value, token, seconds = , ttl: )
    set_many(mapping, seconds = , ttl: )
    touch(key, seconds = , ttl: )
    delete(key)
    delete_many(*keys)
    increment(key, delta = , initial: , ttl: )
    decrement(key, delta = , initial: , ttl: )
    fetch(key, seconds = , ttl: , stale_ttl: , cache_nils: )
    claim(key)
    flush_all()
    stats(group = )
    nodes()
    topology()
    route(key)
    next_event()
    close()
    inspect()
    marshal_dump()
  CALLS
  SPELLINGS = { req: "%s", opt: "%s = ", rest: "*%s", key: "%s: " }.freeze

  def test_the_clients_methods
    spelled = Shoal::Client.public_instance_methods(false).map do |name|
      parameters = Shoal::Client.instance_method(name).parameters
      "#{name}(#{parameters.map { |kind, parameter| format(SPELLINGS.fetch(kind), parameter) }.join(", ")})"
    end
    assert_equal CALLS.lines(chomp: true).sort, spelled.sort
  end

  # The comment right above a method, or nil.
  def comment_of(function)
    path, line = function.source_location
    above = File.readlines(path, chomp: true).first(line - 1).reverse.take_while { |each| each.match?(/\A\s*#/) }
    above.reverse.join("\n") unless above.empty?
  end

  def test_all_is_documented
    checked = public_functions.select(&:source_location)
    assert_operator checked.size, :>, 40
    checked.each do |function|
      comment = comment_of(function)
      assert comment, "#{function} has no comment"
      next if comment.include?("(see #") || function.name == :initialize

      told = comment.scan(/@param (\w+)/).flatten
      names = function.parameters.map(&:last).map(&:to_s)
      assert_equal names.sort, told.sort, function.to_s
      assert_match(/@return|@raise/, comment, function.to_s) unless function.name == :initialize
    end
  end

  def test_files_are_free_of_warnings
    files = Dir["#{ROOT}/{lib,ext,test,examples}/**/*.{rb,ru}", "#{ROOT}/*.gemspec"]
    assert_operator files.size, :>, 10
    files.each { |path| assert_equal "Syntax OK\n", Open3.capture2e(RbConfig.ruby, "-wc", path)[0], path }
    files.each do |path|
      assert_match(/\A# frozen_string_literal: true\n\n# \S/, File.read(path), path)
      assert_empty File.readlines(path, chomp: true).select { |line| line.size > 120 }, path
    end
  end
end

class SignatureTest < Minitest::Test
  def setup
    require "rbs"
    loader = RBS::EnvironmentLoader.new
    loader.add(path: Pathname("#{ROOT}/sig"))
    @builder = RBS::DefinitionBuilder.new(env: RBS::Environment.from_loader(loader).resolve_type_names)
  rescue LoadError
    skip "rbs is not installed"
  end

  def definition(function)
    owner = function.owner
    return @builder.build_instance(type_name(owner)) unless owner.singleton_class?

    @builder.build_singleton(type_name(function.receiver))
  end

  def type_name(kind)
    *within, last = kind.name.split("::")
    RBS::TypeName.new(name: last.to_sym, namespace: RBS::Namespace.parse("::#{within.join("::")}"))
  end

  def shape_in_signature(function, method)
    type = method.defs.first.type.type
    positional = ["required"] * type.required_positionals.size + ["optional"] * type.optional_positionals.size
    positional << "rest" if type.rest_positionals
    keywords = (type.required_keywords.keys + type.optional_keywords.keys).map { |name| "#{name}:" }
    positional + keywords + (type.rest_keywords ? ["**"] : [])
  end

  def test_the_signature_is_that_of_the_gem
    checked = public_functions.select(&:source_location)
    assert_operator checked.size, :>, 40
    checked.each do |function|
      method = definition(function).methods[function.name]
      assert method, "#{function} is not in the signature"
      wanted = shape(function.parameters)
      wanted = shape([%i[key compress], %i[key compress_min_bytes]]) if wanted == ["**"]
      wanted = %w[required compress: compress_min_bytes:] if wanted == %w[required **] && function.name == :make
      assert_equal wanted, shape_in_signature(function, method), function.to_s
    end
  end

  def test_the_signature_names_nothing_else
    written = @builder.env.class_decls.keys.select { |name| name.to_s.start_with?("::Shoal::") }
    written.each do |name|
      kind = Object.const_get(name.to_s)
      next if kind < Struct || !kind.is_a?(Class)

      methods = @builder.build_instance(name).methods.select { |_, method| method.defined_in == name }.keys
      assert_empty methods - kind.instance_methods(false) - [:initialize], name.to_s
    end
  end

  def test_the_signature_is_valid
    output, status = Open3.capture2e(RbConfig.ruby, "-rrbs", "-rrbs/cli", "-e",
                                     "RBS::CLI.new(stdout: $stdout, stderr: $stderr).run(ARGV)", "--", "-I",
                                     "#{ROOT}/sig", "validate")
    assert status.success?, output
  end
end
