<?php

/**
 * In place of the parent of Laravel's tests on memcached, which wants a whole application: a container with the cache.
 *
 * Its store `memcached` is of the driver shoal, on a client of the test's endpoint. May use: Shoal, Laravel, PHPUnit.
 */

declare(strict_types=1);

namespace Illuminate\Tests\Integration\Cache;

use Illuminate\Cache\CacheServiceProvider;
use Illuminate\Config\Repository;
use Illuminate\Container\Container;
use Illuminate\Support\Facades\Facade;
use PHPUnit\Framework\TestCase;
use Shoal\Laravel\ShoalServiceProvider;

abstract class MemcachedIntegrationTestCase extends TestCase
{
    protected function setUp(): void
    {
        self::makeApplication();
    }

    public static function makeApplication(): Container
    {
        $store = ['driver' => 'shoal', 'endpoint' => getenv('SHOAL_TEST_ENDPOINT'),
            'options' => ['operation_timeout_ms' => 10000], 'fetch' => true];
        $config = ['default' => 'memcached', 'prefix' => 'suite', 'stores' => ['memcached' => $store]];
        $app = new Container();
        Container::setInstance($app);
        $app->instance('config', new Repository(['cache' => $config]));
        (new CacheServiceProvider($app))->register();
        (new ShoalServiceProvider($app))->register();
        Facade::clearResolvedInstances();
        Facade::setFacadeApplication($app);

        return $app;
    }
}
