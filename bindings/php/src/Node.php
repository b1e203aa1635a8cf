<?php

declare(strict_types=1);

namespace Shoal;

/** One node of the fleet. */
final class Node
{
    /**
     * @param string $name    "host:port", or the path of a Unix socket
     * @param string $address what discovery gave; "" where it gave none
     * @param int    $port    0 for a Unix socket
     */
    public function __construct(
        public readonly string $name,
        public readonly string $host,
        public readonly string $address,
        public readonly int $port,
        public readonly int $weight,
    ) {
    }
}
