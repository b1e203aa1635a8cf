<?php

declare(strict_types=1);

namespace Shoal\Exception;

/** A key that is empty, too long, or holds a space or a control character. */
final class BadKey extends InvalidArgument
{
}
