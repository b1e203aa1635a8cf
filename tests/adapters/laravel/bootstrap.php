<?php

/**
 * Loads Shoal, the Laravel that is installed, and Laravel's tests, which fetch_source.py finds or fetches.
 *
 * May use: what Debian's packages have in PHP's include path. Called by phpunit.
 */

declare(strict_types=1);

foreach (['Cache', 'Config', 'Container', 'Events', 'Support'] as $part) {
    require "Illuminate/$part/autoload.php";
}
require 'Psr/SimpleCache/autoload.php';
require 'Cache/IntegrationTests/autoload.php';
require getenv('SHOAL_AUTOLOAD');

exec(escapeshellarg(dirname(__DIR__) . '/fetch_source.py') . ' php-illuminate-cache', $said, $status);
if ($status !== 0) {
    fwrite(STDERR, "Laravel's tests are not there: what was said above tells why\n");
    exit(1);
}
require __DIR__ . '/MemcachedIntegrationTestCase.php';
$tests = "$said[0]/tests/";
spl_autoload_register(static function (string $class) use ($tests): void {
    $file = $tests . strtr(substr($class, strlen('Illuminate\Tests\\')), '\\', '/') . '.php';
    if (str_starts_with($class, 'Illuminate\Tests\\') && is_file($file)) {
        require $file;
    }
});
