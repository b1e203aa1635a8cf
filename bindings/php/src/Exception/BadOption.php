<?php

declare(strict_types=1);

namespace Shoal\Exception;

/** An option that does not exist (the message names the nearest), or a value that it does not take. */
final class BadOption extends InvalidArgument
{
}
