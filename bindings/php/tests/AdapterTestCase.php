<?php

/**
 * Tests of adapters, on three nodes, with a log to look into. May use: PHPUnit, Shoal and Debian's PHP libraries.
 */

declare(strict_types=1);

namespace Shoal\Tests;

require_once __DIR__ . '/FleetTestCase.php';
@include_once 'Psr/Log/autoload.php';

use Psr\Log\AbstractLogger;
use Psr\Log\LoggerInterface;
use Shoal\Client;

abstract class AdapterTestCase extends FleetTestCase
{
    protected const NODES = 3;

    /** What has to be loaded, of which each may be missing. */
    protected const LIBRARIES = [];

    public static function setUpBeforeClass(): void
    {
        foreach ([...static::LIBRARIES, 'Psr/Log/autoload.php'] as $library) {
            if ((@include_once $library) === false) {
                self::markTestSkipped("$library is not installed");
            }
        }
        parent::setUpBeforeClass();
    }

    /** A client of which calls for a dead node's keys fail. */
    protected function strictClient(): Client
    {
        return $this->client(['on_node_failure' => 'error', 'operation_timeout_ms' => 2000]);
    }

    /** Ends a node and gives, of the keys, those it had. @param list<string> $keys @return list<string> */
    protected function killOwnerOf(Client $client, array $keys): array
    {
        $dead = self::$servers[0];
        $lost = array_values(array_filter($keys, static fn (string $key): bool => $client->route($key) === $dead->name));
        self::assertNotEmpty($lost);
        self::assertLessThan(count($keys), count($lost));
        $dead->stop();

        return $lost;
    }

    /** Starts the dead node anew, for the tests that follow. */
    protected function replaceFleet(): void
    {
        self::tearDownAfterClass();
        parent::setUpBeforeClass();
    }

    /** A logger and what it was told. @return array{LoggerInterface, \ArrayObject<int, string>} */
    protected function log(): array
    {
        $lines = new \ArrayObject();
        $logger = new class ($lines) extends AbstractLogger {
            public function __construct(private readonly \ArrayObject $lines)
            {
            }

            public function log($level, $message, array $context = []): void
            {
                $this->lines[] = "$level: $message";
            }
        };

        return [$logger, $lines];
    }

    /** Runs a call in a child; whether it gave true there. */
    protected function inChild(callable $call): bool
    {
        $child = pcntl_fork();
        if ($child === 0) {
            $good = false;
            try {
                $good = $call() === true;
            } finally {
                posix_kill(getmypid(), $good ? SIGKILL : SIGTERM); // no destructor of PHPUnit's runs here
            }
        }
        pcntl_waitpid($child, $status);

        return pcntl_wtermsig($status) === SIGKILL;
    }
}

/** A value that cannot be stored. */
final class Unserialisable
{
    public function __serialize(): array
    {
        throw new \LogicException('no two of me');
    }
}
