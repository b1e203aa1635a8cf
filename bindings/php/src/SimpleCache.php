<?php

declare(strict_types=1);

namespace Shoal;

use Psr\SimpleCache\CacheInterface;
use Shoal\Adapter\Keys;
use Shoal\Exception\BadValue;
use Shoal\Exception\ExceptionInterface;
use Shoal\Exception\Failure;
use Shoal\Exception\InvalidCacheArgument;
use Shoal\Exception\TooLarge;

/**
 * A PSR-16 cache on a fleet of memcached servers.
 *
 *     $cache = new Shoal\SimpleCache(new Shoal\Client('my-cluster.cfg.use1.cache.amazonaws.com:11211'), 'shop');
 *
 * A client without a codec gets the codec php. `clear` empties the namespace alone; without one it empties the whole
 * fleet. A namespace costs each write one more question to the servers, and reads none: its generation is read beside
 * the items. What fails is a miss or false, and told to the log (`setLogger`). Keys are what PSR-16 allows and more:
 * any string without {}()/\@: of any length.
 */
final class SimpleCache implements CacheInterface
{
    use Adapter\LogsFailures;

    private readonly Client $client;

    /** Where the generation of the namespace stands; null without a namespace. */
    private readonly ?string $generationName;

    /** As it was last read; what the servers have decides. */
    private ?string $generation = null;

    /**
     * Makes a cache; the network is not touched before the first call.
     *
     * @param string $namespace       its keys are apart from those of other namespaces
     * @param int    $defaultLifetime in seconds, for what is stored without one; 0 is for ever
     */
    public function __construct(
        Client $client,
        private readonly string $namespace = '',
        private readonly int $defaultLifetime = 0,
    ) {
        $this->client = $client->forAnyValue();
        $this->generationName = $namespace === '' ? null : Keys::name("$namespace:");
    }

    /** {@inheritdoc} */
    public function get($key, $default = null): mixed
    {
        $hits = $this->read([self::checkKey($key)]);

        return $hits === [] ? $default : reset($hits);
    }

    /** {@inheritdoc} */
    public function has($key): bool
    {
        return $this->read([self::checkKey($key)]) !== [];
    }

    /**
     * {@inheritdoc}
     *
     * @return iterable<string, mixed> all of the keys, in their order: an array, and a generator where one of them is
     *                                 such as "5", of which an array would make an int
     */
    public function getMultiple($keys, $default = null): iterable
    {
        $keys = self::checkKeys($keys);
        $values = $keys === [] ? [] : array_replace(array_fill_keys($keys, $default), $this->read($keys));

        return array_filter(array_keys($values), 'is_int') === [] ? $values : self::withTextKeys($values);
    }

    /** {@inheritdoc} */
    public function set($key, $value, $ttl = null): bool
    {
        return $this->setMultiple([self::checkKey($key) => $value], $ttl);
    }

    /** {@inheritdoc} */
    public function setMultiple($values, $ttl = null): bool
    {
        $pairs = [];
        foreach (self::checkIterable($values) as $key => $value) {
            // PHP makes ints of such keys of arrays.
            $pairs[self::checkKey(is_int($key) ? (string) $key : $key)] = $value;
        }
        $seconds = $this->seconds($ttl);
        if ($seconds !== null && $seconds <= 0) {
            return $this->deleteAll(array_keys($pairs));
        }
        $names = $this->namesForWriting(array_keys($pairs));

        return $names !== null && $this->write(array_combine(array_keys($names), $pairs), $seconds ?? 0);
    }

    /** {@inheritdoc} */
    public function delete($key): bool
    {
        return $this->deleteAll([self::checkKey($key)]);
    }

    /** {@inheritdoc} */
    public function deleteMultiple($keys): bool
    {
        return $this->deleteAll(self::checkKeys($keys));
    }

    /** Forgets all items of the namespace; without one, empties the whole fleet. */
    public function clear(): bool
    {
        return $this->attempt('clear the cache', function (): bool {
            if ($this->generationName === null) {
                $this->client->flushAll();

                return true;
            }
            $this->generation = null;

            return $this->client->set($this->generationName, self::newGeneration());
        });
    }

    // --- Names, which change with the namespace's generation ---

    /**
     * The keys by their names on the servers.
     *
     * @param  list<int|string>          $keys
     * @return array<string, int|string>
     */
    private function names(array $keys): array
    {
        $prefix = $this->generationName === null ? '' : "{$this->namespace}:{$this->generation}:";

        return array_combine(Keys::names($prefix, $keys), $keys);
    }

    /**
     * The same under the generation that the servers have now; null where it cannot be had: what is written under
     * another would be lost, and what is deleted there would live.
     *
     * @param  list<int|string>           $keys
     * @return ?array<string, int|string>
     */
    private function namesForWriting(array $keys): ?array
    {
        if ($this->generationName !== null) {
            $this->learnGeneration($this->fetch([$this->generationName]));
        }

        return $this->generationName === null || $this->generation !== null ? $this->names($keys) : null;
    }

    /** @param array<int|string, mixed> $hits what was read beside the generation's item, and that */
    private function learnGeneration(array $hits): void
    {
        $this->generation = $hits[$this->generationName] ?? null;
        if ($this->generation === null) {
            $this->attempt('begin the namespace', function (): bool {
                $begun = self::newGeneration();
                $this->generation = $this->client->add($this->generationName, $begun)
                    ? $begun : $this->client->get($this->generationName);

                return true;
            });
        }
    }

    /** Never one that there was, should the servers have forgotten it. */
    private static function newGeneration(): string
    {
        return bin2hex(random_bytes(8));
    }

    // --- Calls whose failure is no exception ---

    /**
     * Those of the keys that have a value. The generation that was known is tried, and read beside.
     *
     * @param  list<int|string>         $keys
     * @return array<int|string, mixed>
     */
    private function read(array $keys): array
    {
        if ($this->generationName === null) {
            $names = $this->names($keys);
            $hits = $this->fetch(array_keys($names));
        } else {
            $tried = $this->generation;
            $names = $tried === null ? [] : $this->names($keys);
            $hits = $this->fetch([$this->generationName, ...array_keys($names)]);
            $this->learnGeneration($hits);
            if ($this->generation === null) {
                return [];
            }
            if ($this->generation !== $tried) {
                $names = $this->names($keys);
                $hits = $this->fetch(array_keys($names));
            }
        }
        $found = [];
        foreach (array_intersect_key($names, $hits) as $name => $key) {
            $found[$key] = $hits[$name];
        }

        return $found;
    }

    /**
     * @param  list<int|string>         $names
     * @return array<int|string, mixed>
     */
    private function fetch(array $names): array
    {
        try {
            return $this->client->getMany($names);
        } catch (ExceptionInterface $failure) {
            $this->tell('read', $failure);

            return $failure->getPartial() ?? [];
        }
    }

    /** @param array<int|string, mixed> $values by name */
    private function write(array $values, int $seconds): bool
    {
        if (count($values) > 1) {
            try {
                $left = $this->client->setMany($values, $seconds);

                return $left === [] || $this->forget($left);
            } catch (\Exception $failure) {
                if ($failure instanceof Failure && !$failure instanceof BadValue) {
                    $this->tell('store', $failure);

                    return false;
                }
                // Nothing was sent, as one of them cannot be serialised: the others can.
            }
        }
        $stored = 0;
        foreach ($values as $name => $value) {
            $stored += (int) $this->writeOne((string) $name, $value, $seconds);
        }

        return $stored === count($values);
    }

    private function writeOne(string $name, mixed $value, int $seconds): bool
    {
        try {
            return $this->client->set($name, $value, $seconds);
        } catch (\Exception $failure) {
            $this->tell('store a value of the type ' . get_debug_type($value), $failure);

            return $failure instanceof TooLarge && $this->forget([$name]);
        }
    }

    /**
     * What was there before a value that the servers did not take is wrong by now.
     *
     * @param list<string> $names
     */
    private function forget(array $names): bool
    {
        $this->attempt('delete what was not replaced', fn (): bool => $this->client->deleteMany($names) === []);

        return false;
    }

    /** @param list<int|string> $keys */
    private function deleteAll(array $keys): bool
    {
        $names = $this->namesForWriting($keys);
        $delete = fn (): bool => $this->client->deleteMany(array_keys($names)) === [];

        return $names !== null && $this->attempt('delete', $delete);
    }

    /** @param callable(): bool $call */
    private function attempt(string $what, callable $call): bool
    {
        try {
            return $call();
        } catch (ExceptionInterface $failure) {
            $this->tell($what, $failure);

            return false;
        }
    }

    // --- What PSR-16 allows ---

    private static function checkKey(mixed $key): string
    {
        if (!is_string($key)) {
            throw new InvalidCacheArgument('a key is a string, not ' . get_debug_type($key));
        }
        if ($key === '' || strpbrk($key, '{}()/\\@:') !== false) {
            throw new InvalidCacheArgument('a key has one character or more, none of them of {}()/\\@:');
        }

        return $key;
    }

    /** @return list<string> */
    private static function checkKeys(mixed $keys): array
    {
        $checked = [];
        foreach (self::checkIterable($keys) as $key) {
            $checked[] = self::checkKey($key);
        }

        return $checked;
    }

    /** @return iterable<mixed> */
    private static function checkIterable(mixed $given): iterable
    {
        if (!is_iterable($given)) {
            throw new InvalidCacheArgument('many keys or values are an array or a Traversable, not '
                . get_debug_type($given));
        }

        return $given;
    }

    /** @param array<int|string, mixed> $values */
    private static function withTextKeys(array $values): \Generator
    {
        foreach ($values as $key => $value) {
            yield (string) $key => $value;
        }
    }

    /** The seconds that a time to live means, 0 or less for what is over; null for ever. */
    private function seconds(mixed $ttl): ?int
    {
        if ($ttl === null) {
            return $this->defaultLifetime > 0 ? $this->defaultLifetime : null;
        }
        if ($ttl instanceof \DateInterval) {
            $now = new \DateTimeImmutable();

            return $now->add($ttl)->getTimestamp() - $now->getTimestamp();
        }
        if (!is_int($ttl)) {
            throw new InvalidCacheArgument('a time to live is seconds as an int, a DateInterval or null, not '
                . get_debug_type($ttl));
        }

        return $ttl;
    }
}
