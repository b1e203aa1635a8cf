<?php

/** fetch: one caller computes, in whatever process, and whatever becomes of it. May use: PHPUnit and Shoal. */

declare(strict_types=1);

namespace Shoal\Tests;

require_once __DIR__ . '/FleetTestCase.php';

use Shoal\Client;
use Shoal\Exception\BadKey;
use Shoal\Exception\Closed;
use Shoal\Exception\ExceptionInterface;
use Shoal\Exception\InvalidArgument;
use Shoal\Exception\NodeDown;

final class FetchTest extends FleetTestCase
{
    protected const NODES = 2;

    /** Nobody here waits for so long, unless something is wrong. */
    private const PATIENT = ['codec' => 'php', 'operation_timeout_ms' => 10000, 'fetch_wait_ms' => 60000,
        'fetch_claim_s' => 1000];
    private const AT_ONCE_S = 30;

    private static function patient(array $options = []): Client
    {
        return new Client(self::endpoint(), $options + self::PATIENT);
    }

    /** A script that has such a client as $cache. */
    private static function script(string $script, array $options = []): string
    {
        return '$cache = new Shoal\Client($argv[1], ' . var_export($options + self::PATIENT, true) . "); $script";
    }

    /** What is computed for a key that somebody may have a claim to, which must have been given back. */
    private static function computedAtOnce(string $key): mixed
    {
        $begun = microtime(true);
        $value = self::patient()->fetch($key, fn () => 'next', 100);
        self::assertLessThan(self::AT_ONCE_S, microtime(true) - $begun);

        return $value;
    }

    public function testAValueIsComputedOnce(): void
    {
        $cache = self::patient();
        foreach (['text', 5, 1.5, true, ['list' => [1]], null] as $number => $value) {
            $computed = 0;
            for ($i = 0; $i < 3; ++$i) {
                $compute = function () use ($value, &$computed): mixed {
                    ++$computed;

                    return $value;
                };
                self::assertSame($value, $cache->fetch("k$number", $compute, 100.5, 0.5));
            }
            self::assertSame(1, $computed);
            self::assertSame([$value], array_slice($cache->gets("k$number"), 0, 1));
        }
        self::assertSame('bytes', $this->client()->fetch('raw', fn (): string => 'bytes'));
        self::assertSame('bytes', $this->client()->fetch('raw', fn (): string => 'other'));
        self::assertSame('php', $cache->fetch('builtin', 'php_sapi_name') === PHP_SAPI ? 'php' : '');
    }

    public function testWhatRanOutIsComputedAnew(): void
    {
        $cache = self::patient();
        self::assertSame('one', $cache->fetch('k', fn () => 'one', 1, 100));
        sleep(2);
        $inside = fn () => [$cache->fetch('k', fn () => 'never', 1, 100), $cache->get('k')];
        self::assertSame(['one', 'one'], $cache->fetch('k', $inside, 100, 100));
        self::assertSame(['one', 'one'], $cache->fetch('k', fn () => 'never', 100, 100));
    }

    public function testAnOldValueThatCannotBeReadIsReplaced(): void
    {
        self::patient(['codec' => 'raw'])->set('k', 'whatever');
        $strict = self::patient(['codec' => new class implements \Shoal\Codec {
            public function encode(mixed $value): array
            {
                return [$value, 7];
            }

            public function decode(string $data, int $flags): mixed
            {
                return $flags === 7 ? $data : throw new \DomainException('not mine');
            }
        }]);
        $this->thrown(\DomainException::class, fn () => $strict->get('k'));
        self::assertSame('mine', $strict->fetch('k', fn () => 'mine'));
        self::assertSame('mine', $strict->fetch('k', fn () => 'never'));
    }

    public function testAnExceptionPassesOnAndTheNextComputesAtOnce(): void
    {
        $cache = self::patient();
        $fails = fn () => $cache->fetch('k', fn () => throw new \DomainException('no database'), 100);
        $kept = $this->thrown(\DomainException::class, $fails);
        self::assertSame('next', self::computedAtOnce('k'));
        $kept = $this->thrown(\Exception::class, fn () => $cache->fetch('closure', fn () => fn () => 1, 100));
        self::assertStringContainsString('Closure', $kept->getMessage());
        self::assertSame('next', self::computedAtOnce('closure'));
        $this->thrown(BadKey::class, fn () => $cache->fetch('nested', fn () => $cache->get('bad key')));
        self::assertSame('next', self::computedAtOnce('nested'));
        $this->thrown(\TypeError::class, fn () => self::patient(['codec' => 'raw'])->fetch('raw', fn () => 5));
        self::assertSame('next', self::computedAtOnce('raw'));
    }

    public function testWhatCouldNotBeStoredIsGivenAllTheSame(): void
    {
        $large = str_repeat('x', 5000);
        self::assertSame($large, self::patient(['max_value_bytes' => 1000])->fetch('k', fn () => $large, 100));
        self::assertSame('next', self::computedAtOnce('k'));
    }

    public function testAReadThatFailsIsThrown(): void
    {
        $cache = self::patient();
        $never = fn () => self::fail('it was computed');
        $this->thrown(BadKey::class, fn () => $cache->fetch('bad key', $never));
        $this->thrown(InvalidArgument::class, fn () => $cache->fetch('k', $never, 1, -1));
        $dead = ['on_node_failure' => 'error'] + self::PATIENT;
        $this->thrown(NodeDown::class, fn () => (new Client('static://127.0.0.1:1', $dead))->fetch('k', $never));
        $missing = new Client('static://127.0.0.1:1', ['on_node_failure' => 'miss'] + self::PATIENT);
        self::assertSame('computed', $missing->fetch('k', fn () => 'computed'));
        $cache->close();
        $this->thrown(Closed::class, fn () => $cache->fetch('k', $never));
    }

    public function testAClientThatIsClosedMeanwhileStores(): void
    {
        $cache = self::patient();
        $close = function () use ($cache): string {
            $cache->close();

            return 'v';
        };
        self::assertSame('v', $cache->fetch('k', $close));
        self::assertSame('v', self::patient()->get('k'));
    }

    public function testWithoutAnOldValueOneWaitsForSoLongAndNoLonger(): void
    {
        $cache = self::patient(['fetch_wait_ms' => 300]);
        $waited = $cache->fetch('k', function () use ($cache): float {
            $begun = microtime(true);
            $cache->fetch('k', fn () => 'computed all the same', 100);

            return microtime(true) - $begun;
        }, 100);
        self::assertGreaterThan(0.25, $waited);
        self::assertLessThan(self::AT_ONCE_S, $waited);
    }

    // --- Processes ---

    public function testOtherProcessesWaitForTheValue(): void
    {
        $others = [];
        $value = self::patient()->fetch('k', function () use (&$others): string {
            for ($i = 0; $i < 4; ++$i) {
                $script = 'echo $cache->fetch("k", fn () => "computed twice", 100);';
                $others[] = $this->startScript(self::script($script));
            }
            usleep(500000);

            return 'once';
        }, 100);
        self::assertSame('once', $value);
        self::assertSame(array_fill(0, 4, 'once'), array_map($this->outputOf(...), $others));
    }

    public function testOtherProcessesHaveTheOldValue(): void
    {
        $cache = self::patient();
        $cache->fetch('k', fn () => 'old', 1, 1000);
        sleep(2);
        $other = self::script('echo $cache->fetch("k", fn () => "computed twice", 1, 1000);');
        $compute = fn (): array => [$this->runScript($other), $this->runScript($other)];
        self::assertSame(['old', 'old'], $cache->fetch('k', $compute, 100, 1000));
        self::assertSame(['old', 'old'], unserialize($this->runScript(
            self::script('echo serialize($cache->fetch("k", fn () => "computed again", 1, 1000));')
        )));
    }

    /** @return array<string, array{string, string}> how a computation ends, and what its process says */
    public static function ends(): array
    {
        return [
            'exit' => ['exit("out")', 'out'],
            'no memory' => ['ini_set("memory_limit", "4M") . str_repeat("x", 5 << 20)', 'Allowed memory size'],
            'error' => ['(function (int $number) {})([])', 'TypeError'],
            'suspended' => ['Fiber::suspend()', ''],
        ];
    }

    /** @dataProvider ends */
    #[\PHPUnit\Framework\Attributes\DataProvider('ends')]
    public function testAProcessThatEndsMeanwhileLetsTheNextCompute(string $end, string $said): void
    {
        $fetch = "\$fiber = new Fiber(fn () => \$cache->fetch('k', fn () => $end, 100)); \$fiber->start();";
        $output = $this->runScript(self::script($fetch));
        self::assertStringContainsString($said, $output);
        self::assertSame('next', self::computedAtOnce('k'));
    }

    public function testAProcessThatIsKilledIsWaitedForNoLongerThanItsClaim(): void
    {
        $dies = '$cache->fetch("k", fn () => posix_kill(getmypid(), SIGKILL), 100);';
        self::assertSame('', $this->runScript(self::script($dies, ['fetch_claim_s' => 2])));
        self::assertSame('next', self::computedAtOnce('k'));
    }
}
