<?php

declare(strict_types=1);

namespace Shoal\Exception;

/**
 * What an error of the core tells beside its message. The extension fills it in.
 *
 * @internal
 */
trait Details
{
    protected ?string $node = null;
    protected int $errno = 0;
    protected int $attempts = 0;
    protected bool $retriable = false;
    protected bool $outcomeUnknown = false;

    /** @var array<int|string, mixed>|null */
    protected ?array $partial = null;

    public function getNode(): ?string
    {
        return $this->node;
    }

    public function getErrno(): int
    {
        return $this->errno;
    }

    public function getAttempts(): int
    {
        return $this->attempts;
    }

    public function isRetriable(): bool
    {
        return $this->retriable;
    }

    public function isOutcomeUnknown(): bool
    {
        return $this->outcomeUnknown;
    }

    public function getPartial(): ?array
    {
        return $this->partial;
    }
}
