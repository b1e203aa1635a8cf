<?php

declare(strict_types=1);

namespace Shoal\Exception;

/** Memory ran out. */
final class OutOfMemory extends Failure
{
}
