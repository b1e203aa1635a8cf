<?php

/** The PSR-16 tests on Symfony's Psr16Cache around ShoalAdapter. May use: Shoal, Symfony, its tests. */

declare(strict_types=1);

use Psr\SimpleCache\CacheInterface;
use Shoal\Symfony\ShoalAdapter;
use Symfony\Component\Cache\Psr16Cache;
use Symfony\Component\Cache\Tests\Psr16CacheTest;

final class Psr16SuiteTest extends Psr16CacheTest
{
    protected function setUp(): void
    {
        parent::setUp();
        $this->skippedTests = left_out(self::class); // Debian 13 and 14 patch more in
    }

    public function createSimpleCache(int $defaultLifetime = 0): CacheInterface
    {
        return new Psr16Cache(new ShoalAdapter(suite_client(), 'psr16', $defaultLifetime));
    }
}
