<?php

/** The PSR-16 tests on Laravel's Repository around ShoalStore. May use: Laravel, the tests. */

declare(strict_types=1);

use Cache\IntegrationTests\SimpleCacheTest;
use Illuminate\Tests\Integration\Cache\MemcachedIntegrationTestCase;
use Psr\SimpleCache\CacheInterface;

final class Psr16SuiteTest extends SimpleCacheTest
{
    public function createSimpleCache(): CacheInterface
    {
        static $suite = null;
        $suite ??= require __DIR__ . '/suite.php';
        foreach ($suite['left_out'] as $name => $reason) {
            $this->skippedTests[explode('::', $name)[1]] = $reason;
        }

        return MemcachedIntegrationTestCase::makeApplication()->make('cache')->store();
    }
}
