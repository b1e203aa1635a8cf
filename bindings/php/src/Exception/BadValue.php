<?php

declare(strict_types=1);

namespace Shoal\Exception;

/** A stored value that the codec cannot read: damaged, or written by another client. */
final class BadValue extends Failure
{
}
