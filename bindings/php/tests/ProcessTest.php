<?php

/** Processes: how they end, forks, and that their memory stays as it is. May use: PHPUnit, Shoal and pcntl. */

declare(strict_types=1);

namespace Shoal\Tests;

require_once __DIR__ . '/FleetTestCase.php';

final class ProcessTest extends FleetTestCase
{
    protected const NODES = 2;

    private const CLIENT = '$cache = new Shoal\Client($argv[1], ["codec" => "php", "operation_timeout_ms" => 10000]);';

    public function testEndsOfProcesses(): void
    {
        $use = self::CLIENT . ' $cache->set("k", [1]); $cache->getMany(["k"]);';
        self::assertSame('', $this->runScript($use));
        self::assertSame('ok', $this->runScript("$use echo 'ok'; exit(3);"));
        $last = 'register_shutdown_function(fn () => print($cache->get("k") === [1] ? "ok" : ""));';
        self::assertSame('ok', $this->runScript($use . $last));
        self::assertSame('ok', $this->runScript('final class Late { public function __construct(public $cache) {}'
            . ' public function __destruct() { echo $this->cache->get("k") === [1] ? "ok" : "";} }'
            . "$use \$GLOBALS['late'] = new Late(\$cache); \$GLOBALS['late']->itself = null;"));
        self::assertStringContainsString('Allowed memory size', $this->runScript("ini_set('memory_limit', '4M'); $use"
            . ' while (true) { $all[] = $cache->get("k"); }'));
        self::assertStringContainsString('Uncaught Shoal\Exception\BadKey', $this->runScript("$use \$cache->get('');"));
    }

    public function testForks(): void
    {
        if (!function_exists('pcntl_fork')) {
            self::markTestSkipped('pcntl is not there');
        }
        $script = self::CLIENT . <<<'END'
            for ($i = 0; $i < 20; ++$i) { $cache->set("k$i", "v$i"); }
            $wrong = 0;
            $check = function (string $who) use ($cache, $argv, &$wrong): void {
                $cache = mt_rand(0, 1) ? $cache : new Shoal\Client($argv[1], ['codec' => 'php', 'operation_timeout_ms' => 10000]);
                for ($i = 0; $i < 500; ++$i) {
                    $key = 'k' . $i % 20;
                    $wrong += $cache->get($key) !== "v" . $i % 20;
                    $cache->set("$who$i", [$who, $i]);
                    $wrong += $cache->getMany(["$who$i", $key]) !== ["$who$i" => [$who, $i], $key => "v" . $i % 20];
                }
            };
            $children = [];
            for ($child = 0; $child < 4; ++$child) {
                $pid = pcntl_fork();
                if ($pid === 0) { $check("c$child-"); exit($wrong === 0 ? 0 : 1); }
                $children[] = $pid;
            }
            $check('p');
            foreach ($children as $pid) { pcntl_waitpid($pid, $status); $wrong += $status !== 0; }
            echo $wrong;
            END;
        self::assertSame('0', $this->runScript($script));
    }

    public function testMemoryStaysFlat(): void
    {
        $script = self::CLIENT . <<<'END'
            function resident(): int { return (int) explode(' ', file_get_contents('/proc/self/statm'))[1] * 4096; }
            $once = function (int $i) use ($argv): void {
                $cache = new Shoal\Client($argv[1], ['codec' => 'php', 'compress' => 'zlib', 'compress_min_bytes' => 10,
                    'operation_timeout_ms' => 10000]);
                $cache->set('k', ['list' => range(1, 50), 'i' => $i]);
                $cache->gets('k');
                $cache->setMany(['a' => 1, 'b' => "two", 'bad key' => 3.5]);
                $cache->increment('a');
                try { $cache->getMany(['a', 'bad key', 'b', 'none']); } catch (Shoal\Exception\BadKey $error) {}
                try { $cache->set('k', fn () => 1); } catch (Exception $error) {}
                try { $cache->increment('b'); } catch (Shoal\Exception\NotANumber $error) {}
                $cache->topology();
                $cache->deleteMany(['a', 'b']);
                $cache->close();
            };
            for ($i = 0; $i < 1000; ++$i) { $once($i); }
            $before = resident();
            for ($i = 0; $i < 10000; ++$i) { $once($i); }
            echo resident() - $before;
            END;
        self::assertLessThan(512 << 10, (int) $this->runScript($script));
    }
}
