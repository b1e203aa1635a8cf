<?php

declare(strict_types=1);

namespace Shoal\Exception;

/** The client was closed. */
final class Closed extends Failure
{
}
