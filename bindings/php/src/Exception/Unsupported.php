<?php

declare(strict_types=1);

namespace Shoal\Exception;

/** Not possible with this protocol, server or build. */
final class Unsupported extends Failure
{
}
