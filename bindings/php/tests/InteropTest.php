<?php

/**
 * php-memcached reads what Shoal writes, on the same nodes, and Shoal what it writes; skipped where it is not installed.
 *
 * May use: PHPUnit, Shoal and the extensions memcached, igbinary and msgpack.
 */

declare(strict_types=1);

namespace Shoal\Tests;

require_once __DIR__ . '/FleetTestCase.php';

final class InteropTest extends FleetTestCase
{
    protected const NODES = 3;

    protected function setUp(): void
    {
        if (!extension_loaded('memcached')) {
            self::markTestSkipped('php-memcached is not installed');
        }
        parent::setUp();
    }

    /** @return array<string, mixed> */
    private static function values(): array
    {
        return ['text' => 'schön', 'empty' => '', 'bytes' => "\0\xff", 'int' => -5, 'most' => PHP_INT_MAX, 'float' => 0.1,
            'huge' => 1e25, 'infinite' => INF, 'minus' => -INF, 'true' => true, 'false' => false, 'null' => null,
            'list' => [1, 'a', null], 'object' => new \ArrayObject(['a' => 1]), 'long' => str_repeat('la ', 5000),
            'long-list' => range(1, 5000)];
    }

    /** @param array<int, mixed> $options */
    private static function theirs(array $options = []): \Memcached
    {
        $theirs = new \Memcached();
        $theirs->setOptions($options);
        foreach (self::$servers as $server) {
            $theirs->addServer('127.0.0.1', $server->port);
        }

        return $theirs;
    }

    /** @param array<string, mixed> $mine @param array<int, mixed> $theirs */
    private function check(array $mine, array $theirs): void
    {
        $own = $this->client(['codec' => 'php', 'preset' => 'php-memcached'] + $mine);
        $other = self::theirs($theirs);
        $title = json_encode($mine);
        foreach (self::values() as $key => $value) {
            self::assertTrue($own->set($key, $value));
            $back = $other->get($key);
            self::assertSame(\Memcached::RES_SUCCESS, $other->getResultCode(), "$title $key");
            self::assertEquals($value, $back, "$title $key");
            self::assertSame(get_debug_type($value), get_debug_type($back), "$title $key");
            self::assertTrue($other->set("their-$key", $value));
            $back = $own->get("their-$key", 'missing');
            self::assertEquals($value, $back, "$title $key");
            self::assertSame(get_debug_type($value), get_debug_type($back), "$title $key");
        }
        $keys = array_keys(self::values());
        self::assertEquals(self::values(), $other->getMulti($keys));
        self::assertSame([], $own->setMany(self::values()));
        self::assertEquals(self::values(), $other->getMulti($keys));
        self::assertEquals(self::values(), $own->getMany($keys));
    }

    public function testValuesAndPlaces(): void
    {
        $this->check([], []);
        $this->check(['compress' => 'zlib'], [\Memcached::OPT_COMPRESSION_TYPE => \Memcached::COMPRESSION_ZLIB]);
        $this->check([], [\Memcached::OPT_COMPRESSION_TYPE => \Memcached::COMPRESSION_FASTLZ]);
        $this->check([], [\Memcached::OPT_COMPRESSION => false]);
    }

    public function testOtherSerializers(): void
    {
        foreach (['igbinary', 'msgpack'] as $name) {
            if (extension_loaded($name) && constant('Memcached::HAVE_' . strtoupper($name))) {
                $number = constant('Memcached::SERIALIZER_' . strtoupper($name));
                $this->check(['serializer' => $name], [\Memcached::OPT_SERIALIZER => $number]);
            }
        }
    }

    public function testJson(): void
    {
        $own = $this->client(['codec' => 'php', 'preset' => 'php-memcached', 'serializer' => 'json']);
        $other = self::theirs([\Memcached::OPT_SERIALIZER => \Memcached::SERIALIZER_JSON]);
        $value = (object) ['a' => [1, 2.5, null], 'b' => (object) []];
        $own->set('mine', $value);
        $other->set('theirs', $value);
        self::assertEquals($value, $other->get('mine'));
        self::assertEquals($value, $own->get('theirs'));
    }

    public function testLibketamaAndPrefix(): void
    {
        $own = $this->client(['codec' => 'php', 'preset' => 'symfony', 'key_prefix' => 'p:']);
        $other = self::theirs([\Memcached::OPT_LIBKETAMA_COMPATIBLE => true, \Memcached::OPT_PREFIX_KEY => 'p:']);
        for ($i = 0; $i < 200; ++$i) {
            $own->set("mine-$i", $i);
            $other->set("theirs-$i", $i);
        }
        for ($i = 0; $i < 200; ++$i) {
            self::assertSame([$i, $i], [$other->get("mine-$i"), $own->get("theirs-$i")]);
        }
    }

    public function testCounters(): void
    {
        $own = $this->client(['codec' => 'php', 'preset' => 'php-memcached']);
        $other = self::theirs();
        $own->set('k', 5);
        self::assertSame(7, $other->increment('k', 2));
        self::assertSame(6, $own->decrement('k'));
        self::assertSame(6, $other->get('k'));
    }
}
