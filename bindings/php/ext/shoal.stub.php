<?php

/**
 * The extension: shoal's C functions by their names, made by SWIG. For editors and analysers; a test compares it with
 * the extension.
 *
 * Handles are objects of final classes, which no script can make, copy or serialise. Where a status is negative, an
 * exception of Shoal\Exception is thrown; statuses that come back are outcomes: 0 is done. Numbers of 64 bits without
 * sign are strings of digits where they are larger than PHP_INT_MAX. A codec is null for bytes as they are, a packer,
 * or an object with encode and decode.
 */

namespace Shoal\Native {
    /** Options, before a client is made of them. */
    final class Config {}
    /** A view of a fleet that belongs to the process. */
    final class Client {}
    /** An immutable list of nodes. */
    final class Topology {}
    /** One node of a topology. */
    final class Node {}
    /** What the nodes say of themselves. */
    final class Stats {}
    /** Something that happened in the background. */
    final class Event {}
    /** The right to compute a value: given back where it is freed and stored nothing. */
    final class Lease {}
    /** The description of one option. */
    final class Option {}
    /** A predecessor, and what to set in its place. */
    final class Preset {}
    /** A client's layout of flags and bytes. */
    final class Codec {}
    /** A codec of the core with a serialiser and a compression. */
    final class Packer {}
}

namespace {
    const SHOAL_VERSION_MAJOR = 0;
    const SHOAL_VERSION_MINOR = 1;
    const SHOAL_VERSION_PATCH = 0;
    const SHOAL_VERSION_NUMBER = 1000;
    const SHOAL_OK = 0;
    const SHOAL_NOT_FOUND = 1;
    const SHOAL_NOT_STORED = 2;
    const SHOAL_EXISTS = 3;
    const SHOAL_STALE = 4;
    const SHOAL_COMPUTE = 5;
    const SHOAL_PARTIAL = 6;
    const SHOAL_E_INVALID = -1;
    const SHOAL_E_NO_MEMORY = -2;
    const SHOAL_E_BAD_OPTION = -3;
    const SHOAL_E_BAD_ENDPOINT = -4;
    const SHOAL_E_BAD_KEY = -5;
    const SHOAL_E_TOO_LARGE = -6;
    const SHOAL_E_NOT_A_NUMBER = -7;
    const SHOAL_E_CLOSED = -8;
    const SHOAL_E_TIMEOUT = -9;
    const SHOAL_E_NODE_DOWN = -10;
    const SHOAL_E_DISCOVERY = -11;
    const SHOAL_E_PROTOCOL = -12;
    const SHOAL_E_SERVER = -13;
    const SHOAL_E_UNSUPPORTED = -14;
    const SHOAL_E_SYSTEM = -15;
    const SHOAL_E_BAD_VALUE = -16;
    const SHOAL_SET = 0;
    const SHOAL_ADD = 1;
    const SHOAL_REPLACE = 2;
    const SHOAL_APPEND = 3;
    const SHOAL_PREPEND = 4;
    const SHOAL_CAS = 5;
    const SHOAL_EVENT_TOPOLOGY_CHANGED = 1;
    const SHOAL_EVENT_DISCOVERY_FAILED = 2;
    const SHOAL_EVENT_DISCOVERY_RECOVERED = 3;
    const SHOAL_EVENT_NODE_FAILED = 4;
    const SHOAL_EVENT_NODE_RECOVERED = 6;
    const SHOAL_EVENT_WARNING = 5;
    const SHOAL_KIND_BYTES = 1;
    const SHOAL_KIND_TEXT = 2;
    const SHOAL_KIND_INTEGER = 3;
    const SHOAL_KIND_DOUBLE = 4;
    const SHOAL_KIND_BOOL = 5;
    const SHOAL_KIND_PICKLE = 6;
    const SHOAL_KIND_MARSHAL = 7;
    const SHOAL_KIND_PHP = 8;
    const SHOAL_KIND_IGBINARY = 9;
    const SHOAL_KIND_MSGPACK = 10;
    const SHOAL_KIND_JSON = 11;
    const SHOAL_COMPRESS_NONE = 0;
    const SHOAL_COMPRESS_ZLIB = 1;
    const SHOAL_COMPRESS_ZSTD = 2;

    function shoal_version(): string {}
    function shoal_status_name(int $status): string {}

    function shoal_config_new(): \Shoal\Native\Config {}
    function shoal_config_set(\Shoal\Native\Config $config, string $name, string $value): int {}
    function shoal_config_get(\Shoal\Native\Config $config, string $name): string {}
    function shoal_config_set_preset(\Shoal\Native\Config $config, string $name): int {}

    function shoal_option_count(): int {}
    function shoal_option_at(int $index): ?\Shoal\Native\Option {}
    function shoal_option_find(?string $name): ?\Shoal\Native\Option {}
    function shoal_option_name(\Shoal\Native\Option $option): string {}
    function shoal_option_type(\Shoal\Native\Option $option): string {}
    function shoal_option_unit(\Shoal\Native\Option $option): string {}
    function shoal_option_range(\Shoal\Native\Option $option): string {}
    function shoal_option_default(\Shoal\Native\Option $option): string {}
    function shoal_option_since(\Shoal\Native\Option $option): string {}
    function shoal_option_description(\Shoal\Native\Option $option): string {}

    function shoal_preset_count(): int {}
    function shoal_preset_at(int $index): ?\Shoal\Native\Preset {}
    function shoal_preset_find(?string $name): ?\Shoal\Native\Preset {}
    function shoal_preset_name(\Shoal\Native\Preset $preset): string {}
    function shoal_preset_description(\Shoal\Native\Preset $preset): string {}

    /** The process's own client of this configuration. */
    function shoal_client_shared(\Shoal\Native\Config $config): \Shoal\Native\Client {}
    /** Ends a handle, not the process's client. */
    function shoal_client_close(\Shoal\Native\Client $client): void {}
    function shoal_quiesce(): void {}

    function shoal_get(\Shoal\Native\Client $client, string $key, ?object $codec, mixed $default): mixed {}
    /** @return array{mixed, int|string}|null value and token */
    function shoal_gets(\Shoal\Native\Client $client, string $key, ?object $codec): ?array {}
    function shoal_get_and_touch(
        \Shoal\Native\Client $client,
        string $key,
        int $ttl_s,
        ?object $codec,
        mixed $default
    ): mixed {}
    /** Whether the value was stored. $mode is SHOAL_SET or another of its kind. */
    function shoal_store(
        \Shoal\Native\Client $client,
        int $mode,
        string $key,
        mixed $value,
        int $ttl_s,
        int|string $cas,
        ?object $codec
    ): bool {}
    function shoal_delete(\Shoal\Native\Client $client, string $key): int {}
    function shoal_touch(\Shoal\Native\Client $client, string $key, int $ttl_s): int {}
    function shoal_increment(
        \Shoal\Native\Client $client,
        string $key,
        int $delta,
        int|string|null $initial,
        int $ttl_s
    ): int|string|null {}
    /**
     * @return array{int, mixed, ?\Shoal\Native\Lease} SHOAL_OK or SHOAL_STALE and the value; or SHOAL_COMPUTE, the old
     *                                                  value's bytes, null where there is none, and a lease
     */
    function shoal_fetch_begin(
        \Shoal\Native\Client $client,
        string $key,
        int $ttl_s,
        int $stale_ttl_s,
        ?object $codec
    ): array {}
    /** Once for each lease. */
    function shoal_lease_store(\Shoal\Native\Lease $lease, mixed $value, ?object $codec): void {}
    /** Lets somebody else compute at once; nothing where it stored. */
    function shoal_lease_abandon(\Shoal\Native\Lease $lease): void {}
    function shoal_flush_all(\Shoal\Native\Client $client): int {}

    /**
     * @param  array<int|string>        $keys
     * @return array<int|string, mixed> the hits
     */
    function shoal_get_many(\Shoal\Native\Client $client, array $keys, ?object $codec): array {}
    /**
     * @param  array<int|string, mixed> $values
     * @return list<string>             the keys that failed
     */
    function shoal_set_many(\Shoal\Native\Client $client, array $values, int $ttl_s, ?object $codec): array {}
    /**
     * @param  array<int|string> $keys
     * @return list<string>      the keys that failed
     */
    function shoal_delete_many(\Shoal\Native\Client $client, array $keys): array {}

    function shoal_client_topology(\Shoal\Native\Client $client): \Shoal\Native\Topology {}
    function shoal_topology_version(\Shoal\Native\Topology $topology): int|string {}
    function shoal_topology_node_count(\Shoal\Native\Topology $topology): int {}
    function shoal_topology_node_at(\Shoal\Native\Topology $topology, int $index): ?\Shoal\Native\Node {}
    function shoal_route(\Shoal\Native\Client $client, string $key): \Shoal\Native\Node {}
    function shoal_node_name(\Shoal\Native\Node $node): string {}
    function shoal_node_host(\Shoal\Native\Node $node): string {}
    function shoal_node_address(\Shoal\Native\Node $node): string {}
    function shoal_node_port(\Shoal\Native\Node $node): int {}
    function shoal_node_weight(\Shoal\Native\Node $node): int {}

    function shoal_stats_read(\Shoal\Native\Client $client, ?string $group): \Shoal\Native\Stats {}
    function shoal_stats_node_count(\Shoal\Native\Stats $stats): int {}
    function shoal_stats_node_name(\Shoal\Native\Stats $stats, int $node): string {}
    function shoal_stats_node_status(\Shoal\Native\Stats $stats, int $node): int {}
    function shoal_stats_count(\Shoal\Native\Stats $stats, int $node): int {}
    function shoal_stats_name(\Shoal\Native\Stats $stats, int $node, int $index): string {}
    function shoal_stats_value(\Shoal\Native\Stats $stats, int $node, int $index): string {}

    function shoal_client_next_event(\Shoal\Native\Client $client): ?\Shoal\Native\Event {}
    function shoal_event_kind(\Shoal\Native\Event $event): int {}
    function shoal_event_message(\Shoal\Native\Event $event): string {}
    function shoal_event_node(\Shoal\Native\Event $event): string {}
    function shoal_event_version(\Shoal\Native\Event $event): int|string {}
    function shoal_event_dropped(\Shoal\Native\Event $event): int|string {}

    function shoal_kind_name(int $kind): string {}
    function shoal_codec_count(): int {}
    function shoal_codec_at(int $index): ?\Shoal\Native\Codec {}
    function shoal_codec_find(?string $name): ?\Shoal\Native\Codec {}
    function shoal_codec_name(\Shoal\Native\Codec $codec): string {}
    function shoal_codec_carries(\Shoal\Native\Codec $codec, int $kind): int {}
    /** $serializer is php, igbinary, msgpack, json or json_array; $compress is SHOAL_COMPRESS_NONE or such. */
    function shoal_packer_new(
        \Shoal\Native\Codec $codec,
        string $serializer,
        int $compress,
        int $min_bytes
    ): \Shoal\Native\Packer {}
}
