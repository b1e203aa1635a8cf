<?php

/**
 * The example's only page: what it takes from the cache, and from which node. Plain text, for curl and for browsers.
 * The fleet is the one that `shoal local --port 11300` starts, or that of SHOAL_ENDPOINT. README.md, under Example,
 * says how to see it work.
 *
 * May use: Shoal. php -S calls it for each request.
 */

declare(strict_types=1);

use Shoal\Client;
use Shoal\Exception\ExceptionInterface;

require getenv('SHOAL_AUTOLOAD') ?: __DIR__ . '/../autoload.php';

/** Stands for something slow. */
function write_report(): string
{
    usleep(200_000);

    return date('H:i:s');
}

/** The cached report, or a new one: also while its node is down. */
function take_report(Client $cache): string
{
    $report = $cache->get('report');
    if ($report === null) {
        $report = write_report();
        try {
            $cache->set('report', $report, 30);
        } catch (ExceptionInterface) {
            $report .= ' (not kept: its node is down)';
        }
    }

    return $report;
}

/** How many of the articles were there. The others are written again; those of a node that is down stay away. */
function take_articles(Client $cache): string
{
    $keys = array_map(fn ($number) => "article-$number", range(0, 99));
    $found = $cache->getMany($keys);
    $missing = array_diff($keys, array_keys($found));
    $cache->setMany(array_combine($missing, array_map(fn ($key) => "the text of $key", $missing)));

    return count($found) . ' of ' . count($keys) . ' from the cache';
}

/** How often the page was taken. The counter starts anew where its node is gone. */
function count_hit(Client $cache): string
{
    try {
        return (string) $cache->increment('hits', initial: 1);
    } catch (ExceptionInterface) {
        return 'not counted: its node is down';
    }
}

// Nodes come and go while one looks: ask for them each second, and not each minute. A read from a node that is down is
// a miss.
$cache = new Client(getenv('SHOAL_ENDPOINT') ?: 'elasticache://127.0.0.1:11300', [
    'discovery_interval_ms' => 1000,
    'on_node_failure' => 'miss',
]);
$topology = $cache->topology();
header('Content-Type: text/plain');
echo 'report    written at ', take_report($cache), ', kept by ', $cache->route('report'), "\n",
    'articles  ', take_articles($cache), "\n",
    'hits      ', count_hit($cache), "\n",
    "fleet     version {$topology->version}: ", implode(' ', array_column($topology->nodes, 'name')), "\n";
