<?php

declare(strict_types=1);

namespace Shoal\Exception;

/** An error of a kind that has no class of its own, and the parent of those that are no wrong argument. */
class Failure extends \RuntimeException implements ExceptionInterface
{
    use Details;
}
