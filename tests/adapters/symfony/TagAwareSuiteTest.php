<?php

/** Symfony's tests of adapters and those of tags, on ShoalAdapter with tags. May use: Shoal, Symfony, its tests. */

declare(strict_types=1);

use Psr\Cache\CacheItemPoolInterface;
use Shoal\Symfony\ShoalAdapter;
use Symfony\Component\Cache\Adapter\TagAwareAdapter;
use Symfony\Component\Cache\Tests\Adapter\AdapterTestCase;
use Symfony\Component\Cache\Tests\Adapter\TagAwareTestTrait;

final class TagAwareSuiteTest extends AdapterTestCase
{
    use TagAwareTestTrait;

    protected function setUp(): void
    {
        parent::setUp();
        $this->skippedTests = left_out(self::class); // Debian 13 and 14 patch more in
    }

    public function createCachePool(int $defaultLifetime = 0, ?string $testMethod = null): CacheItemPoolInterface
    {
        return new TagAwareAdapter(new ShoalAdapter(suite_client(), $testMethod ?? 'tagged', $defaultLifetime));
    }
}
