<?php

/**
 * Symfony's adapter, its DSNs and its bundle, in what Symfony's own tests leave open; and what MemcachedAdapter wrote.
 *
 * May use: PHPUnit, Shoal, Symfony, php-memcached.
 */

declare(strict_types=1);

namespace Shoal\Tests;

require_once __DIR__ . '/AdapterTestCase.php';

use Shoal\Client;
use Shoal\Exception\BadEndpoint;
use Shoal\Exception\BadOption;
use Shoal\Symfony\ClientFactory;
use Shoal\Symfony\ShoalAdapter;
use Shoal\Symfony\ShoalBundle;
use Symfony\Component\Cache\Adapter\AdapterInterface;
use Symfony\Component\Cache\Adapter\MemcachedAdapter;
use Symfony\Component\Cache\Adapter\TagAwareAdapter;
use Symfony\Component\Cache\DependencyInjection\CachePoolPass;
use Symfony\Component\DependencyInjection\ChildDefinition;
use Symfony\Component\DependencyInjection\ContainerBuilder;
use Symfony\Component\HttpKernel\CacheClearer\Psr6CacheClearer;

final class SymfonyTest extends AdapterTestCase
{
    protected const LIBRARIES = ['Symfony/Component/Cache/autoload.php',
        'Symfony/Component/DependencyInjection/autoload.php', 'Symfony/Component/HttpKernel/autoload.php'];

    private function pool(string $namespace = '', int $lifetime = 0, ?Client $client = null): ShoalAdapter
    {
        return new ShoalAdapter($client ?? $this->client(['preset' => 'symfony']), $namespace, $lifetime);
    }

    /** @param iterable<string, mixed> $values */
    private static function save(AdapterInterface $pool, iterable $values, ?int $lifetime = null): bool
    {
        foreach ($values as $key => $value) {
            $pool->saveDeferred($pool->getItem((string) $key)->set($value)->expiresAfter($lifetime));
        }

        return $pool->commit();
    }

    /** @param list<string> $keys @return array<string, mixed> the hits */
    private static function hits(AdapterInterface $pool, array $keys): array
    {
        $found = [];
        foreach ($pool->getItems($keys) as $key => $item) {
            if ($item->isHit()) {
                $found[$key] = $item->get();
            }
        }

        return $found;
    }

    /** Keys that are odd, and many whose digests hold every character. @return array<string, int> */
    private static function oddKeys(): array
    {
        $keys = ["a\0b", 'a b', "a\tb", "a\x01b", "a\x1fb", "a\x7fb", 'a+b', 'a%b', 'ä', "\xff", '0', str_repeat(' ', 240),
            str_repeat("\x02", 230), str_repeat("\x02", 231)];
        foreach (range(1, 40) as $i) {
            $keys[] = str_repeat('long', 100) . $i;
        }

        return array_flip($keys);
    }

    public function testOddKeysAreNoTwoTheSame(): void
    {
        $odd = self::oddKeys();
        $pool = $this->pool('ns');
        self::assertTrue(self::save($pool, $odd));
        self::assertSame($odd, self::hits($this->pool('ns'), array_map('strval', array_keys($odd))));
        foreach ($odd as $key => $value) {
            self::assertTrue($pool->hasItem((string) $key));
            self::assertSame($value, $pool->getItem((string) $key)->get());
        }
        self::assertTrue($pool->deleteItem('a b'));
        self::assertFalse($pool->hasItem('a b'));
        self::assertTrue($pool->hasItem("a\tb"));
    }

    public function testClearTouchesOneNamespace(): void
    {
        $pools = [$this->pool(''), $this->pool('one'), $this->pool('two')];
        foreach ($pools as $pool) {
            self::save($pool, ['k' => 'v']);
        }
        self::assertTrue($pools[0]->clear());
        self::assertTrue($pools[1]->clear());
        self::assertSame([false, false, true], array_map(static fn ($pool) => $pool->hasItem('k'), $pools));
        self::save($pools[2], ['k' => 'v']);
        self::assertTrue($this->pool('two')->clear());
        $pools[2]->reset();
        self::assertFalse($pools[2]->hasItem('k'));
    }

    public function testLifetimes(): void
    {
        $pool = $this->pool('life', 1);
        self::save($pool, ['default' => 'v']);
        self::save($pool, ['year' => 'v'], 366 * 86400);
        self::save($pool, ['century' => 'v'], 36525 * 86400);
        self::save($this->pool('life'), ['ever' => 'v']);
        sleep(2);
        $keys = ['default', 'year', 'century', 'ever'];
        self::assertSame(['year' => 'v', 'century' => 'v', 'ever' => 'v'], self::hits($pool, $keys));
    }

    public function testTagsAndMetadata(): void
    {
        $tagged = new TagAwareAdapter($this->pool('tagged'));
        $compute = static function ($item) use (&$computed): string {
            $item->tag(['red', 'blue'])->expiresAfter(100);

            return 'v' . ++$computed;
        };
        self::assertSame(['v1', 'v1'], [$tagged->get('k', $compute), $tagged->get('k', $compute)]);
        self::assertEqualsCanonicalizing(['red', 'blue'], array_values($tagged->getItem('k')->getMetadata()['tags']));
        self::assertTrue($tagged->invalidateTags(['blue']));
        self::assertFalse($tagged->hasItem('k'));
        self::assertSame('v2', (new TagAwareAdapter($this->pool('tagged')))->get('k', $compute));
    }

    // --- One process computes ---

    /** A pool whose callers wait for longer than any test does, as none has to. */
    private function patientPool(): ShoalAdapter
    {
        return $this->pool('alone', 100, $this->client(['preset' => 'symfony', 'fetch_wait_ms' => 60000,
            'fetch_claim_s' => 1000]));
    }

    public function testOneProcessComputesAndTheOthersHaveItsValue(): void
    {
        $script = 'foreach (["Psr/Log", "Symfony/Component/Cache"] as $part) { require "$part/autoload.php"; }'
            . ' $pool = new Shoal\Symfony\ShoalAdapter(new Shoal\Client($argv[1], ["preset" => "symfony",'
            . ' "operation_timeout_ms" => 10000, "fetch_wait_ms" => 60000]), "alone");'
            . ' echo $pool->get("k", fn () => "computed twice");';
        $others = [];
        $pool = $this->patientPool();
        self::assertSame('once', $pool->get('k', function ($item) use (&$others, $script): string {
            $item->expiresAfter(100);
            $others = [$this->startScript($script), $this->startScript($script)];
            usleep(500000);

            return 'once';
        }));
        self::assertSame(['once', 'once'], array_map($this->outputOf(...), $others));
        self::assertSame('once', $pool->get('k', fn () => 'computed again', 1.0, $metadata));
        self::assertEqualsWithDelta(time() + 100, $metadata['expiry'], 20);
    }

    public function testWhatTheContractSaysOfGetIsKept(): void
    {
        $begun = microtime(true);
        [$pool, $other] = [$this->patientPool(), $this->patientPool()];
        $unsaved = static function ($item, bool &$save): string {
            $save = false;

            return 'unsaved';
        };
        self::assertSame(['unsaved', false], [$pool->get('k', $unsaved), $other->hasItem('k')]);
        $this->thrown(\DomainException::class, fn () => $pool->get('k', fn () => throw new \DomainException()));
        self::assertSame('next', $other->get('k', fn ($item) => $item->isHit() ? 'hit' : 'next'));
        self::assertSame('forced', $other->get('k', fn () => 'forced', \INF));
        self::assertSame('forced', $pool->get('k', fn () => 'never', 0));
        $within = fn () => $pool->get('recursive', fn () => 'inner') . ' and outer';
        self::assertSame('inner and outer', $pool->get('recursive', $within));
        $other->setCallbackWrapper(null);
        $unclaimed = fn () => $other->get('unclaimed', fn () => 'twice') . ' computed';
        self::assertSame('twice computed', $pool->get('unclaimed', $unclaimed));
        self::assertLessThan(30, microtime(true) - $begun);
    }

    public function testDeferredItemsAreSavedInTheEnd(): void
    {
        $pool = $this->pool('deferred');
        $pool->saveDeferred($pool->getItem('k')->set('v'));
        unset($pool);
        self::assertTrue($this->pool('deferred')->hasItem('k'));
    }

    public function testSubNamespaces(): void
    {
        $pool = $this->pool('sub');
        if (!method_exists($pool, 'withSubNamespace')) {
            self::markTestSkipped('this Symfony has no withSubNamespace');
        }
        self::save($pool, ['k' => 'outer']);
        self::save($pool->withSubNamespace('inner'), ['k' => 'inner']);
        self::assertSame(['k' => 'outer'], self::hits($pool, ['k']));
        self::assertSame(['k' => 'inner'], self::hits($pool->withSubNamespace('inner'), ['k']));
    }

    public function testWhatCannotBeMarshalledIsToldAndLeavesTheOldItem(): void
    {
        $pool = $this->pool('marshal');
        [$logger, $lines] = $this->log();
        $pool->setLogger($logger);
        self::save($pool, ['k' => 'old']);
        self::assertFalse(self::save($pool, ['a' => 1, 'k' => new Unserialisable(), 'b' => 2]));
        self::assertSame(['a' => 1, 'k' => 'old', 'b' => 2], self::hits($pool, ['a', 'k', 'b']));
        self::assertCount(1, $lines);
        self::assertStringContainsString('Failed to save key "{key}" of type Shoal\Tests\Unserialisable', $lines[0]);
    }

    public function testARefusedValueTakesTheOldOneAway(): void
    {
        $pool = $this->pool('large', 0, $this->client(['max_value_bytes' => 1000]));
        [$logger, $lines] = $this->log();
        $pool->setLogger($logger);
        self::save($pool, ['one' => 'old', 'two' => 'old', 'three' => 'old']);
        $large = str_repeat('x', 5000);
        self::assertFalse(self::save($pool, ['one' => $large]));
        self::assertFalse(self::save($pool, ['two' => $large, 'three' => 'new']));
        self::assertSame(['three' => 'new'], self::hits($pool, ['one', 'two', 'three']));
        self::assertNotEmpty($lines);
    }

    public function testANodeThatDiesIsMisses(): void
    {
        $client = $this->strictClient();
        $pool = $this->pool('', 0, $client);
        [$logger, $lines] = $this->log();
        $pool->setLogger($logger);
        $keys = array_map(static fn (int $i): string => "k$i", range(1, 60));
        self::assertTrue(self::save($pool, array_fill_keys($keys, 'v')));
        $versionsNode = $client->route('/'); // where the version of the pool stands
        self::assertNotSame('', $versionsNode);
        self::$servers[$versionsNode === self::$servers[0]->name ? 1 : 0]->stop();
        try {
            $hits = self::hits($pool, $keys);
            self::assertLessThan(count($keys), count($hits));
            self::assertNotEmpty($hits);
            $lost = array_values(array_diff($keys, array_keys($hits)))[0];
            self::assertFalse($pool->hasItem($lost));
            self::assertFalse(self::save($pool, array_fill_keys($keys, 'w')));
            self::assertFalse(self::save($pool, [$lost => 'w']));
            self::assertFalse($pool->deleteItem($lost));
            self::assertSame('computed', $pool->get($lost, static fn (): string => 'computed'));
            self::assertSame('w', $pool->getItem(array_key_first($hits))->get());
            self::assertMatchesRegularExpression('/warning: Failed to fetch some items: .*127\.0\.0\.1:\d+/', $lines[0]);
        } finally {
            $this->replaceFleet();
        }
    }

    public function testAForkSharesThePool(): void
    {
        $pool = $this->pool('fork');
        self::save($pool, ['k' => 'parent']);
        self::assertTrue($this->inChild(fn () => $pool->getItem('k')->get() === 'parent' && self::save($pool, ['k' => 'child'])));
        self::assertSame('child', $pool->getItem('k')->get());
    }

    // --- In MemcachedAdapter's place ---

    public function testWhatMemcachedAdapterWroteIsReadAndTheOtherWayRound(): void
    {
        if (!MemcachedAdapter::isSupported()) {
            self::markTestSkipped('php-memcached is not installed');
        }
        $hosts = array_map(static fn (Memcached $server): string => "host[{$server->name}]", self::$servers);
        $dsn = 'memcached:?' . implode('&', $hosts);
        $theirs = new MemcachedAdapter(MemcachedAdapter::createConnection($dsn), 'app');
        $values = ['text' => 'v', 'int' => 5, 'null' => null, 'list' => [1, [2]], 'object' => new \ArrayObject([1]),
            'space key' => 1, 'long' => str_repeat('compress me ', 1000)] + array_combine(
                array_map(static fn (int $i): string => "key-$i", range(1, 50)), range(1, 50));
        self::assertTrue(self::save($theirs, $values));
        $theirs->get('meta', static fn ($item) => $item->expiresAfter(1000)->getKey());
        $mine = new ShoalAdapter(ShoalAdapter::createConnection($dsn), 'app');
        self::assertEquals($values, self::hits($mine, array_keys($values)));
        self::assertEqualsWithDelta(time() + 1000, $mine->getItem('meta')->getMetadata()['expiry'], 20);
        $new = array_map(static fn ($value): array => ['new', $value], $values);
        self::assertTrue(self::save($mine, $new));
        $theirs->reset();
        self::assertEquals($new, self::hits($theirs, array_keys($values)));
    }

    // --- DSNs ---

    /** @return array<string, array{string, list<string>}> */
    public static function dsns(): array
    {
        return [
            'shoal' => ['shoal://static://a.test:1,b.test:2?operation_timeout_ms=200', ['a.test:1*1', 'b.test:2*1']],
            'list' => ['shoal://a.test:1,b.test:2:3?compress=zlib&compress_min_bytes=5', ['a.test:1*1', 'b.test:2*3']],
            'socket' => ['shoal:///run/mc.sock', ['/run/mc.sock*1']],
            'memcached' => ['memcached://a.test', ['a.test:11211*1']],
            'weight' => ['memcached://a.test/50', ['a.test:11211*50']],
            'login' => ['memcached://me:p%40ss@a.test/5', ['a.test:11211*5']],
            'query' => ['memcached://a.test:1?weight=25&lazy=1', ['a.test:1*25']],
            'hosts' => ['memcached:?host[a.test]&host[b.test:2]=3', ['a.test:11211*1', 'b.test:2*3']],
            'more hosts' => ['memcached://a.test?host[b.test]=3', ['a.test:11211*1', 'b.test:11211*3']],
            'its socket' => ['memcached:///run/mc.sock?weight=25', ['/run/mc.sock*1']],
        ];
    }

    /**
     * @dataProvider dsns
     * @param list<string> $nodes
     */
    #[\PHPUnit\Framework\Attributes\DataProvider('dsns')]
    public function testDsns(string $dsn, array $nodes): void
    {
        $found = ClientFactory::create($dsn)->topology()->nodes;
        self::assertSame($nodes, array_map(static fn ($node): string => "{$node->name}*{$node->weight}", $found));
    }

    public function testWrongDsns(): void
    {
        $this->thrown(BadEndpoint::class, fn () => ClientFactory::create('redis://a'));
        $this->thrown(BadEndpoint::class, fn () => ClientFactory::create('memcached:?weight=1'));
        $this->thrown(BadOption::class, fn () => ClientFactory::create('shoal://a?operation_timeout=5'));
        $wrong = 'memcached://me:hidden@a.test?operation_timeout=5';
        self::assertStringNotContainsString('hidden', $this->thrown(BadOption::class, fn () => ClientFactory::create($wrong))
            ->getMessage());
    }

    public function testOptionsOfTheDsnWin(): void
    {
        $dsn = 'shoal://' . self::endpoint();
        $options = ['key_prefix' => 'outer:', 'operation_timeout_ms' => 10000];
        ClientFactory::create("$dsn?prefix_key=inner%3a", $options)->set('k', 'v');
        self::assertSame('v', $this->client(['preset' => 'symfony', 'key_prefix' => 'inner:'])->get('k'));
        ClientFactory::create($dsn, $options)->set(str_repeat('k', 250), ['long']);
        self::assertSame(['long'], ClientFactory::create($dsn, $options)->get(str_repeat('k', 250)));
    }

    // --- The bundle ---

    /** A container as Symfony's kernel makes it, with the bundle and its configuration. */
    private function container(array $config): ContainerBuilder
    {
        $container = new ContainerBuilder();
        $container->setParameter('kernel.project_dir', __DIR__);
        $container->setParameter('kernel.container_class', 'Container');
        $container->register('cache.default_clearer', Psr6CacheClearer::class)->setArguments([[]])->setPublic(true);
        $bundle = new ShoalBundle();
        $bundle->build($container);
        $container->addCompilerPass(new CachePoolPass(), 'beforeOptimization', 32);
        $bundle->getContainerExtension()->load([$config], $container);

        return $container;
    }

    /** @param array<string, mixed> $tag */
    private static function addPool(ContainerBuilder $container, string $name, array $tag): void
    {
        $container->setDefinition($name, (new ChildDefinition('cache.adapter.shoal'))->setPublic(true)
            ->addTag('cache.pool', $tag));
    }

    public function testTheBundleMakesPools(): void
    {
        $dsn = 'shoal://' . self::endpoint() . '?operation_timeout_ms=10000';
        $_ENV['SHOAL_TEST_DSN'] = $dsn;
        $container = $this->container(['default_provider' => $dsn]);
        self::addPool($container, 'by_default', ['namespace' => 'one', 'default_lifetime' => 1]);
        self::addPool($container, 'by_dsn', ['namespace' => 'one', 'provider' => "$dsn&on_node_failure=miss"]);
        self::addPool($container, 'by_variable', ['namespace' => 'two', 'provider' => '%env(SHOAL_TEST_DSN)%']);
        $container->register('mine', Client::class)->setArguments([self::endpoint(), ['preset' => 'symfony']]);
        self::addPool($container, 'by_service', ['provider' => 'mine', 'namespace' => 'two']);
        $container->compile(true);
        self::save($container->get('by_default'), ['k' => 'v']);
        self::assertSame(['k' => 'v'], self::hits($container->get('by_dsn'), ['k']));
        self::assertSame([], self::hits($container->get('by_variable'), ['k']));
        self::save($container->get('by_service'), ['k' => 'w']);
        $container->get('by_variable')->reset();
        self::assertSame(['k' => 'w'], self::hits($container->get('by_variable'), ['k']));
        sleep(2);
        self::assertSame([], self::hits($container->get('by_dsn'), ['k']));
        self::assertTrue($container->get('cache.default_clearer')->hasPool('by_variable'));
        self::assertSame([['method' => 'reset']], $container->getDefinition('by_dsn')->getTag('kernel.reset'));
    }

    public function testTheBundleRefusesWhatItDoesNotKnow(): void
    {
        $this->expectExceptionMessage('shoal knows default_provider, and not endpoint');
        $this->container(['endpoint' => 'a']);
    }
}
