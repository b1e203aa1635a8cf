<?php

/** What each method of the client takes and gives, on a fleet of three memcached servers. May use: PHPUnit and Shoal. */

declare(strict_types=1);

namespace Shoal\Tests;

require_once __DIR__ . '/FleetTestCase.php';

use Shoal\Client;
use Shoal\Exception\BadKey;
use Shoal\Exception\InvalidArgument;
use Shoal\Exception\NotANumber;
use Shoal\Exception\TooLarge;

final class ClientTest extends FleetTestCase
{
    protected const NODES = 3;

    private Client $cache;

    protected function setUp(): void
    {
        parent::setUp();
        $this->cache = $this->client();
    }

    public function testGetGivesTheValueOrTheDefault(): void
    {
        self::assertNull($this->cache->get('k'));
        self::assertSame(7, $this->cache->get('k', 7));
        self::assertTrue($this->cache->set('k', "v\0w"));
        self::assertSame("v\0w", $this->cache->get('k', 7));
        self::assertTrue($this->cache->set('k', ''));
        self::assertSame('', $this->cache->get('k', 7));
    }

    public function testBadKeysAreInvalidArguments(): void
    {
        foreach (['', 'a b', str_repeat('k', 251), "a\nb", "a\0b"] as $key) {
            $this->thrown(BadKey::class, fn () => $this->cache->get($key));
            $this->thrown(\InvalidArgumentException::class, fn () => $this->cache->set($key, 'v'));
        }
        $this->cache->set('ключ', 'v');
        self::assertSame('v', $this->cache->get('ключ'));
    }

    public function testRawCarriesStringsAlone(): void
    {
        foreach ([5, 1.5, true, null, [], $this] as $value) {
            $error = $this->thrown(\TypeError::class, fn () => $this->cache->set('k', $value));
            self::assertStringContainsString('carries strings', $error->getMessage());
        }
        self::assertNull($this->cache->get('k'));
    }

    public function testConditionalStores(): void
    {
        self::assertFalse($this->cache->replace('k', '1'));
        self::assertFalse($this->cache->append('k', '1'));
        self::assertFalse($this->cache->prepend('k', '1'));
        self::assertTrue($this->cache->add('k', '2'));
        self::assertFalse($this->cache->add('k', '3'));
        self::assertTrue($this->cache->replace('k', '4'));
        self::assertTrue($this->cache->append('k', '5'));
        self::assertTrue($this->cache->prepend('k', '3'));
        self::assertSame('345', $this->cache->get('k'));
    }

    public function testCas(): void
    {
        self::assertNull($this->cache->gets('k'));
        self::assertFalse($this->cache->cas('k', 'v', 1));
        $this->cache->set('k', '1');
        [$value, $token] = $this->cache->gets('k');
        self::assertSame('1', $value);
        self::assertTrue($this->cache->cas('k', '2', $token));
        self::assertFalse($this->cache->cas('k', '3', $token));
        self::assertFalse($this->cache->cas('k', '3', '18446744073709551615'));
        self::assertSame('2', $this->cache->get('k'));
        $this->thrown(InvalidArgument::class, fn () => $this->cache->cas('k', '4', 0));
        foreach (['', '-1', '1 ', '18446744073709551616', -1] as $wrong) {
            $this->thrown(\ValueError::class, fn () => $this->cache->cas('k', '4', $wrong));
        }
    }

    public function testDeleteAndTouch(): void
    {
        self::assertFalse($this->cache->delete('k'));
        self::assertFalse($this->cache->touch('k', 10));
        self::assertSame('none', $this->cache->getAndTouch('k', 10, 'none'));
        $this->cache->set('k', 'v');
        self::assertTrue($this->cache->touch('k', 100));
        self::assertSame('v', $this->cache->getAndTouch('k', -1));
        self::assertNull($this->cache->get('k'));
        $this->cache->set('k', 'v');
        self::assertTrue($this->cache->delete('k'));
        self::assertNull($this->cache->get('k'));
    }

    public function testTimesToLive(): void
    {
        foreach ([0, 0.0, 0.1, 100, PHP_INT_MAX, 1e30] as $lasting) {
            $this->cache->set('k', 'v', $lasting);
            self::assertSame('v', $this->cache->get('k'), (string) $lasting);
        }
        foreach ([-1, -0.5, PHP_INT_MIN, -1e30] as $gone) {
            $this->cache->set('k', 'v', $gone);
            self::assertNull($this->cache->get('k'), (string) $gone);
        }
        foreach ([NAN, INF, -INF] as $wrong) {
            $this->thrown(InvalidArgument::class, fn () => $this->cache->set('k', 'v', $wrong));
        }
    }

    public function testCounters(): void
    {
        self::assertNull($this->cache->increment('k'));
        self::assertSame(10, $this->cache->increment('k', initial: 10));
        self::assertSame(11, $this->cache->increment('k'));
        self::assertSame(9, $this->cache->decrement('k', 2));
        self::assertSame('9', rtrim($this->cache->get('k')));
        self::assertSame(0, $this->cache->decrement('k', 100));
        $most = '18446744073709551615';
        self::assertSame($most, $this->cache->decrement('missing', 1, $most));
        $this->cache->set('half', (string) PHP_INT_MAX);
        self::assertSame(PHP_INT_MAX, $this->cache->increment('half', 0));
        self::assertSame('9223372036854775808', $this->cache->increment('half'));
        $this->cache->set('k', 'text');
        $this->thrown(NotANumber::class, fn () => $this->cache->increment('k'));
        $this->thrown(\ValueError::class, fn () => $this->cache->increment('k', 1, -1));
        $this->thrown(InvalidArgument::class, fn () => $this->cache->decrement('k', PHP_INT_MIN));
    }

    public function testAValueTooLargeIsAnError(): void
    {
        $this->cache->set('k', 'old');
        $this->thrown(TooLarge::class, fn () => $this->cache->set('k', str_repeat('x', 2 << 20)));
        self::assertNull($this->cache->get('k'));
    }

    public function testLargeValues(): void
    {
        $value = random_bytes(900_000);
        $this->cache->set('k', $value);
        self::assertSame($value, $this->cache->get('k'));
        self::assertSame(['k' => $value], $this->cache->getMany(['k']));
    }

    public function testManyKeys(): void
    {
        $pairs = [];
        for ($i = 0; $i < 200; ++$i) {
            $pairs["key-$i"] = "value $i";
        }
        self::assertSame([], $this->cache->setMany($pairs));
        self::assertSame($pairs, $this->cache->getMany([...array_keys($pairs), 'missing']));
        self::assertSame($pairs, $this->cache->getMany((fn () => yield from array_keys($pairs))()));
        self::assertSame([], $this->cache->setMany((fn () => yield from ['a' => '1', 'b' => '2'])()));
        self::assertSame(['b' => '2', 'a' => '1'], $this->cache->getMany(['b', 'a', 'b']));
        self::assertSame([], $this->cache->deleteMany(new \ArrayIterator(['a', 'missing'])));
        self::assertSame(['b' => '2'], $this->cache->getMany(['b', 'a']));
    }

    public function testNothing(): void
    {
        self::assertSame([], $this->cache->getMany([]));
        self::assertSame([], $this->cache->setMany([]));
        self::assertSame([], $this->cache->deleteMany([]));
    }

    public function testKeysThatPhpMakesIntsOf(): void
    {
        self::assertSame([], $this->cache->setMany(['5' => 'five', '05' => 'zero five', '-7' => 'minus']));
        self::assertSame('five', $this->cache->get('5'));
        $hits = $this->cache->getMany(['5', '05', '-7', '9']);
        self::assertSame([5 => 'five', '05' => 'zero five', -7 => 'minus'], $hits);
        self::assertSame($hits, $this->cache->getMany(array_keys($hits)));
        self::assertSame([], $this->cache->deleteMany(array_keys($hits)));
        self::assertSame([], $this->cache->getMany([5, -7]));
        self::assertSame(['5'], (new Client('static://127.0.0.1:1'))->setMany([5 => 'v']));
    }

    public function testWhatWasNotStoredIsTold(): void
    {
        $left = $this->cache->setMany(['a' => '1', 'large' => str_repeat('x', 2 << 20), 'bad key' => '2', 'b' => '3']);
        self::assertEqualsCanonicalizing(['large', 'bad key'], $left);
        self::assertSame(['a' => '1', 'b' => '3'], $this->cache->getMany(['a', 'large', 'b']));
        $this->thrown(\TypeError::class, fn () => $this->cache->setMany(['c' => '4', 'd' => 5]));
        self::assertNull($this->cache->get('c'));
        self::assertSame(['bad key'], $this->cache->deleteMany(['a', 'missing', 'bad key']));
        self::assertNull($this->cache->get('a'));
        $this->cache->setMany(['a' => '1'], -1);
        self::assertNull($this->cache->get('a'));
    }

    public function testAFailedReadCarriesTheHits(): void
    {
        $this->cache->set('a', '1');
        $error = $this->thrown(BadKey::class, fn () => $this->cache->getMany(['bad key', 'a', 'missing']));
        self::assertSame(['a' => '1'], $error->getPartial());
    }

    public function testKeysOfOtherTypes(): void
    {
        foreach ([[1.5], [null], [['k']], [$this]] as $keys) {
            $this->thrown(\TypeError::class, fn () => $this->cache->getMany($keys));
            $this->thrown(\TypeError::class, fn () => $this->cache->deleteMany(['a', ...$keys]));
        }
    }

    public function testReferencesInArrays(): void
    {
        $key = 'k';
        $value = 'v';
        self::assertSame([], $this->cache->setMany(['k' => &$value]));
        self::assertSame(['k' => 'v'], $this->cache->getMany([&$key]));
        self::assertSame([], $this->cache->deleteMany([&$key]));
    }

    public function testNodesTopologyRouteAndStats(): void
    {
        $names = array_column(self::$servers, 'name');
        self::assertSame($names, $this->cache->nodes());
        $topology = $this->cache->topology();
        self::assertSame(0, $topology->version);
        self::assertSame([$names[1], '127.0.0.1', self::$servers[1]->port, 1], [$topology->nodes[1]->name,
            $topology->nodes[1]->host, $topology->nodes[1]->port, $topology->nodes[1]->weight]);
        self::assertContains($this->cache->route('k'), $names);
        $stats = $this->cache->stats();
        foreach (self::$servers as $server) {
            self::assertSame((string) $server->pid(), $stats[$server->name]['pid']);
        }
        self::assertArrayHasKey('maxbytes', $this->cache->stats('settings')[$names[0]]);
    }

    public function testFlushAllEmptiesEveryNode(): void
    {
        $keys = array_map(fn ($i) => "k$i", range(1, 50));
        $this->cache->setMany(array_fill_keys($keys, 'v'));
        $this->cache->flushAll();
        self::assertSame([], $this->cache->getMany($keys));
    }
}
