<?php

declare(strict_types=1);

namespace Shoal;

/**
 * Turns values into bytes and 32 flag bits, and back. A client takes any object that implements it as its codec.
 */
interface Codec
{
    /**
     * What to store for a value.
     *
     * @return array{string, int} the bytes, and flags from 0 to 2^32 - 1
     */
    public function encode(mixed $value): array;

    /** The value of what was stored. */
    public function decode(string $data, int $flags): mixed;
}
