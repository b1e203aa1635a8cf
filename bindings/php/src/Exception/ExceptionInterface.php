<?php

declare(strict_types=1);

namespace Shoal\Exception;

/**
 * Whatever Shoal reports. The message says what was wrong, where, and what to do; the code is the C library's status.
 */
interface ExceptionInterface extends \Throwable
{
    /** The node at which it happened, as "host:port"; null where no node was involved. */
    public function getNode(): ?string;

    /** The operating system's error number; 0 where none was involved. */
    public function getErrno(): int;

    /** How often the command was tried on a node; 0 where the call failed before a connection was there. */
    public function getAttempts(): int;

    /** Whether the same call may succeed later without a change by the caller. */
    public function isRetriable(): bool;

    /** Whether the command may have been executed all the same, because its reply was lost. */
    public function isOutcomeUnknown(): bool;

    /**
     * What `getMany` read beside the failure; null from every other call.
     *
     * @return array<int|string, mixed>|null
     */
    public function getPartial(): ?array;
}
