<?php

declare(strict_types=1);

namespace Shoal\Exception;

/** The call's time ran out. */
final class Timeout extends Failure
{
}
