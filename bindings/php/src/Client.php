<?php

declare(strict_types=1);

namespace Shoal;

use Shoal\Exception\BadOption;
use Shoal\Exception\ExceptionInterface;
use Shoal\Exception\InvalidArgument;

/**
 * A view of a fleet of memcached servers.
 *
 *     $cache = new Shoal\Client('my-cluster.cfg.use1.cache.amazonaws.com:11211', ['codec' => 'php']);
 *     $cache->set('greeting', 'hello', 60);
 *
 * Connections and the list of nodes belong to the process and outlive the request: a client with the same endpoint
 * and options finds them again. Keys are strings, which are bytes. Times to live are seconds: 0 for ever, negative
 * expired at once, fractions rounded up. Every call waits for `operation_timeout_ms` at most, and throws a
 * Shoal\Exception\ExceptionInterface where it fails.
 */
final class Client
{
    private const COMPRESSIONS = [
        'none' => \SHOAL_COMPRESS_NONE,
        'zlib' => \SHOAL_COMPRESS_ZLIB,
        'zstd' => \SHOAL_COMPRESS_ZSTD,
    ];

    private const LAYOUTS = ['php' => 'php-memcached', 'php-memcached' => 'php-memcached', 'json' => 'json'];

    /** What belongs to this class, beside the core's options. */
    private const OWN_OPTIONS = [
        'codec' => 'raw',
        'serializer' => null,
        'compress' => null,
        'compress_min_bytes' => null,
        'preset' => null,
    ];

    private readonly Native\Client $handle;

    /** null carries bytes as they are. */
    private Native\Packer|Codec|null $codec;

    /**
     * Makes a client; the network is not touched before the first call.
     *
     * Options are those that `shoal config` lists, by name (null leaves one as it is), those of Amazon's client, and:
     * codec (raw, php, json, or a Shoal\Codec), serializer (of the codec php: php, igbinary, msgpack, json,
     * json_array), compress (none, zlib, zstd) for values from compress_min_bytes on, and preset, e.g. php-memcached,
     * whose place Shoal takes: keys stay on their nodes.
     *
     * @param string|list<string>  $endpoint "host:port" to discover, a list of nodes, or any other that the core reads
     * @param array<string, mixed> $options
     */
    public function __construct(string|array $endpoint, array $options = [])
    {
        [$endpoint, $options] = AwsOptions::translate($endpoint, $options);
        $own = array_intersect_key($options, self::OWN_OPTIONS) + self::OWN_OPTIONS;
        $this->codec = self::makeCodec($own);
        $config = \shoal_config_new();
        if ($own['preset'] !== null) {
            \shoal_config_set_preset($config, self::optionText('preset', $own['preset']));
        }
        \shoal_config_set($config, 'endpoint', self::optionText('endpoint', $endpoint));
        foreach (array_diff_key($options, self::OWN_OPTIONS) as $name => $value) {
            if ($value !== null) {
                \shoal_config_set($config, (string) $name, self::optionText((string) $name, $value));
            }
        }
        $this->handle = \shoal_client_shared($config);
    }

    // --- Reading ---

    /** The value of a key, or the default where there is none. */
    public function get(string $key, mixed $default = null): mixed
    {
        return \shoal_get($this->handle, $key, $this->codec, $default);
    }

    /**
     * The value of a key with the token for `cas`, or null where there is no item.
     *
     * @return array{mixed, int|string}|null
     */
    public function gets(string $key): ?array
    {
        return \shoal_gets($this->handle, $key, $this->codec);
    }

    /**
     * Those of the keys that have a value. PHP makes ints of keys such as "5", here as in any array; ints among the
     * keys are taken for such strings.
     *
     * Where the read of a key failed, its exception is thrown once all are read; its getPartial() has the hits.
     *
     * @param  iterable<int|string>     $keys
     * @return array<int|string, mixed>
     */
    public function getMany(iterable $keys): array
    {
        return \shoal_get_many($this->handle, is_array($keys) ? $keys : iterator_to_array($keys, false), $this->codec);
    }

    /** The value of a key, which gets a new time to live; the default where there is none. */
    public function getAndTouch(string $key, int|float $ttl, mixed $default = null): mixed
    {
        return \shoal_get_and_touch($this->handle, $key, self::seconds($ttl), $this->codec, $default);
    }

    // --- Writing ---

    /** Stores a value, whatever was there. True; a value that the server refuses is an exception. */
    public function set(string $key, mixed $value, int|float $ttl = 0): bool
    {
        return \shoal_store($this->handle, \SHOAL_SET, $key, $value, self::seconds($ttl), 0, $this->codec);
    }

    /** Stores a value only where there was none: else false. */
    public function add(string $key, mixed $value, int|float $ttl = 0): bool
    {
        return \shoal_store($this->handle, \SHOAL_ADD, $key, $value, self::seconds($ttl), 0, $this->codec);
    }

    /** Stores a value only where there was one: else false. */
    public function replace(string $key, mixed $value, int|float $ttl = 0): bool
    {
        return \shoal_store($this->handle, \SHOAL_REPLACE, $key, $value, self::seconds($ttl), 0, $this->codec);
    }

    /** Puts bytes behind those that are there; false where there are none. See `prepend` for codecs. */
    public function append(string $key, string $value): bool
    {
        return \shoal_store($this->handle, \SHOAL_APPEND, $key, $value, 0, 0, null);
    }

    /**
     * Puts bytes before those that are there; false where there are none. The item's lifetime and flags stay as they
     * are. No codec sees the bytes: what is there should be neither serialised nor compressed.
     */
    public function prepend(string $key, string $value): bool
    {
        return \shoal_store($this->handle, \SHOAL_PREPEND, $key, $value, 0, 0, null);
    }

    /** Stores a value only where the item is still that of the token from `gets`: else false. */
    public function cas(string $key, mixed $value, int|string $token, int|float $ttl = 0): bool
    {
        return \shoal_store($this->handle, \SHOAL_CAS, $key, $value, self::seconds($ttl), $token, $this->codec);
    }

    /**
     * Stores many values. An exception means that nothing was sent.
     *
     * @param  iterable<int|string, mixed> $values values by their keys
     * @return list<string>                the keys that were not stored
     */
    public function setMany(iterable $values, int|float $ttl = 0): array
    {
        $array = is_array($values) ? $values : iterator_to_array($values);

        return \shoal_set_many($this->handle, $array, self::seconds($ttl), $this->codec);
    }

    /**
     * The value of a key, which one caller of the whole fleet computes where there is none, or where it ran out.
     * Meanwhile the others are given the old value, or wait for `fetch_wait_ms` where there is none, and then compute
     * as well.
     *
     * What the callable throws passes on, and the next caller computes at once. A value that could not be stored is
     * given all the same. null is a value like any other here: it is stored and found, and not computed again; who does
     * not want that throws. A computation that takes longer than `fetch_claim_s` may get company.
     *
     * @template T
     * @param  callable(): T $compute  computes the value
     * @param  int|float     $ttl      how long a computed value is fresh
     * @param  int|float     $staleTtl how long after that it is still served while one caller computes the next
     * @return T
     */
    public function fetch(string $key, callable $compute, int|float $ttl = 0, int|float $staleTtl = 0): mixed
    {
        [$status, $value, $lease] = \shoal_fetch_begin(
            $this->handle,
            $key,
            self::seconds($ttl),
            self::seconds($staleTtl),
            $this->codec,
        );
        if ($status !== \SHOAL_COMPUTE) {
            return $value;
        }
        try {
            $value = $compute();
            try {
                \shoal_lease_store($lease, $value, $this->codec);
            } catch (ExceptionInterface) {
                // The value in hand is right all the same, and the next caller computes it anew.
            }
        } finally {
            \shoal_lease_abandon($lease); // does nothing once it stored; a trace may keep the lease from being freed
        }

        return $value;
    }

    /** Gives an item a new time to live; false where there is none. */
    public function touch(string $key, int|float $ttl): bool
    {
        return \shoal_touch($this->handle, $key, self::seconds($ttl)) === \SHOAL_OK;
    }

    /** Deletes an item; false where there was none. */
    public function delete(string $key): bool
    {
        return \shoal_delete($this->handle, $key) === \SHOAL_OK;
    }

    /**
     * Deletes many items. An exception means that nothing was sent.
     *
     * @param  iterable<int|string> $keys
     * @return list<string>         the keys that could not be deleted, among which those without an item are not
     */
    public function deleteMany(iterable $keys): array
    {
        return \shoal_delete_many($this->handle, is_array($keys) ? $keys : iterator_to_array($keys, false));
    }

    /**
     * Adds to a counter: its new number. A missing one starts with $initial (the delta is not added) and the time to
     * live, or is null. Past 2^64 - 1 it wraps. It is never repeated on its own.
     *
     * @return int|string|null a string of digits where the number is larger than PHP_INT_MAX
     */
    public function increment(
        string $key,
        int $delta = 1,
        int|string|null $initial = null,
        int|float $ttl = 0,
    ): int|string|null {
        return \shoal_increment($this->handle, $key, $delta, $initial, self::seconds($ttl));
    }

    /**
     * Subtracts from a counter, which stays at 0 or above; else as `increment`.
     *
     * @return int|string|null a string of digits where the number is larger than PHP_INT_MAX
     */
    public function decrement(
        string $key,
        int $delta = 1,
        int|string|null $initial = null,
        int|float $ttl = 0,
    ): int|string|null {
        if ($delta === PHP_INT_MIN) {
            throw new InvalidArgument('the delta ' . PHP_INT_MIN . ' has no opposite');
        }

        return \shoal_increment($this->handle, $key, -$delta, $initial, self::seconds($ttl));
    }

    // --- The fleet ---

    /** Empties every node of the fleet, other clients' items too. */
    public function flushAll(): void
    {
        \shoal_flush_all($this->handle);
    }

    /**
     * What the nodes say of themselves, by node; null for a node that did not answer.
     *
     * @param  ?string $group null, or what memcached's `stats` takes: "settings", "items", "slabs", ...
     * @return array<string, ?array<string, string>>
     */
    public function stats(?string $group = null): array
    {
        $stats = \shoal_stats_read($this->handle, $group);
        $found = [];
        for ($node = 0, $nodes = \shoal_stats_node_count($stats); $node < $nodes; ++$node) {
            $counters = \shoal_stats_node_status($stats, $node) === \SHOAL_OK ? [] : null;
            for ($index = 0; $counters !== null && $index < \shoal_stats_count($stats, $node); ++$index) {
                $counters[\shoal_stats_name($stats, $node, $index)] = \shoal_stats_value($stats, $node, $index);
            }
            $found[\shoal_stats_node_name($stats, $node)] = $counters;
        }

        return $found;
    }

    /**
     * The names, "host:port", of the nodes in use.
     *
     * @return list<string>
     */
    public function nodes(): array
    {
        return array_column($this->topology()->nodes, 'name');
    }

    /** The list of nodes in use, with its version. */
    public function topology(): Topology
    {
        $topology = \shoal_client_topology($this->handle);
        $nodes = [];
        for ($index = 0, $count = \shoal_topology_node_count($topology); $index < $count; ++$index) {
            $node = \shoal_topology_node_at($topology, $index);
            $nodes[] = new Node(
                \shoal_node_name($node),
                \shoal_node_host($node),
                \shoal_node_address($node),
                \shoal_node_port($node),
                \shoal_node_weight($node),
            );
        }

        return new Topology(\shoal_topology_version($topology), $nodes);
    }

    /** The name of the node that a key belongs to now. No traffic to it. */
    public function route(string $key): string
    {
        return \shoal_node_name(\shoal_route($this->handle, $key));
    }

    // --- Its life ---

    /**
     * Ends this object: later calls throw Shoal\Exception\Closed. It need not be called, and may be more than once. The
     * process keeps its connections for the next client.
     */
    public function close(): void
    {
        \shoal_client_close($this->handle);
    }

    /**
     * The same client for values of every kind: with the codec php where it has none. Closing one closes both.
     *
     * @internal for the adapters, whose frameworks store more than bytes
     */
    public function forAnyValue(): self
    {
        $same = clone $this;
        $same->codec ??= self::makeCodec(['codec' => 'php'] + self::OWN_OPTIONS);

        return $same;
    }

    /**
     * The right to compute what is missing, or null where it is there by now: then another caller had it. While one has
     * it, the others wait for it as in `fetch`.
     *
     * @internal for the adapters, whose frameworks store what was computed themselves
     */
    public function claim(string $key): ?Lease
    {
        [, $found, $lease] = \shoal_fetch_begin($this->handle, $key, 0, 0, null);

        return $found === null && $lease !== null ? new Lease($lease) : null;
    }

    private function __clone()
    {
    }

    /** @return never */
    public function __serialize(): array
    {
        throw new InvalidArgument('a Shoal\Client cannot be serialised: make another from the same arguments');
    }

    /**
     * @param  array<mixed> $data
     * @return never
     */
    public function __unserialize(array $data): void
    {
        throw new InvalidArgument('a Shoal\Client cannot be unserialised: make another from the same arguments');
    }

    // --- Shared by several ---

    /** Fractions go away from 0, so that no item expires early, and none that should be gone lives for ever. */
    private static function seconds(int|float $ttl): int
    {
        if (is_int($ttl)) {
            return $ttl;
        }
        if (!is_finite($ttl)) {
            throw new InvalidArgument('a time to live is a finite number of seconds; 0 means for ever');
        }
        $whole = $ttl > 0 ? ceil($ttl) : floor($ttl);
        if (abs($whole) < PHP_INT_MAX) {
            return (int) $whole;
        }

        return $whole > 0 ? PHP_INT_MAX : PHP_INT_MIN;
    }

    /** An option's value as the core reads it: true and false, lists with commas. */
    private static function optionText(string $name, mixed $value): string
    {
        if (is_bool($value)) {
            return $value ? 'true' : 'false';
        }
        if (is_array($value)) {
            return implode(',', array_map(static fn (mixed $each): string => self::optionText($name, $each), $value));
        }
        if (!is_scalar($value)) {
            throw new BadOption("$name is text, a number, a bool or a list, not " . get_debug_type($value));
        }

        return (string) $value;
    }

    /** @param array<string, mixed> $own */
    private static function makeCodec(array $own): Native\Packer|Codec|null
    {
        $codec = $own['codec'] ?? 'raw';
        $layout = is_string($codec) ? self::LAYOUTS[$codec] ?? null : null;
        if ($layout === null) {
            $given = array_filter([$own['serializer'], $own['compress'], $own['compress_min_bytes']], 'is_scalar');
            if ($given !== []) {
                throw new BadOption('serializer, compress and compress_min_bytes belong to the codecs php and json');
            }
            if ($codec === 'raw' || $codec instanceof Codec) {
                return $codec === 'raw' ? null : $codec;
            }
            throw new BadOption('codec is raw, php, json, or an object that implements Shoal\Codec');
        }

        return self::makePacker($layout, $own);
    }

    /** @param array<string, mixed> $own */
    private static function makePacker(string $layout, array $own): Native\Packer
    {
        $compress = $own['compress'] ?? 'none';
        $least = $own['compress_min_bytes'] ?? 2000;
        if (!is_string($compress) || !isset(self::COMPRESSIONS[$compress])) {
            throw new BadOption('compress is none, zlib or zstd; what FastLZ compressed is read, and never written');
        }
        if (!is_int($least) || $least < 0) {
            throw new BadOption('compress_min_bytes is an int, 0 or more');
        }
        $serializer = $own['serializer'] ?? ($layout === 'json' ? 'json_array' : 'php');
        if (!in_array($serializer, ['php', 'igbinary', 'msgpack', 'json', 'json_array'], true)) {
            throw new BadOption('serializer is php, igbinary, msgpack, json or json_array');
        }

        return \shoal_packer_new(\shoal_codec_find($layout), $serializer, self::COMPRESSIONS[$compress], $least);
    }
}
