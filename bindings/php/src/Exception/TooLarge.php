<?php

declare(strict_types=1);

namespace Shoal\Exception;

/** A value that the server refuses for its size, or larger than `max_value_bytes`. */
final class TooLarge extends Failure
{
}
