<?php

declare(strict_types=1);

namespace Shoal\Exception;

/** An argument that cannot be right, such as the cas token 0. */
class InvalidArgument extends \InvalidArgumentException implements ExceptionInterface
{
    use Details;
}
