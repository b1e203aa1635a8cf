# frozen_string_literal: true

# Exceptions: one class for each kind of error the core tells, all under Shoal::Error.
# May require: the native module's constants. Required by the package, and used by the codecs.
module Shoal
  # Whatever Shoal reports. Its message says what was wrong, where, and what to do.
  #
  # All kinds are subclasses, so that one rescue takes them all. None is an ArgumentError, as a class has one parent in
  # Ruby; an argument of a wrong type, or a number out of range, is Ruby's own TypeError, ArgumentError or RangeError.
  class Error < StandardError
    # @return [Integer] the status of the C library, e.g. -9
    attr_reader :status
    # @return [String, nil] the node at which it happened, as "host:port"; nil where no node was involved
    attr_reader :node
    # @return [Integer] the operating system's error number; 0 where none was involved
    attr_reader :errno
    # @return [Integer] how often the command was tried on a node; 0 where the call failed before a connection was there
    attr_reader :attempts
    # @return [Hash, nil] what `get_many` read before or beside the failure; nil from every other call
    attr_reader :partial

    # @param message [String, nil] what was wrong, where, and what to do
    # @param details [Hash] the attributes
    def initialize(message = nil, status: 0, node: nil, errno: 0, attempts: 0, retriable: false, outcome_unknown: false,
                   partial: nil)
      super(message)
      @status = status
      @node = node
      @errno = errno
      @attempts = attempts
      @retriable = retriable
      @outcome_unknown = outcome_unknown
      @partial = partial
    end

    # Whether the same call may succeed later without a change by the caller.
    # @return [Boolean]
    def retriable?
      @retriable
    end

    # Whether the command may have been executed all the same, because its reply was lost.
    # @return [Boolean]
    def outcome_unknown?
      @outcome_unknown
    end

    # The name of the status in C, e.g. "SHOAL_E_TIMEOUT".
    # @return [String]
    def status_name
      Native.status_name(status)
    end
  end

  # An argument that cannot be right, such as the cas token 0.
  class InvalidArgument < Error; end

  # Memory ran out.
  class OutOfMemory < Error; end

  # An option that does not exist (the message names the nearest), or a value that it does not take.
  class BadOption < Error; end

  # An endpoint that cannot be read, or of a kind that is not built in.
  class BadEndpoint < Error; end

  # A key that is empty, too long, or holds a space or a control character.
  class BadKey < Error; end

  # A value that the server refuses for its size, or larger than `max_value_bytes`.
  class TooLarge < Error; end

  # An increment or decrement of an item that is no decimal number.
  class NotANumber < Error; end

  # The client was closed.
  class Closed < Error; end

  # The call's time ran out.
  class Timeout < Error; end

  # The node refused, closed the connection or could not be reached.
  class NodeDown < Error; end

  # No list of nodes is known yet: the endpoint gave none.
  class DiscoveryError < Error; end

  # The server's answer made no sense; its connection was closed.
  class ProtocolError < Error; end

  # The server answered with an error of its own.
  class ServerError < Error; end

  # Not possible with this protocol, server or build.
  class Unsupported < Error; end

  # The operating system refused, e.g. for want of descriptors or threads: see `errno`.
  class SystemFailure < Error; end

  # A stored value that the codec cannot read: damaged, or written by another client.
  class BadValue < Error; end

  CLASSES = {
    Native::E_INVALID => InvalidArgument,
    Native::E_NO_MEMORY => OutOfMemory,
    Native::E_BAD_OPTION => BadOption,
    Native::E_BAD_ENDPOINT => BadEndpoint,
    Native::E_BAD_KEY => BadKey,
    Native::E_TOO_LARGE => TooLarge,
    Native::E_NOT_A_NUMBER => NotANumber,
    Native::E_CLOSED => Closed,
    Native::E_TIMEOUT => Timeout,
    Native::E_NODE_DOWN => NodeDown,
    Native::E_DISCOVERY => DiscoveryError,
    Native::E_PROTOCOL => ProtocolError,
    Native::E_SERVER => ServerError,
    Native::E_UNSUPPORTED => Unsupported,
    Native::E_SYSTEM => SystemFailure,
    Native::E_BAD_VALUE => BadValue
  }.freeze
  private_constant :CLASSES

  # The native module calls it for every error. A status unknown here is an Error.
  Native.use_errors(lambda do |status, message, node, errno, attempts, retriable, outcome_unknown, partial|
    CLASSES.fetch(status, Error).new(message, status: status, node: node, errno: errno, attempts: attempts,
                                              retriable: retriable, outcome_unknown: outcome_unknown, partial: partial)
  end)
end
