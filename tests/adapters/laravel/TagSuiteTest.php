<?php

/** Laravel's tests of tags on memcached, on ShoalStore. May use: Laravel's tests. */

declare(strict_types=1);

use Illuminate\Tests\Integration\Cache\MemcachedTaggedCacheTestCase;

final class TagSuiteTest extends MemcachedTaggedCacheTestCase
{
}
