<?php

/**
 * The PSR-16 tests on a cache without a namespace, which has the fleet to itself. May use: Shoal, the tests.
 */

declare(strict_types=1);

use Cache\IntegrationTests\SimpleCacheTest;
use Shoal\Client;
use Shoal\SimpleCache;

final class SimpleCacheSuiteTest extends SimpleCacheTest
{
    public function createSimpleCache(): SimpleCache
    {
        return new SimpleCache(new Client(getenv('SHOAL_TEST_ENDPOINT'), ['operation_timeout_ms' => 10000]));
    }
}
