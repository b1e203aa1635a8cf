<?php

/** Laravel's tests of locks on memcached, on ShoalStore. May use: Laravel's tests. */

declare(strict_types=1);

use Illuminate\Tests\Integration\Cache\MemcachedCacheLockTestCase;

final class LockSuiteTest extends MemcachedCacheLockTestCase
{
}
