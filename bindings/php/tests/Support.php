<?php

/**
 * Servers for the PHP tests: memcached processes on free ports, which end with the test however it ends.
 *
 * May use: PHPUnit and Shoal. tests/conformance/run_cases.php uses the servers too.
 */

declare(strict_types=1);

namespace Shoal\Tests;

require_once getenv('SHOAL_AUTOLOAD') ?: __DIR__ . '/../autoload.php';

/** A process that gets a signal when this one ends, or is told to stop: TERM lets it end its own children. */
class Process
{
    /** @var resource */
    protected $process;

    /** @param list<string> $command */
    public function __construct(
        array $command,
        string $output = '/dev/null',
        private readonly string $signal = 'KILL',
    ) {
        $files = [['file', '/dev/null', 'r'], ['file', $output, 'a'], ['file', $output, 'a']];
        $this->process = proc_open(['setpriv', '--pdeathsig', $signal, ...$command], $files, $pipes);
    }

    public function pid(): int
    {
        return proc_get_status($this->process)['pid'];
    }

    public function stop(): void
    {
        if (is_resource($this->process)) {
            proc_terminate($this->process, constant("SIG{$this->signal}"));
            proc_close($this->process);
        }
    }
}

/** One memcached process. */
final class Memcached extends Process
{
    public readonly int $port;
    public readonly string $name;

    public function __construct()
    {
        $this->port = free_port();
        $this->name = "127.0.0.1:{$this->port}";
        $program = is_executable('/usr/bin/memcached') ? '/usr/bin/memcached' : 'memcached';
        parent::__construct([$program, '-l', '127.0.0.1', '-p', (string) $this->port, '-U', '0', '-t', '1', '-m', '64',
            '-c', '2048', '-u', 'root']);
        eventually(fn () => @fsockopen('127.0.0.1', $this->port) !== false, 'memcached answers');
    }

    /** A counter of its stats. This asks by a connection of its own, which is counted too. */
    public function counter(string $name): int
    {
        $socket = fsockopen('127.0.0.1', $this->port);
        fwrite($socket, "stats\r\n");
        $found = 0;
        while (($line = fgets($socket)) !== false && rtrim($line) !== 'END') {
            if (sscanf($line, 'STAT %s %d', $title, $number) === 2 && $title === $name) {
                $found = $number;
            }
        }

        return $found;
    }

    /** It keeps its connections and answers nothing, from when this returns. */
    public function freeze(): void
    {
        posix_kill($this->pid(), SIGSTOP);
        eventually(fn () => proc_get_status($this->process)['stopped'], 'memcached is frozen');
    }
}

/** A fleet with a discovery endpoint, as `shoal local` starts it. SHOAL_BUILD names the build that has the command. */
final class LocalFleet extends Process
{
    public readonly string $endpoint;

    /** The endpoint's host:port alone. */
    public readonly string $address;

    /** Whom to trust, where the fleet has TLS. */
    public readonly string $caFile;

    private readonly string $folder;

    public function __construct(int $nodes, string ...$options)
    {
        $this->folder = sys_get_temp_dir() . '/shoal-local-' . getmypid() . '-' . bin2hex(random_bytes(4));
        $this->caFile = "{$this->folder}/fleet/tls/ca.pem";
        mkdir($this->folder, 0700);
        parent::__construct([self::command(), 'local', '--nodes', (string) $nodes, '--dir', "{$this->folder}/fleet",
            ...$options], "{$this->folder}/said", 'TERM');
        eventually(fn () => substr_count($this->said(), "\nnode\t") === $nodes, 'the fleet has started');
        preg_match('#^endpoint\t((?:\w+://)?([^?\n]+).*)$#m', $this->said(), $found);
        [, $this->endpoint, $this->address] = $found;
    }

    private static function command(): string
    {
        return getenv('SHOAL_BUILD') . '/core/cli/shoal';
    }

    private function said(): string
    {
        return (string) @file_get_contents("{$this->folder}/said");
    }

    /** What `shoal local` prints to one of its words. @return array<string, mixed> */
    public function change(string ...$words): array
    {
        $command = [self::command(), 'local', ...$words, '--json', '--dir', "{$this->folder}/fleet"];
        $process = proc_open($command, [1 => ['pipe', 'w']], $pipes);
        $answer = stream_get_contents($pipes[1]);
        proc_close($process);

        return json_decode($answer, true, 512, JSON_THROW_ON_ERROR);
    }

    public function stop(): void
    {
        parent::stop();
        @unlink("{$this->folder}/said");
        @rmdir($this->folder);
    }
}

/** A port that nobody listens on, and that only who names it gets while this process lives: it stays bound. */
function free_port(): int
{
    static $reserved = [];
    $reserved[] = $probe = stream_socket_server('tcp://127.0.0.1:0', flags: STREAM_SERVER_BIND);

    return (int) substr(strrchr(stream_socket_get_name($probe, false), ':'), 1);
}

/** Waits until a condition comes true, generously: test machines are busy. */
function eventually(callable $condition, string $what, float $seconds = 20.0): void
{
    $end = microtime(true) + $seconds;
    while (!$condition()) {
        if (microtime(true) > $end) {
            throw new \RuntimeException("it took too long until $what");
        }
        usleep(5000);
    }
}

/** The arguments that bring the extension under test to another php, as this one has them. @return list<string> */
function extension_arguments(): array
{
    return ['-d', 'extension=' . getenv('SHOAL_PHP_EXTENSION')];
}
