<?php

declare(strict_types=1);

namespace Shoal\Symfony;

use Shoal\Client;
use Shoal\Exception\BadEndpoint;

/**
 * Clients for the DSNs of Symfony's configuration.
 *
 * shoal://ENDPOINT?option=value takes any endpoint and option of Shoal's, of several hosts with commas between them;
 * memcached://[user:pass@]host[:port]?weight=N and memcached:?host[a:1]=N&host[b:2] are those of Symfony's own adapter.
 */
final class ClientFactory
{
    /** Keys stay on the nodes, and values in the format, that Symfony's MemcachedAdapter has. */
    private const DEFAULTS = ['codec' => 'php', 'preset' => 'symfony', 'long_keys' => 'hash'];

    /** Options of Symfony's memcached connections by their names here; null where they mean nothing here. */
    private const MEMCACHED_NAMES = [
        'prefix_key' => 'key_prefix',
        'username' => 'user',
        'connect_timeout' => 'connect_timeout_ms',
        'lazy' => null,
        'persistent_id' => null,
        'binary_protocol' => null,
        'compression' => null,
        'no_block' => null,
        'tcp_nodelay' => null,
        'weight' => null,
    ];

    /**
     * Makes a client; the network is not touched.
     *
     * @param array<string, mixed> $options options, over which those of the DSN win
     */
    public static function create(#[\SensitiveParameter] string $dsn, array $options = []): Client
    {
        if (preg_match('#^(shoal|memcached):(?://)?([^?]*)(?:\?(.*))?$#sD', $dsn, $found) !== 1) {
            throw new BadEndpoint('the DSN of a Shoal cache starts with shoal:// or memcached://');
        }
        [$endpoint, $query] = [$found[2], self::parseQuery($found[3] ?? '')];
        if ($found[1] === 'memcached') {
            [$endpoint, $query] = self::readMemcached($endpoint, $query);
        }

        return new Client($endpoint, self::translate($query) + self::translate($options) + self::DEFAULTS);
    }

    /**
     * As the core reads what follows an endpoint: + is no space.
     *
     * @return array<string, mixed>
     */
    private static function parseQuery(string $text): array
    {
        parse_str(str_replace('+', '%2B', $text), $query);

        return $query;
    }

    /**
     * @param  array<string, mixed>           $query
     * @return array{string, array<string, mixed>} the endpoint, and the query without what is in it
     */
    private static function readMemcached(#[\SensitiveParameter] string $place, array $query): array
    {
        if (str_contains($place, '@')) {
            [$who, $place] = explode('@', $place, 2);
            $credentials = array_map(rawurldecode(...), explode(':', $who, 2));
            $query += array_combine(array_slice(['user', 'password'], 0, count($credentials)), $credentials);
        }
        $nodes = [];
        if ($place !== '') {
            // memcached://host/50 is a weight, memcached:///run/memcached.sock/50 too.
            $weight = preg_match('#^(.+)/(\d+)$#D', $place, $parts) === 1 ? (int) $parts[2] : 0;
            $nodes[] = self::node($parts[1] ?? $place, (int) ($query['weight'] ?? $weight));
        }
        $hosts = $query['host'] ?? [];
        if (!is_array($hosts) || ($nodes === [] && $hosts === [])) {
            throw new BadEndpoint('the DSN names no host: memcached://a:11211 or memcached:?host[a:11211]&host[b:1]');
        }
        foreach ($hosts as $host => $weight) {
            $nodes[] = self::node(rtrim((string) $host, ':'), (int) $weight);
        }
        unset($query['host']);

        return ['static://' . implode(',', $nodes), $query];
    }

    private static function node(string $host, int $weight): string
    {
        if (str_starts_with($host, '/') || $weight <= 0) {
            return $host;
        }

        return preg_match('/(^|[^:]|\]):\d+$/D', $host) === 1 ? "$host:$weight" : "$host:11211:$weight";
    }

    /**
     * @param  array<string, mixed> $options
     * @return array<string, mixed>
     */
    private static function translate(array $options): array
    {
        $translated = [];
        foreach ($options as $name => $value) {
            if ($name === 'libketama_compatible') {
                // Without it, php-memcached places keys as it does by itself.
                $translated['preset'] = filter_var($value, FILTER_VALIDATE_BOOLEAN) ? 'symfony' : 'php-memcached';
                continue;
            }
            $own = array_key_exists($name, self::MEMCACHED_NAMES) ? self::MEMCACHED_NAMES[$name] : $name;
            if ($own !== null) {
                // A DSN has text alone, where the client wants an int.
                $translated[$own] = $own === 'compress_min_bytes' ? (int) $value : $value;
            }
        }

        return $translated;
    }
}
