<?php

declare(strict_types=1);

namespace Shoal\Exception;

/** An endpoint that cannot be read, or of a kind that is not built in. */
final class BadEndpoint extends InvalidArgument
{
}
