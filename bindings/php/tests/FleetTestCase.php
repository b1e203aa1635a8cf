<?php

/** Tests with a fleet of their own, emptied before each. May use: PHPUnit and Shoal. */

declare(strict_types=1);

namespace Shoal\Tests;

require_once __DIR__ . '/Support.php';

use PHPUnit\Framework\TestCase;
use Shoal\Client;

abstract class FleetTestCase extends TestCase
{
    protected const NODES = 1;

    /** Nothing here is about how fast a call is. */
    protected const OPERATION_TIMEOUT_MS = 10000;

    /** @var list<Memcached> */
    protected static array $servers = [];

    public static function setUpBeforeClass(): void
    {
        for ($i = 0; $i < static::NODES; ++$i) {
            self::$servers[] = new Memcached();
        }
    }

    public static function tearDownAfterClass(): void
    {
        foreach (self::$servers as $server) {
            $server->stop();
        }
        self::$servers = [];
    }

    protected function setUp(): void
    {
        $this->client()->flushAll();
    }

    protected static function endpoint(): string
    {
        return 'static://' . implode(',', array_column(self::$servers, 'name'));
    }

    /** @param array<string, mixed> $options */
    protected function client(array $options = []): Client
    {
        return new Client(static::endpoint(), $options + ['operation_timeout_ms' => self::OPERATION_TIMEOUT_MS]);
    }

    /** What a call throws, which must be of this class. */
    protected function thrown(string $class, callable $call): \Throwable
    {
        try {
            $call();
        } catch (\Throwable $thrown) {
            self::assertInstanceOf($class, $thrown, $thrown->getMessage());

            return $thrown;
        }
        self::fail("no $class was thrown");
    }

    /** Runs a script in a php of its own, with the endpoint in $argv[1]: its output. Whatever it says counts. */
    protected function runScript(string $script, string ...$arguments): string
    {
        return $this->outputOf($this->startScript($script, ...$arguments));
    }

    /** Starts such a script, for `outputOf`. @return array{resource, resource} */
    protected function startScript(string $script, string ...$arguments): array
    {
        $code = 'require ' . var_export(getenv('SHOAL_AUTOLOAD'), true) . ";\n$script";
        $command = ['setpriv', '--pdeathsig', 'KILL', PHP_BINARY, ...extension_arguments(), '-d', 'display_errors=1',
            '-r', $code, '--', static::endpoint(), ...$arguments];
        $process = proc_open($command, [1 => ['pipe', 'w'], 2 => ['redirect', 1]], $pipes);

        return [$process, $pipes[1]];
    }

    /** @param array{resource, resource} $started */
    protected function outputOf(array $started): string
    {
        $output = stream_get_contents($started[1]);
        proc_close($started[0]);

        return $output;
    }
}
