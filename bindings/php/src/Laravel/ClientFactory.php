<?php

declare(strict_types=1);

namespace Shoal\Laravel;

use Shoal\Client;
use Shoal\Exception\BadOption;

/**
 * Clients for the stores of config/cache.php, in the words of the driver memcached and in Shoal's.
 *
 * @internal ShoalServiceProvider uses it
 */
final class ClientFactory
{
    /** Keys stay on the nodes, and values in the format, that Laravel's memcached store has. */
    private const DEFAULTS = ['codec' => 'php', 'preset' => 'laravel', 'long_keys' => 'hash'];

    /** The numbers of php-memcached's options, which may not be installed; null where one means nothing here. */
    private const MEMCACHED_OPTIONS = [
        -1001 => null, // OPT_COMPRESSION: what is compressed is read
        -1002 => 'key_prefix', // OPT_PREFIX_KEY
        -1003 => 'serializer', // OPT_SERIALIZER
        0 => null, // OPT_NO_BLOCK
        1 => null, // OPT_TCP_NODELAY
        10 => null, // OPT_BUFFER_WRITES
        14 => 'connect_timeout_ms', // OPT_CONNECT_TIMEOUT
        15 => null, // OPT_RETRY_TIMEOUT; what fails is Shoal's own matter, here and below
        16 => 'preset', // OPT_LIBKETAMA_COMPATIBLE
        18 => null, // OPT_BINARY_PROTOCOL
        21 => null, // OPT_SERVER_FAILURE_LIMIT
        35 => null, // OPT_REMOVE_FAILED_SERVERS
        36 => null, // OPT_DEAD_TIMEOUT
        37 => null, // OPT_SERVER_TIMEOUT_LIMIT
    ];

    private const SERIALIZERS = [1 => 'php', 2 => 'igbinary', 3 => 'json', 4 => 'json_array', 5 => 'msgpack'];

    /** @param array<string, mixed> $config */
    public static function create(array $config): Client
    {
        if (isset($config['endpoint'], $config['servers'])) {
            throw new BadOption('a shoal store has an endpoint or servers, not both');
        }
        $options = [];
        foreach ($config['options'] ?? [] as $name => $value) {
            [$own, $value] = is_int($name) ? self::translate($name, $value) : [$name, $value];
            if ($own !== null) {
                $options[$own] = $value;
            }
        }
        [$user, $password] = array_values(array_filter($config['sasl'] ?? [])) + [null, null];
        if ($user !== null && $password !== null) {
            $options += ['user' => $user, 'password' => $password];
        }
        $servers = isset($config['servers']) ? self::servers($config['servers']) : null;

        return new Client($servers ?? $config['endpoint'] ?? '127.0.0.1:11211', $options + self::DEFAULTS);
    }

    /** @return array{?string, mixed} the option's own name, null where there is nothing to set */
    private static function translate(int $number, mixed $value): array
    {
        if (!array_key_exists($number, self::MEMCACHED_OPTIONS)) {
            throw new BadOption("php-memcached's option $number means nothing in a shoal store: name Shoal's own");
        }
        $own = self::MEMCACHED_OPTIONS[$number];
        if ($own === 'preset') {
            return $value ? ['preset', 'symfony'] : [null, null];
        }
        if ($own === 'serializer') {
            return ['serializer', self::SERIALIZERS[$value] ?? $value];
        }

        return [$own, $value];
    }

    /**
     * A fixed list, in its order. Weights that are all alike say nothing.
     *
     * @param array<array{host: string, port?: int|string, weight?: int|string}> $servers
     */
    private static function servers(array $servers): string
    {
        $alike = count(array_unique(array_map('intval', array_column($servers, 'weight')))) < 2;
        $nodes = array_map(static function (array $server) use ($alike): string {
            $host = $server['host'];
            if (str_starts_with($host, '/')) {
                return $host;
            }
            $host = str_contains($host, ':') && $host[0] !== '[' ? "[$host]" : $host;
            $node = $host . ':' . ($server['port'] ?? 11211);

            return $alike ? $node : "$node:" . max(1, (int) ($server['weight'] ?? 1));
        }, $servers);

        return 'static://' . implode(',', $nodes);
    }
}
