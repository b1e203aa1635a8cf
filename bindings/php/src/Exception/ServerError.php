<?php

declare(strict_types=1);

namespace Shoal\Exception;

/** The server answered with an error of its own. */
final class ServerError extends Failure
{
}
