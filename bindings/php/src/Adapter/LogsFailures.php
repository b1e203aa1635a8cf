<?php

declare(strict_types=1);

namespace Shoal\Adapter;

use Psr\Log\LoggerInterface;

/**
 * What an adapter does where its framework wants a miss and not an exception: it tells the log.
 *
 * @internal
 */
trait LogsFailures
{
    private ?LoggerInterface $logger = null;

    /** Takes what could not be read or written, as warnings. Without a logger they go to PHP's own log. */
    public function setLogger(LoggerInterface $logger): void
    {
        $this->logger = $logger;
    }

    private function tell(string $what, \Throwable $failure): void
    {
        $message = "Shoal could not $what: {$failure->getMessage()}";
        if ($this->logger !== null) {
            $this->logger->warning($message, ['exception' => $failure]);
        } else {
            error_log($message);
        }
    }
}
