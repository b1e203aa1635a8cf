<?php

declare(strict_types=1);

namespace Shoal\Exception;

/** The operating system refused, e.g. for want of descriptors or threads: see getErrno(). */
final class SystemFailure extends Failure
{
}
