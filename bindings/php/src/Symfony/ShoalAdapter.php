<?php

declare(strict_types=1);

namespace Shoal\Symfony;

use Psr\Log\LoggerInterface;
use Shoal\Adapter\Keys;
use Shoal\Client;
use Shoal\Exception\ExceptionInterface;
use Shoal\Exception\TooLarge;
use Symfony\Component\Cache\Adapter\AbstractAdapter;
use Symfony\Component\Cache\CacheItem;
use Symfony\Component\Cache\Marshaller\DefaultMarshaller;
use Symfony\Component\Cache\Marshaller\MarshallerInterface;
use Symfony\Component\Cache\Traits\AbstractAdapterTrait;
use Symfony\Contracts\Cache\CacheInterface;
use Symfony\Contracts\Cache\ItemInterface;

/**
 * A pool of Symfony's cache on a fleet of memcached servers, for Symfony 5.4 to 7.4.
 *
 * Names and values are those of Symfony's MemcachedAdapter: with a client of the preset symfony, as `createConnection`
 * makes it, each reads what the other wrote. `clear` empties the pool's namespace alone, by a new version of it. What
 * fails is a miss or false, and told to the logger.
 *
 * `get` has a missing item computed by one process of the whole fleet, where Symfony's own lock sees to it on one host:
 * the others wait for it, for the client's `fetch_wait_ms` at most. `setCallbackWrapper(null)` switches both off.
 */
final class ShoalAdapter extends AbstractAdapter
{
    /** As MemcachedAdapter maps what memcached refuses: to characters that PSR-6 keeps out of keys. */
    private const REFUSED = " \n\r\t\v\f\0";
    private const IN_THEIR_PLACE = '@()\{}/';

    private readonly Client $client;
    private readonly MarshallerInterface $marshaller;

    /** What was read last: at a miss, the item that is to be computed. */
    private string $lastId = '';

    /**
     * Makes a pool; the network is not touched before the first call.
     *
     * @param string $namespace       its items are apart from those of other namespaces
     * @param int    $defaultLifetime in seconds, for items without one; 0 is for ever
     */
    public function __construct(
        Client $client,
        string $namespace = '',
        int $defaultLifetime = 0,
        ?MarshallerInterface $marshaller = null,
    ) {
        $this->maxIdLength = Keys::LONGEST;
        parent::__construct($namespace, $defaultLifetime);
        $this->enableVersioning();
        $this->client = $client->forAnyValue();
        $this->marshaller = $marshaller ?? new DefaultMarshaller();
        $this->setCallbackWrapper(self::acrossHosts($this->setCallbackWrapper(null)));
        self::loadValueWrapper();
    }

    /**
     * A client for a DSN such as shoal://host:port?operation_timeout_ms=200, or memcached://host. Its own options win.
     *
     * @param array<string, mixed> $options Shoal's, and what Symfony's memcached connections take
     */
    public static function createConnection(#[\SensitiveParameter] string $dsn, array $options = []): Client
    {
        return ClientFactory::create($dsn, $options);
    }

    /**
     * @param list<string> $ids
     * @return array<string, mixed>
     */
    protected function doFetch(array $ids): iterable
    {
        $this->lastId = (string) end($ids);
        $names = array_combine(array_map(self::name(...), $ids), $ids);
        try {
            $hits = $this->client->getMany(array_keys($names));
        } catch (ExceptionInterface $failure) {
            $this->tell('Failed to fetch some items', $failure);
            $hits = $failure->getPartial() ?? [];
        }
        $found = [];
        foreach ($hits as $name => $bytes) {
            try {
                $found[$names[$name]] = $this->marshaller->unmarshall((string) $bytes);
            } catch (\Exception $failure) {
                $this->tell('Failed to read an item', $failure);
            }
        }

        return $found;
    }

    protected function doHave(string $id): bool
    {
        $missing = new \stdClass();

        return $this->client->get(self::name($id), $missing) !== $missing;
    }

    /** The version of the namespace has changed by now, which is all it takes. */
    protected function doClear(string $namespace): bool
    {
        return false;
    }

    /** @param list<string> $ids */
    protected function doDelete(array $ids): bool
    {
        return $this->client->deleteMany(array_map(self::name(...), $ids)) === [];
    }

    /**
     * @param array<string, mixed> $values
     * @return list<string>|bool   the ids of those that were not stored
     */
    protected function doSave(array $values, int $lifetime): array|bool
    {
        $failed = [];
        $marshalled = $this->marshaller->marshall($values, $failed);
        $bytes = [];
        foreach ($marshalled as $id => $value) {
            $bytes[self::name((string) $id)] = $value;
        }
        $left = array_flip($this->store($bytes, $lifetime));
        $was_left = static fn (int|string $id): bool => isset($left[self::name((string) $id)]);

        return $left === [] ? $failed : [...$failed, ...array_filter(array_keys($marshalled), $was_left)];
    }

    /**
     * @param  array<int|string, string> $bytes by name
     * @return list<int|string>          the names that were not stored
     */
    private function store(array $bytes, int $lifetime): array
    {
        $left = array_keys($bytes);
        try {
            if (count($bytes) !== 1) {
                $left = $this->client->setMany($bytes, $lifetime);
                $refused = $left;
            } else {
                $this->client->set((string) $left[0], reset($bytes), $lifetime);

                return [];
            }
        } catch (ExceptionInterface $failure) {
            $this->tell('Failed to save items', $failure);
            $refused = $failure instanceof TooLarge ? $left : [];
        }
        // What was there before a value that the servers did not take is wrong by now.
        if ($refused !== []) {
            $this->client->deleteMany($refused);
        }

        return $left;
    }

    /**
     * What Symfony calls around computations: within that of one host's lock. What is computed before it is missing, by
     * beta, is Symfony's own matter. It may not know this pool, which has to end when nobody else does.
     */
    private static function acrossHosts(callable $onThisHost): \Closure
    {
        return static function (
            callable $callback,
            ItemInterface $item,
            bool &$save,
            CacheInterface $pool,
            \Closure $setMetadata,
            ?LoggerInterface $logger = null,
            ?float $beta = null,
        ) use ($onThisHost): mixed {
            $compute = $callback;
            if ($pool instanceof self && !$item->isHit() && $beta !== \INF) {
                $name = self::name($pool->lastId);
                $compute = static fn (ItemInterface $item, bool &$save): mixed
                    => $pool->computeAlone($name, $callback, $item, $save, $setMetadata);
            }

            return $onThisHost($compute, $item, $save, $pool, $setMetadata, $logger, $beta);
        };
    }

    /** Computes and saves what no other process does, or takes what another saved meanwhile. */
    private function computeAlone(
        string $name,
        callable $callback,
        ItemInterface $item,
        bool &$save,
        \Closure $setMetadata,
    ): mixed {
        $lease = null;
        try {
            $lease = $this->client->claim($name);
            if ($lease === null && ($theirs = $this->getItem($item->getKey()))->isHit()) {
                $save = false;

                return $theirs->get();
            }
        } catch (ExceptionInterface $failure) {
            $this->tell('Failed to claim an item', $failure);
        }
        try {
            $value = $callback($item, $save);
            if ($save) {
                $setMetadata($item);
                $this->save($item->set($value));
                $save = false;
            }

            return $value;
        } finally {
            $lease?->abandon();
        }
    }

    private function tell(string $what, \Exception $failure): void
    {
        $context = ['exception' => $failure, 'cache-adapter' => self::class];
        CacheItem::log($this->logger, "$what: {$failure->getMessage()}", $context);
    }

    /** What MemcachedAdapter calls it; control characters that it does not know as :01 and the like. */
    private static function name(string $id): string
    {
        $name = strtr($id, self::REFUSED, self::IN_THEIR_PLACE);
        if (preg_match('/[\x01-\x1F\x7F]/', $name) === 1) {
            $name = Keys::escape($name, '/[\x01-\x1F\x7F]/', ':');
        }

        return strlen($name) > Keys::LONGEST ? Keys::shorten($name) : $name;
    }

    /** Debian's autoloader does not know the class in which items with metadata are stored. */
    private static function loadValueWrapper(): void
    {
        static $done = false;
        $trait = new \ReflectionClass(AbstractAdapterTrait::class);
        $file = $done ? '' : dirname($trait->getFileName()) . '/ValueWrapper.php';
        if (!$done && is_file($file) && !class_exists("\xA9")) {
            require_once $file;
        }
        $done = true;
    }
}
