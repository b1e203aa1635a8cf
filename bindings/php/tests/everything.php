<?php

/**
 * Uses all that the extension has, right and wrong, once or some times; run under valgrind, where it says nothing itself.
 *
 * May use: Shoal and the servers of Support.php.
 */

declare(strict_types=1);

require __DIR__ . '/Support.php';

use Shoal\Client;
use Shoal\Codec;

final class Waking
{
    public static ?Closure $does = null;

    public function __construct(public mixed $held = null)
    {
    }

    public function __wakeup(): void
    {
        self::$does !== null && (self::$does)();
    }
}

final class Own implements Codec
{
    public function encode(mixed $value): array
    {
        return $value === 'wrong' ? [] : [is_scalar($value) ? (string) $value : 'other', 7];
    }

    public function decode(string $data, int $flags): mixed
    {
        return $data === 'bad' ? throw new DomainException($data) : $data;
    }
}

function survives(callable $call): void
{
    try {
        $call();
    } catch (Throwable) {
    }
}

function use_all(Client $cache): void
{
    $values = ['s' => 'text', 'i' => 5, 'd' => 1.5, 't' => true, 'n' => null, 'a' => [1, ['b' => 2]], 7 => 'seven',
        'o' => new Waking([new Waking()]), 'long' => str_repeat('la ', 4000), 'bad key' => 1];
    foreach ($values as $key => $value) {
        survives(fn () => $cache->set((string) $key, $value, 100));
        survives(fn () => $cache->get((string) $key));
    }
    survives(fn () => $cache->setMany($values));
    survives(fn () => $cache->getMany(array_keys($values)));
    survives(fn () => $cache->getMany([...array_keys($values), null]));
    survives(fn () => $cache->cas('s', 'v', $cache->gets('s')[1] ?? 1));
    survives(fn () => [$cache->add('new', 'v'), $cache->replace('new', 'w')]);
    survives(fn () => [$cache->append('s', '!'), $cache->prepend('s', '!')]);
    survives(fn () => [$cache->increment('c', 1, '18446744073709551615'), $cache->decrement('c'), $cache->get('c')]);
    survives(fn () => $cache->increment('s'));
    foreach ([fn () => 'made', fn () => throw new DomainException('no'), fn () => str_repeat('x', 2 << 20),
        fn () => fn () => 1] as $number => $compute) {
        survives(fn () => [$cache->fetch("f$number", $compute, 10), $cache->fetch("f$number", $compute, 10, 10)]);
        survives(fn () => $cache->fetch("f$number", fn () => $cache->fetch("f$number", $compute, -1), -1));
    }
    survives(fn () => $cache->fetch('s', fn () => 'new', 10, 10)); // with an old value
    survives(fn () => [$cache->touch('s', 10), $cache->getAndTouch('s', 10)]);
    survives(fn () => [$cache->delete('s'), $cache->deleteMany(['i', 'no'])]);
    survives(fn () => $cache->set('large', str_repeat('x', 2 << 20)));
    survives(fn () => $cache->set('closure', fn () => 1));
    survives(fn () => $cache->setMany(['a' => 1, 'closure' => fn () => 1]));
    survives(fn () => [$cache->stats(), $cache->nodes(), $cache->topology(), $cache->route('k')]);
    survives(fn () => clone $cache);
    survives(fn () => serialize($cache));
}

$servers = [new Shoal\Tests\Memcached(), new Shoal\Tests\Memcached()];
$endpoint = 'static://' . implode(',', array_column($servers, 'name'));
$common = ['operation_timeout_ms' => 60000, 'fetch_wait_ms' => 1];
$ways = [[], ['codec' => 'php'], ['codec' => 'php', 'compress' => 'zlib'], ['codec' => 'json', 'compress' => 'zstd'],
    ['codec' => 'php', 'serializer' => 'json'], ['codec' => new Own()], ['protocol' => 'libmemcached', 'codec' => 'php']];
foreach ($ways as $options) {
    use_all(new Client($endpoint, $options + $common));
}
$cache = new Client($endpoint, ['codec' => 'php'] + $common);
$raw = new Client($endpoint, ['codec' => new Own()] + $common);
foreach (['bad', 'wrong'] as $value) {
    survives(fn () => $raw->set('k', $value));
    survives(fn () => $raw->get('k'));
    survives(fn () => $raw->getMany(['k', 'i']));
    survives(fn () => $raw->setMany(['k' => $value, 'l' => 1]));
    survives(fn () => $cache->get('k'));
    survives(fn () => $raw->fetch("k-$value", fn () => $value));
}
$cache->set('o', [new Waking(), 'rest']);
foreach ([fn () => throw new DomainException('no'), fn () => $cache->getMany(['a', 'o2']), fn () => $cache->close()] as $does) {
    Waking::$does = $does;
    survives(fn () => $cache->get('o'));
    survives(fn () => $cache->getMany(['o', 'a']));
}
survives(fn () => $cache->get('o'));
survives(fn () => (new Client('static://127.0.0.1:1'))->getMany(['k', 'l']));
survives(fn () => new Client('nonsense://'));
survives(fn () => new Client('a:1', ['no_such' => 1]));
survives(fn () => unserialize('O:12:"Shoal\Client":0:{}'));
survives(fn () => unserialize('O:19:"Shoal\Native\Client":0:{}'));
for ($i = 0; $i < shoal_option_count(); ++$i) {
    $option = shoal_option_at($i);
    $told[] = shoal_option_name($option) . shoal_option_description($option) . shoal_option_default($option);
}
foreach ((new ReflectionExtension('shoal'))->getFunctions() as $function) {
    for ($count = 0; $count < 8; ++$count) {
        foreach ([null, 5, -1, 'text', 1.5, [], shoal_config_new()] as $argument) {
            survives(fn () => $function->invoke(...array_fill(0, $count, $argument)));
        }
    }
}
foreach ($servers as $server) {
    $server->stop();
}
