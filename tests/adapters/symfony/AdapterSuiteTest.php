<?php

/** Symfony's tests of adapters, with those of PSR-6, on ShoalAdapter. May use: Shoal, Symfony, its tests. */

declare(strict_types=1);

use Psr\Cache\CacheItemPoolInterface;
use Shoal\Symfony\ShoalAdapter;
use Symfony\Component\Cache\Tests\Adapter\AdapterTestCase;

final class AdapterSuiteTest extends AdapterTestCase
{
    protected function setUp(): void
    {
        parent::setUp();
        $this->skippedTests = left_out(self::class); // Debian 13 and 14 patch more in
    }

    public function createCachePool(int $defaultLifetime = 0, ?string $testMethod = null): CacheItemPoolInterface
    {
        return new ShoalAdapter(suite_client(), $testMethod ?? 'suite', $defaultLifetime);
    }
}
