<?php

/**
 * The PSR-16 cache, in what PSR-16's own tests leave open. May use: PHPUnit, Shoal, PSR-16 and PSR-3.
 */

declare(strict_types=1);

namespace Shoal\Tests;

require_once __DIR__ . '/AdapterTestCase.php';

use Psr\SimpleCache\InvalidArgumentException;
use Shoal\Client;
use Shoal\Exception\ExceptionInterface;
use Shoal\SimpleCache;

final class SimpleCacheTest extends AdapterTestCase
{
    protected const LIBRARIES = ['Psr/SimpleCache/autoload.php'];

    private function cache(string $namespace = '', int $lifetime = 0): SimpleCache
    {
        return new SimpleCache($this->client(), $namespace, $lifetime);
    }

    /** @return array<string, array{string}> */
    public static function namespaces(): array
    {
        return ['none' => [''], 'plain' => ['shop'], 'odd' => ["a b\0:"], 'long' => [str_repeat('n', 300)]];
    }

    /** @dataProvider namespaces */
    #[\PHPUnit\Framework\Attributes\DataProvider('namespaces')]
    public function testOddKeysAreNoTwoTheSame(string $namespace): void
    {
        $cache = $this->cache($namespace);
        $long = str_repeat('k', 249);
        $keys = ["a\0b", 'a b', 'a%20b', "a\nb", "a\x7fb", 'a%b', 'ä', "\xff", '0', '-5', $long, "{$long}k", "{$long}kk",
            "{$long} ", str_repeat('k ', 200)];
        $values = array_combine($keys, array_map(static fn (string $key): string => md5($key), $keys));
        self::assertTrue($cache->setMultiple($values));
        $read = [];
        foreach ($cache->getMultiple($keys) as $key => $value) {
            $read[] = [$key, $value];
        }
        self::assertSame(array_map(null, $keys, array_values($values)), $read); // '0' and '-5' are no ints
        foreach ($keys as $key) {
            self::assertTrue($cache->has($key));
            self::assertSame(md5($key), $cache->get($key));
        }
        self::assertTrue($cache->delete('a b'));
        self::assertSame([md5('a%20b'), 'none'], [$cache->get('a%20b'), $cache->get('a b', 'none')]);
    }

    public function testClearTouchesOneNamespace(): void
    {
        $one = $this->cache('one');
        $other = $this->cache('other');
        $all = $this->cache();
        foreach ([$one, $other, $all] as $cache) {
            self::assertTrue($cache->set('k', 'v'));
        }
        self::assertTrue($one->clear());
        self::assertSame([false, true, true], [$one->has('k'), $other->has('k'), $all->has('k')]);
        self::assertTrue($one->set('k', 'new'));
        self::assertSame('new', $one->get('k'));
        self::assertTrue($all->clear());
        self::assertSame([false, false, false], [$one->has('k'), $other->has('k'), $all->has('k')]);
    }

    public function testWhatAnotherProcessClearsIsGoneHereToo(): void
    {
        $here = $this->cache('shared');
        $there = $this->cache('shared');
        $here->set('k', 'old');
        self::assertSame('old', $there->get('k'));
        $there->clear();
        self::assertNull($here->get('k'));
        $there->clear();
        self::assertTrue($here->set('k', 'new'));
        self::assertSame('new', $there->get('k'));
        $there->clear();
        $there->set('k', 'newer');
        self::assertTrue($here->delete('k'));
        self::assertFalse($there->has('k'));
    }

    public function testEveryValueHasItsTypeAndNullIsAValue(): void
    {
        $cache = $this->cache('types');
        $values = ['null' => null, 'false' => false, 'empty' => '', 'zero' => 0, 'float' => 0.1, 'list' => [1, [null]],
            'large' => random_bytes(900_000)];
        self::assertTrue($cache->setMultiple($values));
        self::assertSame($values, $cache->getMultiple(array_keys($values), 'default'));
        self::assertSame([null, true], [$cache->get('null', 'default'), $cache->has('null')]);
        self::assertEquals(new \ArrayObject([1]), $cache->set('o', new \ArrayObject([1])) ? $cache->get('o') : null);
    }

    public function testTheClientsOwnCodecStays(): void
    {
        $client = $this->client(['codec' => 'json']);
        (new SimpleCache($client))->set('k', ['a' => 1]);
        self::assertSame('{"a":1}', $this->client()->get('k'));
        self::assertSame(['a' => 1], (new SimpleCache($client))->get('k'));
        self::assertSame('bytes', $this->client()->set('raw', 'bytes') ? $this->cache()->get('raw') : null);
    }

    public function testLifetimes(): void
    {
        $cache = $this->cache('', 1);
        $cache->set('default', 'v');
        $cache->set('short', 'v', new \DateInterval('PT1S'));
        $cache->set('year', 'v', 366 * 86400);
        $cache->set('century', 'v', new \DateInterval('P100Y'));
        $cache->set('over', 'v', 100);
        self::assertTrue($cache->set('over', 'v', -1));
        self::assertTrue($this->cache()->set('ever', 'v'));
        self::assertFalse($cache->has('over'));
        sleep(2);
        $keys = ['default', 'short', 'year', 'century', 'ever'];
        self::assertSame([null, null, 'v', 'v', 'v'], array_values($cache->getMultiple($keys)));
    }

    public function testWhatCannotBeSerialisedIsToldAndLeavesTheRest(): void
    {
        $cache = $this->cache();
        [$logger, $lines] = $this->log();
        $cache->setLogger($logger);
        $cache->set('k', 'old');
        self::assertFalse($cache->set('k', new Unserialisable()));
        self::assertSame('old', $cache->get('k'));
        self::assertFalse($cache->setMultiple(['a' => 1, 'k' => static fn () => 1, 'b' => 2]));
        self::assertSame(['a' => 1, 'k' => 'old', 'b' => 2], $cache->getMultiple(['a', 'k', 'b']));
        self::assertCount(2, $lines);
        self::assertStringContainsString('no two of me', $lines[0]);
        self::assertStringContainsString('Closure', $lines[1]);
    }

    public function testAValueThatIsRefusedIsNoReasonToKeepTheOldOne(): void
    {
        $cache = new SimpleCache($this->client(['max_value_bytes' => 1000]));
        [$logger, $lines] = $this->log();
        $cache->setLogger($logger);
        $large = str_repeat('x', 5000);
        $cache->setMultiple(['one' => 'old', 'two' => 'old', 'three' => 'old']);
        self::assertFalse($cache->set('one', $large));
        self::assertFalse($cache->setMultiple(['two' => $large, 'three' => 'new']));
        self::assertSame(['one' => null, 'two' => null, 'three' => 'new'], $cache->getMultiple(['one', 'two', 'three']));
        self::assertNotEmpty($lines);
    }

    public function testADamagedItemIsAMiss(): void
    {
        [$logger, $lines] = $this->log();
        $cache = $this->cache();
        $cache->setLogger($logger);
        $memcached = fsockopen('127.0.0.1', self::$servers[array_search($this->client()->route('k'),
            array_column(self::$servers, 'name'), true)]->port);
        fwrite($memcached, "set k 4 0 3\r\nO:9\r\n");
        self::assertSame("STORED\r\n", fgets($memcached));
        self::assertSame('none', $cache->get('k', 'none'));
        self::assertStringStartsWith('warning: Shoal could not read: ', $lines[0]);
    }

    public function testInvalidArgumentsAreShoalsToo(): void
    {
        $this->thrown(InvalidArgumentException::class, fn () => $this->cache()->get('a:b'));
        $this->thrown(ExceptionInterface::class, fn () => $this->cache()->set('a', 'b', 1.5));
    }

    public function testANodeThatDiesIsMisses(): void
    {
        $client = $this->strictClient();
        $cache = new SimpleCache($client);
        [$logger, $lines] = $this->log();
        $cache->setLogger($logger);
        $keys = array_map(static fn (int $i): string => "k$i", range(1, 30));
        self::assertTrue($cache->setMultiple(array_fill_keys($keys, 'v')));
        $lost = $this->killOwnerOf($client, $keys);
        try {
            $expected = array_replace(array_fill_keys($keys, 'v'), array_fill_keys($lost, 'none'));
            self::assertSame($expected, $cache->getMultiple($keys, 'none'));
            self::assertFalse($cache->setMultiple(array_fill_keys($keys, 'w')));
            self::assertFalse($cache->set($lost[0], 'w'));
            self::assertFalse($cache->delete($lost[0]));
            self::assertFalse($cache->clear());
            self::assertStringContainsString(self::$servers[0]->name, implode("\n", (array) $lines));
            $log = tempnam(sys_get_temp_dir(), 'shoal-log-');
            $before = ini_set('error_log', $log);
            self::assertNull((new SimpleCache($client, 'ns'))->get($lost[0]) ?? (new SimpleCache($client))->get($lost[0]));
            ini_set('error_log', $before);
            self::assertStringContainsString('Shoal could not read', file_get_contents($log));
            unlink($log);
        } finally {
            $this->replaceFleet();
        }
    }

    public function testAForkSharesTheCache(): void
    {
        $cache = $this->cache('fork');
        $cache->set('k', 'parent');
        self::assertTrue($this->inChild(fn () => $cache->get('k') === 'parent' && $cache->set('k', 'child')));
        self::assertSame('child', $cache->get('k'));
    }
}
