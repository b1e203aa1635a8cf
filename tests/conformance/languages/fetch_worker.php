<?php

/**
 * Does what fetch.py asks for, by PHP's client; fetch_worker.py tells the argument and the lines.
 *
 * May use: Shoal.
 */

declare(strict_types=1);

require getenv('SHOAL_AUTOLOAD');

const PAUSE_US = 50_000;

/** @return list<int> */
function run(string $journal, string $endpoint, string $key, int $seconds, int $ttl, int $staleTtl, int $costMs): array
{
    $client = new Shoal\Client($endpoint);
    $value = "value of $key";
    $end = hrtime(true) + $seconds * 1_000_000_000;
    $calls = $slow = $longest = $wrong = 0;
    while ($calls === 0 || hrtime(true) < $end) {
        $begun = hrtime(true);
        $computed = null;
        $compute = function () use (&$computed, $journal, $value, $costMs): string {
            $computed = hrtime(true);
            usleep($costMs * 1000);
            file_put_contents($journal, $computed . ' ' . hrtime(true) . "\n", FILE_APPEND);
            return $value;
        };
        $found = $client->fetch($key, $compute, $ttl, $staleTtl);
        $waited = ($computed ?? hrtime(true)) - $begun;
        $longest = max($longest, $waited);
        $slow += $waited >= $costMs * 1_000_000 / 2 ? 1 : 0;
        $wrong += $found === $value ? 0 : 1;
        $calls++;
        usleep(PAUSE_US);
    }
    return [$calls, $slow, $longest, $wrong];
}

echo "ready\n";
while (($line = fgets(STDIN)) !== false) {
    [$endpoint, $key, $seconds, $ttl, $staleTtl, $costMs] = explode(' ', trim($line));
    $told = run($argv[1], $endpoint, $key, (int) $seconds, (int) $ttl, (int) $staleTtl, (int) $costMs);
    echo implode(' ', $told), "\n";
}
