<?php

/**
 * Loads Shoal, the Symfony that is installed, and Symfony's tests, which fetch_source.py finds or fetches.
 *
 * May use: what Debian's packages have in PHP's include path. Called by phpunit.
 */

declare(strict_types=1);

require 'Symfony/Component/Cache/autoload.php';
require 'Psr/SimpleCache/autoload.php';
require 'Cache/IntegrationTests/autoload.php';
require getenv('SHOAL_AUTOLOAD');

exec(escapeshellarg(dirname(__DIR__) . '/fetch_source.py') . ' php-symfony-cache', $said, $status);
if ($status !== 0) {
    fwrite(STDERR, "Symfony's tests are not there: what was said above tells why\n");
    exit(1);
}
$symfony = "$said[0]/src/Symfony/";
spl_autoload_register(static function (string $class) use ($symfony): void {
    $file = $symfony . strtr(substr($class, strlen('Symfony\\')), '\\', '/') . '.php';
    if (str_starts_with($class, 'Symfony\Component\Cache\Tests\\') && is_file($file)) {
        require $file;
    }
});

/** A client for all pools: PHPUnit keeps every test. */
function suite_client(): Shoal\Client
{
    static $client = null;
    $client ??= Shoal\Symfony\ShoalAdapter::createConnection('shoal://' . getenv('SHOAL_TEST_ENDPOINT'),
        ['operation_timeout_ms' => 10000]);

    return $client;
}

/** What is left out of a class, as its suite.php says. @return array<string, string> */
function left_out(string $class): array
{
    $found = [];
    foreach ((require_suite())['left_out'] as $name => $reason) {
        if (str_starts_with($name, "$class::")) {
            $found[substr($name, strlen("$class::"))] = $reason;
        }
    }

    return $found;
}

/** @return array<string, mixed> */
function require_suite(): array
{
    static $suite = null;

    return $suite ??= require __DIR__ . '/suite.php';
}
