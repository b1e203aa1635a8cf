<?php

/**
 * The example page is served, and goes on being served when a node dies and when the fleet changes.
 *
 * SHOAL_BUILD names the build whose command starts the fleet. May use: PHPUnit, Shoal and `php -S`.
 */

declare(strict_types=1);

namespace Shoal\Tests;

require_once __DIR__ . '/Support.php';

use PHPUnit\Framework\TestCase;

final class ExampleTest extends TestCase
{
    private const ARTICLES = '100 of 100 from the cache';

    private LocalFleet $fleet;
    private Process $site;
    private string $url;

    protected function setUp(): void
    {
        $this->fleet = new LocalFleet(3);
        $address = '127.0.0.1:' . free_port();
        $this->url = "http://$address/";
        $this->site = new Process(['env', "SHOAL_ENDPOINT=elasticache://{$this->fleet->endpoint}", PHP_BINARY, '-n',
            ...extension_arguments(), '-S', $address, dirname(__DIR__) . '/examples/page.php']);
        eventually(fn () => @file_get_contents($this->url) !== false, 'the example answers');
    }

    protected function tearDown(): void
    {
        $this->site->stop();
        $this->fleet->stop();
    }

    /** The page, by the first words of its lines. @return array<string, string> */
    private function take(): array
    {
        $page = file_get_contents($this->url);
        self::assertSame(4, preg_match_all('/^(\w+) {2,}(.+)$/m', $page, $lines), $page);

        return array_combine($lines[1], $lines[2]);
    }

    private function waitFor(int $nodes): void
    {
        eventually(function () use ($nodes) {
            $page = $this->take();

            return $page['articles'] === self::ARTICLES && substr_count($page['fleet'], 'localhost:') === $nodes;
        }, "all articles are on $nodes nodes");
    }

    public function testThePageWhileNodesComeAndGo(): void
    {
        $this->waitFor(3);
        $page = $this->take();
        $next = $this->take();
        self::assertSame($page['report'], $next['report']);
        self::assertSame((int) $page['hits'] + 1, (int) $next['hits']);

        $dead = $this->fleet->change('list')['nodes'][0];
        posix_kill($dead['pid'], SIGKILL);
        for ($i = 0; $i < 5; ++$i) {
            $articles = (int) $this->take()['articles'];
            self::assertGreaterThan(0, $articles);
            self::assertLessThan(100, $articles);
        }
        $this->fleet->change('remove', (string) $dead['port']);
        $this->waitFor(2);

        $this->fleet->change('add');
        $this->waitFor(3);
    }

    /** Whichever node is dead, and all of them: the page is there, and says what it could not do. */
    public function testThePageWithoutAnyNode(): void
    {
        $this->waitFor(3);
        foreach ($this->fleet->change('list')['nodes'] as $node) {
            posix_kill($node['pid'], SIGKILL);
            self::assertLessThan(100, (int) $this->take()['articles']);
        }
        $page = $this->take();
        self::assertSame('0 of 100 from the cache', $page['articles']);
        self::assertSame('not counted: its node is down', $page['hits']);
        self::assertStringContainsString('not kept: its node is down', $page['report']);
    }
}
