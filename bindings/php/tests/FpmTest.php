<?php

/**
 * What outlives a request, under php-fpm and PHP's own server: the client, its list of nodes and its connections; and what
 * does not: whatever a request left undone. Skipped where php-fpm is not installed.
 *
 * May use: PHPUnit, Shoal, php-fpm and cgi-fcgi, which speaks FastCGI from the command line.
 */

declare(strict_types=1);

namespace Shoal\Tests;

require_once __DIR__ . '/FleetTestCase.php';

use Shoal\Client;

final class FpmTest extends FleetTestCase
{
    protected const NODES = 2;

    private const CODEC = <<<'END'
        final class During implements Shoal\Codec
        {
            public function __construct(private Closure $do) {}
            public function encode(mixed $value): array { return [$value, 0]; }
            public function decode(string $data, int $flags): mixed { ($this->do)(); return $data; }
        }
        END;

    private string $folder;
    private Memcached $discovery;
    private ?Process $server = null;

    protected function setUp(): void
    {
        parent::setUp();
        $this->folder = sys_get_temp_dir() . '/shoal-fpm-' . getmypid() . '-' . bin2hex(random_bytes(4));
        mkdir($this->folder, 0700);
        $this->discovery = new Memcached();
        $nodes = implode(' ', array_map(fn ($node) => "127.0.0.1|127.0.0.1|{$node->port}", self::$servers));
        (new Client("static://{$this->discovery->name}"))->set('AmazonElastiCache:cluster', "1\n$nodes\n");
    }

    protected function tearDown(): void
    {
        $this->server?->stop();
        $this->discovery->stop();
        array_map('unlink', glob("{$this->folder}/*"));
        rmdir($this->folder);
    }

    /** Writes a page; $cache is a client that discovers the fleet, and what the page gives back is its answer. */
    private function page(string $name, string $body, string $options = '[]'): void
    {
        file_put_contents("{$this->folder}/$name.php", '<?php require ' . var_export(getenv('SHOAL_AUTOLOAD'), true) . ";\n"
            . self::CODEC . "\nini_set('display_errors', '0');\n"
            . "\$cache = new Shoal\\Client('{$this->discovery->name}', $options + ['operation_timeout_ms' => 10000]);\n"
            . "header('Content-Type: application/json');\necho json_encode((function () use (\$cache) { $body })()), \"\\n\";\n");
    }

    private function startFpm(int $workers): void
    {
        $programs = glob('/usr/sbin/php-fpm*') ?: [];
        $own = preg_grep('/php-fpm' . PHP_MAJOR_VERSION . '\.' . PHP_MINOR_VERSION . '$/', $programs);
        $program = array_values($own)[0] ?? null;
        if ($program === null || !is_executable('/usr/bin/cgi-fcgi')) {
            self::markTestSkipped('php-fpm or cgi-fcgi is not installed');
        }
        $owner = posix_getuid() === 0 ? "user = root\ngroup = root\n" : '';
        file_put_contents("{$this->folder}/fpm.conf", "[global]\nerror_log = {$this->folder}/log\n[pages]\n$owner"
            . "listen = {$this->folder}/socket\npm = static\npm.max_children = $workers\n");
        $this->server = new Process([$program, '-n', '-F', '-R', '-y', "{$this->folder}/fpm.conf", ...extension_arguments(),
            '-d', 'memory_limit=32M'], "{$this->folder}/log", 'TERM');
        eventually(fn () => @stream_socket_client("unix://{$this->folder}/socket") !== false, 'php-fpm listens');
    }

    /** @return resource */
    private function begin(string $page)
    {
        $environment = ['SCRIPT_FILENAME' => "{$this->folder}/$page.php", 'REQUEST_METHOD' => 'GET', 'SCRIPT_NAME' => '/',
            'PATH' => getenv('PATH')];
        $process = proc_open(['cgi-fcgi', '-bind', '-connect', "{$this->folder}/socket"],
            [['file', '/dev/null', 'r'], ['pipe', 'w'], ['file', '/dev/null', 'w']], $pipes, null, $environment);

        return [$process, $pipes[1]];
    }

    /** What a page answered; null where it ended early. @param array{resource, resource} $request */
    private function end(array $request): mixed
    {
        $answer = stream_get_contents($request[1]);
        proc_close($request[0]);
        $body = trim(substr($answer, strpos($answer, "\r\n\r\n") ?: strlen($answer)));

        return json_decode($body, true);
    }

    private function ask(string $page): mixed
    {
        return $this->end($this->begin($page));
    }

    /** @return list<int> */
    private function connections(): array
    {
        return array_map(fn ($server) => $server->counter('total_connections'), [$this->discovery, ...self::$servers]);
    }

    public function testAHundredRequestsDiscoverAndConnectOnceAWorker(): void
    {
        $this->page('page', '$cache->set("a" . getmypid(), "v"); for ($i = 0; $i < 20; ++$i) { $cache->set("k$i", "$i"); }'
            . ' return [getmypid(), count($cache->getMany(array_map(fn ($i) => "k$i", range(0, 19)))), $cache->nodes()];');
        $this->startFpm(2);
        $before = $this->connections();
        $workers = [];
        for ($round = 0; $round < 10; ++$round) {
            $requests = array_map(fn () => $this->begin('page'), range(1, 10));
            foreach ($requests as $request) {
                [$worker, $hits, $nodes] = $this->end($request);
                self::assertSame([20, array_column(self::$servers, 'name')], [$hits, $nodes]);
                $workers[$worker] = ($workers[$worker] ?? 0) + 1;
            }
        }
        self::assertSame(100, array_sum($workers));
        self::assertContains(count($workers), [1, 2]);
        $own = 1; // this asks by a connection too
        foreach ($this->connections() as $index => $count) {
            self::assertSame(count($workers) + $own, $count - $before[$index], $index === 0 ? 'discoveries' : 'lanes');
        }
    }

    public function testARequestThatEndsInTheMiddleLeavesNothingBehind(): void
    {
        $breaks = [
            'exits' => 'exit(0);',
            'fatal' => '$all = []; while (true) { $all[] = str_repeat("x", 1 << 20); }',
            'jumps' => 'trigger_error("stop", E_USER_ERROR);', // PHP jumps out of all calls there
            'throws' => 'throw new DomainException("stop");',
            'slow' => 'set_time_limit(1); while (true) { hash("sha256", "x"); }',
        ];
        $large = 'str_repeat("v", 500000)';
        $this->page('good', '$cache->set("k", "right"); $cache->set("large", ' . $large . ');'
            . ' return [getmypid(), $cache->get("k"), strlen($cache->get("large")), $cache->getMany(["k", "none"]),'
            . ' $cache->increment("n", initial: 1)];');
        foreach ($breaks as $name => $break) {
            $options = "['codec' => new During(function () { $break })]";
            $this->page("$name-get", 'return $cache->get("large");', $options);
            $this->page("$name-many", 'return $cache->getMany(["large", "k"]);', $options);
        }
        $this->startFpm(1);
        [$worker] = $this->ask('good');
        $before = $this->connections();
        $count = 1;
        foreach (array_keys($breaks) as $name) {
            foreach (['get', 'many'] as $call) {
                self::assertNull($this->ask("$name-$call"), $name);
                self::assertSame([$worker, 'right', 500000, ['k' => 'right'], ++$count], $this->ask('good'), "$name-$call");
            }
        }
        $own = 1;
        self::assertSame(array_map(fn ($each) => $each + $own, $before), $this->connections());
    }

    public function testMemoryStaysFlatOverRequestsThatFail(): void
    {
        $this->page('good', '$cache->set("large", str_repeat("v", 900000)); $cache->getMany(["large", "none"]);'
            . ' return [getmypid(), (int) explode(" ", file_get_contents("/proc/self/statm"))[1] * 4096];');
        $this->page('fatal', 'return $cache->getMany(["large"]);',
            "['codec' => new During(function () { trigger_error('stop', E_USER_ERROR); })]");
        $this->page('fatal-value', 'return $cache->get("large");',
            "['codec' => new During(function () { trigger_error('stop', E_USER_ERROR); })]");
        $this->startFpm(1);
        for ($i = 0; $i < 20; ++$i) {
            $this->ask('fatal');
            $this->ask('fatal-value');
            $start = $this->ask('good');
        }
        for ($i = 0; $i < 40; ++$i) {
            self::assertNull($this->ask('fatal'));
            self::assertNull($this->ask('fatal-value'));
            $end = $this->ask('good');
        }
        self::assertSame($start[0], $end[0]);
        self::assertLessThan(10 << 20, $end[1] - $start[1], '80 values of 900 KB would be 72 MB');
    }

    public function testPhpsOwnServer(): void
    {
        $this->page('page', '$cache->set("k", "v"); $cache->set("l", "v");'
            . ' return [$cache->getMany(["k", "l"]), $cache->nodes()];');
        $port = free_port();
        $this->server = new Process([PHP_BINARY, '-n', ...extension_arguments(), '-S', "127.0.0.1:$port", '-t', $this->folder]);
        $before = null;
        for ($i = 0; $i < 10; ++$i) {
            eventually(fn () => @fsockopen('127.0.0.1', $port) !== false, 'php -S listens');
            $answer = file_get_contents("http://127.0.0.1:$port/page.php");
            self::assertSame([['k' => 'v', 'l' => 'v'], array_column(self::$servers, 'name')], json_decode($answer, true));
            $before ??= $this->connections();
        }
        $own = 1;
        self::assertSame(array_map(fn ($each) => $each + $own, $before), $this->connections());
    }
}
