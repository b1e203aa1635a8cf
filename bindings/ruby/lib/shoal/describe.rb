# frozen_string_literal: true

# The options there are, as the core describes them: for adapters, and for whoever shows or checks settings.
# May require: the native module. Required by the package.
module Shoal
  # One option that a client takes as a keyword: its name (a Symbol), type ("string", "integer", "number", "span",
  # "boolean" or "choice"), unit (e.g. "ms"; "" where it has none), range ("1..600000", or its choices with bars between
  # them; "" for free text), default, the release that brought it, and a sentence on what it does.
  Option = Struct.new(:name, :type, :unit, :range, :default, :since, :description)

  # All options of the core's, in the order of the documentation.
  # @return [Array<Option>]
  def self.options
    Array.new(Native.option_count) do |index|
      option = Native.option_at(index)
      Option.new(Native.option_name(option).to_sym, Native.option_type(option), Native.option_unit(option),
                 Native.option_range(option), Native.option_default(option), Native.option_since(option),
                 Native.option_description(option)).freeze
    end
  end
end
