<?php

declare(strict_types=1);

namespace Shoal\Laravel;

use Illuminate\Cache\MemcachedStore;
use Illuminate\Cache\TaggableStore;
use Illuminate\Contracts\Cache\LockProvider;
use Shoal\Adapter\Keys;
use Shoal\Adapter\LogsFailures;
use Shoal\Client;
use Shoal\Exception\ExceptionInterface;
use Shoal\Exception\TooLarge;
use Shoal\Lease;

/**
 * A store of Laravel's cache on a fleet of memcached servers, for Laravel 8 to 13: the driver `shoal`.
 *
 * Keys and values are those of Laravel's memcached store: with a client of the preset laravel, as the service provider
 * makes it, each reads what the other wrote. What fails is null or false, and told to the logger; a value that cannot
 * be serialised is an exception, as in Laravel's own stores. `flush` empties the whole fleet, as there.
 */
final class ShoalStore extends TaggableStore implements LockProvider
{
    use LogsFailures;

    private readonly Client $client;
    private string $prefix = '';

    /** Makes a store; the network is not touched before the first call. */
    public function __construct(Client $client, string $prefix = '')
    {
        $this->client = $client->forAnyValue();
        $this->setPrefix($prefix);
    }

    /** {@inheritdoc} */
    public function get($key): mixed
    {
        return $this->attempt('read', null, fn (): mixed => $this->client->get($this->name($key)));
    }

    /**
     * {@inheritdoc}
     *
     * @param  array<int|string>        $keys
     * @return array<int|string, mixed> all of the keys, in their order; null for what is missing
     */
    public function many(array $keys): array
    {
        $names = Keys::names($this->prefix, $keys);
        try {
            $hits = $this->client->getMany($names);
        } catch (ExceptionInterface $failure) {
            $this->tell('read', $failure);
            $hits = $failure->getPartial() ?? [];
        }
        $values = [];
        foreach ($names as $name) {
            $values[] = $hits[$name] ?? null;
        }

        return array_combine($keys, $values);
    }

    /**
     * The value of a key, which one process of the whole fleet computes where there is none, or where it ran out: see
     * Shoal\Client::fetch. What the store cannot read is computed and not stored.
     *
     *     Cache::store('shoal')->getStore()->fetch('report', fn () => Report::make(), 60, 600);
     *
     * @param string    $key
     * @param int|float $seconds      how long it is fresh; 0 is for ever
     * @param int|float $staleSeconds how long after that it is still given to others while one computes the next
     */
    public function fetch($key, callable $compute, $seconds = 0, $staleSeconds = 0): mixed
    {
        $begun = false;
        $noting = static function () use ($compute, &$begun): mixed {
            $begun = true;

            return $compute();
        };
        $lifetimes = [self::lifetime($seconds), self::lifetime($staleSeconds)];
        try {
            return $this->client->fetch($this->name($key), $noting, ...$lifetimes);
        } catch (ExceptionInterface $failure) {
            if ($begun) {
                throw $failure; // the callable's own
            }
            $this->tell('read', $failure);

            return $compute();
        }
    }

    /**
     * Whether this process is to compute what is missing, by the lease if it has one; false where it is there by now.
     *
     * @internal ShoalRepository uses it
     */
    public function claim(string $key, ?Lease &$lease): bool
    {
        return $this->attempt('claim', true, function () use ($key, &$lease): bool {
            $lease = $this->client->claim($this->name($key));

            return $lease !== null;
        });
    }

    /** {@inheritdoc} */
    public function put($key, $value, $seconds): bool
    {
        return $this->attempt('store', false, function () use ($key, $value, $seconds): bool {
            try {
                return $this->client->set($this->name($key), $value, self::lifetime($seconds));
            } catch (TooLarge $failure) {
                $this->forget($key); // what was there is wrong by now
                throw $failure;
            }
        });
    }

    /**
     * {@inheritdoc}
     *
     * @param array<int|string, mixed> $values
     */
    public function putMany(array $values, $seconds): bool
    {
        $named = array_combine(Keys::names($this->prefix, array_keys($values)), $values);

        return $this->attempt('store', false, function () use ($named, $seconds): bool {
            $left = $this->client->setMany($named, self::lifetime($seconds));
            if ($left !== []) {
                $this->client->deleteMany($left);
            }

            return $left === [];
        });
    }

    /** Stores an item where there is none, of which the servers make sure. */
    public function add($key, $value, $seconds): bool
    {
        $add = fn (): bool => $this->client->add($this->name($key), $value, self::lifetime($seconds));

        return $this->attempt('add', false, $add);
    }

    /**
     * {@inheritdoc}
     *
     * @return int|string|false false where there is no number, as in Laravel's memcached store
     */
    public function increment($key, $value = 1): int|string|false
    {
        $increment = fn (): int|string|null => $this->client->increment($this->name($key), (int) $value);

        return $this->attempt('increment', null, $increment) ?? false;
    }

    /**
     * {@inheritdoc}
     *
     * @return int|string|false
     */
    public function decrement($key, $value = 1): int|string|false
    {
        $decrement = fn (): int|string|null => $this->client->decrement($this->name($key), (int) $value);

        return $this->attempt('decrement', null, $decrement) ?? false;
    }

    /** {@inheritdoc} */
    public function forever($key, $value): bool
    {
        return $this->put($key, $value, 0);
    }

    /** Gives an item a new lifetime; false where there is none. */
    public function touch($key, $seconds): bool
    {
        $touch = fn (): bool => $this->client->touch($this->name($key), self::lifetime($seconds));

        return $this->attempt('touch', false, $touch);
    }

    /** Deletes an item; false where there was none. */
    public function forget($key): bool
    {
        return $this->attempt('delete', false, fn (): bool => $this->client->delete($this->name($key)));
    }

    /** Empties the whole fleet, whatever the prefix. */
    public function flush(): bool
    {
        return $this->attempt('flush', false, function (): bool {
            $this->client->flushAll();

            return true;
        });
    }

    /**
     * {@inheritdoc}
     *
     * @param string  $name
     * @param int     $seconds 0 is for ever
     * @param ?string $owner
     */
    public function lock($name, $seconds = 0, $owner = null): ShoalLock
    {
        $lock = new ShoalLock($this->client, $this->name($name), $seconds, $owner);
        if ($this->logger !== null) {
            $lock->setLogger($this->logger);
        }

        return $lock;
    }

    /** {@inheritdoc} */
    public function restoreLock($name, $owner): ShoalLock
    {
        return $this->lock($name, 0, $owner);
    }

    /** {@inheritdoc} */
    public function getPrefix(): string
    {
        return $this->prefix;
    }

    /** Sets the prefix, which releases of Laravel before 11 end with a colon: so does this there. */
    public function setPrefix(string $prefix): void
    {
        $theirs = (new \ReflectionClass(MemcachedStore::class))->newInstanceWithoutConstructor();
        $theirs->setPrefix($prefix);
        $this->prefix = $theirs->getPrefix();
    }

    /** The client beneath, with a codec. */
    public function getClient(): Client
    {
        return $this->client;
    }

    private function name(int|string $key): string
    {
        return Keys::name($this->prefix . $key);
    }

    /** Laravel's stores on memcached keep for ever what should be over; its Repository deletes that itself. */
    private static function lifetime(int|float|string $seconds): int
    {
        return max(0, (int) ceil((float) $seconds));
    }

    private function attempt(string $what, mixed $otherwise, callable $call): mixed
    {
        try {
            return $call();
        } catch (ExceptionInterface $failure) {
            $this->tell($what, $failure);

            return $otherwise;
        }
    }
}
