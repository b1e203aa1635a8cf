<?php

declare(strict_types=1);

namespace Shoal;

/** The list of nodes at one moment. */
final class Topology
{
    /**
     * @param int|string $version the configuration version that the endpoint gave; 0 for a fixed list
     * @param list<Node> $nodes
     */
    public function __construct(
        public readonly int|string $version,
        public readonly array $nodes,
    ) {
    }
}
