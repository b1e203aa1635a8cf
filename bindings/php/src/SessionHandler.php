<?php

declare(strict_types=1);

namespace Shoal;

use Shoal\Adapter\Keys;
use Shoal\Adapter\LogsFailures;
use Shoal\Exception\ExceptionInterface;

/**
 * PHP's sessions on a fleet of memcached servers.
 *
 *     session_set_save_handler(new Shoal\SessionHandler(new Shoal\Client($endpoint)), true);
 *
 * A session is locked while it is open, so that two requests of it come one after the other. A session that cannot be
 * read is empty for this request, told to the log, and not written back: what is stored outlives the trouble. Names and
 * values are those of php-memcached's own handler.
 */
final class SessionHandler implements
    \SessionHandlerInterface,
    \SessionIdInterface,
    \SessionUpdateTimestampHandlerInterface
{
    use LogsFailures;

    private const FIRST_WAIT_US = 5_000;
    private const LONGEST_WAIT_US = 160_000;

    private readonly string $owner;

    /** The name of the lock that is held. */
    private ?string $lock = null;

    /** The name of a session that could not be read. */
    private ?string $unread = null;

    /**
     * Makes a handler; the network is not touched before a session is opened.
     *
     * @param string $prefix      put before every session's id
     * @param ?int   $lifetime    of a session, in seconds; null is session.gc_maxlifetime
     * @param float  $lockWait    how long to wait for a request that has the session, in seconds; 0 locks nothing
     * @param ?int   $lockSeconds a lock ends by itself after them; null is max_execution_time, or 60
     */
    public function __construct(
        private readonly Client $client,
        private readonly string $prefix = 'memc.sess.key.',
        private readonly ?int $lifetime = null,
        private readonly float $lockWait = 30.0,
        private readonly ?int $lockSeconds = null,
    ) {
        $this->owner = bin2hex(random_bytes(8));
    }

    public function open(string $path, string $name): bool
    {
        return true;
    }

    /** Ends the lock. */
    public function close(): bool
    {
        $lock = $this->lock;
        $this->lock = null;
        $this->unread = null;
        if ($lock !== null) {
            $this->attempt('unlock a session', false, fn (): bool => $this->unlock($lock));
        }

        return true;
    }

    /** The session's data, "" where there is none; false where another request has it for too long. */
    public function read(string $id): string|false
    {
        if (!$this->takeLock($id)) {
            $this->tell('lock a session', new \RuntimeException("another request has it for {$this->lockWait} s"));

            return false;
        }
        $this->unread = null;
        try {
            $data = $this->client->get($this->name($id));
        } catch (ExceptionInterface $failure) {
            $this->tell('read a session', $failure);
            $this->unread = $this->name($id);
            $data = null;
        }

        return is_string($data) ? $data : '';
    }

    public function write(string $id, string $data): bool
    {
        if ($this->unread === $this->name($id)) {
            return true;
        }
        $set = fn (): bool => $this->client->set($this->name($id), $data, $this->seconds());

        return $this->attempt('write a session', false, $set);
    }

    /** Called where the data is as it was read (session.lazy_write). */
    public function updateTimestamp(string $id, string $data): bool
    {
        $touch = fn (): bool => $this->client->touch($this->name($id), $this->seconds());

        return $this->attempt('keep a session', false, $touch) || $this->write($id, $data);
    }

    public function destroy(string $id): bool
    {
        $delete = function () use ($id): bool {
            $this->client->delete($this->name($id));

            return true;
        };

        return $this->attempt('delete a session', false, $delete) && $this->close();
    }

    /** There is nothing to do: memcached forgets what is over. */
    public function gc(int $max_lifetime): int|false
    {
        return 0;
    }

    public function create_sid(): string
    {
        return session_create_id();
    }

    /** Whether there is such a session, as session.use_strict_mode wants to know. */
    public function validateId(string $id): bool
    {
        $exists = fn (): bool => $this->client->get($this->name($id)) !== null;

        return $this->attempt('look for a session', true, $exists);
    }

    private function name(string $id): string
    {
        return Keys::name($this->prefix . $id);
    }

    /** PHP may have been told another lifetime since. */
    private function seconds(): int
    {
        return $this->lifetime ?? (int) ini_get('session.gc_maxlifetime');
    }

    /** Waits for the lock; false where it is not to be had. A node that is down keeps nobody from a session. */
    private function takeLock(string $id): bool
    {
        $name = Keys::name("{$this->prefix}lock.$id");
        if ($this->lockWait <= 0 || $this->lock === $name) {
            return true;
        }
        $this->close();
        $seconds = $this->lockSeconds ?? ((int) ini_get('max_execution_time') ?: 60);
        $end = hrtime(true) + (int) ($this->lockWait * 1e9);
        $wait = self::FIRST_WAIT_US;
        do {
            try {
                // It is there and this one's, where the reply to an earlier add was lost.
                if ($this->client->add($name, $this->owner, $seconds) || $this->client->get($name) === $this->owner) {
                    $this->lock = $name;

                    return true;
                }
            } catch (ExceptionInterface $failure) {
                $this->tell('lock a session', $failure);
                $this->lock = $failure->isOutcomeUnknown() ? $name : null;

                return true;
            }
            usleep(random_int(intdiv($wait, 2), $wait));
            $wait = min(2 * $wait, self::LONGEST_WAIT_US);
        } while (hrtime(true) < $end);

        return false;
    }

    /** Ends a lock that is still this request's; by cas, as another may have it by now. */
    private function unlock(string $name): bool
    {
        [$owner, $token] = $this->client->gets($name) ?? [null, 0];

        return $owner === $this->owner && $this->client->cas($name, $owner, $token, -1);
    }

    /** @param callable(): bool $call */
    private function attempt(string $what, bool $otherwise, callable $call): bool
    {
        try {
            return $call();
        } catch (ExceptionInterface $failure) {
            $this->tell($what, $failure);

            return $otherwise;
        }
    }
}
