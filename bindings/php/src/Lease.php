<?php

declare(strict_types=1);

namespace Shoal;

/**
 * The right to compute what is missing, which one caller of the whole fleet has at a time. It ends with this object.
 *
 * @internal for the adapters: Client::claim makes it
 */
final class Lease
{
    public function __construct(private readonly Native\Lease $handle)
    {
    }

    /** Gives the right back, so that whoever waits goes on at once. It may be called more than once. */
    public function abandon(): void
    {
        \shoal_lease_abandon($this->handle);
    }
}
