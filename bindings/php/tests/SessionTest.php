<?php

/**
 * PHP's sessions: what a request keeps for the next, locks, and what php-memcached's handler wrote.
 *
 * Requests are scripts in a php of their own. May use: PHPUnit, Shoal, php-memcached.
 */

declare(strict_types=1);

namespace Shoal\Tests;

require_once __DIR__ . '/AdapterTestCase.php';

use Shoal\Client;
use Shoal\SessionHandler;

final class SessionTest extends AdapterTestCase
{
    private const SETTINGS = "ini_set('session.use_cookies', '0'); ini_set('session.cache_limiter', '');";

    /** What a request with the session says. $arguments go to the handler, behind its client. */
    private function request(string $id, string $code, string $arguments = '', string $options = '[]'): string
    {
        return $this->runScript(self::SETTINGS . "
            \$client = new Shoal\\Client(\$argv[1], $options + ['operation_timeout_ms' => 10000]);
            session_set_save_handler(new Shoal\\SessionHandler(\$client $arguments), true);
            session_id('$id');
            session_start();
            $code");
    }

    public function testASessionGoesOn(): void
    {
        self::assertSame('', $this->request('one', '$_SESSION["user"] = ["Ada"];'));
        self::assertSame('Ada', $this->request('one', 'echo $_SESSION["user"][0];'));
        self::assertSame('0', $this->request('other', 'echo count($_SESSION);'));
        self::assertSame('', $this->request('one', 'session_destroy();'));
        self::assertSame('0', $this->request('one', 'echo count($_SESSION);'));
        self::assertMatchesRegularExpression('/^\w{20,}$/', $this->request('one',
            '$_SESSION["k"] = 1; session_regenerate_id(true); echo session_id();'));
    }

    public function testStrictModeTakesNoIdThatWasNotGiven(): void
    {
        $strict = 'ini_set("session.use_strict_mode", "1"); session_id("chosen"); session_start(); echo session_id();';
        self::assertNotSame('chosen', $this->request('first', "session_write_close(); $strict"));
        $this->request('chosen', '$_SESSION["k"] = 1;');
        self::assertSame('chosen', $this->request('first', "session_write_close(); $strict"));
    }

    public function testSessionsThatAreOnlyReadLiveOn(): void
    {
        $this->request('k', '$_SESSION["k"] = 1;', ", 'p:', 3");
        foreach ([1, 2] as $_) {
            sleep(1);
            self::assertSame('1', $this->request('k', 'echo $_SESSION["k"];', ", 'p:', 100"));
        }
        sleep(2);
        self::assertSame('1', $this->request('k', 'echo $_SESSION["k"];', ", 'p:', 1"));
        sleep(2);
        self::assertSame('0', $this->request('k', 'echo count($_SESSION);', ", 'p:', 1"));
        $handler = new SessionHandler($this->client(), 'p:', 100);
        self::assertTrue($handler->updateTimestamp('gone', 'data'));
        self::assertSame('data', $handler->read('gone'));
        $handler->close();
    }

    public function testTwoRequestsOfASessionComeOneAfterTheOther(): void
    {
        $add = '$n = $_SESSION["n"] ?? 0; usleep(20000); $_SESSION["n"] = $n + 1;';
        $children = [];
        for ($i = 0; $i < 6; ++$i) {
            $children[] = $child = pcntl_fork();
            if ($child === 0) {
                $said = $this->request('counter', $add);
                posix_kill(getmypid(), $said === '' ? SIGKILL : SIGTERM);
            }
        }
        foreach ($children as $child) {
            pcntl_waitpid($child, $status);
            self::assertSame(SIGKILL, pcntl_wtermsig($status));
        }
        self::assertSame('6', $this->request('counter', 'echo $_SESSION["n"];'));
    }

    public function testALockIsWaitedForSoLongAndEnds(): void
    {
        [$first, $second] = [new SessionHandler($this->client(), 'p:', 100, 30, 2),
            new SessionHandler($this->client(), 'p:', 100, 0.1)];
        [$logger, $lines] = $this->log();
        $second->setLogger($logger);
        self::assertSame('', $first->read('k'));
        self::assertFalse($second->read('k'));
        self::assertStringContainsString('another request has it for 0.1 s', $lines[0]);
        self::assertSame('', (new SessionHandler($this->client(), 'p:', 100, 0))->read('k'));
        sleep(3);
        self::assertSame('', $second->read('k'));
        $first->close(); // its lock was over, and is another's now
        $third = new SessionHandler($this->client(), 'p:', 100, 0.1);
        $third->setLogger($logger);
        self::assertFalse($third->read('k'));
        $second->close();
        self::assertSame('', $first->read('k'));
        $first->close();
    }

    public function testANodeThatDiesEmptiesItsSessionsAndLosesNone(): void
    {
        $client = $this->strictClient();
        $handler = new SessionHandler($client, 's');
        [$logger, $lines] = $this->log();
        $handler->setLogger($logger);
        $ids = array_filter(range(1, 60), fn (int $i): bool => $client->route("s$i") === self::$servers[0]->name);
        self::assertNotEmpty($ids);
        $id = (string) reset($ids);
        self::assertTrue($handler->write($id, 'data'));
        self::$servers[0]->freeze();
        try {
            self::assertSame('', $handler->read($id));
            self::assertTrue($handler->write($id, 'empty'));
            $handler->close();
        } finally {
            posix_kill(self::$servers[0]->pid(), SIGCONT);
        }
        eventually(fn (): bool => $handler->read($id) === 'data' && $handler->close(), 'the node is back');
        self::$servers[0]->stop();
        try {
            self::assertFalse($handler->write($id, 'lost'));
            self::assertFalse($handler->destroy($id));
            self::assertTrue($handler->validateId($id));
            self::assertStringContainsString('warning: Shoal could not', $lines[0]);
        } finally {
            $this->replaceFleet();
        }
    }

    public function testWhatPhpMemcachedWroteIsReadAndTheOtherWayRound(): void
    {
        if (!extension_loaded('memcached')) {
            self::markTestSkipped('php-memcached is not installed');
        }
        $servers = implode(',', array_column(self::$servers, 'name'));
        $theirs = fn (string $id, string $code): string => $this->runScript(self::SETTINGS . "
            ini_set('session.save_handler', 'memcached');
            ini_set('session.save_path', '$servers');
            session_id('$id');
            session_start();
            $code");
        foreach (range(1, 12) as $i) {
            self::assertSame('', $theirs("id$i", "\$_SESSION['k'] = 'theirs $i';"));
            $options = "['distribution' => 'ketama', 'key_prefix' => 'memc.sess.key.']";
            $mine = $this->request("id$i", "echo \$_SESSION['k']; \$_SESSION['k'] = 'mine';", ", ''", $options);
            self::assertSame("theirs $i", $mine);
            self::assertSame('mine', $theirs("id$i", "echo \$_SESSION['k'];"));
        }
    }
}
