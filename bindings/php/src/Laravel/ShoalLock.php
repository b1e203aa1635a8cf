<?php

declare(strict_types=1);

namespace Shoal\Laravel;

use Illuminate\Cache\Lock;
use Shoal\Adapter\LogsFailures;
use Shoal\Client;
use Shoal\Exception\ExceptionInterface;

/**
 * A lock of Laravel's on one item, whose value is the owner. What fails is told to the logger: no lock, not released.
 *
 * It is released and refreshed by its owner alone: between the look at the owner and that, the servers (cas) let
 * nobody else come.
 */
final class ShoalLock extends Lock
{
    use LogsFailures;

    /**
     * Makes a lock, which is not yet taken.
     *
     * @param string  $name    the item's name on the servers
     * @param int     $seconds its lifetime; 0 is for ever
     * @param ?string $owner   made where there is none
     */
    public function __construct(private readonly Client $client, $name, $seconds, $owner = null)
    {
        parent::__construct($name, $seconds, $owner);
    }

    /** {@inheritdoc} */
    public function acquire(): bool
    {
        $acquire = fn (): bool => $this->client->add($this->name, $this->owner, max(0, (int) $this->seconds));

        return $this->attempt('take a lock', false, $acquire);
    }

    /** {@inheritdoc} */
    public function release(): bool
    {
        return $this->attempt('release a lock', false, fn (): bool => $this->replaceOwn(-1));
    }

    /**
     * Gives a lock that is held a new lifetime, its first one without $seconds; false where it is not held.
     *
     * @param ?int $seconds
     */
    public function refresh($seconds = null): bool
    {
        $lifetime = max(0, (int) ($seconds ?? $this->seconds));

        return $this->attempt('refresh a lock', false, fn (): bool => $this->replaceOwn($lifetime));
    }

    /** Releases the lock, whoever holds it. */
    public function forceRelease(): void
    {
        $this->attempt('release a lock', false, fn (): bool => $this->client->delete($this->name));
    }

    /** The owner that the servers know; null where there is none. */
    protected function getCurrentOwner(): ?string
    {
        return $this->attempt('read a lock', null, fn (): ?string => $this->client->get($this->name));
    }

    /** Stores the owner once more, with another lifetime, if it is this one and nothing has come between. */
    private function replaceOwn(int $lifetime): bool
    {
        [$owner, $token] = $this->client->gets($this->name) ?? [null, 0];

        return $owner === $this->owner && $this->client->cas($this->name, $owner, $token, $lifetime);
    }

    private function attempt(string $what, mixed $otherwise, callable $call): mixed
    {
        try {
            return $call();
        } catch (ExceptionInterface $failure) {
            $this->tell($what, $failure);

            return $otherwise;
        }
    }
}
