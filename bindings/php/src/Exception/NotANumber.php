<?php

declare(strict_types=1);

namespace Shoal\Exception;

/** An increment or decrement of an item that is no decimal number. */
final class NotANumber extends Failure
{
}
