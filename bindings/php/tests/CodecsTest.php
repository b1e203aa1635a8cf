<?php

/** Codecs: what goes in comes out, as the same type, and damage is told. May use: PHPUnit and Shoal. */

declare(strict_types=1);

namespace Shoal\Tests;

require_once __DIR__ . '/FleetTestCase.php';

use Shoal\Codec;
use Shoal\Exception\BadOption;
use Shoal\Exception\BadValue;
use Shoal\Exception\TooLarge;

/** Its life is seen. */
final class Alive
{
    /** @var callable|null */
    public static $woken = null;

    public function __construct(public mixed $held = null)
    {
    }

    public function __wakeup(): void
    {
        if (self::$woken !== null) {
            (self::$woken)();
        }
    }
}

/** The values are bytes and flags themselves. */
final class Pairs implements Codec
{
    public function encode(mixed $value): array
    {
        return $value;
    }

    public function decode(string $data, int $flags): mixed
    {
        return [$data, $flags];
    }
}

final class CodecsTest extends FleetTestCase
{
    /** @return array<string, mixed> */
    private static function plainValues(): array
    {
        return ['empty' => '', 'text' => 'schön', 'long text' => str_repeat('la ', 5000), 'zero' => 0, 'int' => -5,
            'most' => PHP_INT_MAX, 'least' => PHP_INT_MIN, 'tenth' => 0.1, 'float' => 1.0, 'tiny' => 1e-7, 'huge' => 1e25,
            'exact' => 1 / 3, 'true' => true, 'false' => false, 'null' => null, 'list' => [1, 'a', null, [2.5]],
            'map' => ['a' => 1, 'b' => ['c' => true]]];
    }

    /** @param array<string, mixed> $options @param array<string, mixed> $values */
    private function check(array $options, array $values): void
    {
        $cache = $this->client($options);
        foreach ($values as $key => $value) {
            $key = strtr($key, ' ', '-');
            self::assertTrue($cache->set($key, $value));
            self::assertEquals($value, $cache->get($key, 'missing'), $key);
            self::assertSame(get_debug_type($value), get_debug_type($cache->gets($key)[0]), $key);
        }
        $keyed = array_combine(array_map(fn ($key) => strtr($key, ' ', '-'), array_keys($values)), $values);
        self::assertSame([], $cache->setMany($keyed));
        self::assertEquals($keyed, $cache->getMany(array_keys($keyed)));
    }

    public function testPhp(): void
    {
        $objects = ['object' => new Alive(['a' => new Alive()]), 'bytes' => "\0\xff\x80", 'infinite' => INF,
            'minus' => -INF, 'zero float' => -0.0];
        foreach (['none', 'zlib', 'zstd'] as $compress) {
            foreach (['php', 'igbinary', 'msgpack'] as $serializer) {
                if ($serializer === 'php' || extension_loaded($serializer)) {
                    $options = ['codec' => 'php', 'serializer' => $serializer, 'compress' => $compress];
                    $this->check($options, self::plainValues() + $objects);
                }
            }
        }
        $cache = $this->client(['codec' => 'php-memcached']);
        $cache->set('k', NAN);
        self::assertNan($cache->get('k'));
        self::assertSame('NaN', $this->client()->get('k'));
    }

    public function testJson(): void
    {
        $this->check(['codec' => 'json'], self::plainValues() + ['bytes' => "\0\xff\x80", 'surrogate' => "\xed\xa0\x80"]);
        $this->check(['codec' => 'json', 'compress' => 'zlib'], self::plainValues());
        $pairs = $this->client(['codec' => new Pairs()]);
        $this->client(['codec' => 'json'])->setMany(['text' => 'schön/', 'bytes' => "\xff", 'map' => ['ü/' => 1.0]]);
        self::assertSame(['text' => ['schön/', 4], 'bytes' => ["\xff", 0], 'map' => ['{"ü/":1.0}', 1]],
            $pairs->getMany(['text', 'bytes', 'map']));
        foreach ([INF, ["\xff"], fopen('php://memory', 'r')] as $value) {
            $this->thrown(\Error::class, fn () => $this->client(['codec' => 'json'])->set('k', $value));
        }
    }

    public function testJsonObjects(): void
    {
        $pairs = $this->client(['codec' => new Pairs()]);
        $pairs->set('k', ['{"a":{"b":1}}', 6]);
        self::assertEquals((object) ['a' => (object) ['b' => 1]], $this->client(['codec' => 'php'])->get('k'));
        $arrays = $this->client(['codec' => 'php', 'serializer' => 'json_array']);
        self::assertSame(['a' => ['b' => 1]], $arrays->get('k'));
        $arrays->set('k', ['c' => null]);
        self::assertSame(['{"c":null}', 6], $pairs->get('k'));
    }

    public function testFlagsOfPhpMemcached(): void
    {
        $this->client(['codec' => 'php'])->setMany(['s' => 'v', 'i' => 12, 'd' => 1.5, 't' => true, 'f' => false,
            'n' => null, 'a' => [1]]);
        self::assertSame(['s' => ['v', 0], 'i' => ['12', 1], 'd' => ['1.5', 2], 't' => ['1', 3], 'f' => ['', 3],
            'n' => ['N;', 4], 'a' => ['a:1:{i:0;i:1;}', 4]],
            $this->client(['codec' => new Pairs()])->getMany(['s', 'i', 'd', 't', 'f', 'n', 'a']));
    }

    public function testCountersStayNumbers(): void
    {
        $cache = $this->client(['codec' => 'php', 'compress' => 'zlib', 'compress_min_bytes' => 0]);
        $cache->set('k', 10);
        $cache->decrement('k');
        self::assertSame(9, $cache->get('k'));
        $this->client(['codec' => new Pairs()])->set('k', ['99999999999999999999', 1]);
        self::assertSame('99999999999999999999', $cache->get('k'));
    }

    public function testANullThatIsStoredIsNoMiss(): void
    {
        $cache = $this->client(['codec' => 'php']);
        $cache->set('k', null);
        self::assertNull($cache->get('k', 'missing'));
        self::assertSame(['k' => null], $cache->getMany(['k', 'other']));
        self::assertNull($cache->gets('k')[0]);
    }

    public function testDamageIsTold(): void
    {
        $pairs = $this->client(['codec' => new Pairs()]);
        $cache = $this->client(['codec' => 'php']);
        $damaged = [['a:1:{i:0', 4], ['i:1;i:2;', 4], ['', 4], ['O:8:"stdClass":1:{', 4], ['{"a"', 6], ['text', 1], ['2', 3],
            ['x', 2], ["\x10\0", 0x30], ["\x10\0\0\0nothing", 0x30], ['v', 15]];
        if (extension_loaded('msgpack')) {
            $damaged[] = ["\xc1", 7];
        }
        foreach ($damaged as $number => $pair) {
            $pairs->set('k', $pair);
            $error = $this->thrown(BadValue::class, fn () => @$cache->get('k'));
            self::assertSame(SHOAL_E_BAD_VALUE, $error->getCode(), (string) $number);
            $this->thrown(BadValue::class, fn () => @$cache->getMany(['k']));
        }
        $pairs->set('k', [pack('V', 1 << 30) . gzcompress(str_repeat('x', 100)), 0x30]);
        $this->thrown(TooLarge::class, fn () => $cache->get('k'));
        if (extension_loaded('igbinary')) {
            $pairs->set('k', ["\0\0\0\2\x14", 5]);
            $this->thrown(BadValue::class, fn () => @$cache->get('k'));
        }
    }

    public function testExceptionsOfTheValuesThemselves(): void
    {
        $cache = $this->client(['codec' => 'php']);
        $this->thrown(\Exception::class, fn () => $cache->set('k', fn () => 1));
        $this->thrown(\Exception::class, fn () => $cache->setMany(['a' => 1, 'k' => fn () => 1]));
        self::assertSame([], $cache->getMany(['a', 'k']));
        $cache->set('k', new Alive());
        Alive::$woken = fn () => throw new \DomainException('not today');
        $error = $this->thrown(BadValue::class, fn () => $cache->get('k'));
        self::assertInstanceOf(\DomainException::class, $error->getPrevious());
        Alive::$woken = null;
        self::assertInstanceOf(Alive::class, $cache->get('k'));
    }

    public function testValuesThatCallTheirClient(): void
    {
        $cache = $this->client(['codec' => 'php']);
        $cache->set('other', ['inner']);
        $cache->set('k', [new Alive(), new Alive()]);
        $seen = [];
        Alive::$woken = function () use ($cache, &$seen): void {
            $seen[] = $cache->get('other');
            $cache->setMany(['made' => [count($seen)]]);
        };
        self::assertCount(2, $cache->get('k'));
        self::assertCount(1, $cache->getMany(['k']));
        Alive::$woken = fn () => $cache->close();
        self::assertCount(2, $cache->get('k'));
        Alive::$woken = null;
        self::assertSame([['inner'], ['inner'], ['inner'], ['inner']], $seen);
        self::assertSame([4], $this->client(['codec' => 'php'])->get('made'));
    }

    public function testACodecThatClosesItsClient(): void
    {
        foreach (['set', 'setMany'] as $call) {
            $codec = new class () implements Codec {
                public ?\Shoal\Client $client = null;

                public function encode(mixed $value): array
                {
                    $this->client->close();

                    return [$value, 0];
                }

                public function decode(string $data, int $flags): mixed
                {
                    return $data;
                }
            };
            $codec->client = $this->client(['codec' => $codec]);
            $this->thrown(\Shoal\Exception\Closed::class, fn () => $call === 'set' ? $codec->client->set('k', 'v')
                : $codec->client->setMany(['k' => 'v']));
        }
    }

    public function testCodecsOfOnesOwn(): void
    {
        $cache = $this->client(['codec' => new Pairs()]);
        self::assertTrue($cache->set('k', ['bytes', 0xffffffff]));
        self::assertSame(['bytes', 0xffffffff], $cache->get('k'));
        self::assertSame('bytes', $this->client()->get('k'));
        self::assertSame([], $cache->setMany(['a' => ['1', 1]]));
        self::assertSame(['a' => ['1', 1]], $cache->getMany(['a']));
        foreach (['v', [], ['v'], [5, 5], ['v', '5'], null] as $wrong) {
            $this->thrown(\TypeError::class, fn () => $cache->set('k', $wrong));
        }
        $this->thrown(\ValueError::class, fn () => $cache->set('k', ['v', -1]));
        $this->thrown(\ValueError::class, fn () => $cache->setMany(['k' => ['v', 1 << 32]]));
        self::assertSame(['bytes', 0xffffffff], $cache->get('k'));
    }

    public function testWrongCodecsAreTold(): void
    {
        foreach ([['codec' => 'pickle'], ['codec' => new \stdClass()], ['compress' => 'zlib'], ['serializer' => 'php'],
            ['codec' => 'php', 'compress' => 'fastlz'], ['codec' => 'php', 'compress' => 9],
            ['codec' => 'php', 'serializer' => 'pickle'], ['codec' => 'php', 'compress_min_bytes' => -1],
            ['codec' => 'php', 'compress_min_bytes' => '9']] as $options) {
            $this->thrown(BadOption::class, fn () => $this->client($options));
        }
        $this->thrown(\Shoal\Exception\Unsupported::class, fn () => $this->client(['codec' => 'json', 'serializer' => 'php']));
    }

    public function testCompressionSavesBytes(): void
    {
        $value = str_repeat('la ', 5000);
        foreach (['zlib' => 0x30, 'zstd' => 0x90] as $compress => $flag) {
            $this->client(['codec' => 'php', 'compress' => $compress])->setMany(['long' => $value, 'short' => 'la']);
            [$data, $flags] = $this->client(['codec' => new Pairs()])->get('long');
            self::assertSame($flag, $flags);
            self::assertLessThan(500, strlen($data));
            self::assertSame(['la', 0], $this->client(['codec' => new Pairs()])->get('short'));
        }
    }
}
