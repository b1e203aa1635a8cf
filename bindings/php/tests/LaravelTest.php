<?php

/**
 * Laravel's store, its locks and its driver, in what Laravel's own tests leave open; and what MemcachedStore wrote.
 *
 * May use: PHPUnit, Shoal, Laravel, php-memcached.
 */

declare(strict_types=1);

namespace Shoal\Tests;

require_once __DIR__ . '/AdapterTestCase.php';

use Illuminate\Cache\CacheServiceProvider;
use Illuminate\Cache\MemcachedStore;
use Illuminate\Cache\Repository;
use Illuminate\Config\Repository as Config;
use Illuminate\Container\Container;
use Shoal\Client;
use Shoal\Exception\BadOption;
use Shoal\Laravel\ClientFactory;
use Shoal\Laravel\ShoalRepository;
use Shoal\Laravel\ShoalServiceProvider;
use Shoal\Laravel\ShoalStore;

final class LaravelTest extends AdapterTestCase
{
    protected const LIBRARIES = ['Illuminate/Support/autoload.php', 'Illuminate/Cache/autoload.php',
        'Illuminate/Config/autoload.php', 'Illuminate/Container/autoload.php', 'Illuminate/Events/autoload.php'];

    private function store(string $prefix = '', ?Client $client = null): ShoalStore
    {
        return new ShoalStore($client ?? $this->client(['preset' => 'laravel']), $prefix);
    }

    public function testManyKeepsOrderAndFillsNulls(): void
    {
        $store = $this->store('p');
        self::assertTrue($store->putMany(['a' => 1, '5' => 'five', 'n' => null], 100));
        $keys = ['missing', 5, 'a', 'n', '6'];
        self::assertSame(['missing' => null, 5 => 'five', 'a' => 1, 'n' => null, 6 => null], $store->many($keys));
        self::assertSame([], $store->many([]));
        self::assertSame(1, (new Repository($store))->many(['a', 'missing' => 'default'])['a']);
        self::assertSame('default', (new Repository($store))->many(['missing' => 'default'])['missing']);
    }

    public function testOddKeysAreNoTwoTheSame(): void
    {
        $long = str_repeat('k', 245);
        $keys = ["a\0b", 'a b', 'a%20b', "a\nb", "a\x7fb", 'a%b', 'ä', "\xff", 'a:b', $long, "{$long}123456",
            "{$long}1234567", str_repeat('k ', 200)];
        $values = array_combine($keys, array_map(md5(...), $keys));
        $store = $this->store('p');
        self::assertTrue($store->putMany($values, 100));
        self::assertSame($values, $store->many($keys));
        foreach ($values as $key => $value) {
            self::assertSame($value, $store->get($key));
        }
        self::assertTrue($store->forget('a b'));
        self::assertFalse($store->forget('a b'));
        self::assertSame(md5('a%20b'), $store->get('a%20b'));
    }

    public function testWhatWasDoneIsABool(): void
    {
        $store = $this->store();
        self::assertSame([true, false], [$store->add('k', 'v', 100), $store->add('k', 'w', 100)]);
        self::assertSame([true, true, 'w'], [$store->put('k', 'v', 10), $store->forever('k', 'w'), $store->get('k')]);
        self::assertSame([true, false], [$store->touch('k', 100), $store->touch('missing', 100)]);
        self::assertSame([true, false], [$store->forget('k'), $store->forget('k')]);
        $store->forever('k', 'v');
        self::assertSame([true, null], [$store->flush(), $store->get('k')]);
    }

    public function testCounters(): void
    {
        $store = $this->store();
        self::assertSame([false, false], [$store->increment('n'), $store->decrement('n')]);
        $store->put('n', 10, 100);
        self::assertSame([11, 16, 9, 9], [$store->increment('n'), $store->increment('n', 5), $store->decrement('n', 7),
            $store->get('n')]);
        [$logger, $lines] = $this->log();
        $store->setLogger($logger);
        $store->put('text', 'no number', 100);
        self::assertFalse($store->increment('text'));
        self::assertCount(1, $lines);
    }

    public function testLifetimes(): void
    {
        $store = $this->store();
        $store->put('short', 'v', 1);
        $store->put('year', 'v', 366 * 86400);
        $store->put('century', 'v', 36525 * 86400);
        $store->put('touched', 'v', 1000);
        $store->touch('touched', 1);
        sleep(2);
        self::assertSame([null, 'v', 'v', null], array_values($store->many(['short', 'year', 'century', 'touched'])));
        $repository = new Repository($store);
        self::assertSame('made', $repository->remember('short', 100, static fn (): string => 'made'));
        self::assertTrue($repository->put('year', 'v', -1));
        self::assertFalse($repository->has('year'));
    }

    public function testTags(): void
    {
        $cache = new Repository($this->store('tags'));
        $cache->tags(['red', 'blue'])->put('k', 'v', 100);
        $cache->tags('green')->put('k', 'w', 100);
        self::assertSame('v', $cache->tags(['red', 'blue'])->get('k'));
        $cache->tags('blue')->flush();
        self::assertNull($cache->tags(['red', 'blue'])->get('k'));
        self::assertSame('w', $cache->tags('green')->get('k'));
    }

    // --- One process computes ---

    private function patientStore(): ShoalStore
    {
        return $this->store('alone', $this->client(['fetch_wait_ms' => 60000,
            'fetch_claim_s' => 1000]));
    }

    private static function patient(ShoalStore $store): ShoalRepository
    {
        return ShoalRepository::inPlaceOf(new Repository($store), []);
    }

    /** What two more processes are given by a method of the repository, called while this one computes. */
    private function whileOthersCall(string $call, callable $compute): array
    {
        $script = 'foreach (["Support", "Cache"] as $part) { require "Illuminate/$part/autoload.php"; }'
            . ' $store = new Shoal\Laravel\ShoalStore(new Shoal\Client($argv[1], ["operation_timeout_ms" => 10000,'
            . ' "fetch_wait_ms" => 60000]), "alone"); $cache = Shoal\Laravel\ShoalRepository::inPlaceOf('
            . " new Illuminate\Cache\Repository(\$store), []); echo $call;";
        $others = [];
        $value = $compute(function () use (&$others, $script): string {
            $others = [$this->startScript($script), $this->startScript($script)];
            usleep(500000);

            return 'once';
        });

        return [$value, ...array_map($this->outputOf(...), $others)];
    }

    public function testOneProcessComputesAndTheOthersHaveItsValue(): void
    {
        $cache = self::patient($this->patientStore());
        $once = ['once', 'once', 'once'];
        self::assertSame($once, $this->whileOthersCall('$cache->remember("k", 100, fn () => "computed twice")',
            fn ($compute) => $cache->remember('k', 100, $compute)));
        self::assertSame($once, $this->whileOthersCall('$cache->sear("ever", fn () => "computed twice")',
            fn ($compute) => $cache->rememberForever('ever', $compute)));
        self::assertSame($once, $this->whileOthersCall('$store->fetch("f", fn () => "computed twice", 100)',
            fn ($compute) => $cache->fetch('f', $compute, 100)));
        if (method_exists(Repository::class, 'flexible')) {
            self::assertSame($once, $this->whileOthersCall('$cache->flexible("flex", [100, 200], fn () => "computed twice")',
                fn ($compute) => $cache->flexible('flex', [100, 200], $compute)));
        }
    }

    public function testWhatTheContractSaysOfRememberIsKept(): void
    {
        $begun = microtime(true);
        [$cache, $other] = [self::patient($this->patientStore()), self::patient($this->patientStore())];
        $cache->put('k', 'put', 100);
        self::assertSame('put', $cache->remember('k', 100, fn () => 'never'));
        self::assertNull($cache->remember('null', 100, fn () => null));
        self::assertSame('next', $other->remember('null', fn () => 100, fn () => 'next'));
        self::assertSame('next', $cache->get('null'));
        self::assertSame('gone', $cache->remember('gone', 0, fn () => 'gone'));
        self::assertSame('next', $other->remember('gone', new \DateInterval('PT100S'), fn () => 'next'));
        foreach ([\DomainException::class, \RuntimeException::class] as $class) {
            $this->thrown($class, fn () => $cache->remember('fails', 100, fn () => throw new $class()));
        }
        self::assertSame('next', $other->remember('fails', 100, fn () => 'next'));
        $cache->tags('red')->remember('k', 100, fn () => $other->tags('red')->remember('k', 100, fn () => 'Laravel'));
        self::assertSame('Laravel', $cache->tags('red')->get('k'));
        self::assertLessThan(30, microtime(true) - $begun);
    }

    public function testFetchOfTheStore(): void
    {
        $store = $this->patientStore();
        self::assertSame('one', $store->fetch('odd key', fn () => 'one', 1, 100));
        self::assertSame('one', $store->get('odd key'));
        sleep(2);
        self::assertSame('one', $store->fetch('odd key', fn () => $store->fetch('odd key', fn () => 'never', 1, 100), 100));
        [$logger, $lines] = $this->log();
        $dead = new ShoalStore(new Client('static://127.0.0.1:1', ['on_node_failure' => 'error']));
        $dead->setLogger($logger);
        self::assertSame('computed', $dead->fetch('k', fn () => 'computed', 100));
        self::assertSame('computed', self::patient($dead)->remember('k', 100, fn () => 'computed'));
        self::assertStringContainsString('Shoal could not claim: 127.0.0.1:1', implode($lines->getArrayCopy()));
        $computed = 0;
        $fails = function () use (&$computed): never {
            ++$computed;
            throw new BadOption('mine');
        };
        $this->thrown(BadOption::class, fn () => $store->fetch('fails', $fails));
        self::assertSame(1, $computed);
    }

    // --- Locks ---

    public function testLocksHaveOwners(): void
    {
        $store = $this->store('locks');
        $lock = $store->lock('l', 100);
        self::assertTrue($lock->get());
        $other = $store->lock('l', 100);
        self::assertSame([false, false, false], [$other->get(), $other->release(), $other->refresh(5)]);
        $restored = $store->restoreLock('l', $lock->owner());
        self::assertTrue($restored->release());
        self::assertSame([false, true], [$lock->release(), $other->get()]);
        $lock->forceRelease();
        self::assertFalse($other->release());
    }

    public function testLongLocksLive(): void
    {
        $store = $this->store();
        $named = $store->lock('long', 40 * 86400, 'me');
        self::assertTrue($named->get());
        self::assertFalse($store->lock('long', 10)->get());
        self::assertTrue($store->restoreLock('long', 'me')->release());
        self::assertTrue($store->lock('ever')->get());
        self::assertFalse($store->lock('ever')->get());
    }

    public function testLocksAreRefreshed(): void
    {
        $store = $this->store();
        [$kept, $let] = [$store->lock('kept', 2), $store->lock('let', 2)];
        self::assertSame([true, true, true], [$kept->get(), $let->get(), $kept->refresh(100)]);
        sleep(3);
        self::assertSame([false, true], [$store->lock('kept', 1)->get(), $store->lock('let', 100)->get()]);
        self::assertSame([false, false], [$let->refresh(), $let->release()]);
    }

    public function testALockThatWasTakenOverIsNotReleased(): void
    {
        $client = $this->client();
        $lock = (new ShoalStore($client))->lock('l', 100, 'me');
        $lock->get();
        $client->set('l', 'another');
        self::assertSame([false, 'another'], [$lock->release(), $client->get('l')]);
    }

    // --- What fails ---

    public function testValuesThatAreNotStored(): void
    {
        $store = $this->store('', $this->client(['max_value_bytes' => 1000]));
        [$logger, $lines] = $this->log();
        $store->setLogger($logger);
        $store->putMany(['one' => 'old', 'two' => 'old', 'three' => 'old', 'four' => 'old'], 100);
        $large = str_repeat('x', 5000);
        self::assertFalse($store->put('one', $large, 100));
        self::assertFalse($store->putMany(['two' => $large, 'three' => 'new'], 100));
        self::assertSame(['one' => null, 'two' => null, 'three' => 'new'], $store->many(['one', 'two', 'three']));
        self::assertNotEmpty($lines);
        $this->thrown(\LogicException::class, fn () => $store->put('four', new Unserialisable(), 100));
        self::assertSame('old', $store->get('four'));
    }

    public function testANodeThatDiesIsMisses(): void
    {
        $client = $this->strictClient();
        $store = $this->store('', $client);
        [$logger, $lines] = $this->log();
        $store->setLogger($logger);
        $keys = array_map(static fn (int $i): string => "k$i", range(1, 30));
        self::assertTrue($store->putMany(array_fill_keys($keys, 'v'), 100));
        $lost = $this->killOwnerOf($client, $keys);
        try {
            self::assertSame(array_replace(array_fill_keys($keys, 'v'), array_fill_keys($lost, null)), $store->many($keys));
            self::assertStringContainsString(self::$servers[0]->name, $lines[0]);
            $key = $lost[0];
            self::assertNull($store->get($key));
            self::assertSame(array_fill(0, 8, false), [$store->put($key, 'w', 9), $store->add($key, 'w', 9),
                $store->increment($key), $store->touch($key, 9), $store->forget($key), $store->flush(),
                $store->putMany(array_fill_keys($keys, 'w'), 9), $store->forever($key, 'w')]);
            $lock = $store->lock($key, 10);
            self::assertSame([false, false, false], [$lock->get(), $lock->refresh(), $lock->release()]);
            $lock->forceRelease();
            self::assertSame('made', (new Repository($store))->remember($key, 9, static fn (): string => 'made'));
            self::assertGreaterThan(10, count($lines));
        } finally {
            $this->replaceFleet();
        }
    }

    public function testAForkSharesTheStore(): void
    {
        $store = $this->store();
        $store->put('k', 'parent', 100);
        self::assertTrue($this->inChild(fn () => $store->get('k') === 'parent' && $store->put('k', 'child', 100)));
        self::assertSame('child', $store->get('k'));
    }

    // --- In MemcachedStore's place ---

    public function testWhatMemcachedStoreWroteIsReadAndTheOtherWayRound(): void
    {
        if (!extension_loaded('memcached')) {
            self::markTestSkipped('php-memcached is not installed');
        }
        $values = ['text' => 'v', 'int' => 5, 'true' => true, 'list' => [1, [2]], 'object' => new \ArrayObject([1]),
            'long' => str_repeat('compress me ', 1000)];
        foreach (range(1, 50) as $i) {
            $values["key-$i"] = $i;
        }
        foreach ([[], [\Memcached::OPT_LIBKETAMA_COMPATIBLE => true, \Memcached::OPT_PREFIX_KEY => 'k:',
            \Memcached::OPT_SERIALIZER => \Memcached::SERIALIZER_IGBINARY]] as $options) {
            $memcached = new \Memcached();
            $memcached->setOptions($options);
            $memcached->addServers(array_map(static fn ($server): array => ['127.0.0.1', $server->port, 100], self::$servers));
            $theirs = new MemcachedStore($memcached, 'app');
            $servers = array_map(static fn ($server): array => ['host' => '127.0.0.1', 'port' => $server->port,
                'weight' => 100], self::$servers);
            $mine = new ShoalStore(ClientFactory::create(['servers' => $servers, 'options' => $options]), 'app');
            self::assertSame($theirs->getPrefix(), $mine->getPrefix());
            self::assertTrue($theirs->putMany($values, 100));
            self::assertEquals($values, $mine->many(array_keys($values)));
            self::assertSame(6, $mine->increment('int'));
            self::assertTrue($mine->putMany(array_fill_keys(array_keys($values), ['new']), 100));
            self::assertSame(array_fill_keys(array_keys($values), ['new']), $theirs->many(array_keys($values)));
            $lock = $theirs->lock('lock', 100, 'me');
            self::assertSame([true, false, true], [$lock->get(), $mine->lock('lock', 1)->get(),
                $mine->restoreLock('lock', 'me')->release()]);
        }
    }

    // --- The driver ---

    /** @param array<string, mixed> $store */
    private function repository(array $store): Repository
    {
        $app = new Container();
        $app->instance('config', new Config(['cache' => ['default' => 'shoal', 'prefix' => 'app',
            'stores' => ['shoal' => $store + ['driver' => 'shoal']]]]));
        [$logger] = $this->log();
        $app->instance('log', $logger);
        (new CacheServiceProvider($app))->register();
        (new ShoalServiceProvider($app))->register();

        return $app->make('cache')->store();
    }

    public function testTheDriver(): void
    {
        $cache = $this->repository(['endpoint' => self::endpoint(), 'options' => ['operation_timeout_ms' => 10000]]);
        self::assertTrue($cache->put('k', ['v'], 100));
        self::assertSame(['v'], $this->store('app')->get('k'));
        self::assertInstanceOf(ShoalStore::class, $cache->getStore());
        $other = $this->repository(['endpoint' => self::endpoint(), 'prefix' => 'other', 'fetch' => true]);
        self::assertNull($other->get('k'));
        self::assertSame([false, true], [$cache instanceof ShoalRepository, $other instanceof ShoalRepository]);
        self::assertCount(3, $cache->getStore()->getClient()->nodes());
    }

    public function testServersOfTheConfiguration(): void
    {
        $nodes = static fn (array $servers): array => array_map(static fn ($node): string => "{$node->name}*{$node->weight}",
            ClientFactory::create(['servers' => $servers])->topology()->nodes);
        self::assertSame(['a.test:11211*1', '[::1]:5*1'], $nodes([['host' => 'a.test', 'port' => 11211, 'weight' => 100],
            ['host' => '::1', 'port' => '5', 'weight' => '100']]));
        self::assertSame(['a.test:11211*2', '/run/mc.sock*1'], $nodes([['host' => 'a.test', 'weight' => 2],
            ['host' => '/run/mc.sock', 'port' => 0, 'weight' => 1]]));
        $this->thrown(BadOption::class, fn () => ClientFactory::create(['servers' => [], 'endpoint' => 'a']));
        $this->thrown(BadOption::class, fn () => ClientFactory::create(['options' => [27 => true]]));
        $this->thrown(BadOption::class, fn () => ClientFactory::create(['options' => ['operation_timeout' => 1]]));
    }
}
