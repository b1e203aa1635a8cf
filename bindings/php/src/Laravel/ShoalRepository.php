<?php

declare(strict_types=1);

namespace Shoal\Laravel;

use Illuminate\Cache\Repository;
use Shoal\Lease;

/**
 * Laravel's cache on a ShoalStore, of a store with `'fetch' => true` in config/cache.php: of all processes of the fleet
 * one computes what `remember`, `rememberForever`, `sear` and `flexible` miss. The others wait for it, for the client's
 * `fetch_wait_ms` at most. All else is as in Laravel, whose own methods read, compute and store.
 *
 * @internal ShoalServiceProvider makes it
 */
final class ShoalRepository extends Repository
{
    /**
     * Laravel's own repository with the same store and events, and this class's methods.
     *
     * @param array<string, mixed> $config the store's part of config/cache.php
     */
    public static function inPlaceOf(Repository $theirs, array $config): self
    {
        $mine = new self($theirs->getStore(), array_intersect_key($config, ['store' => true]));
        $events = $theirs->getEventDispatcher();
        if ($events !== null) {
            $mine->setEventDispatcher($events);
        }

        return $mine;
    }

    /** {@inheritdoc} */
    public function remember($key, $ttl, \Closure $callback): mixed
    {
        return $this->alone($key, $callback, fn ($compute) => parent::remember($key, $ttl, $compute));
    }

    /** {@inheritdoc} */
    public function rememberForever($key, \Closure $callback): mixed
    {
        return $this->alone($key, $callback, fn ($compute) => parent::rememberForever($key, $compute));
    }

    /**
     * Laravel's own, of Laravel 11 on. Who refreshes an old value has Laravel's lock.
     *
     * @param array{int|\DateInterval|\DateTimeInterface, int|\DateInterval|\DateTimeInterface} $ttl
     */
    public function flexible($key, $ttl, $callback, ...$more): mixed
    {
        $cache = fn (mixed $compute): mixed => parent::flexible($key, $ttl, $compute, ...$more);

        return $callback instanceof \Closure ? $this->alone($key, $callback, $cache) : $cache($callback);
    }

    /** Calls Laravel's method with a callback that computes only what nobody else does, and ends the claim after it. */
    private function alone(mixed $key, \Closure $callback, \Closure $cache): mixed
    {
        $lease = null;
        $isThere = null;
        $hasReturned = false;
        $compute = function () use ($key, $callback, &$lease, &$isThere, &$hasReturned): mixed {
            // What flexible defers is computed behind the response, under Laravel's own lock.
            if (!$hasReturned && !$this->claim($key, $lease)) {
                throw $isThere = new \RuntimeException('somebody else computed it');
            }

            return $callback();
        };
        try {
            return $cache($compute);
        } catch (\RuntimeException $thrown) {
            return $thrown === $isThere ? $cache($callback) : throw $thrown;
        } finally {
            $hasReturned = true;
            $lease?->abandon();
        }
    }

    /** Whether this process is to compute: where nobody can be asked, it is. */
    private function claim(mixed $key, ?Lease &$lease): bool
    {
        $name = $key instanceof \UnitEnum ? ($key instanceof \BackedEnum ? $key->value : $key->name) : $key;

        return $this->getStore()->claim($this->itemKey($name), $lease);
    }
}
