<?php

declare(strict_types=1);

namespace Shoal\Laravel;

use Illuminate\Contracts\Container\Container;
use Illuminate\Support\ServiceProvider;

/**
 * Gives Laravel's cache the driver `shoal`. Composer's package discovery finds it.
 *
 *     'shoal' => [
 *         'driver' => 'shoal',
 *         'endpoint' => env('SHOAL_ENDPOINT', '127.0.0.1:11211'),
 *         'options' => ['operation_timeout_ms' => 200],
 *         'fetch' => true, // one process of the fleet computes what `remember` misses
 *     ],
 *
 * What a store of the driver memcached has (servers, options, sasl, prefix) is taken too.
 */
final class ShoalServiceProvider extends ServiceProvider
{
    public function register(): void
    {
        $this->callAfterResolving('cache', function ($cache): void {
            // The cache manager makes this closure its own, so that it may not be static.
            $cache->extend('shoal', function ($app, array $config) {
                $theirs = $app['cache']->repository(ShoalServiceProvider::makeStore($app, $config), $config);

                return $config['fetch'] ?? false ? ShoalRepository::inPlaceOf($theirs, $config) : $theirs;
            });
        });
    }

    /**
     * The store for its part of config/cache.php.
     *
     * @param array<string, mixed> $config
     */
    public static function makeStore(Container $app, array $config): ShoalStore
    {
        $prefix = $config['prefix'] ?? $app->make('config')->get('cache.prefix') ?? '';
        $store = new ShoalStore(ClientFactory::create($config), $prefix);
        if ($app->bound('log')) {
            $store->setLogger($app->make('log'));
        }

        return $store;
    }
}
