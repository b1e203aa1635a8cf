<?php

declare(strict_types=1);

namespace Shoal\Exception;

/** No list of nodes is known yet: the endpoint gave none. */
final class DiscoveryError extends Failure
{
}
