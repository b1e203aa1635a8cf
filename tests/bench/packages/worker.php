<?php

/**
 * PHP's contestants: makes calls of the client that it is told, and keeps the time. Asked and answered a line of JSON
 * at a time, as contestant.py says.
 *
 * May use: Shoal, php-memcached, Symfony's and Laravel's caches where they are installed. Started by __main__.py.
 */

declare(strict_types=1);

use Illuminate\Cache\MemcachedConnector;
use Illuminate\Cache\MemcachedStore;
use Shoal\Laravel\ShoalStore;
use Shoal\Symfony\ShoalAdapter;
use Symfony\Component\Cache\Adapter\AbstractAdapter;
use Symfony\Component\Cache\Adapter\MemcachedAdapter;

error_reporting(E_ALL & ~E_DEPRECATED);
set_error_handler(static fn (int $level, string $text): never => throw new \ErrorException($text), error_reporting());
require dirname(__DIR__, 3) . '/bindings/php/autoload.php';
foreach (['Symfony/Component/Cache', 'Illuminate/Cache', 'Illuminate/Support'] as $library) {
    $found = stream_resolve_include_path("$library/autoload.php");
    if ($found !== false) {
        require_once $found;
    }
}

const LIFETIME_S = 3600;

/** @param array<string, mixed> $told */
function shoal_client(array $told, string $preset): Shoal\Client
{
    $nodes = 'static://' . implode(',', $told['nodes']);

    return new Shoal\Client($nodes, ['preset' => $preset, 'codec' => 'php', 'operation_timeout_ms' => 60000]);
}

/**
 * Shoal's client, in php-memcached's place.
 *
 * @param  array<string, mixed>    $told
 * @return array<string, \Closure>
 */
function shoal_calls(array $told): array
{
    [$load, $keys, $key] = [$told['load'], array_keys($told['load']), array_key_first($told['load'])];
    $client = shoal_client($told, 'php-memcached');

    return [
        'get' => static fn () => $client->get($key),
        'set' => static fn () => $client->set($key, $load[$key]),
        'get_many' => static fn () => $client->getMany($keys),
        'set_many' => static fn () => $client->setMany($load),
    ];
}

/**
 * php-memcached, whose compression is off, as Shoal's is.
 *
 * @param  array<string, mixed>    $told
 * @return array<string, \Closure>
 */
function memcached_calls(array $told): array
{
    [$load, $keys, $key] = [$told['load'], array_keys($told['load']), array_key_first($told['load'])];
    $client = new \Memcached();
    $client->setOptions([\Memcached::OPT_COMPRESSION => false, \Memcached::OPT_TCP_NODELAY => true]);
    foreach ($told['nodes'] as $node) {
        [$host, $port] = explode(':', $node);
        $client->addServer($host, (int) $port);
    }

    return [
        'get' => static fn () => $client->get($key),
        'set' => static fn () => $client->set($key, $load[$key]),
        'get_many' => static fn () => $client->getMulti($keys),
        'set_many' => static fn () => $client->setMulti($load),
    ];
}

/**
 * A pool of Symfony's cache. The items to be stored are there before, so that no store is preceded by a read.
 *
 * @param  array<string, mixed>    $told
 * @return array<string, \Closure>
 */
function symfony_calls(array $told, AbstractAdapter $pool): array
{
    [$load, $keys] = [$told['load'], array_keys($told['load'])];
    $make = static fn (string $key) => $pool->getItem($key)->set($load[$key])->expiresAfter(LIFETIME_S);
    $items = array_map($make, $keys);

    return [
        'get' => static fn () => $pool->getItem($keys[0])->get(),
        'set' => static fn () => $pool->save($items[0]),
        'get_many' => static function () use ($pool, $keys): array {
            $found = [];
            foreach ($pool->getItems($keys) as $key => $item) {
                $found[$key] = $item->get();
            }

            return $found;
        },
        'set_many' => static function () use ($pool, $items): bool {
            foreach ($items as $item) {
                $pool->saveDeferred($item);
            }

            return $pool->commit();
        },
    ];
}

/**
 * A store of Laravel's cache.
 *
 * @param  array<string, mixed>    $told
 * @return array<string, \Closure>
 */
function laravel_calls(array $told, MemcachedStore|ShoalStore $store): array
{
    [$load, $keys, $key] = [$told['load'], array_keys($told['load']), array_key_first($told['load'])];

    return [
        'get' => static fn () => $store->get($key),
        'set' => static fn () => $store->put($key, $load[$key], LIFETIME_S),
        'get_many' => static fn () => $store->many($keys),
        'set_many' => static fn () => $store->putMany($load, LIFETIME_S),
    ];
}

/** @param array<string, mixed> $told @return array<string, \Closure> */
function calls_of(array $told): array
{
    [$host, $port] = explode(':', $told['nodes'][0]);

    return match ($told['name']) {
        'shoal' => shoal_calls($told),
        'php-memcached' => memcached_calls($told),
        'ShoalAdapter' => symfony_calls($told, new ShoalAdapter(shoal_client($told, 'symfony'), 'shoal')),
        'MemcachedAdapter' => symfony_calls($told, new MemcachedAdapter(
            MemcachedAdapter::createConnection("memcached://$host:$port"), 'theirs')),
        'ShoalStore' => laravel_calls($told, new ShoalStore(shoal_client($told, 'laravel'), 'shoal')),
        'MemcachedStore' => laravel_calls($told, new MemcachedStore(
            (new MemcachedConnector())->connect([['host' => $host, 'port' => $port, 'weight' => 1]]), 'theirs')),
    };
}

/** What a call gives; of a store, whether all was stored. */
function call(array $contestant, string $operation): mixed
{
    $result = $contestant['calls'][$operation]();

    return str_starts_with($operation, 'get') ? $result : $result === true || $result === [];
}

/** @return array{float, float} seconds on the clock, and of this process's cores */
function turn(\Closure $call, int $times): array
{
    $spent = static fn (array $usage): float => $usage['ru_utime.tv_sec'] + $usage['ru_stime.tv_sec']
        + ($usage['ru_utime.tv_usec'] + $usage['ru_stime.tv_usec']) / 1e6;
    $began_cpu = $spent(getrusage());
    $began = hrtime(true);
    for ($i = 0; $i < $times; ++$i) {
        $call();
    }

    return [(hrtime(true) - $began) / 1e9, $spent(getrusage()) - $began_cpu];
}

/** @return array<string, string> */
function describe(): array
{
    return ['php' => PHP_VERSION, 'shoal' => phpversion('shoal'),
        'php-memcached' => phpversion('memcached') . ' on libmemcached ' . \Memcached::LIBMEMCACHED_VERSION_HEX];
}

/** @param array<string, mixed> $told @param array<string, array<string, mixed>> $made */
function answer(array $told, array &$made): mixed
{
    $name = $told['name'] ?? '';
    switch ($told['do']) {
        case 'describe':
            return describe();
        case 'make':
            $made[$name] = ['calls' => calls_of($told), 'operation' => $told['operation']];

            return true;
        case 'close':
            unset($made[$name]);

            return true;
        case 'turn':
            return turn($made[$name]['calls'][$made[$name]['operation']], $told['times']);
        default:
            return call($made[$name], $told['do'] === 'call' ? $made[$name]['operation'] : $told['do']);
    }
}

$made = [];
while (($line = fgets(STDIN)) !== false) {
    try {
        $said = ['is' => answer(json_decode($line, true), $made)];
    } catch (\Throwable $failure) {
        $said = ['failed' => $failure::class . ': ' . $failure->getMessage()];
    }
    echo json_encode($said), "\n";
}
