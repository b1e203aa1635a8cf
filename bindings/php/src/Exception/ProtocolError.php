<?php

declare(strict_types=1);

namespace Shoal\Exception;

/** The server's answer made no sense; its connection was closed. */
final class ProtocolError extends Failure
{
}
