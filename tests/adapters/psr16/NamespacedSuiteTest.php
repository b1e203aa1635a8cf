<?php

/**
 * The PSR-16 tests on a namespace of a cache. May use: Shoal, the tests.
 */

declare(strict_types=1);

use Cache\IntegrationTests\SimpleCacheTest;
use Shoal\Client;
use Shoal\SimpleCache;

final class NamespacedSuiteTest extends SimpleCacheTest
{
    public function createSimpleCache(): SimpleCache
    {
        return new SimpleCache(new Client(getenv('SHOAL_TEST_ENDPOINT'), ['operation_timeout_ms' => 10000]), 'suite');
    }
}
