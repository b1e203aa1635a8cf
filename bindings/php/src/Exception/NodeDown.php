<?php

declare(strict_types=1);

namespace Shoal\Exception;

/** The node refused, closed the connection or could not be reached. */
final class NodeDown extends Failure
{
}
