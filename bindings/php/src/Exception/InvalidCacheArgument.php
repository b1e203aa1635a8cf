<?php

declare(strict_types=1);

namespace Shoal\Exception;

use Psr\SimpleCache\InvalidArgumentException;

/** A key or a time to live that PSR-16 does not allow. */
final class InvalidCacheArgument extends InvalidArgument implements InvalidArgumentException
{
}
